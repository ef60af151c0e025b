"""Making a session with a meter, and what to ask next when one has succeeded."""

from collections.abc import Callable
from typing import Final

from prewatt.codec.bodies import UsageQuery
from prewatt.codec.commands import Code, Command
from prewatt.codec.receipt import Status
from prewatt.crypto import suite
from prewatt.host.context import HostContext
from prewatt.host.dispatch.agenda import Call, Line
from prewatt.host.dispatch.choice import Choice, Wish, choose
from prewatt.host.dispatch.results import book_result, parse_info
from prewatt.host.fields import meter_bytes
from prewatt.host.store import Writing
from prewatt.protocol.host import HostSession, Outcome
from prewatt.protocol.transfer import WorkKind
from prewatt.units import Sequence

__all__ = ["SESSION_RANDOM_BYTES", "booking", "choosing", "is_urgent", "make_session", "set_time", "wish_after"]

SESSION_RANDOM_BYTES: Final = 32
_TIME_BYTES: Final = 4
# After these a meter shows other registers, another relay, another price, or a key that has to prove itself.
_REFRESHED: Final = frozenset({Code.VALUE, Code.COMMISSION, Code.MODE, Code.RELAY, Code.KEY})
_NOTHING: Final = Wish(query=False)


def choosing(context: HostContext, line: Line, wish: Wish) -> Callable[[Writing], Choice | None]:
    """The piece of work that chooses what a meter is called for."""
    meter, failures = line.meter, line.failures
    return lambda writing: choose(writing, context, meter, wish, failures=failures)


def booking(context: HostContext, meter: str, choice: Choice, outcome: Outcome) -> Callable[[Writing], None]:
    """The piece of work that books a Result."""
    return lambda writing: book_result(writing, context, meter, choice, outcome)


def make_session(context: HostContext, meter: str, choice: Choice, body: bytes, random: bytes) -> HostSession:
    """A session for a choice, under its key set."""
    meter_id = meter_bytes(meter)
    key = context.vault.terminal_key(choice.key_set, meter_id)
    command = Command(choice.work.code, Sequence(choice.work.sequence), body)
    return HostSession(meter_id, suite(choice.suite), choice.key_set, key, command, random)


def set_time(context: HostContext, meter: str, call: Call) -> None:
    """A usage query carries the time at which its Command goes out, not that of the Hello: a meter takes the true time
    to lie between it and the arrival (R11). The session is made again from the same random bytes: the same Hello,
    another body; the first body was never sent."""
    body = context.now().to_bytes(_TIME_BYTES, "big") + call.choice.work.body[_TIME_BYTES:]
    call.session = make_session(context, meter, call.choice, body, call.random)
    call.session.hello()
    call.timed = True


def is_urgent(choice: Choice) -> bool:
    """Whether the session's messages overtake polling on the line: money does, and what keeps money in order."""
    return choice.work.kind not in (WorkKind.QUERY, WorkKind.CONTROL)


def wish_after(line: Line, choice: Choice, outcome: Outcome, *, refresh: bool) -> Wish:
    """What to ask where nothing more urgent waits: the rest of a day, or the registers after a transfer.

    Not after one that was refused, nor after the fence that lets the next one pass: the question would succeed, end the
    back-off, and the order be sent again at once.
    """
    if choice.work.code is Code.USAGE:
        part = parse_info(outcome.plain)
        if part is None or part.part != choice.part or part.part + 1 >= part.parts:
            return _NOTHING
        cursor = UsageQuery.parse(choice.work.body).events_acknowledged
        return Wish(query=True, day=choice.day, part=choice.part + 1, acknowledged=cursor)
    moved = refresh and outcome.receipt.status is Status.DONE and choice.work.kind is not WorkKind.FENCE
    if choice.work.code in _REFRESHED and moved and not line.wish.query:
        return Wish(query=True, registers_only=True)
    return line.wish
