"""Where the channel keeps the rows of its payments: what an owner with a database has to give."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from prewatt.host.payment.iso8583.rows import PaymentRow, Trace
from prewatt.host.payment.iso8583.steps import Save

__all__ = ["PaymentJournal"]


@runtime_checkable
class PaymentJournal(Protocol):
    """Rows on a disk. Methods are called from any thread, also at once, and may block; `write` only from one at a
    time."""

    def read_open(self) -> Sequence[PaymentRow]:
        """All rows that have not ended."""
        ...

    def read_trace(self) -> Trace:
        """The number of the last message; a fresh `Trace` where there is none yet."""
        ...

    def read(self, payment_ids: Iterable[str]) -> Mapping[str, PaymentRow]:
        """The rows of these ids, ended or not; ids that were never asked for are left out."""
        ...

    def write(self, saves: Sequence[Save], trace: Trace | None) -> None:
        """All of it in one commit, in this order, durable on return. A row whose stored state is not `Save.before`
        (None: there is no row) is an error, and then nothing is written. Any exception: nothing was written."""
        ...
