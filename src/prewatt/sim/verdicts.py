"""The auditor's third pair of eyes: what the host calls done was done, what it calls cancelled can be applied no more.

A customer who is paid back keeps the paper with the code: it must be worthless from that very commit on, not only
where somebody happens to type it (R5). A command that is called done was applied by its own meter, after it was
ordered, and no other under the same number (R10). What is true is taken from the meter, at every instant it is
looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from prewatt.codec.commands import Code
from prewatt.device.meter.money import Money

__all__ = ["Verdicts"]

_CODE_BITS_BELOW_SEQUENCE: Final = 56
# The steps of one program go out under one row, each with a digest of its own.
_IN_STEPS: Final = frozenset({Code.PROGRAM_OFFER, Code.PROGRAM_CHUNK, Code.PROGRAM_ACTIVATE})


@dataclass(slots=True)
class _Known:
    """Of an id, whichever of its bodies was seen: its highest number; and of each body, which counts its commands by
    itself, the newest one, and each one's counter."""

    last: int = 0
    newest: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    applied: dict[bytes, dict[str, int]] = field(default_factory=dict)


class Verdicts:
    """See the module. ``rows`` reads the host's database past the host."""

    def __init__(self, rows: Callable[[str], list[Any]], check: Callable[[bool, str], None]) -> None:
        self._rows, self._check = rows, check
        self._known: dict[str, _Known] = {}
        # By order, the digits that were given out and the number they are good for.
        self._codes: dict[str, dict[str, int]] = {}
        # Commands that wait, and what each body had applied last when they were ordered.
        self._waiting: dict[int, dict[str, tuple[int, bytes]]] = {}
        self._top = 0

    def observe(self, meter: str, body: str, money: Money) -> None:
        """The money of a meter's body has changed."""
        known = self._known.setdefault(meter, _Known())
        known.last = max(known.last, money.last_sequence)
        known.newest[body] = (money.last_control, money.control_digest)
        known.applied.setdefault(money.control_digest, {})[body] = money.last_control

    def issued(self, order: str, meter: str, digits: str) -> None:
        """A customer has an order on paper. It carries the low byte of a number that is near the meter's last one; the
        same paper given out again may be long out of date."""
        last = self._known[meter].last
        away = ((int(digits) >> _CODE_BITS_BELOW_SEQUENCE) - last + 128) % 256 - 128
        self._codes.setdefault(order, {}).setdefault(digits, last + away)

    def cancelled(self, order: str, meter: str) -> None:
        """A sale is paid back: whatever paper there is of it has to be worthless."""
        for sequence in self._codes.get(order, {}).values():
            last = self._known[meter].last
            told = f"order {order} is cancelled, and its code is still good at meter {meter}"
            self._check(last >= sequence, f"{told}: {sequence:08X} after {last:08X}")

    def host_began(self) -> None:
        """Another process, perhaps on another database: what it says is read anew."""
        self._waiting.clear()
        self._top = 0

    def check_books(self) -> None:
        """After a commit."""
        low = min(self._waiting, default=self._top + 1)
        asked = f"SELECT number, meter, code, digest, state FROM controls WHERE number >= {low} ORDER BY number"
        # What waited before this process began may have been applied before that, and be asked again now.
        anew = self._top == 0
        for number, meter, code, digest, state in self._rows(asked):
            new = number > self._top
            self._top = max(self._top, number)
            if code in _IN_STEPS or meter not in self._known:
                continue
            if new and state == "waiting":
                self._waiting[number] = {} if anew else dict(self._known[meter].newest)
            elif number in self._waiting and state != "waiting":
                before, applied = self._waiting.pop(number), self._known[meter].applied.get(digest, {})
                known = any(_counts(before.get(body), digest, count) for body, count in applied.items())
                done = state != "done" or known
                self._check(done, f"{meter}: command {number} is called done, and was not applied")


def _counts(before: tuple[int, bytes] | None, digest: bytes, count: int) -> bool:
    """Whether a body that applied this at that count did so for an order made when its newest was ``before``."""
    return before is None or count > before[0] or before[1] == digest
