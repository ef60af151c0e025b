"""What the metrology tells the meter: powers, rms values and angles of each window, and of a minute of windows.

The angle of anything longer or wider than one phase's window is that of the summed powers: the angle a wattmeter and a
varmeter would show together. So a minute has one angle whether it is measured, or read from a file of minute means,
and a motor's short start weighs what it took.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from prewatt.device.metrology.angle import angle_cdeg, narrow
from prewatt.device.metrology.rating import ANGLE_CURRENT_MIN_MA
from prewatt.units import Pulses

__all__ = ["PhaseWindow", "Reading", "Window", "mean_angle_cdeg", "minute_angle_cdeg"]


@dataclass(frozen=True, slots=True)
class PhaseWindow:
    """One phase in one window of 200 ms.

    ``active_mw`` is the power of all harmonics, ``fundamental_mw`` and ``reactive_mvar`` that of the mains frequency
    alone; reactive power is above zero where the current lags.
    """

    v_rms_mv: int
    i_rms_ma: int
    active_mw: int
    fundamental_mw: int
    reactive_mvar: int


@dataclass(frozen=True, slots=True)
class Window:
    """200 ms of all phases."""

    phases: tuple[PhaseWindow, ...]

    @property
    def active_mw(self) -> int:
        """The active power of the phases together, with their signs."""
        return sum(phase.active_mw for phase in self.phases)

    @property
    def reactive_mvar(self) -> int:
        """The reactive power of the phases together, with their signs."""
        return sum(phase.reactive_mvar for phase in self.phases)

    @property
    def angle_cdeg(self) -> int | None:
        """The phase angle of the phases together; None if none of them carries 0.05 Ib."""
        return mean_angle_cdeg(self.phases)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one block brought: pulses that left in it, at which of its samples, and the windows that ended in it.

    ``reverse_pulses`` is energy counted backwards in those windows; it makes no pulses.
    """

    pulses: Pulses
    pulse_samples: tuple[int, ...]
    reverse_pulses: Pulses
    windows: tuple[Window, ...]


def mean_angle_cdeg(phases: Iterable[PhaseWindow]) -> int | None:
    """The angle of the summed powers, in hundredths of a degree, above zero where the current lags.

    Whatever carries less than 0.05 Ib is left out; None if nothing is left.
    """
    carrying = [phase for phase in phases if phase.i_rms_ma >= ANGLE_CURRENT_MIN_MA]
    if not carrying:
        return None
    active = sum(phase.fundamental_mw for phase in carrying)
    reactive = sum(phase.reactive_mvar for phase in carrying)
    return int(angle_cdeg(*narrow(active, reactive)))


def minute_angle_cdeg(windows: Iterable[Window]) -> int | None:
    """The mean phase angle of a minute's (300) windows, all phases together, as power-quality pricing wants it."""
    return mean_angle_cdeg(phase for window in windows for phase in window.phases)
