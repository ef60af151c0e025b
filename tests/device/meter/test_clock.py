"""The clock: a straight line, its inverse, and the clamp that no relay can abuse."""

from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.device.meter.clock import Clock, clamp

SECONDS = st.integers(10**9, 4 * 10**9)
DRIFTS = st.integers(-1_000, 1_000)


@settings(max_examples=300, deadline=None)
@given(SECONDS, SECONDS, DRIFTS, st.integers(-(10**7), 10**7))
def test_the_world_second_of_a_reading_is_the_first_that_shows_it(world_s, own_s, drift, ahead):
    clock = Clock(world_s, own_s, drift)
    at = clock.world_at(own_s + ahead)
    assert clock.read(at) >= own_s + ahead > clock.read(at - 1)


@settings(max_examples=100, deadline=None)
@given(SECONDS, SECONDS, DRIFTS)
def test_a_set_clock_shows_what_it_was_set_to_and_never_runs_back(world_s, own_s, drift):
    clock = Clock(0, 0, drift).set(world_s, own_s)
    assert clock.read(world_s) == own_s
    readings = [clock.read(world_s + second) for second in range(50)]
    assert readings == sorted(readings)


@settings(max_examples=500, deadline=None)
@given(
    true_ms=st.integers(10**12, 2 * 10**12),
    elapsed_ms=st.integers(0, 2_000_000),
    share=st.integers(0, 100),
    speed=st.sampled_from([1, 60, 3_600]),
)
def test_a_right_clock_is_never_moved_however_long_the_message_was_held_up(true_ms, elapsed_ms, share, speed):
    """The host read its clock somewhere between the sending of R3 and the arrival of the command."""
    sent_ms = true_ms - elapsed_ms * speed * share // 100
    assert clamp(true_ms // 1000, sent_ms // 1000, elapsed_ms, speed) == true_ms // 1000


@settings(max_examples=200, deadline=None)
@given(SECONDS, SECONDS, st.integers(0, 2_000_000), st.integers(1, 3_600))
def test_a_clock_outside_goes_to_the_nearer_end(own_s, time_s, elapsed_ms, speed):
    latest_s = -(-(time_s * 1000 + elapsed_ms * speed) // 1000)
    right_s = clamp(own_s, time_s, elapsed_ms, speed)
    assert time_s <= right_s <= latest_s
    if own_s < time_s:
        assert right_s == time_s
    elif own_s > latest_s:
        assert right_s == latest_s
    else:
        assert right_s == own_s
