"""Power-quality pricing: bands of the minute's mean phase angle, each with a surcharge in percent.

A load with a poor power factor loads the line without using the energy; its kilowatt-hours cost more. A band begins at
an angle and reaches to the next one; below the first band there is no surcharge. Angles are signed: above zero the
current lags (inductive), below zero it leads (capacitive), so either side can be priced or left alone.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from prewatt.device.metrology.angle import HALF_TURN_CDEG

__all__ = [
    "BANDS_MAX",
    "NO_BANDS",
    "PLAIN_PERCENT",
    "SURCHARGE_MAX_PERCENT",
    "Band",
    "QualityBands",
    "quality_percent",
    "surcharge_percent",
]

# What a load without surcharge pays of the price.
PLAIN_PERCENT: Final = 100
# Two sides of four steps each; encoded as angle(2), percent(1) they take 24 bytes of the meter's settings.
BANDS_MAX: Final = 8
# At most the price doubled and a half more, so that quality_percent too (100 to 255) fits in one byte beside a minute.
SURCHARGE_MAX_PERCENT: Final = 155


@dataclass(frozen=True, slots=True)
class Band:
    """Mean phase angles from ``from_cdeg`` (hundredths of a degree) up to the next band cost ``surcharge_percent``."""

    from_cdeg: int
    surcharge_percent: int

    def __post_init__(self) -> None:
        """Refuses an angle outside a turn and a surcharge outside its limits."""
        if not -HALF_TURN_CDEG <= self.from_cdeg <= HALF_TURN_CDEG:
            raise ValueError(
                f"from_cdeg: {self.from_cdeg} is not allowed; allowed is -{HALF_TURN_CDEG} to {HALF_TURN_CDEG}"
            )
        if not 0 <= self.surcharge_percent <= SURCHARGE_MAX_PERCENT:
            raise ValueError(
                f"surcharge_percent: {self.surcharge_percent} is not allowed; allowed is 0 to {SURCHARGE_MAX_PERCENT}"
            )


@dataclass(frozen=True, slots=True)
class QualityBands:
    """At most eight bands, each beginning above the one before."""

    bands: tuple[Band, ...] = ()

    def __post_init__(self) -> None:
        """Refuses too many bands and bands out of order."""
        if len(self.bands) > BANDS_MAX:
            raise ValueError(f"bands: {len(self.bands)} bands are not allowed; allowed is at most {BANDS_MAX}")
        for lower, upper in pairwise(self.bands):
            if lower.from_cdeg >= upper.from_cdeg:
                raise ValueError(
                    f"bands: {upper.from_cdeg} after {lower.from_cdeg} is not allowed; allowed is rising from_cdeg"
                )


NO_BANDS: Final = QualityBands()


def surcharge_percent(bands: QualityBands, mean_angle_cdeg: int | None) -> int:
    """The surcharge of a minute with that mean angle; 0 without one (too little current to tell)."""
    if mean_angle_cdeg is None:
        return 0
    if not -HALF_TURN_CDEG <= mean_angle_cdeg <= HALF_TURN_CDEG:
        raise ValueError(
            f"mean_angle_cdeg: {mean_angle_cdeg} is not allowed; "
            f"allowed is -{HALF_TURN_CDEG} to {HALF_TURN_CDEG} or none"
        )
    place = bisect_right(bands.bands, mean_angle_cdeg, key=lambda band: band.from_cdeg)
    return bands.bands[place - 1].surcharge_percent if place else 0


def quality_percent(bands: QualityBands, mean_angle_cdeg: int | None) -> int:
    """What a pulse costs in percent of the price: 100 and the surcharge."""
    return PLAIN_PERCENT + surcharge_percent(bands, mean_angle_cdeg)
