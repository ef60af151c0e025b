"""Links of the field and their weather: messages lost, doubled, bent, delayed and so reordered, or cut off altogether.

A link carries messages one way, each with an address on it. What becomes of one is drawn when it is sent; whoever
listens gets it later, through the world's timeline. Everything that ever passed may be kept by a listener (the hostile
station's tape).
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol
from zlib import crc32

__all__ = ["CALM", "CUT_MS", "WEATHERS", "Link", "LinkWorld", "Weather", "bend"]


@dataclass(frozen=True, slots=True)
class Weather:
    """Shares of messages that are lost, doubled and bent; milliseconds that each takes at least and at most."""

    loss: float = 0.0
    double: float = 0.0
    bent: float = 0.0
    delay_ms: int = 20
    spread_ms: int = 30


CALM: Final = Weather()
WEATHERS: Final = (
    CALM,
    Weather(0.02, 0.01, 0.01, 40, 200),
    Weather(0.15, 0.05, 0.03, 100, 1_500),
    Weather(0.40, 0.10, 0.10, 100, 8_000),
    Weather(0.05, 0.30, 0.02, 10, 40_000),
)
# How long a way is cut off, in milliseconds, where nobody mends it before.
CUT_MS: Final = (20_000, 20_000, 600_000, 600_000, 30_000_000)
# Kinds of messages that a link waits for to keep one back; the newest count.
_HOLDS_MAX: Final = 4


class LinkWorld(Protocol):
    """What a link needs of the world."""

    @property
    def chance(self) -> Random:
        """The chance of this moment."""
        ...

    def after(self, wait_ms: int, act: Callable[[], None]) -> None:
        """Does something later."""
        ...

    def passed(self, kind: str, link: str, address: str, data: bytes) -> None:
        """A message was delivered, lost or changed."""
        ...


class Link:
    """One way of one stretch. ``up`` is False while it is cut off."""

    def __init__(self, world: LinkWorld, name: str, deliver: Callable[[str, bytes], None]) -> None:
        self.world, self.name, self.deliver = world, name, deliver
        self.weather, self.up = CALM, True
        # Changed bytes are noticed and dropped, as where the carrier is TLS.
        self.sealed = False
        self.tape: Callable[[str, str, bytes], None] | None = None
        # Which messages are kept back next, one each, and for how many milliseconds: they come long after their time.
        self._holds: list[tuple[Callable[[bytes], bool], int]] = []
        # Messages under way belong to a time; what was sent before `clear` never arrives.
        self._age = 0

    def send(self, address: str, data: bytes) -> None:
        """Takes a message; it arrives later, changed, twice, or never."""
        if self.tape is not None:
            self.tape(self.name, address, data)
        chance, weather = self.world.chance, self.weather
        held = next((each for each in self._holds if each[0](data)), None)
        if held is not None:
            self._holds.remove(held)
            self._later(address, data, held[1])
            return
        if not self.up or (weather.loss and chance.random() < weather.loss):
            self.world.passed("lost", self.name, address, data)
            return
        copies = 2 if weather.double and chance.random() < weather.double else 1
        for _ in range(copies):
            sent = data
            if weather.bent and chance.random() < weather.bent:
                if self.sealed:
                    self.world.passed("lost", self.name, address, data)
                    continue
                sent = bend(data, chance)
                self.world.passed("changed", self.name, address, sent)
            self._later(address, sent)

    def mend(self) -> None:
        """The way is there again."""
        self.up = True

    def clear(self) -> None:
        """Everything under way is lost."""
        self._age += 1
        self._holds.clear()

    def hold(self, which: Callable[[bytes], bool], wait_ms: int) -> None:
        """The next message of this kind comes so much later."""
        self._holds = [*self._holds, (which, wait_ms)][-_HOLDS_MAX:]

    def _later(self, address: str, data: bytes, held_ms: int = 0) -> None:
        age, weather = self._age, self.weather
        wait_ms = held_ms + weather.delay_ms + int(weather.spread_ms * self.world.chance.random() ** 3)

        def arrive() -> None:
            if age != self._age:
                self.world.passed("lost", self.name, address, data)
                return
            self.world.passed("delivered", self.name, address, data)
            self.deliver(address, data)

        self.world.after(wait_ms, arrive)


def bend(data: bytes, chance: Random) -> bytes:
    """A few bits flip, or the end is cut off, or it grows."""
    bent = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        if bent:
            reach = min(len(bent), 40) if chance.random() < 0.3 else len(bent)
            bent[chance.randrange(reach)] ^= 1 << chance.randrange(8)
    how = chance.random()
    if how < 0.1 and bent:
        del bent[chance.randrange(len(bent)) :]
    elif how < 0.2:
        bent += chance.randbytes(chance.randrange(1, 20))
    return bytes(bent)


def mark_of(data: bytes) -> str:
    """A message in a few letters, for the history."""
    return f"{len(data)}:{crc32(data):08x}"
