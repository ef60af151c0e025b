"""What the meter says by itself: the daily Report, Alarms until they are acknowledged, the customer's Wish.

A counter is durable before the message that carries it is sent, so none is ever used twice. An Alarm is repeated with
the same bytes, at growing intervals of line time, until the host's own acknowledgement comes back; also after a power
cut, since it is made again from the event log under the same counter. When a key set is replaced, what waited under it
is sealed anew under a live one; its counter stays. A body without an epoch says nothing by itself: its counters would
be those that an earlier body of its id used. What happens to it waits and goes up once it is commissioned. (R13 and
R12 of docs/protocol.md.)
"""

from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.meter_messages import Alarm, Head, Report, Wish
from prewatt.codec.receipt import Status
from prewatt.crypto import AuthenticationError
from prewatt.device.meter.control import WaitingAlarm
from prewatt.device.meter.core import Core
from prewatt.device.meter.usage import build_usage_parts
from prewatt.protocol.meter_messages import open_ack, seal_alarm, seal_report, seal_wish

__all__ = ["REPEAT_LONGEST_MS", "TRIES_UNDER_A_SET", "Outbox"]

REPEAT_LONGEST_MS: Final = 3_600_000
# Alarms so often unanswered are under a set that the host has retired, or on a dead line; then it does no harm.
TRIES_UNDER_A_SET: Final = 4
_MS: Final = 1_000


class Outbox:
    """Messages that start at the meter. When an Alarm is due again is remembered in RAM only."""

    __slots__ = ("_core", "_due_ms", "_tries")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._due_ms: dict[int, int] = {}
        self._tries: dict[int, int] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing waits."""
        control = self._core.control
        return not control.alarms and not control.reports_due

    def due_payloads(self, line_ms: int) -> list[bytes]:
        """What has to be sent now; everything it says and every counter it uses is stored by the time it returns."""
        if not self._core.money.commissioned:
            return []
        payloads = [*self._reports(), *self._alarms(line_ms)]
        if self._core.changed:
            self._core.store()
        return payloads

    def read_next_ms(self) -> int | None:
        """The line tick at which an Alarm is due again; None where none waits."""
        if not self._core.money.commissioned:
            return None
        return min((self._due_ms.get(alarm.counter, 0) for alarm in self._core.control.alarms), default=None)

    def wish_payload(self, amount_micro: int, pin: str) -> bytes | None:
        """A customer's request for value, its counter stored; None where no key is left, or no epoch yet."""
        core = self._core
        if not core.keys or not core.money.commissioned:
            return None
        core.control.wish_counter += 1
        core.store()
        key_set = core.own_set
        wish = Wish(self._head(key_set, core.control.wish_counter), amount_micro, pin)
        return seal_wish(core.suite, core.keys[key_set], wish)

    def hear(self, key_set: int) -> None:
        """A Command under this set has verified: the host surely has it. An Alarm that nobody answers under another
        is sealed anew under this one; its counter stays. The record that the Command leads to makes it durable."""
        control = self._core.control
        control.heard_set = key_set
        control.alarms = [
            alarm._replace(key_set=key_set) if self._tries.get(alarm.counter, 0) >= TRIES_UNDER_A_SET else alarm
            for alarm in control.alarms
        ]

    def take_ack(self, payload: bytes) -> bool:
        """Whether ``payload`` acknowledges an Alarm that waits; then it waits no more, and that is stored."""
        core = self._core
        for alarm in core.control.alarms:
            key = core.keys.get(alarm.key_set)
            if key is None:
                continue
            try:
                ack = open_ack(core.suite, key, payload)
            except (AuthenticationError, DecodeError):
                continue
            if ack.meter_id == core.certificate.meter_id and ack.counter == alarm.counter:
                self._forget(alarm)
                core.store()
                return True
        return False

    def _forget(self, alarm: WaitingAlarm) -> None:
        self._core.control.alarms.remove(alarm)
        self._due_ms.pop(alarm.counter, None)
        self._tries.pop(alarm.counter, None)

    def _reports(self) -> list[bytes]:
        core = self._core
        days, core.control.reports_due = core.control.reports_due, []
        if days:
            core.changed = True
        if not core.keys:
            return []
        key_set = core.own_set
        payloads = []
        for day in days:
            for plain in build_usage_parts(core, core.receipt(Status.DONE), day):
                core.control.report_counter += 1
                report = Report(self._head(key_set, core.control.report_counter), plain)
                payloads.append(seal_report(core.suite, core.keys[key_set], report))
        return payloads

    def _alarms(self, line_ms: int) -> list[bytes]:
        core, payloads = self._core, []
        for alarm in list(core.control.alarms):
            if line_ms < self._due_ms.get(alarm.counter, line_ms):
                continue
            payload = self._alarm_payload(alarm)
            if payload is None:
                self._forget(alarm)
                core.changed = True
                continue
            tries = self._tries.get(alarm.counter, 0)
            wait_ms = min(core.settings.alarm_repeat_s * _MS << min(tries, 16), REPEAT_LONGEST_MS)
            self._tries[alarm.counter], self._due_ms[alarm.counter] = tries + 1, line_ms + wait_ms
            payloads.append(payload)
        return payloads

    def _alarm_payload(self, waiting: WaitingAlarm) -> bytes | None:
        """The bytes of an Alarm; None where its event or every key is gone."""
        core = self._core
        event, key = core.events.read(waiting.event), core.keys.get(waiting.key_set)
        if event is None or key is None:
            return None
        alarm = Alarm(self._head(waiting.key_set, waiting.counter), event.time_s, event.code, event.detail)
        return seal_alarm(core.suite, key, alarm)

    def _head(self, key_set: int, counter: int) -> Head:
        return Head(self._core.suite.id, key_set, self._core.certificate.meter_id, counter)
