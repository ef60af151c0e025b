"""The host with the real meter behind real link frames: sales, a load, days of usage, a tariff, an empty meter."""

import pytest

from prewatt.codec.frame import Frame, FrameFlags
from prewatt.device.meter.birth import Birth
from prewatt.device.meter.events import KeyPress, LineFrame, LineSend, Load, Tick
from prewatt.device.meter.meter import Meter
from prewatt.device.meter.nvm import MemoryNvm
from prewatt.device.now import Now
from prewatt.host.answers import MeterState, TransferState

DAY_S = 86_400


class RealBody:
    """A meter that answers payloads as the bare one of the other tests does."""

    def __init__(self, world, meter, m_id, suite_name="aes-2026"):
        self.world, self.meter_id, self.m_id = world, bytes.fromhex(meter), m_id
        keys = {index: world.vault.terminal_key(index, self.meter_id) for index in (0, 1)}
        self.nvm = MemoryNvm()
        Meter.manufacture(self.nvm, Birth(self.meter_id, m_id, suite_name, keys, unit_price_micro=250_000))
        self.said = []
        self.power_up()

    def power_up(self):
        self.meter = Meter.power_up(self.nvm, self.now(), self.world.rng.randbytes(32))

    def now(self):
        return Now(self.world.line_ms, self.world.now_s)

    def step(self, event):
        effects = self.meter.step(event, self.now(), self.world.rng.randbytes(32))
        return [Frame.parse(effect.data).payload for effect in effects if isinstance(effect, LineSend)]

    def receive(self, payload, line_ms, random):
        return self.step(LineFrame(Frame(self.m_id, FrameFlags.NONE, 0, self.meter_id, payload).build()))

    def live(self, minutes, pulses):
        """Takes ``pulses`` in each of the next minutes; what the meter says by itself goes to the host."""
        for _ in range(minutes):
            said = self.step(Load(0, self.world.now_s, pulses))
            self.world.now_s += 60
            self.world.pass_line(1)
            for payload in said + self.step(Tick()):
                self.world.say(self.meter_id.hex(), payload)

    @property
    def money(self):
        return self.meter.money


@pytest.fixture(params=["aes-2026", "tdes-1998"])
def street(make_world, request):
    world = make_world(suite_name=request.param)
    world.bodies["000001"] = RealBody(world, "000001", 0, request.param)
    return world


def test_value_is_sold_burned_and_reported_by_the_real_meter(street):
    body = street.bodies["000001"]
    street.host.vending.vend("000001", "10", order="A")
    street.pump()
    assert street.host.transfers.read("A").state is TransferState.CONFIRMED
    shown = street.host.registry.read_meter("000001")
    assert (shown.balance_micro, shown.relay, shown.state) == (10_000_000, "closed", MeterState.ACTIVE)
    body.live(2 * 1_440 + 30, 10)
    street.settle(2)
    usage = street.host.usage.read("000001", by="day")
    assert [(row.label, row.pulses) for row in usage.rows[:2]] == [("2026-03-01", 14_400), ("2026-03-02", 14_400)]
    hours = street.host.usage.read("000001", by="hour", last_day="2026-03-02", days=1)
    assert [row.pulses for row in hours.rows] == [600] * 24
    assert hours.rows[13].label == "2026-03-02 13:00"
    audit = street.host.audit.run()
    assert audit.ok, audit.violations[:1]
    shown = street.host.registry.read_meter("000001")
    assert shown.received_micro == 10_000_000 == shown.balance_micro + shown.burned_micro
    assert shown.total_pulses == body.meter.view().total_pulses


def test_a_tariff_reaches_the_real_meter_and_is_confirmed_by_its_digest(street):
    street.pump()
    first = street.host.tariffs.set("0.5")
    assert (first.version, first.confirmed, first.waiting) == (1, 0, ("000001",))
    street.settle(1)
    assert street.host.tariffs.read().confirmed == 1
    assert street.bodies["000001"].meter.view().unit_price_micro == 500_000
    assert street.host.registry.read_meter("000001").tariff_confirmed


def test_an_empty_meter_shows_its_open_relay_and_closes_after_the_next_sale(street):
    street.pump()
    street.host.vending.vend("000001", "0.05")
    street.pump()
    street.bodies["000001"].live(60, 100)
    street.now_s += street.settings.poll_s
    street.pass_line(60_000)
    street.pump()
    shown = street.host.registry.read_meter("000001")
    assert (shown.balance_micro, shown.relay) == (0, "open")
    street.host.vending.vend("000001", "5", order="B")
    street.pump()
    shown = street.host.registry.read_meter("000001")
    assert shown.relay == "closed"
    assert shown.received_micro + shown.owed_micro == shown.balance_micro + shown.burned_micro
    assert street.host.audit.run().ok


def test_the_real_meter_goes_through_a_restore_and_a_power_cut(street):
    street.host.vending.vend("000001", "10", order="A")
    street.pump()
    street.bodies["000001"].power_up()
    street.close()
    for path in street.state.glob("*"):
        path.unlink()
    street.reopen()
    street.settle(4)
    assert street.host.registry.read_meter("000001").state is MeterState.ACTIVE
    street.host.vending.vend("000001", "1", order="B")
    street.settle(1)
    assert street.host.transfers.read("B").state is TransferState.CONFIRMED
    assert street.bodies["000001"].money.received_micro == 11_000_000
    assert street.host.audit.run().ok


def test_a_meter_is_heard_after_the_set_it_spoke_under_was_retired(street):
    street.pump()
    body = street.bodies["000001"]
    name = street.vault.sets()[0].suite
    street.vault.add(name, now_s=street.now_s)
    street.host.controls.change_key("000001", 2)
    street.settle(3)
    assert street.host.registry.read_meter("000001").key_sets == (0, 1, 2)
    street.vault.retire(0)
    street.now_s += DAY_S
    street.settle(3)
    for payload in body.step(KeyPress("D")):
        street.say("000001", payload)
    assert street.host.registry.read_meter("000001").alarms == 1
    assert body.meter.view().alarms_waiting == 0


def test_an_alarm_that_waits_under_a_retired_set_is_sealed_anew_under_a_live_one(street):
    street.pump()
    body = street.bodies["000001"]
    name = street.vault.sets()[0].suite
    street.vault.add(name, now_s=street.now_s)
    street.host.controls.change_key("000001", 2)
    street.settle(3)
    body.step(KeyPress("D"))  # lost on the line
    street.vault.retire(0)
    for _ in range(12):
        street.now_s += 21_600
        street.pass_line(4_000_000)
        for payload in body.step(Tick()):
            street.say("000001", payload)
        street.settle(1)
    assert body.meter.view().alarms_waiting == 0
    assert street.host.registry.read_meter("000001").alarms == 1
