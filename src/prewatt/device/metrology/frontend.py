"""The front end: true waveforms in, converter codes out.

Divider, shunt, amplifier and low-passes act on the tones of a waveform (exactly, with the temperature of the moment
and the deviations of this piece); then it is sampled, noise is added, and the converter rounds to its step and stops
at its ends. Everything after this module is integers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from prewatt.device.metrology.parts import (
    AMPLIFIER_GAIN,
    CONVERTER_PEAK_V,
    CURRENT_FILTER_S,
    CURRENT_NOISE_V,
    DIVIDERS,
    REFERENCE_C,
    SHUNT_HENRY,
    SHUNT_OHM,
    VOLTAGE_BITS,
    VOLTAGE_FILTER_S,
    VOLTAGE_NOISE_V,
    Design,
    Piece,
)
from prewatt.device.metrology.waveform import SAMPLE_RATE_HZ, PhaseLoad

__all__ = ["Codes", "FrontEnd", "Noise", "converted"]

Codes = npt.NDArray[np.int64]
_PPM: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard normal numbers, one a sample, shape (phases, samples) each; the front end gives them their size."""

    voltage: npt.NDArray[np.float64]
    current: npt.NDArray[np.float64]

    @classmethod
    def drawn(cls, generator: np.random.Generator, phases: int, samples: int) -> "Noise":
        """From a seeded generator that the caller owns."""
        return cls(generator.standard_normal((phases, samples)), generator.standard_normal((phases, samples)))


def converted(volts: npt.NDArray[np.float64], bits: int, peak_v: float) -> Codes:
    """Codes of an ideal converter of ``bits`` from -peak_v to peak_v: rounded to the step, held at the ends."""
    half = 1 << (bits - 1)
    return np.clip(np.rint(volts * (half / peak_v)), -half, half - 1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """One source's measuring side as it was made; ``design`` holds its parts and their deviations."""

    design: Design

    def sample(
        self,
        loads: Sequence[PhaseLoad],
        samples: int,
        *,
        temperature_c: float = REFERENCE_C,
        first: int = 0,
        noise: Noise | None = None,
    ) -> tuple[Codes, Codes]:
        """Voltage and current codes, shape (phases, samples) each, from sample number ``first`` of the waveforms on."""
        pieces = self.design.pieces
        if len(loads) != len(pieces):
            raise ValueError(f"loads: {len(loads)} phases are not allowed; allowed is {len(pieces)}, as in the design")
        second = np.arange(first, first + samples, dtype=np.float64) / SAMPLE_RATE_HZ
        warmer_k = temperature_c - REFERENCE_C
        volts = np.empty((len(pieces), samples))
        shunts = np.empty((len(pieces), samples))
        for k, (piece, load) in enumerate(zip(pieces, loads, strict=True)):
            volts[k] = load.voltage.through(_VoltagePath(self.design, piece, warmer_k)).at(second)
            shunts[k] = load.current.through(_CurrentPath(piece, warmer_k)).at(second)
            volts[k] += piece.voltage_offset_v
            shunts[k] += piece.current_offset_v
        if noise is not None:
            volts += VOLTAGE_NOISE_V * noise.voltage
            shunts += CURRENT_NOISE_V * noise.current
        peaks_v = CONVERTER_PEAK_V * np.array(
            [[_part(1.0, piece.reference_ppm, piece.reference_ppm_per_k, warmer_k)] for piece in pieces]
        )
        return (
            converted(volts / peaks_v, VOLTAGE_BITS, 1.0),
            converted(shunts / peaks_v, self.design.current_bits, 1.0),
        )


def _part(nominal: float, ppm: float, ppm_per_k: float, warmer_k: float) -> float:
    return nominal * (1 + ppm * _PPM) * (1 + ppm_per_k * _PPM * warmer_k)


def _low_pass(frequency_hz: float, time_s: float) -> complex:
    return 1 / complex(1, 2 * math.pi * frequency_hz * time_s)


@dataclass(frozen=True, slots=True)
class _VoltagePath:
    """Divider and low-pass as a complex factor, from volts at the terminals to volts at the converter."""

    design: Design
    piece: Piece
    warmer_k: float

    def __call__(self, frequency_hz: float) -> complex:
        divider, piece = DIVIDERS[self.design.range_v], self.piece
        upper = _part(divider.upper_ohm, piece.upper_ppm, piece.upper_ppm_per_k, self.warmer_k)
        lower = _part(divider.lower_ohm, piece.lower_ppm, piece.lower_ppm_per_k, self.warmer_k)
        filter_s = _part(VOLTAGE_FILTER_S, piece.voltage_filter_ppm, 0.0, self.warmer_k)
        return lower / (upper + lower) * _low_pass(frequency_hz, filter_s)


@dataclass(frozen=True, slots=True)
class _CurrentPath:
    """Shunt, amplifier and low-pass as a complex factor, from amperes to volts at the converter."""

    piece: Piece
    warmer_k: float

    def __call__(self, frequency_hz: float) -> complex:
        piece = self.piece
        ohm = _part(SHUNT_OHM, piece.shunt_ppm, piece.shunt_ppm_per_k, self.warmer_k)
        gain = _part(AMPLIFIER_GAIN, piece.amplifier_ppm, piece.amplifier_ppm_per_k, self.warmer_k)
        filter_s = _part(CURRENT_FILTER_S, piece.current_filter_ppm, 0.0, self.warmer_k)
        return complex(ohm, 2 * math.pi * frequency_hz * SHUNT_HENRY) * gain * _low_pass(frequency_hz, filter_s)
