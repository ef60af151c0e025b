"""What a meter may have burned, reckoned from what its home took: pulses, prices, steps and surcharges alone.

SPEC 5: a pulse is 0.1 Wh and costs (price of a kWh) x (step, percent) x (quality, percent) / 10^8 micro-units. The home
counts what it fed; the prices are those that people set. So at every instant, whatever was cut, torn or set wrong, a
meter has counted no pulse that nobody took, and what it burned lies between the cheapest and the dearest that its
pulses can have cost, to the last part of a micro-unit. What flows beyond the limit of what may be owed costs nothing:
from there on only the dearest holds. Which of its prices held at a pulse is not reckoned here.
"""

from collections.abc import Callable
from typing import Final

from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.device.meter.money import Money
from prewatt.sim.home import Home

__all__ = ["PRICES", "check_burned"]

# A kWh, as people set it in these worlds and as meters are made; micro-units.
PRICES: Final = {"0.25": 250_000, "2.5": 2_500_000, "12.345678": 12_345_678}
_PARTS: Final = 10**8
_QUALITY: Final = 100
_CHEAPEST: Final = min(PRICES.values()) * min(EXAMPLE_TABLE.percents) * _QUALITY
_DEAREST_QUALITY: Final = _QUALITY + max(band.surcharge_percent for band in EXAMPLE_TABLE.bands)
_DEAREST: Final = max(PRICES.values()) * max(EXAMPLE_TABLE.percents) * _DEAREST_QUALITY


def check_burned(check: Callable[[bool, str], None], home: Home, money: Money) -> None:
    """Violations where a meter with power burned what nobody took, too little of it, or too much for it."""
    assert home.device is not None
    pulses, parts = home.device.total_pulses, money.burned_micro * _PARTS + money.acc
    check(pulses <= home.fed_pulses, f"{home.meter}: counted {pulses} pulses, was fed {home.fed_pulses}")
    # Beyond the limit of what may be owed energy flows, and nobody pays it.
    least, most = 0 if home.unpaid else pulses * _CHEAPEST, pulses * _DEAREST
    check(least <= parts <= most, f"{home.meter}: burned {money.burned_micro} for {pulses} pulses")
