"""Usage: days and hours from the parts that meters send, in whatever order and number they come."""

from random import Random

import pytest

from prewatt.codec.minutelog import NO_POWER
from prewatt.host.refusals import RefusalOutcome, RefusedError

DAY = 20_513  # 2026-03-01
DAY_S = 86_400


def noisy(seed, minutes=1_440):
    rng = Random(seed)
    return [rng.randrange(0, 4_000) for _ in range(minutes)]


def fill(body, day, minutes):
    body.days[day] = (day * DAY_S, minutes)


def test_a_noisy_day_in_many_parts_is_collected_whole(world):
    world.pump()
    body, minutes = world.bodies["000001"], noisy(1)
    fill(body, DAY, minutes)
    world.now_s += DAY_S + 3_600
    world.pass_line(60_000)
    world.pump()
    (row,) = world.host.usage.read("000001").rows
    assert (row.label, row.pulses, row.minutes) == ("2026-03-01", sum(minutes), 1_440)
    hours = world.host.usage.read("000001", by="hour", days=1).rows
    assert [each.pulses for each in hours] == [sum(minutes[at : at + 60]) for at in range(0, 1_440, 60)]


def test_minutes_without_power_are_no_usage_and_no_reading(world):
    world.pump()
    fill(world.bodies["000001"], DAY, [NO_POWER] * 120 + [5] * 1_320)
    world.now_s += DAY_S + 3_600
    world.pass_line(60_000)
    world.pump()
    usage = world.host.usage.read("000001", by="hour", days=1)
    assert len(usage.rows) == 22
    assert usage.total_pulses == 5 * 1_320
    assert usage.rows[0].label == "2026-03-01 02:00"
    assert world.host.usage.read("000001").rows[0].minutes == 1_320


def test_a_running_day_grows_never_shrinks_and_is_the_same_in_a_report(world):
    world.pump()
    body, minutes = world.bodies["000001"], noisy(2)

    def shown():
        return world.host.usage.read("000001").rows[0].pulses

    for count, most in ((100, 100), (700, 700), (500, 700), (900, 900)):
        fill(body, DAY, minutes[:count])
        for payload in body.report(DAY):
            world.say("000001", payload)
        assert shown() == sum(minutes[:most])
    fill(body, DAY, minutes)
    world.now_s += DAY_S
    world.pass_line(60_000)
    world.pump()
    assert shown() == sum(minutes)


def test_a_day_in_parts_with_many_events_is_cut_the_same_way_in_every_query(world):
    world.pump()
    body, minutes = world.bodies["000001"], noisy(3)
    fill(body, DAY, minutes)
    for number in range(1, 200):
        body.add_event(number)
    world.now_s += DAY_S + 3_600
    world.pass_line(60_000)
    asked, usage = [], body._usage
    body._usage = lambda query: asked.append((query.part, query.events_acknowledged)) or usage(query)
    world.pump()
    parts = [part for part, _ in asked]
    assert parts == list(range(len(parts)))
    assert len(parts) > 3
    assert len({cursor for _, cursor in asked}) == 1
    assert world.host.usage.read("000001").rows[0].pulses == sum(minutes)


def test_a_day_that_the_meter_does_not_have_does_not_hold_up_the_next(world):
    world.pump()
    body = world.bodies["000001"]
    for day in (DAY + 1, DAY + 3):
        fill(body, day, noisy(day))
    for _ in range(8):
        world.now_s += DAY_S
        world.pass_line(60_000)
        world.pump()
    found = {row.label: row.pulses for row in world.host.usage.read("000001", last_day="2026-03-05").rows}
    assert found == {
        "2026-03-02": sum(noisy(DAY + 1)),
        "2026-03-03": None,
        "2026-03-04": sum(noisy(DAY + 3)),
        "2026-03-05": None,
    }


def test_events_are_kept_once_and_the_meter_may_forget_them(world):
    world.pump()
    body = world.bodies["000001"]
    for number in range(1, 60):
        body.add_event(number)
    for _ in range(3):
        world.now_s += world.settings.poll_s
        world.pass_line(60_000)
        world.pump()
    assert body.events == []
    for number in range(90, 95):
        body.add_event(number)
    for _ in range(3):
        world.now_s += world.settings.poll_s
        world.pass_line(60_000)
        world.pump()
    assert body.events == []


def test_the_zone_of_the_installation_names_the_hours(make_world):
    world = make_world(zone="Europe/Paris")
    world.pump()
    body = world.bodies["000001"]
    body.days[DAY + 1] = ((DAY + 1) * DAY_S - 3_600, [1] * 1_440)
    world.now_s += 2 * DAY_S
    for payload in body.report(DAY + 1):
        world.say("000001", payload)
    rows = world.host.usage.read("000001", by="hour", days=1).rows
    assert rows[0].label == "2026-03-02 00:00"
    assert rows[0].start_s == (DAY + 1) * DAY_S - 3_600


def test_a_day_without_readings_begins_at_the_midnight_of_the_zone(make_world):
    world = make_world(zone="Europe/Paris")
    world.pump()
    body = world.bodies["000001"]
    for day in (DAY + 1, DAY + 3):
        body.days[day] = (day * DAY_S - 3_600, [1] * 1_440)
        for payload in body.report(day):
            world.say("000001", payload)
    rows = world.host.usage.read("000001", by="day", days=3).rows
    assert [row.pulses for row in rows] == [1_440, None, 1_440]
    assert [row.start_s for row in rows] == [day * DAY_S - 3_600 for day in range(DAY + 1, DAY + 4)]


def test_a_meter_without_usage_has_none(world):
    usage = world.host.usage.read("000001")
    assert (usage.rows, usage.total_pulses, usage.days_collected) == ((), 0, 0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"by": "week"}, "by"),
        ({"days": 0}, "days"),
        ({"days": 401}, "days"),
        ({"last_day": "yesterday"}, "last_day"),
        ({"last_day": "2026-02-30"}, "last_day"),
        ({"meter": "000002"}, "meter"),
        ({"meter": "x"}, "meter"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(world, changes, field):
    with pytest.raises(RefusedError) as caught:
        world.host.usage.read(**({"meter": "000001"} | changes))
    assert caught.value.field == field
    assert caught.value.outcome in (RefusalOutcome.BAD_FIELD, RefusalOutcome.UNKNOWN_METER)


def test_events_of_a_new_body_are_read_from_one_whatever_late_words_of_the_old_one_tell(world):
    begun_s = world.now_s
    world.settle(2)
    old = world.bodies["000001"]
    for number in range(1, 6):
        old.add_event(number)
    late = old.report()
    for _ in range(2):
        world.now_s += world.settings.poll_s
        world.settle(2)
    assert old.events == []
    world.host.bodies.retire("000001", "worn out")
    world.settle(2)
    world.host.bodies.replace("000001", "same id")
    world.bodies["000001"] = new = type(old)("000001", old.keys)
    for number in range(1, 4):
        new.add_event(number, code=0x7777)
    world.now_s += world.settings.poll_s
    world.settle(2)
    for payload in late:
        world.say("000001", payload)
    for number in range(4, 7):
        new.add_event(number, code=0x7777)
    world.now_s += world.settings.poll_s
    world.settle(2)
    told = world.host.happenings.read("000001", limit=30)
    numbers = sorted(each.time_s - begun_s for each in told if each.what == "event 7777")
    assert numbers == [1, 2, 3, 4, 5, 6]
