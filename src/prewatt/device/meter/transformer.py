"""The meter behind a station's current transformer: what a whole transformer gives, minute by minute, sealed.

It is a meter's body of another kind: same memory, same minute log, same sealed Reports, polled by the host like any
other below the station. It has no relay, no value and no keypad, so its current always flows and is always counted,
and commands that are about value are answered with status 2. Three phases go in and are summed; a pulse in its log is
1 Wh (`PULSES_PER_CT_PULSE`), since a minute's reading has 16 bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prewatt.codec.modetable import ModeTable, flat_table
from prewatt.codec.settings import Settings
from prewatt.device.meter.birth import MADE_S_DEFAULT, Birth, BodyKind, Certificate
from prewatt.device.meter.events import Effect, LastGasp, LineFrame, LineSend, Load, Measured, Surge, Tick, WakeAt
from prewatt.device.meter.meter import Meter
from prewatt.device.meter.nvm import Nvm
from prewatt.device.meter.slots import Slots, Store
from prewatt.device.now import Now
from prewatt.units import PULSES_PER_CT_PULSE, MeterId

__all__ = ["PHASES", "CtLoad", "CtMeasured", "CtMeter", "ct_birth"]

PHASES: Final = 3
# Nothing that a transformer gives is an over-current of a home: the largest that the setting can say.
_NO_OVER_CURRENT_W: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class CtLoad:
    """What the transformer gives on each phase in the world's minute from ``minute_s`` on, in pulses of 0.1 Wh: the
    sum of all that its meters take, of what is stolen before them, and of what the line loses. Each minute once."""

    minute_s: int
    pulses: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class CtMeasured:
    """The sampled form of CtLoad: pulses of 0.1 Wh that the front end counted in the one second ``second_s``."""

    second_s: int
    pulses: tuple[int, int, int]


CtEvent = CtLoad | CtMeasured | LineFrame | Tick | Surge | LastGasp


def ct_birth(
    meter_id: MeterId,
    m_id: int,
    suite: str,
    keys: Mapping[int, bytes],
    *,
    table: ModeTable | None = None,
    made_s: int = MADE_S_DEFAULT,
) -> Birth:
    """What the factory writes into one; ``table`` gives its calendar (when days begin), prices count for nothing."""
    return Birth(
        meter_id=meter_id,
        m_id=m_id,
        suite=suite,
        keys=keys,
        unit_price_micro=0,
        table=table or flat_table(),
        settings=Settings(over_current_w=_NO_OVER_CURRENT_W),
        made_s=made_s,
        kind=BodyKind.TRANSFORMER,
    )


class CtMeter:
    """A transformer's meter with power. What is below a pulse of 1 Wh is kept in RAM and goes with the power."""

    __slots__ = ("_left", "_meter")

    def __init__(self, meter: Meter) -> None:
        """For `power_up` only."""
        self._meter = meter
        self._left = 0

    @classmethod
    def power_up(cls, nvm: Nvm, now: Now, random: bytes) -> "CtMeter":
        """As `Meter.power_up`, of a memory that `Meter.manufacture` made with `ct_birth`; ValueError for a home's."""
        if Certificate.parse(Slots(nvm).read(Store.BIRTH, 0)).kind is not BodyKind.TRANSFORMER:
            raise ValueError("memory: that of a home's meter is not allowed; allowed is a transformer's")
        return cls(Meter.power_up(nvm, now, random))

    def step(self, event: CtEvent, now: Now, random: bytes) -> list[Effect]:
        """As `Meter.step`; what comes out is LineSend and WakeAt alone. ValueError below zero pulses on a phase."""
        return [effect for effect in self._meter.step(self._inner(event), now, random) if _leaves(effect)]

    def _inner(self, event: CtEvent) -> Load | Measured | LineFrame | Tick | Surge | LastGasp:
        if not isinstance(event, CtLoad | CtMeasured):
            return event
        if len(event.pulses) != PHASES or min(event.pulses) < 0:
            raise ValueError(f"pulses: {event.pulses} is not allowed; allowed are {PHASES} numbers of 0 or more")
        pulses, self._left = divmod(self._left + sum(event.pulses), PULSES_PER_CT_PULSE)
        if isinstance(event, CtMeasured):
            return Measured(0, event.second_s, pulses)
        return Load(0, event.minute_s, pulses)


def _leaves(effect: Effect) -> bool:
    return isinstance(effect, LineSend | WakeAt)
