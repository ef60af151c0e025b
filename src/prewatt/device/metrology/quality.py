"""Power-quality pricing: bands of the minute's mean phase angle, each with a surcharge in percent.

A load with a poor power factor loads the line without using the energy; its kilowatt-hours cost more. A band begins at
an angle and reaches to the next one; below the first band there is no surcharge. Angles are signed: above zero the
current lags (inductive), below zero it leads (capacitive), so either side can be priced or left alone. The bands
themselves come with the mode table, which keeps their number, order and limits.
"""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter

from prewatt.codec.modeparts import AngleBand
from prewatt.device.metrology.angle import HALF_TURN_CDEG

__all__ = ["surcharge_percent"]


def surcharge_percent(bands: Sequence[AngleBand], mean_angle_cdeg: int | None) -> int:
    """The surcharge of a minute with that mean angle (hundredths of a degree); ``bands`` rise by their angle.

    0 without an angle: too little current to tell. ValueError for an angle past half a turn.
    """
    if mean_angle_cdeg is None:
        return 0
    if not -HALF_TURN_CDEG <= mean_angle_cdeg <= HALF_TURN_CDEG:
        raise ValueError(
            f"mean_angle_cdeg: {mean_angle_cdeg} is not allowed; "
            f"allowed is -{HALF_TURN_CDEG} to {HALF_TURN_CDEG} or none"
        )
    place = bisect_right(bands, mean_angle_cdeg, key=attrgetter("from_cdeg"))
    return bands[place - 1].surcharge_percent if place else 0
