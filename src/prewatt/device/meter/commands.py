"""What a verified command does: checked first, then written in one record, then answered.

A Result always comes, also where nothing changed (R1 of docs/protocol.md). Control commands pass the control counter
first: an old one is refused, the one already done is answered again without being done again (R10). Each function
here gives a status and what follows the receipt; what it changed is stored by the time it returns.
"""

from collections.abc import Callable
from typing import Final

from prewatt.codec.bodies import (
    PART_MODE_TABLE,
    Commission,
    KeyChange,
    KeyDrop,
    ModeChange,
    RelayOrder,
    Retire,
    Text,
    Transfer,
    UsageQuery,
)
from prewatt.codec.commands import Code
from prewatt.codec.errors import DecodeError
from prewatt.codec.events import EVENT_DETAIL_BYTES_MAX, EventCode
from prewatt.codec.modetable import ModeTable
from prewatt.codec.receipt import Status
from prewatt.codec.settings import SettingsChange
from prewatt.crypto import check_value, tag_equal
from prewatt.device.meter.birth import KEY_SETS_MAX, KEY_SETS_MIN
from prewatt.device.meter.clock import CLOCK_EARLIEST_S, CLOCK_LATEST_S, CLOCK_STEP_EVENT_S, clamp
from prewatt.device.meter.consumption import Consumption
from prewatt.device.meter.core import Core
from prewatt.device.meter.money import (
    ControlOutcome,
    Money,
    apply_transfer,
    check_sequence,
    commission,
    control,
    retire,
)
from prewatt.device.meter.program import Programs
from prewatt.device.meter.relay import RelayEvent
from prewatt.device.meter.slots import SlotError
from prewatt.device.meter.tariff import Tariff
from prewatt.device.meter.usage import build_table_part, build_usage_parts
from prewatt.device.now import Now
from prewatt.protocol.terminal import Execute
from prewatt.units import DAY_S, epoch_start

__all__ = ["Commands"]

# Later days begin beyond the 32 bits of a UTC second.
DAY_LAST: Final = CLOCK_LATEST_S // DAY_S
_Applied = tuple[Status, bytes]
_OF_HOMES: Final = (Code.MODE, Code.RELAY, Code.TEXT)
_IMPOSSIBLE: Final[_Applied] = (Status.IMPOSSIBLE, b"")


