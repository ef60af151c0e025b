"""Codes to pulses: exact, the same in any blocks, never falling, never too close."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.device.metrology import (
    WINDOW_SAMPLES,
    CurrentBits,
    Design,
    Extreme,
    FrontEnd,
    Metrology,
    Piece,
    Reading,
    State,
    balanced,
    calibrated,
    load,
    minute_angle_cdeg,
    worst_piece,
)
from prewatt.device.metrology.calibration import GRAINS_PER_JOULE, PULSE_GRAINS
from prewatt.device.metrology.energy import PULSE_PAUSE_SAMPLES, PULSE_WIDTH_SAMPLES, PULSES_PER_WINDOW_MAX
from prewatt.device.metrology.frontend import Codes

ONE = Design(pieces=(worst_piece(Extreme.HIGH),))
THREE = Design(240, 60, CurrentBits.SIXTEEN, (worst_piece(Extreme.HIGH), Piece(), worst_piece(Extreme.LOW)))


def metrology_of(design: Design) -> Metrology:
    return Metrology(design.frequency_hz, calibrated(FrontEnd(design)))


METERS = {design: metrology_of(design) for design in (ONE, THREE)}


def fed_in_blocks(metrology: Metrology, v: Codes, i: Codes, cuts: list[int]) -> tuple[State, Reading]:
    """The final state, and the readings of all blocks as one."""
    state, pulses, windows, reverse = State(), [], [], 0
    for start, end in pairwise([0, *cuts, v.shape[1]]):
        state, reading = metrology.feed(state, v[:, start:end], i[:, start:end])
        assert reading.pulses == len(reading.pulse_samples)
        pulses += [start + sample for sample in reading.pulse_samples]
        windows += reading.windows
        reverse += reading.reverse_pulses
    return state, Reading(len(pulses), tuple(pulses), reverse, tuple(windows))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([ONE, THREE]), st.integers(0, 2**32), st.lists(st.integers(0, 5000), max_size=12).map(sorted))
def test_blocks_of_any_size_give_the_same_integers(design: Design, seed: int, cuts: list[int]) -> None:
    """Codes drawn over the converters' whole ranges: nothing about a real waveform is needed for this."""
    rng = np.random.default_rng(seed)
    shape = (len(design.pieces), 5000)
    v = rng.integers(-(2**15), 2**15, shape)
    half = 2 ** (design.current_bits - 1)
    i = np.clip(v * (half >> 15) + rng.integers(-half // 2, half // 2, shape), -half, half - 1)
    whole = METERS[design].feed(State(), v, i)
    assert fed_in_blocks(METERS[design], v, i, cuts) == whole
    assert whole[1].pulses > 0


def test_single_samples_give_the_same_integers() -> None:
    v, i = FrontEnd(ONE).sample((load(220, 60, 50, lag_deg=10),), 2100)
    assert fed_in_blocks(METERS[ONE], v, i, list(range(1, 2100))) == METERS[ONE].feed(State(), v, i)


def test_an_empty_block_changes_nothing() -> None:
    state, _ = METERS[ONE].feed(State(), *FrontEnd(ONE).sample((load(220, 5, 50),), 700))
    nothing = np.empty((1, 0), dtype=np.int64)
    assert METERS[ONE].feed(state, nothing, nothing) == (state, Reading(0, (), 0, ()))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(1, 2500)), min_size=1, max_size=6))
def test_energy_never_falls_and_every_pulse_leaves_once(parts: list[tuple[int, int]]) -> None:
    """Any sequence of drawing, feeding back and resting, all at the converters' ends."""
    metrology, state, left, reversed_pulses = METERS[THREE], State(), 0, 0
    for direction, samples in parts:
        sign = np.where(np.arange(samples) % 80 < 40, 1, -1)
        v = np.tile(np.where(sign > 0, 2**15 - 1, -(2**15)), (3, 1))
        after, reading = metrology.feed(state, v, direction * np.clip(v, -(2**15) + 1, 2**15 - 1))
        left += reading.pulses
        reversed_pulses += reading.reverse_pulses
        assert (after.forward_pulses, after.forward_grains) >= (state.forward_pulses, state.forward_grains)
        assert (after.reverse_pulses, after.reverse_grains) >= (state.reverse_pulses, state.reverse_grains)
        assert 0 <= after.forward_grains < PULSE_GRAINS
        assert left <= after.forward_pulses <= left + 2 * PULSES_PER_WINDOW_MAX
        state = after
    assert reversed_pulses == state.reverse_pulses
    quiet = np.zeros((3, 2 * WINDOW_SAMPLES), dtype=np.int64)
    final, reading = metrology.feed(state, quiet, quiet)
    assert left + reading.pulses + final.due == final.forward_pulses
    assert final.due == 0 or final.position


