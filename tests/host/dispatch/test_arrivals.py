"""What waits for the engine: an area server that floods takes its own share and nobody else's."""

from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.hop import HOP_BYTES_MAX
from prewatt.host.dispatch.arrivals import AREA_ARRIVALS_MIN, ARRIVALS_BYTES_MAX, ARRIVALS_MAX, Arrivals
from prewatt.units import BELOW_MAX


def held(arrivals):
    found = {}
    for area, data in arrivals.take(10**9):
        found.setdefault(area, []).append(data)
    return found


def test_an_area_that_floods_keeps_no_other_from_being_heard():
    arrivals = Arrivals()
    for number in range(2 * ARRIVALS_MAX):
        arrivals.put(7, b"%d" % number)
    assert len(arrivals) == ARRIVALS_MAX
    arrivals.put(1, b"sale")
    arrivals.put(7, b"more")
    assert len(arrivals) == ARRIVALS_MAX
    assert dict(arrivals.take(2)) == {7: b"0", 1: b"sale"}


def test_the_longest_messages_of_a_flood_keep_no_other_from_being_heard():
    arrivals, longest = Arrivals(), bytes(HOP_BYTES_MAX)
    for _ in range(200):
        arrivals.put(7, longest)
    assert len(arrivals) == ARRIVALS_BYTES_MAX // HOP_BYTES_MAX
    arrivals.put(1, longest)
    assert held(arrivals)[1] == [longest]


def test_each_area_has_its_share_whatever_all_others_do_and_one_more_has_not():
    arrivals = Arrivals()
    for _ in range(2 * AREA_ARRIVALS_MIN):
        for area in range(1, BELOW_MAX):
            arrivals.put(area, b"flood")
    mine = [b"%d" % number for number in range(AREA_ARRIVALS_MIN)]
    for data in mine:
        arrivals.put(0, data)
    lost = arrivals.lost
    arrivals.put(0, b"one past it")
    assert (arrivals.lost, len(arrivals)) == (lost + 1, ARRIVALS_MAX)
    assert held(arrivals)[0] == mine


def test_areas_are_taken_in_turns_and_each_in_its_order():
    arrivals = Arrivals()
    for area, data in [(1, b"a"), (1, b"b"), (1, b"c"), (2, b"x"), (3, b"y"), (3, b"z")]:
        arrivals.put(area, data)
    assert arrivals.take(4) == [(1, b"a"), (2, b"x"), (3, b"y"), (1, b"b")]
    assert arrivals.take(9) == [(3, b"z"), (1, b"c")]
    assert arrivals.take(9) == []


@settings(deadline=None, max_examples=100)
@given(st.lists(st.one_of(st.integers(0, 5), st.tuples(st.integers(0, 3), st.binary(max_size=9))), max_size=60))
def test_what_is_taken_is_what_was_put_in_the_order_of_each_area(steps):
    arrivals, waiting = Arrivals(), {}
    for step in steps:
        if isinstance(step, tuple):
            arrivals.put(*step)
            waiting.setdefault(step[0], []).append(step[1])
        else:
            for area, data in arrivals.take(step):
                assert waiting[area].pop(0) == data
        assert len(arrivals) == sum(map(len, waiting.values()))
    for area, left in held(arrivals).items():
        assert waiting.pop(area) == left
    assert not any(waiting.values())
