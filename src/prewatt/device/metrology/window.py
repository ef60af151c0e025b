"""The window: 200 ms of codes, reduced to ten integer sums per phase.

200 ms is ten cycles of 50 Hz and twelve of 60 Hz (the basic window of IEC 61000-4-30), 960 samples. Sums of products
say everything that is asked of a window: mean power without the converters' offsets (the covariance of voltage and
current), rms values (the variances) and the fundamental's phasors. Sums of integers do not depend on how the samples
were cut into blocks, so neither does anything that follows.

The current is early by a known part of a sample (its shunt is an inductor too), so each sample of it is mixed with the
one before: late = (DELAY_ONE - delay) i[n] + delay i[n-1]. Phasors are taken under a Hann window, which keeps mains
that are 2 % off, and harmonics, out of the angle.
"""

import math
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from prewatt.device.metrology.waveform import SAMPLE_RATE_HZ

__all__ = [
    "DELAY_ONE",
    "RAW_SCALE",
    "WINDOWS_PER_SECOND",
    "WINDOW_SAMPLES",
    "RawWindow",
    "Sum",
    "late_current",
    "mains_tables",
    "raw_window",
    "window_sums",
]

WINDOWS_PER_SECOND: Final = 5
WINDOW_SAMPLES: Final = SAMPLE_RATE_HZ // WINDOWS_PER_SECOND

# A delay of one whole sample; a step is 51 ns, a thousandth of a degree at 50 Hz.
DELAY_ONE: Final = 1 << 12
# What one step of voltage times one step of current, over a whole window, is in a raw power.
RAW_SCALE: Final = WINDOW_SAMPLES * WINDOW_SAMPLES * DELAY_ONE

# The tables' largest number. Bits: a current code 20, its delay 12, the table 14, the sum 10, so 56 of an int64's 63.
_TABLE_ONE: Final = 1 << 14

_Ints = npt.NDArray[np.int64]


class Sum(IntEnum):
    """The columns of the sums; LATE is the delayed current, COS and SIN the phasors' parts."""

    V = 0
    LATE = 1
    V_LATE = 2
    V_V = 3
    I = 4  # noqa: E741 - the letter of the current
    I_I = 5
    V_COS = 6
    V_SIN = 7
    LATE_COS = 8
    LATE_SIN = 9


@cache
def mains_tables(frequency_hz: int) -> _Ints:
    """Cosine and minus sine of the mains under the Hann window, shape (WINDOW_SAMPLES, 2): what a meter has in ROM."""
    turn = 2 * math.pi * np.arange(WINDOW_SAMPLES) / WINDOW_SAMPLES
    cycles = frequency_hz // WINDOWS_PER_SECOND
    hann = (1 - np.cos(turn)) / 2
    table = np.stack([hann * np.cos(cycles * turn), -hann * np.sin(cycles * turn)], axis=1)
    whole = np.rint(_TABLE_ONE * table).astype(np.int64)
    whole.setflags(write=False)
    return whole


def late_current(i_codes: _Ints, before: _Ints, delays: _Ints) -> _Ints:
    """The current put right in time, in 1/DELAY_ONE of a code; ``before`` holds each phase's code ahead of these."""
    earlier = np.concatenate((before[:, None], i_codes[:, :-1]), axis=1)
    return (DELAY_ONE - delays)[:, None] * i_codes + delays[:, None] * earlier


def window_sums(v_codes: _Ints, i_codes: _Ints, late: _Ints, tables: _Ints, position: int) -> _Ints:
    """Sums of samples that begin at ``position`` of a window, shape (windows touched, phases, len(Sum))."""
    phases, samples = v_codes.shape
    windows = -(-(position + samples) // WINDOW_SAMPLES)
    padded = np.zeros((3, phases, windows * WINDOW_SAMPLES), dtype=np.int64)
    padded[:, :, position : position + samples] = v_codes, i_codes, late
    v, i, delayed = padded.reshape(3, phases, windows, WINDOW_SAMPLES)
    sums = np.empty((windows, phases, len(Sum)), dtype=np.int64)
    sums[..., Sum.V] = v.sum(axis=-1).T
    sums[..., Sum.LATE] = delayed.sum(axis=-1).T
    sums[..., Sum.I] = i.sum(axis=-1).T
    sums[..., Sum.V_LATE] = np.einsum("pws,pws->wp", v, delayed)
    sums[..., Sum.V_V] = np.einsum("pws,pws->wp", v, v)
    sums[..., Sum.I_I] = np.einsum("pws,pws->wp", i, i)
    sums[..., Sum.V_COS : Sum.V_SIN + 1] = (v @ tables).transpose(1, 0, 2)
    sums[..., Sum.LATE_COS : Sum.LATE_SIN + 1] = (delayed @ tables).transpose(1, 0, 2)
    return sums


@dataclass(frozen=True, slots=True)
class RawWindow:
    """What one whole window of one phase says, still in codes.

    ``active``, ``fundamental`` (active) and ``reactive`` are mean powers in 1/RAW_SCALE of code times code; ``v_root``
    and ``i_root`` are rms values in 1/WINDOW_SAMPLES of a code.
    """

    active: int
    fundamental: int
    reactive: int
    v_root: int
    i_root: int


def raw_window(sums: list[int]) -> RawWindow:
    """The window of one phase's sums (a row of window_sums, as Python integers: powers take up to 77 bits).

    The fundamental's powers are its admittance (a ratio of phasors, which does not care that the mains may be a little
    off their frequency) times the voltage squared.
    """
    v_cos, v_sin, late_cos, late_sin = sums[Sum.V_COS :]
    v_variance = WINDOW_SAMPLES * sums[Sum.V_V] - sums[Sum.V] ** 2
    v_square = v_cos**2 + v_sin**2 or 1
    return RawWindow(
        active=WINDOW_SAMPLES * sums[Sum.V_LATE] - sums[Sum.V] * sums[Sum.LATE],
        fundamental=(v_cos * late_cos + v_sin * late_sin) * v_variance // v_square,
        reactive=(v_sin * late_cos - v_cos * late_sin) * v_variance // v_square,
        v_root=math.isqrt(v_variance),
        i_root=math.isqrt(WINDOW_SAMPLES * sums[Sum.I_I] - sums[Sum.I] ** 2),
    )
