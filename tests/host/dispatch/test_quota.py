"""What one station is given at once: by line time, with a place for each kind of meter, and nobody is forgotten."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.dispatch.agenda import Line
from prewatt.host.dispatch.posts import DispatchSettings
from prewatt.host.dispatch.quota import Place, StationQueue
from prewatt.host.lines import LineCost, line_cost
from prewatt.link.line import PROFILES

COST = LineCost(session_ms=1_000, answer_within_ms=400, slot_ms=0)
SETTINGS = DispatchSettings(round_ms=10_000)


def queue(cost=COST, **changes):
    return StationQueue("S1", cost, replace(SETTINGS, **changes), 0)


def lines(count, station="S1"):
    return [Line(f"{number + 1:06X}", station, number) for number in range(count)]


def fill(made, place, count):
    waiting = lines(count)
    for line in waiting:
        made.put(line, place)
    return waiting


def test_so_many_meters_are_called_as_fit_into_the_rounds_line_time():
    made = queue()
    waiting = fill(made, Place.ORDINARY, 30)
    assert made.admit(0) == waiting[:10]
    assert made.admit(0) == []
    made.release(waiting[0])
    assert made.admit(0) == waiting[10:11]
    assert made.ahead_ms == 10_000


def test_one_meter_is_called_however_slow_the_line_is():
    made = queue(replace(COST, session_ms=100_000))
    waiting = fill(made, Place.ORDINARY, 2)
    assert made.admit(0) == waiting[:1]
    assert made.admit(0) == []


def test_everything_under_way_stays_below_half_of_a_session_life():
    for profile in ["", *PROFILES]:
        cost = line_cost(profile)
        made = StationQueue("S1", cost, DispatchSettings(round_ms=10**9), 0)
        for place in Place:
            fill(made, place, 2_000)
        made.admit(0)
        one_more = 3 * cost.session_ms
        assert made.ahead_ms <= DispatchSettings().session_most_ms // 2 + DispatchSettings().session_most_ms // 16 or (
            made.ahead_ms <= one_more
        )


def test_urgent_goes_before_ordinary_and_both_before_doubtful():
    made = queue()
    doubtful, ordinary = fill(made, Place.DOUBTFUL, 3), fill(made, Place.ORDINARY, 3)
    urgent = fill(made, Place.URGENT, 3)
    assert made.admit(0) == [*urgent, *ordinary, *doubtful[:2]]


def test_a_meter_that_waits_moves_ahead_and_is_called_once():
    made = queue()
    (line,) = fill(made, Place.ORDINARY, 1)
    made.put(line, Place.URGENT)
    made.put(line, Place.DOUBTFUL)
    assert made.admit(0) == [line]
    assert line.reserved is Place.URGENT
    made.release(line)
    assert made.admit(0) == []
    assert made.ahead_ms == 0


def test_a_meter_that_moved_away_meanwhile_is_not_called_here():
    made = queue()
    line, other = fill(made, Place.ORDINARY, 2)
    line.station = "S2"
    assert made.admit(0) == [other]


def test_after_a_silence_the_line_belongs_to_others_for_three_times_as_long():
    made = queue()
    doubtful, ordinary = fill(made, Place.DOUBTFUL, 20), fill(made, Place.ORDINARY, 20)
    first = [line for line in made.admit(0) if line in doubtful]
    assert first == doubtful[:2]
    for line in first:
        made.was_silent(line, 500)
        made.release(line)
    assert made.admit(500 + 3 * 400 - 1) == []
    for line in ordinary[:10]:
        made.release(line)
    assert made.admit(500 + 3 * 400) == [*ordinary[10:], *doubtful[2:4]]


def test_where_nobody_else_waits_silent_meters_are_called_without_a_pause():
    made = queue()
    doubtful = fill(made, Place.DOUBTFUL, 20)
    for _ in range(10):
        for line in made.admit(0):
            made.was_silent(line, 0)
            made.release(line)
            doubtful.remove(line)
    assert doubtful == []


def test_the_patience_of_the_host_grows_with_what_is_under_way_up_to_a_sessions_life():
    made = queue(session_ms=30_000, session_most_ms=60_000)
    assert made.patience_ms() == 30_000
    fill(made, Place.ORDINARY, 10)
    made.admit(0)
    assert made.patience_ms() == 50_000
    fill(made, Place.URGENT, 30)
    made.admit(0)
    assert made.patience_ms() == 60_000


class _Call:
    round = None


def test_a_round_names_those_who_did_not_answer_it_and_a_number_is_used_once():
    made = queue()
    asked = lines(3)
    for line in asked:
        line.call = _Call()
    number = made.begin_round(asked)
    asked[0].call.round = None
    asked[1].call = None
    assert made.end_round(number) == [asked[2]]
    assert made.end_round(number) == []
    assert made.begin_round([]) == number + 1


def test_round_numbers_go_around_and_leave_out_the_one_that_stands_for_late_answers():
    made = StationQueue("S1", COST, SETTINGS, 2**32 - 2)
    assert [made.begin_round([]) for _ in range(3)] == [2**32 - 1, 1, 2]


def test_rounds_that_are_never_ended_are_forgotten():
    made = queue()
    asked = lines(1)
    asked[0].call = _Call()
    number = made.begin_round(asked)
    for _ in range(256):
        made.begin_round([])
    assert made.end_round(number) == []


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(list(Place)), st.integers(0, 40), st.booleans()), max_size=80))
def test_what_is_reserved_is_exactly_what_was_called_and_not_released(steps):
    made, known, open_calls = queue(), lines(41), set()
    for place, number, silent in steps:
        line = known[number]
        if line.meter in open_calls:
            if silent:
                made.was_silent(line, 0)
            made.release(line)
            open_calls.discard(line.meter)
        else:
            made.put(line, place)
        open_calls |= {each.meter for each in made.admit(10**9)}
        assert made.ahead_ms == 1_000 * len(open_calls)
    for meter in list(open_calls):
        made.release(next(line for line in known if line.meter == meter))
    assert made.ahead_ms == 0


def test_a_line_that_changes_its_profile_meanwhile_leaves_nothing_reserved():
    made = queue(replace(COST, session_ms=5_000))
    fill(made, Place.ORDINARY, 2)
    called = made.admit(0)
    assert made.ahead_ms == 10_000
    made.cost = COST
    for line in called:
        made.release(line)
    assert made.ahead_ms == 0
