"""What people want: an amount at the counter, a load at home, a setting at a meter.

Much of it is drawn so that limits are met: whoever has a meter with little room buys what just fits it, a cent more,
or what is owed; many buy the same as last time, so that two sales look alike.
"""

from random import Random
from typing import Any, Final

from prewatt.codec.settings import Settings
from prewatt.sim.home import Home

__all__ = ["LOADS", "some_amount", "some_birth", "some_setting"]

_AMOUNTS: Final = ("0.01", "0.50", "1", "1", "2.37", "5", "5", "10", "25", "400")
# Shares: of what just fits, where little does, and of a cent too much among that; of the same as last time.
_FITTING_SHARE, _PASSING_SHARE, _AGAIN_SHARE = 0.8, 0.1, 0.25
_CENT_MICRO: Final = 10_000
_FITTING_MAX_MICRO: Final = 100_000_000
# Pulses of 0.1 Wh a minute.
LOADS: Final = (0, 0, 1, 60, 300, 900, 1_500, 4_000)
# Every fourth home has room for little, and may owe a part of it.
_BIRTHS: Final = (
    *(Settings(), Settings(), Settings()),
    Settings(ceiling_micro=3_000_000, owed_max_micro=2_000_000, emergency_micro=1_500_000),
)


def some_birth(chance: Random) -> Settings:
    """The settings that a meter comes with."""
    return chance.choice(_BIRTHS)


def some_amount(home: Home, last: str | None, chance: Random) -> str:
    """What just fits the meter, a cent more, what is owed; the ``last`` amount again, as people do; or anything."""
    if chance.random() < _FITTING_SHARE and home.device is not None:
        money, settings = home.money, home.device._core.settings
        room_micro = settings.ceiling_micro - money.balance_micro + money.owed_micro
        room_micro += _CENT_MICRO * (chance.random() < _PASSING_SHARE)
        wanted_micro = chance.choice((money.owed_micro, room_micro, room_micro, room_micro // 2))
        if _CENT_MICRO <= wanted_micro <= _FITTING_MAX_MICRO:
            units, cents = divmod(wanted_micro // _CENT_MICRO, 100)
            return f"{units}.{cents:02d}"
    return last if last is not None and chance.random() < _AGAIN_SHARE else chance.choice(_AMOUNTS)


def some_setting(chance: Random) -> dict[str, Any]:
    """What the office sets at a meter, one or several of its settings."""
    return chance.choice(
        (
            {"low_balance_micro": chance.randrange(5_000_000)},
            {"ceiling_micro": chance.choice((900_000, 3_000_000, 4_800_000, 20_000_000, 10**12))},
            {"owed_max_micro": chance.choice((0, 1_000, 1_000_000))},
            {"emergency_micro": chance.choice((0, 500_000))},
            # Somebody who owes, and a ceiling that a purchase passes unless the debt is paid first.
            {"ceiling_micro": 900_000, "emergency_micro": 500_000, "owed_max_micro": 1_000_000},
            {"close_arms": chance.randrange(2), "cover_trips": chance.randrange(2)},
            {"load_limit_w": chance.choice((0, 3_000)), "load_pause_s": 60},
            {"session_life_s": chance.choice((30, 1_200)), "alarm_repeat_s": chance.choice((1, 60))},
        )
    )
