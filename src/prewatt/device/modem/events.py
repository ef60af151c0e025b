"""What goes into a modem and what comes out of it."""

from dataclasses import dataclass

__all__ = ["Deliver", "Heard", "ModemCounts", "ModemEffect", "ModemEvent", "Outgoing", "Tick", "Transmit", "WakeAtLine"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A whole frame from the device. An urgent one goes ahead of others, and takes the line from an open window."""

    data: bytes
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard on the line from the beginning of a transmission to its end, whoever sent it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Tick:
    """Line time has passed."""


@dataclass(frozen=True, slots=True)
class Transmit:
    """Bytes for the line, from ``at_ms`` on: now, or after the modem has turned from hearing to sending."""

    data: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class Deliver:
    """A whole frame for the device."""

    data: bytes


@dataclass(frozen=True, slots=True)
class WakeAtLine:
    """Give the modem a Tick at this line time. The last one counts; a step without one needs none."""

    line_ms: int


@dataclass(slots=True)
class ModemCounts:
    """What a modem went through since it has power."""

    dropped: int = 0
    """Transmissions that were no frame, or not for this modem."""
    repeated: int = 0
    """Fragments sent again."""
    given_up: int = 0
    """Messages that did not get through."""
    unheard: int = 0
    """First fragments in a mini-slot that nobody acknowledged: collisions, as far as the modem can tell."""


ModemEvent = Outgoing | Heard | Tick
ModemEffect = Transmit | Deliver | WakeAtLine
