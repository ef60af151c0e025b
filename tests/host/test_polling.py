"""Schedules, windows and rates of polling: what is allowed, when a cycle begins, who inherits what."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.polling import PollPlan, every
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.units import DAY_S

UTC, PARIS = ZoneInfo("UTC"), ZoneInfo("Europe/Paris")
HOUR_S = 3_600
NIGHT = PollPlan(0, (2 * HOUR_S, 14 * HOUR_S), 22, 6, 0)
moments = st.integers(1_700_000_000, 1_900_000_000)


def at(text, zone=PARIS):
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@settings(deadline=None)
@given(moments, st.sampled_from([60, 1_800, HOUR_S, 6 * HOUR_S, DAY_S, 7 * DAY_S]))
def test_a_cycle_every_so_often_begins_at_multiples_and_goes_on_for_ever(now_s, every_s):
    plan = every(every_s)
    assert plan.begun_s(now_s, UTC) <= now_s < plan.next_s(now_s, UTC)
    assert plan.next_s(now_s, UTC) - plan.begun_s(now_s, UTC) == every_s


@settings(deadline=None)
@given(moments)
def test_a_cycle_at_named_times_begins_at_one_of_them_by_the_local_clock(now_s):
    begun_s, next_s = NIGHT.begun_s(now_s, PARIS), NIGHT.next_s(now_s, PARIS)
    assert begun_s <= now_s < next_s
    assert next_s - begun_s <= 13 * HOUR_S
    assert {datetime.fromtimestamp(each, PARIS).hour for each in (begun_s, next_s)} <= {1, 2, 3, 13, 14, 15}


LATE = PollPlan(0, (23 * HOUR_S + 59 * 60,), 0, 24, 0)


@settings(deadline=None)
@given(st.integers(at("2026-03-27T00:00"), at("2026-04-01T00:00")), st.sampled_from([PARIS, ZoneInfo("Africa/Cairo")]))
def test_a_late_start_is_kept_over_the_nights_in_which_clocks_change(now_s, zone):
    for months_s in (0, 26 * DAY_S, 210 * DAY_S):
        begun_s, next_s = LATE.begun_s(now_s + months_s, zone), LATE.next_s(now_s + months_s, zone)
        assert begun_s <= now_s + months_s < next_s
        assert {datetime.fromtimestamp(each, zone).strftime("%H:%M") for each in (begun_s, next_s)} == {"23:59"}


@settings(deadline=None)
@given(moments, st.integers(0, 23), st.integers(0, 24))
def test_a_window_opens_within_a_day_and_is_open_then(now_s, first, last):
    if first == last:
        return
    plan = PollPlan(HOUR_S, (), first, last, 0)
    opens_s = plan.opens_s(now_s, PARIS)
    assert 0 <= opens_s - now_s <= DAY_S + HOUR_S
    assert plan.is_open(opens_s, PARIS)
    assert (opens_s == now_s) == plan.is_open(now_s, PARIS)


@pytest.mark.parametrize(
    ("zone", "day", "hour", "opens"),
    [
        ("Europe/Paris", "2026-03-29", 2, 3),
        ("America/Havana", "2026-03-08", 0, 1),
        ("Antarctica/Troll", "2026-03-29", 1, 3),
        ("Antarctica/Troll", "2026-03-29", 2, 3),
        ("Europe/Paris", "2026-03-30", 2, 2),
    ],
)
def test_a_window_in_an_hour_that_clocks_skip_opens_right_after_it_for_an_hour(zone, day, hour, opens):
    plan = PollPlan(HOUR_S, (), hour, hour + 1, 0)
    noon_s = at(f"{day}T12:00", ZoneInfo(zone))
    open_s = [each for each in range(noon_s - 12 * HOUR_S, noon_s, 60) if plan.is_open(each, ZoneInfo(zone))]
    assert open_s == list(range(open_s[0], open_s[0] + HOUR_S, 60))
    assert datetime.fromtimestamp(open_s[0], ZoneInfo(zone)).hour == opens


def test_a_window_over_midnight_is_open_on_both_sides_of_it():
    hours = [hour for hour in range(24) if NIGHT.is_open(at(f"2026-03-01T{hour:02}:30"), PARIS)]
    assert hours == [0, 1, 2, 3, 4, 5, 22, 23]


@pytest.mark.parametrize(
    ("field", "allowed", "refused"),
    [
        ("schedule", "every 1m", "every 0m"),
        ("schedule", "every 168h", "every 169h"),
        ("schedule", "at 00:00,23:59", "at 24:00"),
        ("schedule", "at " + ",".join(f"{h:02}:{m:02}" for h in range(24) for m in (0, 30)), "at 02:00,"),
        ("schedule", "every 6h", "at " + ",".join(["02:00"] * 49)),
        ("schedule", "every 30m", "every ６h"),
        ("schedule", "every 30m", "EVERY 6H"),
        ("hours", "00-24", "00-25"),
        ("hours", "23-00", "24-06"),
        ("hours", "22-06", "06-06"),
        ("hours", "22-06", "2-6"),
        ("per_minute", 0, -1),
        ("per_minute", 60_000, 60_001),
        ("per_minute", 1, True),
    ],
)
def test_every_limit_of_a_setting_holds_at_and_one_past_it(world, field, allowed, refused):
    assert getattr(world.host.polling.change(**{field: allowed}), field) == allowed
    with pytest.raises(RefusedError, match=field) as error:
        world.host.polling.change(**{field: refused})
    assert error.value.outcome is RefusalOutcome.BAD_FIELD
    assert getattr(world.host.polling.read(), field) == allowed


def test_a_station_inherits_what_it_has_not_of_its_own(world):
    polling = world.host.polling
    world.host.topology.add_station("S2")
    polling.change(schedule="every 12h", per_minute=30)
    found = polling.change("S2", hours="22-06")
    assert (found.schedule, found.hours, found.per_minute, found.own) == ("every 12h", "22-06", 30, ("hours",))
    polling.change(schedule="at 03:00", hours="01-05")
    assert (polling.read("S2").schedule, polling.read("S2").hours) == ("at 03:00", "22-06")
    assert polling.inherit("S2").hours == "01-05"
    with pytest.raises(RefusedError) as error:
        polling.read("S9")
    assert error.value.outcome is RefusalOutcome.UNKNOWN_STATION
