"""Card payments as a way to pay: the port, for any thread, over a channel in a loop and a thread of its own.

The thread keeps a channel running: where the journal fails, the channel ends, and another starts from what is durable
after a pause. With ``place`` sandbox the acquirer is the one of this process, on a free port.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog

from prewatt.codec.errors import DecodeError
from prewatt.host.fields import check_id
from prewatt.host.payment.acquirer.calls import ChannelError
from prewatt.host.payment.acquirer.channel import AcquirerChannel
from prewatt.host.payment.acquirer.connection import AcquirerPlace
from prewatt.host.payment.acquirer.journal import PaymentJournal
from prewatt.host.payment.acquirer.settings import AcquirerSettings, read_settings
from prewatt.host.payment.iso8583.card import Card, CardOnFile
from prewatt.host.payment.iso8583.rows import outcome_of
from prewatt.host.payment.iso8583.statement import parse_statement
from prewatt.host.payment.port import PaymentOutcome, PaymentRequest, PaymentScheme, PaymentState, StatementRow
from prewatt.host.payment.sandbox.acquirer import SandboxAcquirer, start_sandbox
from prewatt.host.refusals import HostError
from prewatt.units import ValueFieldError

__all__ = ["ACQUIRER", "AcquirerMethod"]

_log = structlog.get_logger("prewatt.payment")
_RESTART_PAUSE_S: Final = 1.0
# How long a call waits beyond the acquirer's own time for a commit of ours.
_COMMITS_WITHIN_S: Final = 30.0
_MS_PER_S: Final = 1_000

T = TypeVar("T")


class AcquirerMethod:
    """See `prewatt.host.payment.port.PaymentMethod`. Takes `Card` and `CardOnFile`."""

    name = "acquirer"

    def __init__(self, settings: AcquirerSettings, journal: PaymentJournal) -> None:
        self._settings, self._journal = settings, journal
        self._loop: asyncio.AbstractEventLoop | None = None
        self._channel: AcquirerChannel | None = None
        self._task: asyncio.Task[None] | None = None
        self._started = threading.Event()
        self._failed = ""
        self.sandbox: SandboxAcquirer | None = None
        """The acquirer of this process, where that is asked; of the loop's thread."""
        self._thread = threading.Thread(target=self._run, name="prewatt acquirer", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failed:
            raise HostError(f"acquirer: {self._failed}")

    def ask(self, request: PaymentRequest) -> PaymentOutcome:
        """See the port; ChannelError where no answer can be had now: ask again with the same id."""
        payment_id = request.payment_id
        amount_minor = self._settings.profile.minor_of(request.amount_micro)
        card = request.means
        if not isinstance(card, Card | CardOnFile):
            raise ValueFieldError("means", type(card).__name__, "a card")
        wait_s = self._settings.profile.answer_wait_ms / _MS_PER_S + _COMMITS_WITHIN_S
        return self._do(lambda channel: channel.ask(payment_id, amount_minor, card), wait_s)

    def capture(self, payment_id: str) -> PaymentOutcome:
        """See the port."""
        return self._do(lambda channel: channel.capture(payment_id), _COMMITS_WITHIN_S)

    def reverse(self, payment_id: str) -> PaymentOutcome:
        """See the port; `Declined` where it was."""
        return self._do(lambda channel: channel.reverse(payment_id), _COMMITS_WITHIN_S)

    def sign_over(self, payment_id: str, state: PaymentState) -> PaymentOutcome:
        """A person has the acquirer's word how a payment ended that it does not confirm (captured or reversed)."""
        return self._do(lambda channel: channel.sign_over(payment_id, state), _COMMITS_WITHIN_S)

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether the acquirer can be asked, waiting so long for it."""

        async def waiting(channel: AcquirerChannel) -> bool:
            try:
                await asyncio.wait_for(channel.ready.wait(), timeout_s)
            except TimeoutError:
                return False
            return True

        return self._do(waiting, timeout_s + _COMMITS_WITHIN_S)

    def read(self, payment_id: str) -> PaymentOutcome | None:
        """See the port."""
        row = self._journal.read([payment_id]).get(payment_id)
        return outcome_of(row) if row is not None else None

    def read_open(self) -> Mapping[str, PaymentOutcome]:
        """See the port."""
        return {row.payment_id: outcome_of(row) for row in self._journal.read_open()}

    def statement(self, day: str) -> list[StatementRow]:
        """See the port: the file ``YYYY-MM-DD.csv`` of the statements folder, or the sandbox's own list."""
        profile, folder = self._settings.profile, self._settings.statements
        sandbox = self.sandbox
        if folder is not None:
            data = _read_statement(folder, day)
        elif sandbox is not None:
            currency, minor_micro = profile.currency, profile.minor_micro

            async def listing(channel: AcquirerChannel) -> bytes:
                return sandbox.statement(day, currency=currency, minor_micro=minor_micro)

            data = self._do(listing, _COMMITS_WITHIN_S)
        else:
            raise HostError(
                "statement: there is none; set `statements` to the folder where the acquirer's lists arrive"
            )
        try:
            return parse_statement(data, currency=profile.currency, minor_micro=profile.minor_micro)
        except DecodeError as error:
            raise HostError(f"statement of {day}: {error}") from None

    def close(self) -> None:
        """See the port."""
        loop, task = self._loop, self._task
        if loop is not None and task is not None and self._thread.is_alive():
            loop.call_soon_threadsafe(task.cancel)
        self._thread.join()

    def _do(self, work: Callable[[AcquirerChannel], Coroutine[Any, Any, T]], wait_s: float) -> T:
        """Does it in the loop's thread."""
        loop, channel = self._loop, self._channel
        if loop is None or channel is None or not self._thread.is_alive():
            raise ChannelError("the acquirer's channel is not running; ask again with the same id")
        future = asyncio.run_coroutine_threadsafe(work(channel), loop)
        try:
            return future.result(wait_s)
        except TimeoutError:
            future.cancel()
            raise ChannelError(f"no answer within {wait_s:.0f} s; ask again with the same id") from None
        except CancelledError:
            raise ChannelError("the acquirer's channel was closed; ask again with the same id") from None

    def _run(self) -> None:
        try:
            asyncio.run(self._keep_running())
        except asyncio.CancelledError:
            pass
        except Exception as error:
            # Only the sandbox can fail here: it has no port, or its file is none.
            self._failed = f"the sandbox does not start: {type(error).__name__}: {error}"
        finally:
            self._started.set()

    async def _keep_running(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        place = self._settings.place or await self._start_sandbox()
        try:
            while True:
                channel = AcquirerChannel(place, self._settings.profile, self._settings.key, self._journal)
                self._channel = channel
                self._started.set()
                try:
                    await channel.run()
                except Exception as error:
                    # Whatever the journal raised: what is durable is right, so the next channel starts from it.
                    _log.error("the channel has ended and starts anew", why=f"{type(error).__name__}: {error}")
                await asyncio.sleep(_RESTART_PAUSE_S)
        finally:
            if self.sandbox is not None:
                await self.sandbox.close()

    async def _start_sandbox(self) -> AcquirerPlace:
        self.sandbox = await start_sandbox(dialect=self._settings.profile.dialect, file=self._settings.sandbox_file)
        return self.sandbox.place


def _read_statement(folder: Path, day: str) -> bytes:
    check_id(day, field="day")
    try:
        return (folder / f"{day}.csv").read_bytes()
    except OSError as error:
        raise HostError(f"statement of {day}: {folder / day}.csv: {error.strerror}") from None


class AcquirerScheme:
    """The entry point ``acquirer`` of `prewatt.payments`."""

    def open(self, settings: Mapping[str, str], journal: object) -> AcquirerMethod:
        """See PaymentScheme; ``journal`` is a `PaymentJournal`."""
        if not isinstance(journal, PaymentJournal):
            raise ValueFieldError("journal", type(journal).__name__, "a PaymentJournal")
        return AcquirerMethod(read_settings(settings), journal)


ACQUIRER: Final[PaymentScheme] = AcquirerScheme()
