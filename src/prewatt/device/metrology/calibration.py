"""Calibration: what production writes into one meter so that its codes become joules, volts and amperes.

Each phase is put on the bench once, at 23 degC, with the range's voltage and the basic current at power factor 1. The
ratio of the true values to the codes becomes four integers: the tolerance of every part is in them. Drifts with
temperature, steps and noise stay; they are what the error table shows.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from prewatt.device.metrology.frontend import FrontEnd
from prewatt.device.metrology.parts import VOLTAGE_BITS, Design
from prewatt.device.metrology.rating import BASIC_CURRENT_MA, STARTING_CURRENT_MA
from prewatt.device.metrology.waveform import SAMPLE_RATE_HZ, load
from prewatt.device.metrology.window import (
    DELAY_ONE,
    RAW_SCALE,
    WINDOW_SAMPLES,
    WINDOWS_PER_SECOND,
    RawWindow,
    late_current,
    mains_tables,
    raw_window,
    window_sums,
)

__all__ = ["GRAINS_PER_JOULE", "PULSE_GRAINS", "RMS_SHIFT", "Calibration", "calibrated"]

# The grain of the energy accumulator: so fine that one step of a converter in one window is many of them, and the
# gain keeps 19 bits or more. A pulse is 83 bits, so an accumulator of 96 bits holds it with room for a window.
GRAINS_PER_JOULE: Final = 1 << 74
# 0.1 Wh.
PULSE_GRAINS: Final = 360 * GRAINS_PER_JOULE
# Binary digits after the point of the rms gains.
RMS_SHIFT: Final = 32
# Under a quarter of the starting power nothing is counted: 1.1 W at 220 V, fifteen times what noise makes of a window,
# and still half of the starting current at power factor 0.5.
NO_LOAD_PART: Final = 4
_MILLI: Final = 1_000


@dataclass(frozen=True, slots=True)
class Calibration:
    """One phase's constants.

    ``energy_gain`` is grains of a window for a raw power of 1, the rms gains are mV and mA for a raw root of 1 in
    2^-RMS_SHIFT, ``delay`` is in 1/DELAY_ONE of a sample, ``no_load_mw`` is the power under which nothing is counted.
    """

    energy_gain: int
    v_gain: int
    i_gain: int
    delay: int
    no_load_mw: int
    current_bits: int

    def __post_init__(self) -> None:
        """Refuses constants that no piece within its tolerances can have."""
        for field, value in (("energy_gain", self.energy_gain), ("v_gain", self.v_gain), ("i_gain", self.i_gain)):
            if value <= 0:
                raise ValueError(f"{field}: {value} is not allowed; allowed is above 0")
        if not 0 <= self.delay <= DELAY_ONE:
            raise ValueError(f"delay: {self.delay} is not allowed; allowed is 0 to {DELAY_ONE} (one sample)")

    @property
    def full_scale_grains(self) -> int:
        """The most energy one window can have: both converters at their ends all the time."""
        return self.energy_gain * (RAW_SCALE << (VOLTAGE_BITS - 1 + self.current_bits - 1))


def calibrated(front_end: FrontEnd) -> tuple[Calibration, ...]:
    """Puts each phase of ``front_end`` on the bench (a quiet one: no noise) and gives its constants."""
    design = front_end.design
    return tuple(
        _calibrated_phase(FrontEnd(replace(design, pieces=(piece,))), design.range_v) for piece in design.pieces
    )


def _calibrated_phase(front_end: FrontEnd, volts: int) -> Calibration:
    design = front_end.design
    amperes = BASIC_CURRENT_MA / _MILLI
    early = _bench_window(front_end, volts, amperes, delay=0)
    lead_turns = -math.atan2(early.reactive, early.fundamental) / (2 * math.pi)
    delay = round(lead_turns * SAMPLE_RATE_HZ / design.frequency_hz * DELAY_ONE)
    right = _bench_window(front_end, volts, amperes, delay)
    window_j = volts * amperes / WINDOWS_PER_SECOND
    return Calibration(
        energy_gain=round(window_j * GRAINS_PER_JOULE / right.active),
        v_gain=round(volts * _MILLI * (1 << RMS_SHIFT) / right.v_root),
        i_gain=round(BASIC_CURRENT_MA * (1 << RMS_SHIFT) / right.i_root),
        delay=delay,
        no_load_mw=volts * STARTING_CURRENT_MA // NO_LOAD_PART,
        current_bits=design.current_bits,
    )


def _bench_window(front_end: FrontEnd, volts: float, amperes: float, delay: int) -> RawWindow:
    """One window of a steady load; the sample ahead of it is taken too, for the delay."""
    design: Design = front_end.design
    source = load(volts, amperes, design.frequency_hz)
    v_codes, i_codes = front_end.sample((source,), WINDOW_SAMPLES + 1)
    late = late_current(i_codes[:, 1:], i_codes[:, 0], np.array([delay]))
    sums = window_sums(v_codes[:, 1:], i_codes[:, 1:], late, mains_tables(design.frequency_hz), 0)
    return raw_window(sums[0, 0].tolist())
