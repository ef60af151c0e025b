"""What can happen to a meter, and what a meter does to the world.

A meter is a value: ``step(event, now, random) -> effects``. Nothing else goes in or out, so the same object runs in
the process, in the simulator and in a test.
"""

from dataclasses import dataclass
from enum import Enum

__all__ = [
    "Button",
    "Buzz",
    "Buzzing",
    "Cover",
    "Display",
    "Effect",
    "Event",
    "KeyPress",
    "LastGasp",
    "LineFrame",
    "LineSend",
    "Load",
    "Measured",
    "RelayMoved",
    "Sense",
    "SourceAt",
    "Surge",
    "Tick",
    "WakeAt",
]


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; the meter catches up with ``now``."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the home takes from ``source`` in the world's minute from ``minute_s`` on, while the contacts are closed.

    Pulse k = 0..pulses-1 stands at second floor(60 k / pulses) of the minute. ``angle_cdeg`` is the mean phase angle
    in hundredths of a degree, None under 0.05 Ib. Give it when the minute begins or any time before the meter has
    passed it; a minute without a Load takes nothing.
    """

    source: int
    minute_s: int
    pulses: int
    angle_cdeg: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Pulses the metrology front end counted in the one second ``second_s`` (the sampled form of Load)."""

    source: int
    second_s: int
    pulses: int
    angle_cdeg: int | None = None


@dataclass(frozen=True, slots=True)
class LineFrame:
    """One link frame heard on the line, whoever it is for."""

    data: bytes


@dataclass(frozen=True, slots=True)
class KeyPress:
    """One key: ``0`` to ``9``, ``*`` (back), ``#`` (enter), ``A`` (value request), ``B`` (value code),
    ``C`` (next page), ``D`` (emergency call)."""

    key: str


@dataclass(frozen=True, slots=True)
class Button:
    """The local reset button beside the relay."""


@dataclass(frozen=True, slots=True)
class Cover:
    """The terminal cover was opened or closed while the meter had power."""

    opened: bool


@dataclass(frozen=True, slots=True)
class Sense:
    """What the sensors between the inlet and the outlet say."""

    load_voltage: bool
    """Voltage between 1L and neutral, on the load side of the relay."""
    shunt_current: bool
    """Current through the meter's own shunt."""
    neutral_excess: bool = False
    """More current in the neutral than in the phase: the phase is tapped ahead of the meter."""
    source: int = 0


@dataclass(frozen=True, slots=True)
class SourceAt:
    """The changeover switch now stands at ``source`` (sources in turn)."""

    source: int


@dataclass(frozen=True, slots=True)
class Surge:
    """The arrester carried a surge."""


@dataclass(frozen=True, slots=True)
class LastGasp:
    """The supply is going: save everything; the object is dropped afterwards."""


Event = Tick | Load | Measured | LineFrame | KeyPress | Button | Cover | Sense | SourceAt | Surge | LastGasp


class Buzzing(Enum):
    """The buzzer's patterns."""

    SILENT = "silent"
    LOW_BALANCE = "low balance"
    LAST_TOKENS = "last tokens"


@dataclass(frozen=True, slots=True)
class LineSend:
    """One link frame to put on the line."""

    data: bytes


@dataclass(frozen=True, slots=True)
class RelayMoved:
    """The latch relay of ``source`` moved."""

    closed: bool
    source: int = 0


@dataclass(frozen=True, slots=True)
class Buzz:
    """The buzzer's pattern changed."""

    pattern: Buzzing


@dataclass(frozen=True, slots=True)
class Display:
    """The lines of the display changed by an event (``Meter.view()`` always has the present ones)."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WakeAt:
    """The meter has something to do of its own at this world second; step it then, with a Tick."""

    meter_s: int


Effect = LineSend | RelayMoved | Buzz | Display | WakeAt
