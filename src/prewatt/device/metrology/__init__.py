"""Metrology: from the voltage and current at the terminals to pulses of 0.1 Wh and a phase angle."""

from prewatt.device.metrology.angle import HALF_TURN_CDEG
from prewatt.device.metrology.minutes import MinutePulses, angle_of, pulses_of_minutes
from prewatt.device.metrology.quality import (
    BANDS_MAX,
    NO_BANDS,
    SURCHARGE_MAX_PERCENT,
    Band,
    QualityBands,
    quality_percent,
    surcharge_percent,
)

__all__ = [
    "BANDS_MAX",
    "HALF_TURN_CDEG",
    "NO_BANDS",
    "SURCHARGE_MAX_PERCENT",
    "Band",
    "MinutePulses",
    "QualityBands",
    "angle_of",
    "pulses_of_minutes",
    "quality_percent",
    "surcharge_percent",
]
