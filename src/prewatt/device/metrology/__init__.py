"""Metrology: from the voltage and current at the terminals to pulses of 0.1 Wh and a phase angle.

``FrontEnd`` turns true waveforms into converter codes as one made piece of hardware would; ``calibrated`` puts it on
the bench; ``Metrology`` turns codes into pulses, powers and angles in integers only. Each source (grid, generator) has
a design, a front end and a metrology of its own. Files of minute means enter by ``pulses_of_minutes`` and ``angle_of``.
"""

from prewatt.device.metrology.angle import HALF_TURN_CDEG
from prewatt.device.metrology.calibration import Calibration, calibrated
from prewatt.device.metrology.energy import Metrology, State
from prewatt.device.metrology.frontend import Codes, FrontEnd, Noise
from prewatt.device.metrology.minutes import MinutePulses, angle_of, pulses_of_minutes
from prewatt.device.metrology.parts import CurrentBits, Design, Extreme, Piece, worst_piece
from prewatt.device.metrology.quality import surcharge_percent
from prewatt.device.metrology.reading import PhaseWindow, Reading, Window, mean_angle_cdeg, minute_angle_cdeg
from prewatt.device.metrology.waveform import SAMPLE_RATE_HZ, PhaseLoad, Tone, Waveform, balanced, load
from prewatt.device.metrology.window import WINDOW_SAMPLES, WINDOWS_PER_SECOND

__all__ = [
    "HALF_TURN_CDEG",
    "SAMPLE_RATE_HZ",
    "WINDOWS_PER_SECOND",
    "WINDOW_SAMPLES",
    "Calibration",
    "Codes",
    "CurrentBits",
    "Design",
    "Extreme",
    "FrontEnd",
    "Metrology",
    "MinutePulses",
    "Noise",
    "PhaseLoad",
    "PhaseWindow",
    "Piece",
    "Reading",
    "State",
    "Tone",
    "Waveform",
    "Window",
    "angle_of",
    "balanced",
    "calibrated",
    "load",
    "mean_angle_cdeg",
    "minute_angle_cdeg",
    "pulses_of_minutes",
    "surcharge_percent",
    "worst_piece",
]
