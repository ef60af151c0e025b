"""A transformer's meter counts what flows, without value, relay or keypad, and tells it like any other meter."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.bodies import RelayOrder, Text, Transfer, UsageQuery
from prewatt.codec.commands import Code
from prewatt.codec.errors import DecodeError
from prewatt.codec.events import EventCode
from prewatt.codec.info import join_parts, parse_part
from prewatt.codec.program import Manifest, ProgramKind, ProgramOffer, build_image
from prewatt.codec.receipt import Status
from prewatt.codec.settings import Settings
from prewatt.crypto.program import maker_key, sign_program
from prewatt.device.meter import Birth, CtLoad, CtMeasured, CtMeter, LastGasp, Meter, Tick, ct_birth
from prewatt.device.meter.birth import BodyKind, Certificate
from prewatt.device.meter.minutes import NO_POWER, READING_MAX
from prewatt.device.meter.nvm import MemoryNvm
from prewatt.device.meter.program import MEMORY_FORMAT
from prewatt.protocol.meter_messages import open_report
from prewatt.units import MINUTE_S, PULSES_PER_CT_PULSE, PULSES_PER_KWH

REPORT = b"\x14"
KEYS = {1: bytes(range(32)), 2: bytes(range(32, 64))}
NO_OVER_CURRENT = Settings(over_current_w=2**32 - 1)


@pytest.fixture
def pole(make_rig):
    """A transformer's meter in its world, not commissioned."""
    rig = make_rig(commission=False, keys=KEYS, kind=BodyKind.TRANSFORMER, unit_price_micro=0, settings=NO_OVER_CURRENT)
    power_up(rig)
    return rig


def power_up(rig) -> None:
    rig.nvm.restore_power()
    rig.meter = CtMeter.power_up(rig.nvm, rig.now, rig.chance.randbytes(32))


def give(rig, *minutes: tuple[int, int, int]) -> list[bytes]:
    payloads = []
    for pulses in minutes:
        rig.step(CtLoad(rig.now_s, pulses))
        payloads += rig.payloads(rig.tick(MINUTE_S))
    return payloads


def usage(rig, day: int):
    outcome = rig.order(Code.USAGE, 0, UsageQuery(rig.now_s, day, 0, bytes(8), 0).build())
    return parse_part(outcome.plain)


def test_three_phases_are_summed_and_told_by_the_minute_and_in_the_daily_report(pole):
    pole.commission()
    day = pole.now_s // 86_400
    payloads = give(pole, *[(100, 200, 300)] * 1440)
    reports = [open_report(pole.suite, KEYS[1], payload) for payload in payloads if payload[:1] == REPORT]
    info = join_parts([parse_part(report.plain) for report in reports])
    assert (info.day, info.minutes) == (day, (60,) * 1440)
    assert info.standing.registers.total_pulses == 1440 * 60
    assert info.standing.relay_causes == 0
    assert info.standing.owed_micro == info.standing.burned_micro == info.receipt.balance_micro == 0