def test_pulses_have_their_width_and_pause_with_every_converter_at_its_end() -> None:
    v = np.tile(np.where(np.arange(4800) % 80 < 40, 2**15 - 1, -(2**15)), (3, 1))
    _, reading = METERS[THREE].feed(State(), v, np.maximum(v, -(2**15) + 1))
    apart = np.diff(reading.pulse_samples)
    assert len(apart) > 4 * 120
    assert apart.min() >= PULSE_WIDTH_SAMPLES + PULSE_PAUSE_SAMPLES


def test_gains_whose_pulses_could_not_all_leave_are_refused() -> None:
    calibrations = METERS[THREE].calibrations
    twice = tuple(replace(each, energy_gain=2 * each.energy_gain) for each in calibrations)
    with pytest.raises(ValueError, match=r"calibrations: \d+ pulses a window .* allowed is 160"):
        Metrology(60, twice)


def test_offsets_of_the_converters_make_no_energy() -> None:
    pieces = tuple(Piece(voltage_offset_v=v, current_offset_v=i) for v, i in ((0.0, 0.0), (0.3, -0.3), (-0.3, -0.3)))
    energies = []
    for piece in pieces:
        v, i = FrontEnd(Design(pieces=(piece,))).sample((load(220, 5, 50, lag_deg=60),), 4800)
        state, _ = METERS[ONE].feed(State(), v, i)
        energies.append((state.forward_pulses * PULSE_GRAINS + state.forward_grains) / GRAINS_PER_JOULE)
    assert energies == pytest.approx([energies[0]] * 3, rel=2e-5)


def test_a_backward_flow_counts_in_its_own_register_and_makes_no_pulse() -> None:
    forward = METERS[ONE].feed(State(), *FrontEnd(ONE).sample((load(220, 60, 50, lag_deg=30),), 4800))[0]
    backward = METERS[ONE].feed(State(), *FrontEnd(ONE).sample((load(220, 60, 50, lag_deg=210),), 4800))[0]
    assert (backward.forward_pulses, backward.forward_grains) == (0, 0)
    assert backward.reverse_pulses == pytest.approx(forward.forward_pulses, abs=1)
    assert forward.reverse_pulses == 0


def test_phases_are_added_with_their_signs() -> None:
    a, b, c = balanced(load(240, 10, 60))
    back = load(240, 10, 60, lag_deg=180, turn_deg=-120)
    state, reading = METERS[THREE].feed(State(), *FrontEnd(THREE).sample((a, back, c), 4800))
    assert state.forward_pulses * 0.1 == pytest.approx(2400 / 3600, abs=0.1)
    assert state.reverse_pulses == 0
    assert reading.windows[0].active_mw == pytest.approx(2_400_000, rel=1e-3)
    assert b.active_w == pytest.approx(-back.active_w)


@pytest.mark.parametrize("design", [ONE, THREE], ids=["one phase", "three phases"])
@pytest.mark.parametrize("hertz", [0.98, 1.0, 1.02])
@pytest.mark.parametrize("lag_deg", [-60.0, 0.0, 36.87, 90.0, 150.0])
def test_a_window_tells_voltage_current_powers_and_angle(design: Design, hertz: float, lag_deg: float) -> None:
    volts, amperes = design.range_v * 0.95, 7.0
    phase = load(volts, amperes, design.frequency_hz * hertz, lag_deg=lag_deg, turn_deg=33, ampere_tones={3: (0.2, 50)})
    loads = (phase,) if design is ONE else balanced(phase)
    _, reading = METERS[design].feed(State(), *FrontEnd(design).sample(loads, 9600))
    assert len(reading.windows) == 10
    # A window at 2 % off the mains has 9.8 cycles, whose rms depends on where it begins.
    near = 1e-3 if hertz == 1.0 else 2e-2
    for window in reading.windows:
        assert abs((window.angle_cdeg or 0) - round(lag_deg * 100)) <= 12
        for found in window.phases:
            assert found.v_rms_mv == pytest.approx(volts * 1000, rel=near)
            assert found.i_rms_ma == pytest.approx(amperes * 1000 * 1.04**0.5, rel=near)
            assert found.reactive_mvar == pytest.approx(phase.reactive_var * 1000, rel=2 * near, abs=5000)
        assert window.reactive_mvar == sum(found.reactive_mvar for found in window.phases)
    assert minute_angle_cdeg(reading.windows) == pytest.approx(lag_deg * 100, abs=5)


