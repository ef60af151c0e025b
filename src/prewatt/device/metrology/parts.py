"""The parts between the terminals and the converters, and how far one made piece is from its drawing.

Voltage: two resistors, a low-pass, a 16-bit converter. Current: a manganin shunt of 0.1 milliohm, an amplifier, a
low-pass, a 16- or 20-bit converter. Two resistors choose the voltage range; everything else stays the same. What is
a tolerance in a data sheet is a known number in one piece, so a ``Piece`` holds plain deviations: the same piece
always makes the same error.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from prewatt.device.metrology.rating import FREQUENCIES_HZ, PHASES, RANGES_V, allowed_one

__all__ = [
    "CONVERTER_PEAK_V",
    "DIVIDERS",
    "REFERENCE_C",
    "SHUNT_HENRY",
    "SHUNT_OHM",
    "VOLTAGE_BITS",
    "CurrentBits",
    "Design",
    "Divider",
    "Extreme",
    "Piece",
    "worst_piece",
]

# IEC 62053-21 8.5, table 9: the reference temperature, and so that of the calibration.
REFERENCE_C: Final = 23.0

# Both converters take -1 V to 1 V.
CONVERTER_PEAK_V: Final = 1.0
VOLTAGE_BITS: Final = 16

SHUNT_OHM: Final = 100e-6
# 5 us of lead: a short blade of metal between two bolts, with its loop of wire to the amplifier.
SHUNT_HENRY: Final = 0.5e-9
# 156 A of peak: Imax 60 A with a crest factor of 2.6 (a sine needs 1.41).
AMPLIFIER_GAIN: Final = 64.0
# One-pole low-passes far above the band. The current's is the faster one: together with the shunt's lead the current
# always comes early, never late, so that one delay on the current's side can put it right.
VOLTAGE_FILTER_S: Final = 16e-6
CURRENT_FILTER_S: Final = 10e-6

# Noise at the converters in volts rms: the converter's own on the voltage's side; on the current's side 0.9 uV of the
# amplifier over 2.4 kHz, times the gain: 9 mA of current, twice the step of 16 bits, so it dithers that converter.
VOLTAGE_NOISE_V: Final = 20e-6
CURRENT_NOISE_V: Final = 0.9e-6 * AMPLIFIER_GAIN

# Tolerances of the parts list.
DIVIDER_PPM: Final = 1_000
DIVIDER_PPM_PER_K: Final = 25
SHUNT_PPM: Final = 50_000
SHUNT_PPM_PER_K: Final = 50
AMPLIFIER_PPM: Final = 10_000
AMPLIFIER_PPM_PER_K: Final = 15
REFERENCE_PPM: Final = 2_000
REFERENCE_PPM_PER_K: Final = 10
FILTER_PPM: Final = 50_000
OFFSET_V: Final = 10e-3


class CurrentBits(IntEnum):
    """The two converters that the current may have."""

    SIXTEEN = 16
    TWENTY = 20


@dataclass(frozen=True, slots=True)
class Divider:
    """Two resistors of the E96 row; the voltage over the lower one goes to the converter."""

    upper_ohm: float
    lower_ohm: float = 1_000.0


# Full scale is the crest of 1.5 times the range's voltage: 115 % with room for harmonics.
DIVIDERS: Final = {
    110: Divider(237_000.0),
    117: Divider(249_000.0),
    220: Divider(475_000.0),
    240: Divider(511_000.0),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """One made phase: deviations from the drawing in ppm at 23 degC, drifts in ppm/K, offsets at the converters."""

    upper_ppm: float = 0.0
    upper_ppm_per_k: float = 0.0
    lower_ppm: float = 0.0
    lower_ppm_per_k: float = 0.0
    shunt_ppm: float = 0.0
    shunt_ppm_per_k: float = 0.0
    amplifier_ppm: float = 0.0
    amplifier_ppm_per_k: float = 0.0
    reference_ppm: float = 0.0
    reference_ppm_per_k: float = 0.0
    voltage_filter_ppm: float = 0.0
    current_filter_ppm: float = 0.0
    voltage_offset_v: float = 0.0
    current_offset_v: float = 0.0


class Extreme(Enum):
    """The two ends of the tolerances at which every part pushes the energy to the same side."""

    HIGH = 1
    LOW = -1


def worst_piece(extreme: Extreme) -> Piece:
    """The piece in which every deviation and drift adds up, and both filters part as far as they can."""
    up = extreme.value
    return Piece(
        upper_ppm=-up * DIVIDER_PPM,
        upper_ppm_per_k=-up * DIVIDER_PPM_PER_K,
        lower_ppm=up * DIVIDER_PPM,
        lower_ppm_per_k=up * DIVIDER_PPM_PER_K,
        shunt_ppm=up * SHUNT_PPM,
        shunt_ppm_per_k=up * SHUNT_PPM_PER_K,
        amplifier_ppm=up * AMPLIFIER_PPM,
        amplifier_ppm_per_k=up * AMPLIFIER_PPM_PER_K,
        reference_ppm=-up * REFERENCE_PPM,
        reference_ppm_per_k=-up * REFERENCE_PPM_PER_K,
        voltage_filter_ppm=up * FILTER_PPM,
        current_filter_ppm=-up * FILTER_PPM,
        voltage_offset_v=up * OFFSET_V,
        current_offset_v=up * OFFSET_V,
    )


@dataclass(frozen=True, slots=True)
class Design:
    """One source's measuring side: its voltage range, mains frequency, current converter, and its phases' pieces."""

    range_v: int = 220
    frequency_hz: int = 50
    current_bits: CurrentBits = CurrentBits.TWENTY
    pieces: tuple[Piece, ...] = (Piece(),)

    def __post_init__(self) -> None:
        """Refuses what no such meter is built for."""
        allowed_one("range_v", self.range_v, RANGES_V, "V")
        allowed_one("frequency_hz", self.frequency_hz, FREQUENCIES_HZ, "Hz")
        allowed_one("current_bits", self.current_bits, tuple(CurrentBits), "bits")
        allowed_one("phases", len(self.pieces), PHASES)
