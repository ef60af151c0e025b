"""The end of all faults: everything has to come to its end then, within a stated virtual time.

The office does its part (what only a person may decide is decided), a last wish for every setting goes out, and the
world goes on without a fault. After at most CALM_MAX_S every order is settled or refused for a reason that a person was
shown, every control is done, every report and alarm is booked, and host and meters say the same of every sum.
"""

from typing import TYPE_CHECKING, Any, Final

from prewatt.codec.messages import MessageType
from prewatt.codec.minutelog import Packing, unpack
from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.codec.settings import SettingsChange
from prewatt.host.answers import MeterAnswer, MeterState
from prewatt.host.store.books import read_book
from prewatt.protocol.transfer import BodyState
from prewatt.sim.home import Home
from prewatt.units import DAY_S, MINUTE_S

if TYPE_CHECKING:
    from prewatt.sim.world import World

__all__ = ["CALM_MAX_S", "Calm"]

# Four polls of the longest period that a world is made with, and a day's report: by then everything has met.
CALM_MAX_S: Final = 3 * DAY_S
_LOOK_EVERY_S: Final = 600
_LOOK_FIRST_S: Final = 30


class Calm:
    """See the module."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.took_s: list[int] = []
        self._tariff_top = 0
        self._tariff_digests: dict[int, bytes] = {}
        self._wish = 0

    def note_tariffs(self) -> None:
        """What the host calls each price."""
        self.world.auditor.reckoner.prices.note()
        for version, digest in self.world.rows("SELECT version, digest FROM tariffs"):
            self._tariff_top = max(self._tariff_top, version)
            self._tariff_digests[version] = digest

    def office(self) -> None:
        """What a person does about meters that wait for one."""
        world = self.world
        for meter in sorted(set(world.homes) - world.enrolled):
            world.enrol(meter)
        for meter in sorted(world.enrolled):
            if (shown := self._shown(meter)) is None:
                return
            self._decide(shown)
        for entry in world.call(lambda host: host.transfers.read_suspense()) or ():
            self._explain(entry.meter, entry.sequence)
        for meter in sorted(world.enrolled):
            shown = self._shown(meter)
            if shown is not None and shown.state_reason is not None and "reconcile" in shown.state_reason:
                world.call(lambda host, meter=meter: host.registry.reconcile(meter, "the till agrees"))  # type: ignore[misc]
        world.wake_host()

    def _shown(self, meter: str) -> MeterAnswer | None:
        return self.world.call(lambda host: host.registry.read_meter(meter))

    def _decide(self, shown: MeterAnswer) -> None:
        world, meter = self.world, shown.id
        place, m_id = world.homes[meter].place, world.homes[meter].m_id
        if shown.station != place:
            # A restored registry, or one that died in the middle, does not know on which pole the meter hangs.
            world.call(lambda host: host.topology.move_meter(meter, place, m_id=m_id, reason="it hangs there"))
        if shown.state is MeterState.FROZEN:
            world.call(lambda host: host.registry.thaw(meter, "the first body hangs there"))
        for order in self._open_orders(meter):
            # The till's own records: a restored host must not deliver what was taken back before.
            if shown.state is MeterState.UNSYNCED and world.auditor.sales[order].back:
                world.call(lambda host, order=order: host.transfers.cancel(order))  # type: ignore[misc]

    def _explain(self, meter: str, sequence: int) -> None:
        """The counter keeps the stubs of the codes it gave out: it knows which order a code was, and matches it where
        that order is open; what was sold after the backup it finds in the till's own records."""
        order = self.world.auditor.order_of(meter, sequence)
        if order in self._open_orders(meter):
            self.world.call(lambda host: host.transfers.match_suspense(meter, sequence, order, "on the stub"))
        elif order is not None:
            self.world.call(lambda host: host.transfers.explain_suspense(meter, sequence, "found"))

    def _open_orders(self, meter: str) -> list[str]:
        where = f"meter = '{meter}' AND settled_s IS NULL"
        return [row[0] for row in self.world.rows(f"SELECT id FROM orders WHERE {where} ORDER BY number")]

    def run(self) -> None:
        """Ends all faults and waits; a violation where something is unfinished after CALM_MAX_S."""
        world = self.world
        world.begin_operation(f"calm {world.now_ms}")
        world.history.note(world.now_ms, "calm", "")
        begun_ms = world.now_ms
        world.trouble.calm()
        world.field.calm()
        for home in world.homes.values():
            home.pulses_per_minute = 0
            home.nvm.lose_in = home.nvm.misplace_in = None
            home.restore_power()
            if not home.on:
                home.restore_power()
        self.office()
        self._end_campaigns()
        self._last_wishes()
        self._wait(begun_ms + CALM_MAX_S * 1_000)
        self.took_s.append((world.now_ms - begun_ms) // 1_000)
        host = world.installation.host
        assert host is not None
        world.auditor.check_all(host)
        self._check_ended()
        world.field.check_kept()

    def _end_campaigns(self) -> None:
        """What is still to be told to many is not told any more: the last wishes follow."""
        world = self.world
        for (campaign,) in world.rows("SELECT id FROM campaigns WHERE state IN ('scheduled', 'running', 'paused')"):
            world.call(lambda host, campaign=campaign: host.campaigns.cancel(campaign))  # type: ignore[misc]

    def _wait(self, until_ms: int) -> None:
        world, looks = self.world, 0
        while True:
            world.tick_homes()
            world.run_until(world.now_ms + (_LOOK_EVERY_S if looks > 5 else _LOOK_FIRST_S) * 1_000)
            self.office()
            self._dismiss()
            world.look()
            looks += 1
            why = self._unfinished()
            if why is None and looks > 2:
                return
            world.check(world.now_ms < until_ms, f"unfinished {CALM_MAX_S} s after the last fault: {why}")

    def _last_wishes(self) -> None:
        """A text, a setting and a price that shall be everywhere at the end; a price above all that were forgotten."""
        world = self.world
        self._wish = world.now_ms
        for meter in sorted(world.enrolled):
            change = SettingsChange({"low_balance_micro": self._wish, "ceiling_micro": 10**12})
            world.call(lambda host, meter=meter: host.controls.send_text(meter, f"calm {self._wish}"))  # type: ignore[misc]
            world.call(lambda host, meter=meter, change=change: host.controls.change_settings(meter, change))  # type: ignore[misc]
        top, newest = self._tariff_top, 0
        while newest <= top:
            world.call(lambda host: host.tariffs.set("2.5", table=EXAMPLE_TABLE))
            newest = world.rows("SELECT max(version) FROM tariffs")[0][0]
            self.note_tariffs()
        world.wake_host()

    def _dismiss(self) -> None:
        """People cancel what a meter refuses."""
        for (order,) in self.world.rows("SELECT id FROM orders WHERE step = 'refused'"):
            self.world.call(lambda host, order=order: host.transfers.cancel(order))  # type: ignore[misc]

    def _unfinished(self) -> str | None:
        """What is not at its end yet, in words; None where all is."""
        world = self.world
        if not world.field.idle():
            return "the field still carries something"
        host = world.installation.host
        assert host is not None
        for meter in host.registry.read_meters():
            home = world.homes[meter.id]
            with host.context.store.reading() as connection:
                book = read_book(connection, meter.id)
            if home.dead:
                continue
            if book.body is not BodyState.LIVE or not book.synced or book.reconciling or book.orders or book.known:
                return f"{meter.id}: {book}"
            why = self._unfinished_of(home, meter)
            if why is not None:
                return f"{meter.id}: {why}"
        return None if set(world.homes) == world.enrolled else "somebody is not enrolled"

    def _unfinished_of(self, home: Home, meter: MeterAnswer) -> str | None:
        rows, core = self.world.rows, _core(home)
        waiting = rows(f"SELECT * FROM controls WHERE state = 'waiting' AND meter = '{meter.id}'")
        if waiting:
            return f"controls wait, {waiting}"
        if not meter.tariff_confirmed:
            return f"tariff {meter.tariff_version} is not confirmed"
        if core.control.alarms:
            return f"alarms wait, {core.control.alarms}"
        if core.control.reports_due:
            return f"reports wait, {core.control.reports_due}"
        known = rows(f"SELECT count(DISTINCT number) FROM events WHERE meter = '{meter.id}'")[0][0]
        if not self._forgot(home) and known < core.events.newest:
            return f"{known} events of {core.events.newest}"
        if meter.suspense_micro:
            return "suspense"
        money = home.money
        shown = (meter.balance_micro, meter.received_micro, meter.burned_micro, meter.owed_micro)
        if shown != (money.balance_micro, money.received_micro, money.burned_micro, money.owed_micro):
            return f"shown {shown}, is {money}"
        if meter.total_pulses != core.control.registers.total_pulses:
            return f"shown {meter.total_pulses} pulses"
        if meter.relay_causes != core.control.causes[0]:
            return f"shown {meter.relay_causes}, is {core.control.causes[0]!r}"
        return None

    def _forgot(self, home: Home) -> bool:
        """Whether host or meter were made to forget something that nothing can bring back."""
        return bool(self.world.auditor.restores) or home.nvm.failed

    def _check_ended(self) -> None:
        world = self.world
        host = world.installation.host
        assert host is not None
        for meter in host.registry.read_meters():
            home = world.homes[meter.id]
            if home.dead:
                continue
            core, account, check = _core(home), world.auditor.accounts[meter.id], world.check
            check(meter.delivered_micro == account.held_micro, f"{meter.id}: delivered {meter.delivered_micro}")
            check(meter.in_transit_micro == 0, f"{meter.id}: in transit {meter.in_transit_micro}")
            check(core.text == f"calm {self._wish}", f"{meter.id}: text {core.text!r}")
            check(core.settings.low_balance_micro == self._wish, f"{meter.id}: not its newest setting")
            digest = self._tariff_digests[meter.tariff_version or 0]
            check(core.newest_tariff.digest == digest, f"{meter.id}: not its newest price")
            if not self._forgot(home):
                self._check_told(home)
            self._check_days(home)

    def _check_told(self, home: Home) -> None:
        told = self.world.auditor.accounts[home.meter].told
        sent = {counter for kind, counter in told if kind == MessageType.ALARM}
        rows = self.world.rows(f"SELECT counter FROM alarms WHERE meter = '{home.meter}'")
        booked = {row[0] for row in rows}
        self.world.check(sent == booked, f"{home.meter}: alarms {sent ^ booked} are not booked, or never were")

    def _check_days(self, home: Home) -> None:
        """Each minute that the host keeps is the minute that the meter keeps: as long as no clock was set back."""
        if self.world.skewed or home.clock_wrong or home.nvm.failed:
            return
        wanted = "SELECT day, first_minute, day_start_s, minutes, packing, log FROM day_logs"
        for day, first, start_s, count, packing, log in self.world.rows(f"{wanted} WHERE meter = '{home.meter}'"):
            told = list(unpack(Packing(packing), log, count))
            kept = _core(home).memories[0].read(start_s // MINUTE_S + first, count)
            same = told == kept
            self.world.check(same, f"{home.meter}: day {day} from minute {first} is not what the meter keeps")


def _core(home: Home) -> Any:  # noqa: ANN401 - the inside of the device, to be compared with what the host shows
    assert home.device is not None
    return home.device._core
