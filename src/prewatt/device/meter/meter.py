"""The value store meter as one object."""

from prewatt.device.meter.birth import Birth
from prewatt.device.meter.events import Effect, Event
from prewatt.device.meter.money import Money
from prewatt.device.meter.nvm import Nvm
from prewatt.device.meter.view import MeterView
from prewatt.device.now import Now

__all__ = ["Meter"]


class Meter:
    """See the module."""

    @classmethod
    def manufacture(cls, nvm: Nvm, birth: Birth) -> None:
        """Writes a new body's memory; ``power_up`` makes the meter of it."""
        raise NotImplementedError

    @classmethod
    def power_up(cls, nvm: Nvm, now: Now, random: bytes) -> "Meter":
        """The meter that lives in ``nvm``, after whatever happened to its power. JournalError for a dead memory."""
        raise NotImplementedError

    def step(self, event: Event, now: Now, random: bytes) -> list[Effect]:
        """Catches up with ``now``, then takes ``event``; ``random`` are 32 fresh bytes."""
        raise NotImplementedError

    def view(self) -> MeterView:
        """What a person sees."""
        raise NotImplementedError

    @property
    def money(self) -> Money:
        """The money state, for whoever checks the law."""
        raise NotImplementedError
