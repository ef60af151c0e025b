"""Real load files as the meter's input: mean power by the minute becomes whole pulses and a phase angle.

A file of a real house holds watts by the minute. A minute at one watt is 60 J and a pulse is 360 J, so a pulse takes
6,000 milliwatt-minutes. The rest is carried from minute to minute, as the meter's own accumulator does: after any
number of minutes the pulses are the exact energy, rounded down once. A minute without a value had no power; it is
None, and the rest waits for the next one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from prewatt.device.metrology.angle import angle_cdeg
from prewatt.device.metrology.rating import ANGLE_CURRENT_MIN_MA
from prewatt.units import MINUTE_S, Pulses

__all__ = ["POWER_MAX_W", "PULSE_MW_MIN", "MinutePulses", "angle_of", "pulses_of_minutes"]

# 0.1 Wh = 360 J = 360,000 mW s.
PULSE_MW_MIN: Final = 360_000 // MINUTE_S
# A minute memory holds 65,534 pulses a minute, 393 kW; more in a file is a slip of its units (W for kW).
POWER_MAX_W: Final = 393_000
_MW_PER_W: Final = 1_000
# The voltage to tell an apparent power too small for its angle to mean anything.
_NOMINAL_V: Final = 230


@dataclass(frozen=True, slots=True)
class MinutePulses:
    """``pulses`` of each minute (None: no power), and what is left for the next minute, in milliwatt-minutes."""

    pulses: tuple[Pulses | None, ...]
    rest_mw_min: int


def pulses_of_minutes(active_w: npt.ArrayLike, rest_mw_min: int = 0) -> MinutePulses:
    """Pulses of one-minute means of active power in watts (one dimension; nan for a gap), rounded once to the mW.

    Power below zero (export) is not value used and makes no pulse, as in the meter. A long file may come in pieces:
    the ``rest_mw_min`` of one is the argument of the next. ValueError for infinite power or above POWER_MAX_W.
    """
    watts = _checked("active_w", active_w)
    if not 0 <= rest_mw_min < PULSE_MW_MIN:
        raise ValueError(f"rest_mw_min: {rest_mw_min} is not allowed; allowed is 0 to {PULSE_MW_MIN - 1}")
    gap = np.isnan(watts)
    milliwatts = _milli(np.where(gap, 0.0, np.maximum(watts, 0.0)))
    total = np.concatenate(([rest_mw_min], rest_mw_min + np.cumsum(milliwatts)))
    pulses = np.diff(total // PULSE_MW_MIN).tolist()
    return MinutePulses(
        tuple(None if missing else Pulses(count) for missing, count in zip(gap.tolist(), pulses, strict=True)),
        int(total[-1]) % PULSE_MW_MIN,
    )


def angle_of(
    active_w: npt.ArrayLike, reactive_var: npt.ArrayLike, *, nominal_v: int = _NOMINAL_V
) -> tuple[int | None, ...]:
    """Phase angles in hundredths of a degree from one-minute means of active and reactive power.

    Positive is inductive. None where either is missing (nan) or the current would be under 0.05 Ib at ``nominal_v``.
    """
    active, reactive = _checked("active_w", active_w), _checked("reactive_var", reactive_var)
    if active.shape != reactive.shape:
        raise ValueError(
            f"reactive_var: {reactive.size} minutes are not allowed; allowed is {active.size}, as active_w"
        )
    gap = np.isnan(active) | np.isnan(reactive)
    milliwatts, millivars = _milli(np.where(gap, 0.0, active)), _milli(np.where(gap, 0.0, reactive))
    unknown = gap | (milliwatts**2 + millivars**2 < (ANGLE_CURRENT_MIN_MA * nominal_v) ** 2)
    angles = angle_cdeg(milliwatts, millivars)
    return tuple(None if none else angle for none, angle in zip(unknown.tolist(), angles.tolist(), strict=True))


def _milli(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.rint(values * _MW_PER_W).astype(np.int64)


def _checked(field: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if array.ndim != 1:
        raise ValueError(f"{field}: {array.ndim} dimensions are not allowed; allowed is one value a minute")
    wrong = np.flatnonzero(~np.isnan(array) & ~(np.abs(array) <= POWER_MAX_W))
    if wrong.size:
        raise ValueError(
            f"{field}: {array[wrong[0]]} in minute {wrong[0]} is not allowed; allowed is up to {POWER_MAX_W} or nan"
        )
    return array
