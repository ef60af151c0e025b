"""Cycles of polling: in the order of modem addresses, at their time, in their window, no faster than allowed."""

import pytest
from sqlalchemy import update

from prewatt.host.dispatch import DispatchSettings
from prewatt.host.dispatch.polls import Polls
from prewatt.host.store import schema

HOUR_S = 3_600


@pytest.fixture
def polled(quick_paths, world_type):
    """A world of ten meters whose modem addresses run against their ids, and the polls of its stations."""
    world = world_type(quick_paths(), meters=0, settings=DispatchSettings())
    for number in range(10):
        world.add_meter(f"{number + 1:06X}", m_id=9 - number)
    polls = Polls(world.host.context, None)
    polls.look_again("")
    yield world, polls
    world.close()


def read(world, *meters):
    """These meters have answered now."""
    standings = schema.standings
    done = update(standings).where(standings.c.meter.in_(meters)).values(polled_s=world.now_s)
    world.host.context.store.write(lambda writing: writing.connection.execute(done))


ALL = [f"{number:06X}" for number in range(10, 0, -1)]


def test_a_cycle_goes_through_the_modem_addresses_in_turn_and_comes_again(polled):
    world, polls = polled
    assert polls.pop_due() == ALL
    read(world, *ALL)
    assert polls.pop_due() == []
    world.now_s += 6 * HOUR_S - 1
    assert polls.pop_due() == []
    world.now_s += 1
    assert polls.pop_due() == ALL


def test_an_interrupted_cycle_goes_on_with_those_that_were_not_read_since_it_began(polled):
    world, polls = polled
    polls.pop_due()
    world.now_s += 10
    read(world, *ALL[:6])
    again = Polls(world.host.context, None)
    again.look_again("")
    assert again.pop_due() == ALL[6:]


def test_a_rate_is_kept_and_nobody_is_left_out(polled):
    world, polls = polled
    world.host.polling.change(per_minute=2)
    polls.look_again("")
    found = []
    for second in range(300):
        now = polls.pop_due()
        found += now
        assert len(found) <= 1 + second * 2 // 60
        world.now_s += 1
    assert found == ALL


def test_outside_its_window_nobody_is_polled_and_stragglers_are_when_it_opens(polled):
    world, polls = polled
    world.host.polling.change("S1", hours="22-06")
    polls.look_again("S1")
    assert polls.pop_due() == ALL
    read(world, *ALL[:7])
    world.now_s += 6 * HOUR_S
    assert not polls.is_open("S1")
    assert polls.pop_due() == []
    world.now_s += 16 * HOUR_S - 1
    assert polls.pop_due() == []
    world.now_s += 1
    assert polls.is_open("S1")
    assert polls.pop_due() == ALL


def test_named_times_are_kept(polled):
    world, polls = polled
    world.host.polling.change(schedule="at 02:00,14:00")
    polls.look_again("")
    assert polls.pop_due() == ALL
    read(world, *ALL)
    starts = []
    for _ in range(48):
        world.now_s += HOUR_S // 2
        if polls.pop_due():
            starts.append(world.now_s % 86_400 // HOUR_S)
            read(world, *ALL)
    assert starts == [2, 14]


def test_a_clock_that_jumps_back_or_far_ahead_begins_one_cycle_and_no_thousand(polled):
    world, polls = polled
    polls.pop_due()
    read(world, *ALL)
    world.now_s += 400 * 86_400
    assert polls.pop_due() == ALL
    read(world, *ALL)
    assert polls.pop_due() == []
    world.now_s -= 30 * 86_400
    assert polls.pop_due() == ALL
    read(world, *ALL)
    assert polls.pop_due() == []


def test_a_meter_enrolled_in_the_middle_of_a_cycle_is_polled_in_it(polled):
    world, polls = polled
    polls.pop_due()
    read(world, *ALL)
    world.add_meter("0000AA", m_id=200)
    polls.look_again("S1")
    assert polls.pop_due() == ["0000AA"]


def test_a_second_station_has_a_cycle_of_its_own(polled):
    world, polls = polled
    world.host.topology.add_station("S2")
    world.add_meter("0000BB", station="S2")
    world.host.polling.change("S2", schedule="every 1h")
    polls.look_again("S2")
    assert sorted(polls.pop_due()) == sorted([*ALL, "0000BB"])
    read(world, *ALL, "0000BB")
    world.now_s += HOUR_S
    assert polls.pop_due() == ["0000BB"]
