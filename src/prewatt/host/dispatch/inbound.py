"""Messages that start at a meter: Report, Alarm, Wish. Opened, booked once each, Alarms acknowledged every time.

Which key opens one stands in its head and is believed only once it has. What does not open is dropped and counted: it
proves nothing, and nobody is answered.
"""

from concurrent.futures import Future
from typing import Final

import structlog
from sqlalchemy import select

from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import MessageType
from prewatt.codec.meter_messages import Alarm, AlarmAck, Head, Report, Wish
from prewatt.crypto import AuthenticationError, Suite, suite
from prewatt.host.context import HostContext
from prewatt.host.dispatch.results import book_alarm, book_report, book_wish
from prewatt.host.fields import meter_bytes
from prewatt.host.keys import VaultError
from prewatt.host.store import Writing, schema
from prewatt.protocol.meter_messages import open_alarm, open_report, open_wish, seal_ack

__all__ = ["Inbound"]

_log = structlog.get_logger("prewatt.dispatch")
_KINDS: Final = (MessageType.REPORT, MessageType.ALARM, MessageType.WISH)


class Inbound:
    """Opens what meters send by themselves, and hands it to the store."""

    def __init__(self, context: HostContext) -> None:
        self._context = context
        self.dropped = 0

    def take(self, meter: str, payload: bytes) -> list["Future[list[bytes]]"]:
        """The booking of one message, whose result is what to send back; none where the message proves nothing."""
        try:
            opened, key, chosen = self._open(meter, payload)
        except (AuthenticationError, DecodeError, VaultError, ValueError) as error:
            self.dropped += 1
            _log.info("message dropped", meter=meter, cause=type(error).__name__)
            return []

        def work(writing: Writing) -> list[bytes]:
            if isinstance(opened, Report):
                book_report(writing, self._context, meter, opened)
                return []
            if isinstance(opened, Wish):
                book_wish(writing, self._context, meter, opened)
                return []
            book_alarm(writing, self._context, meter, opened)
            return [seal_ack(chosen, key, AlarmAck(opened.head.meter_id, opened.head.counter))]

        return [self._context.store.submit(work)]

    def _open(self, meter: str, payload: bytes) -> tuple[Report | Alarm | Wish, bytes, Suite]:
        kind = MessageType(payload[0])
        head = Head.parse(payload, kind)
        meters, keys = schema.meters, schema.meter_keys
        wanted = (
            select(meters.c.suite)
            .join_from(meters, keys, keys.c.meter == meters.c.id)
            .where(meters.c.id == meter, keys.c.key_set == head.key_set)
        )
        with self._context.store.reading() as connection:
            name = connection.execute(wanted).scalar()
        if name is None or head.meter_id != meter_bytes(meter):
            raise AuthenticationError
        chosen = suite(name)
        key = self._context.vault.terminal_key(head.key_set, head.meter_id)
        if kind is MessageType.REPORT:
            return open_report(chosen, key, payload), key, chosen
        if kind is MessageType.ALARM:
            return open_alarm(chosen, key, payload), key, chosen
        return open_wish(chosen, key, payload), key, chosen
