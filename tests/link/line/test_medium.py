"""The medium: who hears what, how well, and what two at once do to each other."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.link.line import PROFILES, Line
from prewatt.link.line.medium import ENDS_MAX, REACH_M_MAX

PROFILE = PROFILES["powerline-2400"]
CLEAN = replace(PROFILE, impulses_s=0, noise_spread_db=0)
DATA = bytes(range(75))
NAMES = list(PROFILES)


def heard(line, transmission, ends=None):
    return {arrival.end: arrival.data for arrival in line.arrivals(transmission, ends)}


def told(seed, profile=PROFILE):
    """The history of a line on which everybody speaks in turn, some into each other."""
    line, history = Line(profile, seed), []
    ends = [line.attach(distance_m) for distance_m in (0, 100, 1_500, 2_900)]
    for turn in range(60):
        first = line.transmit(1_000 * turn, ends[turn % 4], DATA)
        second = line.transmit(1_000 * turn + 200, ends[(turn + 1) % 4], DATA) if turn % 5 == 0 else None
        history.append([line.arrivals(each) for each in (first, second) if each is not None])
    return history


def test_the_same_seed_tells_the_same_history_and_another_one_another():
    assert told(1) == told(1)
    assert told(1) != told(2)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, REACH_M_MAX), min_size=2, max_size=12), st.binary(min_size=1, max_size=75))
def test_on_a_quiet_line_everybody_but_the_sender_hears_every_byte_when_it_is_over(distances, data):
    line = Line(replace(CLEAN, attenuation_db_km=1), 1)
    ends = [line.attach(distance_m) for distance_m in distances]
    transmission = line.transmit(500, ends[0], data)
    assert transmission.end_ms == 500 + CLEAN.timing.air_ms(len(data))
    arrivals = line.arrivals(transmission)
    assert {arrival.end: arrival.data for arrival in arrivals} == dict.fromkeys(ends[1:], data)
    assert {arrival.at_ms for arrival in arrivals} == {transmission.end_ms}
    assert heard(line, transmission, [ends[1], ends[0]]) == {ends[1]: data}


@pytest.mark.parametrize("name", NAMES)
def test_the_farther_the_more_bits_are_wrong_and_every_preset_reaches_as_far_as_it_says(name):
    line = Line(replace(PROFILES[name], noise_spread_db=0), 1)
    station = line.attach(0)
    ends = [line.attach(distance_m) for distance_m in range(0, REACH_M_MAX + 1, 250)]
    rates = [line.read_bit_errors(station, end) for end in ends]
    assert rates == sorted(rates)
    # Two frames in three arrive at the far end, impulses left out.
    assert (1 - rates[-1]) ** (8 * (PROFILES[name].timing.fragment_bytes + 11)) > 0.66


def test_of_frames_on_a_bad_line_the_expected_share_arrives_and_some_arrive_broken():
    line = Line(replace(CLEAN, impulses_s=1), 5)
    sender, receiver = line.attach(0), line.attach(100)
    whole = broken = 0
    for turn in range(4_000):
        got = heard(line, line.transmit(1_000 * turn, sender, DATA)).get(receiver)
        whole += got == DATA
        broken += got is not None and got != DATA
        assert got is None or len(got) == len(DATA)
    # One impulse a second on 0.27 s: exp(-0.27) = 0.763; four standard deviations either way.
    assert abs(whole / 4_000 - 0.763) < 0.03
    assert 0.3 < broken / (4_000 - whole) < 0.7


def test_two_at_once_destroy_each_other_unless_one_is_much_stronger():
    line = Line(CLEAN, 1)
    station, near, far = line.attach(0), line.attach(10), line.attach(2_000)
    listener = line.attach(15)
    first, second = line.transmit(0, near, DATA), line.transmit(100, far, DATA)
    # 25 dB apart at the station and at the neighbour; who is sending hears nothing.
    assert heard(line, first) == {station: DATA, listener: DATA}
    assert heard(line, second) == {}
    equal = line.attach(12)
    first, second = line.transmit(5_000, near, DATA), line.transmit(5_100, equal, DATA)
    assert heard(line, first) == heard(line, second) == {}
    # One behind the other is no collision.
    first = line.transmit(10_000, near, DATA)
    second = line.transmit(first.end_ms, equal, DATA)
    assert station in heard(line, first)
    assert station in heard(line, second)


def test_an_end_notices_that_the_line_is_in_use_after_half_a_preamble_and_not_by_itself():
    line = Line(CLEAN, 1)
    station, meter = line.attach(0), line.attach(300)
    transmission = line.transmit(1_000, meter, DATA)
    detect_ms = CLEAN.timing.detect_ms
    noticed = [line.busy(at_ms, station) for at_ms in (999, 999 + detect_ms, 1_000 + detect_ms, transmission.end_ms)]
    assert noticed == [False, False, True, True]
    assert not line.busy(transmission.end_ms + 1, station)
    assert not line.busy(1_100, meter)


def test_the_neighbour_hears_through_the_coupling_and_not_without():
    line, other, third = Line(CLEAN, 1), Line(CLEAN, 2), Line(CLEAN, 3)
    sender, listener = line.attach(50), other.attach(50)
    line.couple(other)
    transmission = line.transmit(0, sender, DATA)
    assert heard(other, transmission) == {listener: DATA}
    assert other.busy(100, listener)
    assert (line.neighbours, other.neighbours) == ((other,), (line,))
    line.couple(other, crosstalk_db=120)
    assert not Line(CLEAN, 4).busy(100, 0)
    assert third.arrivals(transmission) == []
    far = Line(CLEAN, 5)
    far.couple(line, crosstalk_db=120)
    deaf = far.attach(50)
    assert heard(far, transmission) == {}
    assert not far.busy(100, deaf)


def test_a_neighbours_voice_spoils_a_weak_one():
    line, other = Line(CLEAN, 1), Line(CLEAN, 2)
    line.couple(other, crosstalk_db=10)
    station, far = line.attach(0), line.attach(3_000)
    loud = other.attach(0)
    spoilt, _ = line.transmit(0, far, DATA), other.transmit(50, loud, DATA)
    assert station not in heard(line, spoilt)
    clear = line.transmit(5_000, far, DATA)
    assert heard(line, clear)[station] == DATA


def test_who_leaves_the_line_hears_nothing_and_can_say_nothing():
    line = Line(CLEAN, 1)
    station, meter = line.attach(0), line.attach(100)
    transmission = line.transmit(0, station, DATA)
    line.detach(meter)
    line.detach(meter)
    assert line.arrivals(transmission) == []
    with pytest.raises(ValueError, match="not on this line"):
        line.transmit(1_000, meter, DATA)


def test_a_line_takes_so_many_ends_and_so_much_way_and_not_more():
    line = Line(CLEAN, 1)
    for distance_m in (-1, REACH_M_MAX + 1):
        with pytest.raises(ValueError, match=f"distance_m: {distance_m}"):
            line.attach(distance_m)
    for _ in range(ENDS_MAX):
        line.attach(REACH_M_MAX)
    with pytest.raises(ValueError, match="ends"):
        line.attach(0)


def test_a_line_remembers_no_more_than_what_still_matters():
    line = Line(CLEAN, 1)
    end = line.attach(0)
    for turn in range(1_000):
        line.transmit(1_000 * turn, end, DATA)
    assert len(line._on_air) < 5


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_of_a_preset_names_where_it_comes_from(name):
    profile = PROFILES[name]
    own = {field for field in profile.__dataclass_fields__ if field not in {"name", "timing", "sources"}}
    assert set(profile.sources) == own | set(profile.timing.__dataclass_fields__)
    assert all(profile.sources.values())
    assert profile.name == name
