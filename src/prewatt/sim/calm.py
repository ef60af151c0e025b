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
from prewatt.host.answers import MeterAnswer
from prewatt.host.host import Host
from prewatt.host.store.books import read_book
from prewatt.protocol.transfer import BodyState
from prewatt.sim.behind import find_behind
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
        self._told: dict[str, str] = {}

    def note_tariffs(self) -> None:
        """What the host calls each price."""
        self.world.auditor.reckoner.prices.note()
        for version, digest in self.world.rows("SELECT version, digest FROM tariffs"):
            self._tariff_top = max(self._tariff_top, version)
            self._tariff_digests[version] = digest

    def run(self) -> None:
        """Ends all faults and waits; a violation where something is unfinished after CALM_MAX_S."""
        world = self.world
        world.begin_operation(f"calm {world.now_ms}")
        world.history.note(world.now_ms, "calm", "")
        begun_ms = world.now_ms
        world.trouble.calm()
        world.field.calm()
        for home in world.standing():
            home.pulses_per_minute = 0
            home.nvm.lose_in = home.nvm.misplace_in = None
            home.restore_power()
            if not home.on:
                home.restore_power()
        world.office.run(thorough=True)
        behind = find_behind(world.office)
        self._end_campaigns()
        self._last_wishes()
        self._wait(begun_ms + CALM_MAX_S * 1_000)
        self.took_s.append((world.now_ms - begun_ms) // 1_000)
        host = world.installation.host
        assert host is not None
        world.auditor.check_all(host)
        unnoticed = behind - world.office.lost
        world.check(not unnoticed, f"{sorted(unnoticed)}: show less than was known of them, and nobody noticed")
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
            world.office.run(thorough=True)
            self._tell_new_bodies()
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
        self._told.clear()
        for meter in sorted(world.enrolled):
            self._wish_of(meter, text_only=False)
        top, newest = self._tariff_top, 0
        while newest <= top:
            world.call(lambda host: host.tariffs.set("2.5", table=EXAMPLE_TABLE))
            newest = world.rows("SELECT max(version) FROM tariffs")[0][0]
            self.note_tariffs()
        world.wake_host()

    def _wish_of(self, meter: str, *, text_only: bool) -> None:
        self._told[meter] = self.world.homes[meter].body
        change = SettingsChange({"low_balance_micro": self._wish, "ceiling_micro": 10**12})
        self.world.call(lambda host: host.controls.send_text(meter, f"calm {self._wish}"))
        if not text_only:
            self.world.call(lambda host: host.controls.change_settings(meter, change))

    def _tell_new_bodies(self) -> None:
        """Settings and prices go to a new body of an id by themselves, texts do not; a new id has had none of them."""
        for meter in sorted(self.world.enrolled):
            home = self.world.homes[meter]
            if home.body != self._told.get(meter) and self.world.bodies.epoch(home):
                self._wish_of(meter, text_only=meter in self._told)

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
            if world.office.ended(meter.id):
                if book.orders or meter.suspense_micro or _lost_micro(host, meter.id):
                    return f"{meter.id}, which is out of use: {book}"
                continue
            if home.dead and world.bodies.plain(meter.id):
                continue
            if book.frozen is not None or book.body is not BodyState.LIVE or not book.synced:
                return f"{meter.id}: {book}"
            if book.reconciling or book.orders or book.known:
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
        epochs = ", ".join(map(str, sorted({0, *self.world.auditor.account(home).epochs})))
        events = f"FROM events WHERE meter = '{meter.id}' AND epoch IN ({epochs})"
        known = rows(f"SELECT count(DISTINCT number) {events}")[0][0]
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
            if home.dead or world.office.ended(meter.id):
                continue
            core, check = _core(home), world.check
            self._check_delivered(meter)
            check(meter.in_transit_micro == 0, f"{meter.id}: in transit {meter.in_transit_micro}")
            check(core.text == f"calm {self._wish}", f"{meter.id}: text {core.text!r}")
            check(core.settings.low_balance_micro == self._wish, f"{meter.id}: not its newest setting")
            digest = self._tariff_digests[meter.tariff_version or 0]
            check(core.newest_tariff.digest == digest, f"{meter.id}: not its newest price")
            if not self._forgot(home):
                self._check_told(home)
            self._check_days(home)

    def _check_delivered(self, meter: MeterAnswer) -> None:
        """What the books say was delivered is what its bodies hold, less what has gone on from there."""
        if meter.id in self.world.auditor.twins:
            return
        columns = "coalesce(moved_micro, 0) + lost_micro + signed_micro + voided_micro"
        gone = self.world.rows(f"SELECT coalesce(sum({columns}), 0) FROM bodies WHERE meter = '{meter.id}'")[0][0]
        held = sum(account.held_micro for account in self.world.auditor.bodies[meter.id]) - gone
        self.world.check(meter.delivered_micro == held, f"{meter.id}: delivered {meter.delivered_micro}, held {held}")

    def _check_told(self, home: Home) -> None:
        auditor = self.world.auditor
        if home.meter in auditor.twins:
            return
        told = {body: account.told for body, account in auditor.accounts.items() if account.meter == home.meter}
        sent = {counter for kind, counter in told.pop(home.body) if kind == MessageType.ALARM}
        # What another body said on its last day may never have arrived.
        others = {counter for each in told.values() for kind, counter in each if kind == MessageType.ALARM}
        rows = self.world.rows(f"SELECT counter FROM alarms WHERE meter = '{home.meter}'")
        booked = {row[0] for row in rows}
        right = sent <= booked <= sent | others
        self.world.check(right, f"{home.meter}: alarms {sent ^ booked} are not booked, or never were")

    def _check_days(self, home: Home) -> None:
        """Each minute that the host keeps is the minute that the meter keeps: as long as no clock was set back."""
        plain = self.world.bodies.plain(home.meter)
        if self.world.skewed or home.clock_wrong or home.nvm.failed or not plain:
            return
        wanted = "SELECT day, first_minute, day_start_s, minutes, packing, log FROM day_logs"
        for day, first, start_s, count, packing, log in self.world.rows(f"{wanted} WHERE meter = '{home.meter}'"):
            told = list(unpack(Packing(packing), log, count))
            kept = _core(home).memories[0].read(start_s // MINUTE_S + first, count)
            same = told == kept
            self.world.check(same, f"{home.meter}: day {day} from minute {first} is not what the meter keeps")


def _lost_micro(host: Host, meter: str) -> int:
    """What stands in `lost bodies` for a meter and waits for a person."""
    return sum(body.lost_micro for body in host.bodies.read(meter))


def _core(home: Home) -> Any:  # noqa: ANN401 - the inside of the device, to be compared with what the host shows
    assert home.device is not None
    return home.device._core
