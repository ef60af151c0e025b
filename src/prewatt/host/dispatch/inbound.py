"""Messages that start at a meter: Report, Alarm, Wish. Opened, booked once each, Alarms acknowledged every time.

Which key opens one stands in its head and is believed only once it has. What does not open is dropped and counted: it
proves nothing, and nobody is answered. What opens and cannot be booked is kept: `prewatt.host.dispatch.unbooked`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import select

from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import MessageType
from prewatt.codec.meter_messages import Alarm, AlarmAck, Head, Report, Wish
from prewatt.crypto import AuthenticationError, Suite, suite, suite_by_id
from prewatt.host.context import HostContext
from prewatt.host.dispatch.results import book_alarm, book_report, book_wish
from prewatt.host.fields import meter_bytes
from prewatt.host.keys import KeySetMissingError, KeySetRetiredError
from prewatt.host.refusals import HostError
from prewatt.host.store import Writing, schema
from prewatt.protocol.meter_messages import open_alarm, open_report, open_wish, seal_ack

__all__ = ["FROM_METER", "Arrived", "Inbound", "StrangerError"]

_log = structlog.get_logger("prewatt.dispatch")
# A statement takes so many parameters and no more.
_METERS_AT_ONCE: Final = 500
FROM_METER: Final = frozenset({MessageType.REPORT, MessageType.ALARM, MessageType.WISH})


class StrangerError(HostError):
    """An authentic message of a meter that the registry does not know."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A payload from a meter. ``station``: the one it was heard through, where that is known."""

    meter_id: bytes
    payload: bytes
    station: str | None = None

    @property
    def meter(self) -> str:
        """The id as the registry has it."""
        return self.meter_id.hex().upper()

    @property
    def is_from_meter(self) -> bool:
        """Whether it is no answer, but something that the meter says by itself."""
        return self.payload[:1] != b"" and self.payload[0] in FROM_METER


class Inbound:
    """Opens what meters send by themselves, and hands it to the store."""

    def __init__(self, context: HostContext) -> None:
        self._context = context
        self._suites: dict[str, str] = {}
        self.dropped = 0

    def expect(self, meters: Iterable[str]) -> None:
        """Reads the suites of all meters that a batch is from, at once.

        Any active set of its suite may open a meter's message, whatever the books say of it: they may be older than
        the meter's keys (after a restore) or newer (a Report that waited at its station while its set was replaced).
        """
        wanted = sorted(set(meters))
        meter = schema.meters
        self._suites = {}
        with self._context.store.reading() as connection:
            for first in range(0, len(wanted), _METERS_AT_ONCE):
                named = wanted[first : first + _METERS_AT_ONCE]
                rows = connection.execute(select(meter.c.id, meter.c.suite).where(meter.c.id.in_(named)))
                self._suites |= {row.id: row.suite for row in rows}

    def take(self, meter: str, payload: bytes) -> list[Callable[[Writing], list[bytes]]]:
        """The piece of work that books one message of a meter that was expected, and gives what to send back; none
        where the message proves nothing. The work raises where the message cannot be booked, or not be looked at."""
        try:
            opened, key, chosen = self._open(meter, payload)
        except (AuthenticationError, DecodeError, KeySetMissingError, KeySetRetiredError, ValueError) as error:
            self.dropped += 1
            _log.info("message dropped", meter=meter, cause=type(error).__name__)
            return []
        except Exception as error:  # a vault that cannot be read just now, or a mistake in here: it is kept
            return [_raising(error)]
        if meter not in self._suites:
            return [_raising(StrangerError(f"meter {meter}: it is not enrolled here"))]

        def work(writing: Writing) -> list[bytes]:
            if isinstance(opened, Report):
                book_report(writing, self._context, meter, opened)
                return []
            if isinstance(opened, Wish):
                book_wish(writing, self._context, meter, opened)
                return []
            book_alarm(writing, self._context, meter, opened)
            return [seal_ack(chosen, key, AlarmAck(opened.head.meter_id, opened.head.counter))]

        return [work]

    def _open(self, meter: str, payload: bytes) -> tuple[Report | Alarm | Wish, bytes, Suite]:
        kind = MessageType(payload[0])
        head = Head.parse(payload, kind)
        if head.meter_id != meter_bytes(meter):
            raise AuthenticationError
        # A meter that is not enrolled (any more, after a restore) proves itself by the keys of its id all the same.
        chosen = suite(self._suites[meter]) if meter in self._suites else suite_by_id(head.suite)
        key = self._context.vault.terminal_key(head.key_set, head.meter_id)
        if kind is MessageType.REPORT:
            return open_report(chosen, key, payload), key, chosen
        if kind is MessageType.ALARM:
            return open_alarm(chosen, key, payload), key, chosen
        return open_wish(chosen, key, payload), key, chosen


def _raising(error: Exception) -> Callable[[Writing], list[bytes]]:
    def work(writing: Writing) -> list[bytes]:
        raise error

    return work
