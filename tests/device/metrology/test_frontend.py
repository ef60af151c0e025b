"""The parts in front of the converters, and the converters."""

import numpy as np
import pytest

from prewatt.device.metrology import CurrentBits, Design, Extreme, FrontEnd, Noise, Piece, load, worst_piece
from prewatt.device.metrology.frontend import converted
from prewatt.device.metrology.rating import MAXIMUM_CURRENT_MA, RANGES_V


def test_a_converter_rounds_to_its_step_and_stops_at_its_ends() -> None:
    volts = np.array([0.0, 0.4 / 32768, 0.6 / 32768, -0.6 / 32768, 0.99999, 1.5, -1.5])
    assert converted(volts, 16, 1.0).tolist() == [0, 0, 1, -1, 32767, 32767, -32768]


@pytest.mark.parametrize("range_v", RANGES_V)
@pytest.mark.parametrize("bits", list(CurrentBits))
@pytest.mark.parametrize("extreme", list(Extreme))
def test_full_load_with_a_crest_of_two_and_a_third_fits(range_v: int, bits: CurrentBits, extreme: Extreme) -> None:
    """115 % of the voltage with a tenth of a fifth harmonic, Imax with a third and a fifth in line with its crest."""
    tones = {3: (0.4, 0.0), 5: (0.25, 0.0)}
    phase = load(range_v * 1.15, MAXIMUM_CURRENT_MA / 1000, 50, volt_tones={5: (0.1, 0.0)}, ampere_tones=tones)
    v_codes, i_codes = FrontEnd(Design(range_v, 50, bits, (worst_piece(extreme),))).sample((phase,), 960)
    assert 0.7 * 2**15 < np.abs(v_codes).max() < 2**15 - 1
    assert 0.7 * 2 ** (bits - 1) < np.abs(i_codes).max() < 2 ** (bits - 1) - 1


def test_an_offset_shifts_the_codes_and_noise_spreads_them() -> None:
    quiet = FrontEnd(Design(pieces=(Piece(voltage_offset_v=0.01, current_offset_v=-0.01),)))
    silence = (load(0.0, 0.0, 50),)
    v_codes, i_codes = quiet.sample(silence, 1000)
    assert set(v_codes.ravel().tolist()) == {round(0.01 * 2**15)}
    assert set(i_codes.ravel().tolist()) == {round(-0.01 * 2**19)}
    noisy = quiet.sample(silence, 1000, noise=Noise.drawn(np.random.default_rng(1), 1, 1000))
    assert noisy[1].std() == pytest.approx(0.9e-6 * 64 * 2**19, rel=0.1)


def test_the_same_piece_load_and_noise_give_the_same_codes_in_any_blocks() -> None:
    front_end = FrontEnd(Design(pieces=(worst_piece(Extreme.HIGH),)))
    loads = (load(220, 5, 50, lag_deg=20),)
    whole = front_end.sample(loads, 900)
    parts = [front_end.sample(loads, 300, first=first) for first in (0, 300, 600)]
    for k in range(2):
        assert np.array_equal(whole[k], np.concatenate([part[k] for part in parts], axis=1))


def test_a_wrong_number_of_phases_is_refused() -> None:
    with pytest.raises(ValueError, match="loads: 0 phases"):
        FrontEnd(Design()).sample((), 10)
    with pytest.raises(ValueError, match=r"phases: 2 .* 1, 3"):
        Design(pieces=(Piece(), Piece()))


def test_a_range_or_frequency_that_no_meter_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"range_v: 230 .* 110, 117, 220, 240 V"):
        Design(range_v=230)
    with pytest.raises(ValueError, match="frequency_hz: 55"):
        Design(frequency_hz=55)