def test_a_current_under_a_twentieth_of_ib_has_no_angle() -> None:
    for amperes, known in ((0.245, False), (0.255, True)):
        _, reading = METERS[ONE].feed(State(), *FrontEnd(ONE).sample((load(220, amperes, 50, lag_deg=30),), 1920))
        assert [window.angle_cdeg is not None for window in reading.windows] == [known, known]
        assert (minute_angle_cdeg(reading.windows) is not None) is known
    assert minute_angle_cdeg(()) is None


def test_an_idle_phase_and_an_idle_window_are_left_out_of_the_mean_angle() -> None:
    a, b, c = balanced(load(240, 10, 60, lag_deg=40))
    idle = load(240, 0.1, 60, lag_deg=-80, turn_deg=-240)
    _, some = METERS[THREE].feed(State(), *FrontEnd(THREE).sample((a, b, idle), 960))
    _, none = METERS[THREE].feed(State(), *FrontEnd(THREE).sample((idle, idle, idle), 960))
    assert minute_angle_cdeg(some.windows + none.windows) == pytest.approx(4_000, abs=3)
    assert c.active_w > 0


def test_the_mean_angle_is_that_of_the_summed_powers() -> None:
    front_end = FrontEnd(ONE)
    big = METERS[ONE].feed(State(), *front_end.sample((load(220, 20, 50, lag_deg=0),), 960))[1].windows
    small = METERS[ONE].feed(State(), *front_end.sample((load(220, 20, 50, lag_deg=90),), 960))[1].windows
    assert minute_angle_cdeg(big + small) == pytest.approx(4_500, abs=3)
    assert minute_angle_cdeg(big * 3 + small) == pytest.approx(1_843, abs=3)


def test_no_voltage_is_no_power_and_no_fault() -> None:
    state, reading = METERS[ONE].feed(State(), *FrontEnd(ONE).sample((load(0.0, 5.0, 50),), 1920))
    assert state.forward_pulses == state.forward_grains == 0
    assert reading.windows[0].active_mw == reading.windows[0].phases[0].v_rms_mv == 0


def test_two_sources_have_each_their_own_front_end_and_count_apart() -> None:
    generator = Design(110, 60, CurrentBits.SIXTEEN, (worst_piece(Extreme.LOW),))
    counted = []
    for design in (ONE, generator):
        loads = (load(design.range_v, 30, design.frequency_hz),)
        counted.append(metrology_of(design).feed(State(), *FrontEnd(design).sample(loads, 48_000))[0].forward_pulses)
    assert counted == [pytest.approx(220 * 30 / 360 * 10, abs=1), pytest.approx(110 * 30 / 360 * 10, abs=1)]


@pytest.mark.parametrize(
    ("v", "i", "message"),
    [
        (np.zeros((2, 5), int), np.zeros((2, 5), int), r"v_codes: shape \(2, 5\)"),
        (np.zeros((1, 5), int), np.zeros((1, 4), int), r"i_codes: shape \(1, 4\)"),
        (np.zeros(5, int), np.zeros(5, int), r"v_codes: shape \(5,\)"),
        (np.zeros((1, 5)), np.zeros((1, 5), int), "v_codes: float64"),
        (np.full((1, 5), 2**15), np.zeros((1, 5), int), "v_codes: a code beyond 16 bits"),
        (np.zeros((1, 5), int), np.full((1, 5), -(2**19) - 1), "i_codes: a code beyond 20 bits"),
    ],
)
def test_codes_that_no_converter_makes_are_refused(v: Codes, i: Codes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        METERS[ONE].feed(State(), v, i)
