"""True waveforms: the exact power against that of the samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.device.metrology import SAMPLE_RATE_HZ, PhaseLoad, Tone, Waveform, balanced, load

tones = st.dictionaries(st.integers(2, 40), st.tuples(st.floats(0, 0.5), st.floats(-180, 180)), max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([50, 60]), st.floats(-90, 90), st.floats(-180, 180), tones, tones)
def test_the_true_power_is_the_mean_product_of_the_samples(
    hertz: int,
    lag_deg: float,
    turn_deg: float,
    volt_tones: dict[int, tuple[float, float]],
    ampere_tones: dict[int, tuple[float, float]],
) -> None:
    phase = load(230, 5, hertz, lag_deg=lag_deg, turn_deg=turn_deg, volt_tones=volt_tones, ampere_tones=ampere_tones)
    # Two cycles, finely: the product of two 40th harmonics is an 80th.
    second = np.arange(4096) / (4096 * hertz) * 2
    mean = float(np.mean(phase.voltage.at(second) * phase.current.at(second)))
    assert phase.active_w == pytest.approx(mean, abs=1e-6)


def test_a_sample_rate_is_coherent_with_both_mains() -> None:
    assert SAMPLE_RATE_HZ % 50 == SAMPLE_RATE_HZ % 60 == 0
    assert SAMPLE_RATE_HZ // 2 >= 40 * 60


def test_a_lagging_current_has_positive_reactive_power() -> None:
    assert load(100, 2, 50, lag_deg=30).reactive_var == pytest.approx(100)
    assert load(100, 2, 50, lag_deg=-30).reactive_var == pytest.approx(-100)


def test_direct_current_carries_power_with_direct_voltage_only() -> None:
    wave = Waveform(50, (Tone(0, 3.0), Tone(1, 5.0)))
    assert PhaseLoad(Waveform(50, (Tone(1, 2.0),)), wave).active_w == pytest.approx(10)
    assert PhaseLoad(Waveform(50, (Tone(0, 2.0),)), wave).active_w == pytest.approx(6)
    assert wave.at(np.array([0.0]))[0] == pytest.approx(3 + 5 * 2**0.5)


def test_balanced_phases_cancel_in_every_order_but_the_thirds() -> None:
    phases = balanced(load(230, 5, 50, turn_deg=17, ampere_tones={5: (0.3, 40), 7: (0.2, 5)}))
    second = np.arange(200) / 10_000
    assert np.abs(sum(phase.current.at(second) for phase in phases)).max() < 1e-9
    assert len({round(phase.active_w, 9) for phase in phases}) == 1


def test_a_reversed_sequence_swaps_the_last_two_phases() -> None:
    phase = load(230, 5, 50)
    second = np.arange(100) / 4_800
    _, b, c = balanced(phase)
    _, crossed_b, crossed_c = balanced(phase, reversed_sequence=True)
    assert np.allclose(b.voltage.at(second), crossed_c.voltage.at(second))
    assert np.allclose(c.voltage.at(second), crossed_b.voltage.at(second))


def test_a_doubled_order_a_frequency_of_nothing_and_two_frequencies_are_refused() -> None:
    with pytest.raises(ValueError, match=r"tones: orders \[1, 1\]"):
        Waveform(50, (Tone(1, 1.0), Tone(1, 2.0)))
    with pytest.raises(ValueError, match="frequency_hz: 0"):
        Waveform(0, ())
    with pytest.raises(ValueError, match="60 Hz"):
        PhaseLoad(Waveform(50, ()), Waveform(60, ()))
