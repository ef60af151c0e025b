"""How much one meter may say in a day, so that one whose keys were stolen cannot fill the host.

What it says is authentic, so nothing but its measure tells the liar from an honest meter: each bound lies above what a
meter ever says, with a month of days to make up and polled every minute. Days by the host's clock count, never the
meter's own word: a meter whose clock is wrong loses nothing. What is beyond is not believed, counted, and shown with
the meter's happenings; an honest meter keeps what is not acknowledged and says it again the next day.

Counted in memory: a start of the host begins a day anew.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prewatt.host.refusals import HostError
from prewatt.units import DAY_S

__all__ = ["A_DAY_MAX", "Allowance", "Beyond", "BeyondError", "Said"]


class Said(StrEnum):
    """What is counted."""

    REPORT = "report"
    """Reports that the meter sends by itself."""
    INFO = "info"
    """Parts of Info in sessions."""
    EVENT = "event"
    ALARM = "alarm"
    WISH = "wish"


A_DAY_MAX: Final = {
    # One a day; 35 days at once, each in as many parts as a very noisy one takes.
    Said.REPORT: 1_024,
    # Polled every minute, each time in five parts.
    Said.INFO: 8_192,
    # Four whole logs of a meter.
    Said.EVENT: 4_096,
    # One is repeated until it is acknowledged and counts once.
    Said.ALARM: 1_024,
    # A person at a keypad.
    Said.WISH: 256,
}


class BeyondError(HostError):
    """A message beyond what a meter says in a day."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """What was not believed since the start of the host."""

    said: Said
    count: int
    last_s: int


class Allowance:
    """What each meter has said in the day that runs. Call `take` from the thread that books."""

    def __init__(self) -> None:
        self._day: int | None = None
        self._taken: Counter[tuple[str, Said]] = Counter()
        self._beyond: dict[tuple[str, Said], Beyond] = {}

    def take(self, meter: str, said: Said, now_s: int) -> bool:
        """Whether one more may be believed; where not, it is counted."""
        if self._day != now_s // DAY_S:
            # Also where the clock was set back: nobody waits for a day that may be years away.
            self._day, self._taken = now_s // DAY_S, Counter()
        if self._taken[meter, said] >= A_DAY_MAX[said]:
            before = self._beyond.get((meter, said))
            self._beyond[meter, said] = Beyond(said, before.count + 1 if before is not None else 1, now_s)
            return False
        self._taken[meter, said] += 1
        return True

    def check(self, meter: str, said: Said, now_s: int) -> None:
        """BeyondError where one more may not be believed."""
        if not self.take(meter, said, now_s):
            raise BeyondError(f"{said}: more than {A_DAY_MAX[said]} of meter {meter} in a day")

    def beyond(self, meter: str) -> list[Beyond]:
        """What was not believed of a meter, by kind. From any thread."""
        found = (self._beyond.get((meter, said)) for said in Said)
        return [each for each in found if each is not None]