class Commands:
    """Carries commands out on the core it is given."""

    __slots__ = ("_consumption", "_control", "_core", "programs")

    def __init__(self, core: Core, consumption: Consumption) -> None:
        self._core = core
        self._consumption = consumption
        self.programs = Programs(core)
        self._control: dict[int, Callable[[bytes, Execute], _Applied]] = {
            Code.MODE: self._mode,
            Code.KEY: self._key,
            Code.RELAY: self._relay,
            Code.COMMISSION: self._commission,
            Code.RETIRE: self._retire,
            Code.TEXT: self._text,
            Code.SETTINGS: self._settings,
            Code.KEY_DROP: self._key_drop,
            Code.PROGRAM_OFFER: lambda body, order: self.programs.offer(body),
            Code.PROGRAM_CHUNK: lambda body, order: self.programs.chunk(body),
            Code.PROGRAM_ACTIVATE: lambda body, order: self.programs.activate(body),
        }

    def execute(self, order: Execute, now: Now) -> bytes:
        """Does it and gives the plain bytes of the Result; everything they say is stored."""
        if order.code == Code.USAGE:
            return self._usage(order, now)
        if order.code == Code.VALUE:
            status, rest = self._value(order)
        elif order.code == Code.RING:
            status, rest = self._ring(order)
        else:
            status, rest = self._controlled(order)
        # Before any Result that shows a balance, the balance has to stand in the journal.
        self._core.store()
        return self._core.receipt(status).build() + rest

    def _value(self, order: Execute) -> _Applied:
        core = self._core
        if order.body is None or not core.sells:
            status = check_sequence(core.money, order.sequence)
            return (Status.IMPOSSIBLE if status is Status.DONE else status), b""
        transfer = Transfer.parse(order.body)
        money, status = apply_transfer(core.money, order.sequence, transfer.amount_micro, transfer.tag, core.limits)
        if status is Status.DONE:
            self.hold(money, transfer.amount_micro)
        return status, b""

    def hold(self, money: Money, amount_micro: int) -> None:
        """Stores money that a transfer or a code changed, and lets the relay follow."""
        core = self._core
        core.money = money
        if amount_micro > 0 and money.balance_micro:
            core.control.emergency = False
            core.relay(RelayEvent.VALUE_ARRIVED)
        elif amount_micro < 0 and not money.balance_micro:
            core.relay(RelayEvent.BALANCE_ZERO)
        if amount_micro:
            code = EventCode.VALUE_STORED if amount_micro > 0 else EventCode.VALUE_RETURNED
            core.log(code, abs(amount_micro).to_bytes(8, "big") + money.last_sequence.to_bytes(4, "big"))
        core.store()

    def _ring(self, order: Execute) -> _Applied:
        if order.body is None:
            return _IMPOSSIBLE
        return Status.DONE, b"".join(entry.build() for entry in self._core.money.ring)

    def _usage(self, order: Execute, now: Now) -> bytes:
        """03: the Info with the clock as it was; then the clock is set, in the same write as the cursor."""
        core = self._core
        if order.body is None:
            core.store()
            return core.receipt(Status.IMPOSSIBLE).build()
        query = UsageQuery.parse(order.body)
        state = core.control
        seen = min(query.events_acknowledged, state.events_sent)
        state.events_acknowledged = max(state.events_acknowledged, seen)
        believed = CLOCK_EARLIEST_S <= query.time_s <= CLOCK_LATEST_S
        receipt = core.receipt(Status.DONE if believed else Status.IMPOSSIBLE)
        plain = core.receipt(Status.IMPOSSIBLE).build()
        if query.part == PART_MODE_TABLE:
            plain = build_table_part(core, receipt)
        elif query.day <= DAY_LAST:
            parts = build_usage_parts(core, receipt, query.day)
            plain = parts[query.part] if query.part < len(parts) else plain
        if believed:
            self._correct_clock(query.time_s, order.elapsed_ms, now)
        core.store()
        return plain

    def _correct_clock(self, time_s: int, elapsed_ms: int, now: Now) -> None:
        core = self._core
        own_s = core.own_s
        right_s = clamp(own_s, time_s, elapsed_ms, now.speed)
        if right_s == own_s:
            return
        core.control.clock = core.control.clock.set(core.world_s, right_s)
        if abs(right_s - own_s) > CLOCK_STEP_EVENT_S:
            core.log(EventCode.CLOCK_STEPPED, own_s.to_bytes(4, "big") + right_s.to_bytes(4, "big"))
        self._consumption.catch_up_clock()

    def _controlled(self, order: Execute) -> _Applied:
        """R10: the counter decides first; counter and digest are stored in the same write as the effect."""
        core = self._core
        apply = self._control.get(order.code) if core.sells or order.code not in _OF_HOMES else None
        if order.body is None or apply is None:
            return _IMPOSSIBLE
        verdict = control(core.money, order.sequence, order.code, order.body)
        if verdict.outcome is ControlOutcome.STALE:
            return Status.CONTROL, b""
        if verdict.outcome is ControlOutcome.ALREADY:
            return Status.DONE, self._rest(order)
        before = core.money
        core.money = verdict.money
        try:
            status, rest = apply(order.body, order)
        except (DecodeError, ValueError):
            status, rest = _IMPOSSIBLE
        except SlotError as error:
            # The slot in use is untouched, and nothing was changed yet: new bulk data is written first.
            core.log(EventCode.MEMORY_FAULT, str(error).encode()[:EVENT_DETAIL_BYTES_MAX])
            status, rest = _IMPOSSIBLE
        if status is not Status.DONE:
            core.money = before
        return status, rest

    def _rest(self, order: Execute) -> bytes:
        """What follows the receipt of a control command that was already done."""
        if order.code == Code.MODE:
            return self._core.newest_tariff.digest
        if order.code == Code.RELAY:
            return self._relay_causes()
        if order.code == Code.KEY and order.body is not None:
            return KeyChange.parse(order.body, self._core.suite.id).check
        if order.code in (Code.PROGRAM_OFFER, Code.PROGRAM_CHUNK, Code.PROGRAM_ACTIVATE):
            return self.programs.rest()
        return b""

    def _mode(self, body: bytes, order: Execute) -> _Applied:
        """02: greater version only; in force at once or at its time. A newer one takes the place of one that waits."""
        core = self._core
        change = ModeChange.parse(body)
        tariff = Tariff(ModeTable.parse(change.table), change.unit_price_micro)
        tariff.check_prices(core.sources)
        if tariff.digest == core.newest_tariff.digest:
            # Sent again by a host that does not know, after a restore say: the meter has it.
            return Status.DONE, tariff.digest
        if tariff.table.version <= core.newest_tariff.table.version:
            return _IMPOSSIBLE
        core.put_tariff(tariff)
        core.log(EventCode.TARIFF_ACCEPTED, tariff.table.version.to_bytes(4, "big"))
        if tariff.table.valid_from_s <= core.own_s:
            core.promote_tariff()
        self._consumption.reprice()
        return Status.DONE, core.newest_tariff.digest

    def _key(self, body: bytes, order: Execute) -> _Applied:
        """05: another set than the one under which the session ran, with a right check value (R12)."""
        core = self._core
        change = KeyChange.parse(body, core.suite.id)
        check = check_value(core.suite, change.key_set, core.certificate.meter_id, change.terminal_key)
        room = change.key_set in core.keys or len(core.keys) < KEY_SETS_MAX
        if change.key_set == order.key_set or not tag_equal(check, change.check) or not room:
            return _IMPOSSIBLE
        core.put_keys({**core.keys, change.key_set: change.terminal_key})
        self._seal_anew(change.key_set, order.key_set)
        core.log(EventCode.KEY_CHANGED, bytes((change.key_set,)))
        return Status.DONE, check

    def _key_drop(self, body: bytes, order: Execute) -> _Applied:
        """0B: a set that is replaced goes, never the one under which the session runs, nor the last but one. One that
        is not here need not go."""
        core, key_set = self._core, KeyDrop.parse(body).key_set
        if key_set not in core.keys:
            return Status.DONE, b""
        if key_set == order.key_set or len(core.keys) <= KEY_SETS_MIN:
            return _IMPOSSIBLE
        core.put_keys({number: key for number, key in core.keys.items() if number != key_set})
        self._seal_anew(key_set, order.key_set)
        core.log(EventCode.KEY_DROPPED, bytes((key_set,)))
        return Status.DONE, b""

    def _seal_anew(self, old: int, new: int) -> None:
        """Alarms that wait under a set that changed or went are sealed under the session's (R12)."""
        state = self._core.control
        state.alarms = [alarm._replace(key_set=new) if alarm.key_set == old else alarm for alarm in state.alarms]

    def _relay(self, body: bytes, order: Execute) -> _Applied:
        """06. A close only arms, where the settings say so; an open cover stays a cause."""
        core = self._core
        wish = RelayOrder.parse(body)
        event = RelayEvent.ORDER_OPEN
        if wish is not RelayOrder.OPEN:
            alone = wish is RelayOrder.CLOSE and not core.settings.close_arms
            event = RelayEvent.ORDER_CLOSE if alone else RelayEvent.ORDER_ARM
        core.relay(event)
        if core.control.cover_open and core.settings.cover_trips:
            core.relay(RelayEvent.COVER_OPENED)
        return Status.DONE, self._relay_causes()

    def _relay_causes(self) -> bytes:
        return bytes(self._core.control.causes[: self._core.sources])

    def _commission(self, body: bytes, order: Execute) -> _Applied:
        """07: messages of the new epoch are counted from its beginning; so are Alarms of a body that had none."""
        core = self._core
        wish = Commission.parse(body)
        had_epoch = core.money.commissioned
        money, status = commission(core.money, wish.epoch, wish.tag, after=wish.after)
        if status is Status.DONE:
            core.money = money
            core.control.count_from(epoch_start(wish.epoch), alarms=not had_epoch)
            core.log(EventCode.COMMISSIONED, bytes((wish.epoch,)))
        return status, b""

    def _retire(self, body: bytes, order: Execute) -> _Applied:
        """08."""
        core = self._core
        money, status = retire(core.money, Retire.parse(body).tag)
        if status is Status.DONE:
            core.money = money
            core.log(EventCode.RETIRED)
        return status, b""

    def _text(self, body: bytes, order: Execute) -> _Applied:
        """09."""
        core = self._core
        core.put_text(Text.parse(body).text)
        core.log(EventCode.TEXT_RECEIVED)
        return Status.DONE, b""

    def _settings(self, body: bytes, order: Execute) -> _Applied:
        """0A."""
        core = self._core
        core.put_settings(core.settings.changed(SettingsChange.parse(body)))
        core.log(EventCode.SETTINGS_CHANGED, body[:16])
        return Status.DONE, b""