def test_the_host_polls_it_like_any_meter(pole):
    give(pole, *[(1_000, 0, 0)] * 10)
    part = usage(pole, pole.now_s // 86_400)
    assert part.minutes == (100,) * 10
    assert pole.order(Code.RING, 0, b"").receipt.status is Status.DONE


def test_what_a_400_kva_transformer_gives_in_a_minute_fits_and_much_more(pole):
    full = 400 * PULSES_PER_KWH // 60
    assert full > READING_MAX, "in pulses of 0.1 Wh it would not fit"
    give(pole, (full // 3, full // 3, full - 2 * (full // 3)))
    most = READING_MAX * PULSES_PER_CT_PULSE
    give(pole, (most, 0, 0), (most, PULSES_PER_CT_PULSE, 0), (0, 0, 0))
    minutes = usage(pole, pole.now_s // 86_400).minutes
    # 65,534 caps, and the rest carries on.
    assert minutes == (full // PULSES_PER_CT_PULSE, READING_MAX, READING_MAX, 1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 30_000)] * 3), min_size=1, max_size=20))
def test_no_pulse_is_lost_between_the_phases_and_the_log(make_rig, minutes):
    rig = make_rig(commission=False, keys=KEYS, kind=BodyKind.TRANSFORMER, unit_price_micro=0, settings=NO_OVER_CURRENT)
    power_up(rig)
    give(rig, *minutes)
    part = usage(rig, rig.now_s // 86_400)
    given_pulses = sum(map(sum, minutes))
    assert sum(part.minutes) == given_pulses // PULSES_PER_CT_PULSE
    assert part.standing.registers.total_pulses == sum(part.minutes)


def test_it_counts_before_it_is_commissioned_and_speaks_afterwards(make_rig):
    rig = make_rig(commission=False, keys=KEYS, kind=BodyKind.TRANSFORMER, unit_price_micro=0, settings=NO_OVER_CURRENT)
    power_up(rig)
    assert give(rig, (100, 0, 0)) == []
    rig.now_s += 86_400
    assert rig.payloads(rig.tick(0)) == []
    rig.commission()
    reports = [open_report(rig.suite, KEYS[1], payload) for payload in rig.payloads(rig.effects) if payload[0] == 0x14]
    minutes = [minute for report in reports for minute in parse_part(report.plain).minutes]
    assert sum(minute for minute in minutes if minute != NO_POWER) == 10


def test_value_and_what_only_homes_have_is_answered_with_status_2_and_changes_nothing(pole):
    before = pole.meter._meter.money
    transfer = Transfer(5_000_000, bytes(8)[:7] + b"\1").build()
    assert pole.order(Code.VALUE, 1, transfer).receipt.status in (Status.IMPOSSIBLE, Status.SEQUENCE)
    pole.commission()
    assert pole.order(Code.VALUE, pole.last + 1, transfer).receipt.status is Status.IMPOSSIBLE
    assert pole.order(Code.VALUE, pole.last + 2, transfer).receipt.status is Status.SEQUENCE
    for code, body in ((Code.RELAY, RelayOrder.OPEN.build()), (Code.TEXT, Text("hello").build())):
        assert pole.command(code, body).receipt.status is Status.IMPOSSIBLE
    assert pole.meter._meter.money.received_micro == before.received_micro == 0
    give(pole, (500, 0, 0))
    assert usage(pole, pole.now_s // 86_400).minutes[-1] == 50


def test_power_cuts_leave_every_minute_that_had_ended(pole):
    day = pole.now_s // 86_400
    give(pole, *[(1_000, 0, 0)] * 5)
    power_up(pole)
    give(pole, *[(2_000, 0, 0)] * 5)
    pole.step(LastGasp())
    power_up(pole)
    give(pole, (3_000, 0, 0))
    part = usage(pole, day)
    assert part.minutes == (100,) * 5 + (200,) * 5 + (300,)
    assert part.standing.registers.total_pulses == sum(part.minutes)


def test_nothing_but_its_log_tells_of_it_no_relay_no_buzzer_no_event(pole):
    effects = []
    for _ in range(120):
        pole.step(CtLoad(pole.now_s, (60_000, 60_000, 60_000)))
        effects += pole.tick(MINUTE_S)
    assert not effects
    events = {event.code for event in usage(pole, 0).events}
    assert events == {EventCode.POWER_RESTORED}


@pytest.mark.parametrize("pulses", [(1, 2), (1, 2, 3, 4), (-1, 2, 3)])
def test_a_load_has_three_phases_of_zero_or_more(pole, pulses):
    with pytest.raises(ValueError, match="pulses"):
        pole.step(CtLoad(pole.now_s, pulses))


def test_a_homes_memory_is_refused(make_rig):
    rig = make_rig()
    with pytest.raises(ValueError, match="transformer"):
        power_up(rig)
    nvm = MemoryNvm()
    Meter.manufacture(nvm, ct_birth(b"\0\xff\1", 0, "aes-2026", KEYS))
    CtMeter.power_up(nvm, rig.now, bytes(32)).step(Tick(), rig.now, bytes(32))


def test_the_kind_stands_in_the_certificate_and_older_ones_are_homes():
    data = Birth(b"\0\0\7", 250, "aes-2026", KEYS, 0, kind=BodyKind.TRANSFORMER).build_certificate()
    assert Certificate.parse(data).kind is BodyKind.TRANSFORMER
    assert Certificate.parse(data[:-1]).kind is BodyKind.HOME
    with pytest.raises(DecodeError, match="kind"):
        Certificate.parse(data[:-1] + b"\2")


def test_pulses_counted_by_the_second_are_the_same_minutes_as_a_load(pole):
    pole.commission()
    begin_s = pole.now_s
    for second in range(120):
        pole.step(CtMeasured(pole.now_s, (second % 60, 10, 3)))
        pole.tick(1)
    found = usage(pole, begin_s // 86_400).minutes
    total = sum(range(60)) + 60 * 13
    assert [reading for reading in found if reading not in (0, NO_POWER)] == [
        total // 10,
        total * 2 // 10 - total // 10,
    ]


def test_a_count_below_zero_or_of_another_number_of_phases_is_refused(pole):
    for pulses in ((1, -1, 0), (1, 2), (1, 2, 3, 4)):
        with pytest.raises(ValueError, match="pulses"):
            pole.step(CtMeasured(pole.now_s, pulses))


@pytest.mark.parametrize("kind", ProgramKind)
def test_it_takes_programs_for_transformers_and_no_homes(make_rig, kind):
    made = {"unit_price_micro": 0, "settings": NO_OVER_CURRENT, "maker_key": maker_key(bytes(32))}
    pole = make_rig(commission=False, keys=KEYS, kind=BodyKind.TRANSFORMER, **made)
    power_up(pole)
    pole.commission()
    manifest = Manifest.of(build_image(2, MEMORY_FORMAT, bytes(100), kind))
    offer = ProgramOffer(manifest, sign_program(manifest.signed_bytes(), bytes(32)))
    taken = pole.command(Code.PROGRAM_OFFER, offer.build()).receipt.status
    assert taken is (Status.DONE if kind is ProgramKind.TRANSFORMER else Status.IMPOSSIBLE)
