"""What happens in a run: operations with the milliseconds before each, drawn from a seed.

A swarm: each seed has its own mood, in which some things happen often and others hardly ever, so that rare meetings of
two faults come about in some seed. An operation carries the whole chance of its step in one number; a script with
operations left out is still a script, and so a long story can be made short.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

__all__ = ["BODIES", "FAULTS", "OPERATIONS", "Operation", "draw", "has_bodies"]

# Operation, and how often beside the others.
OPERATIONS: Final = (
    *(("field.replay", 6.0), ("field.burst_of_replays", 1.5), ("field.misroute", 3.0), ("field.forge", 3.0)),
    *(("field.crosstalk", 1.0), ("field.garbage", 2.0), ("field.refuse", 1.0), ("field.weather", 2.0)),
    *(("field.cut", 1.0), ("field.drop_all", 1.0), ("field.box", 2.0), ("field.erase", 0.2), ("field.move", 0.7)),
    ("field.hold", 2.0),
    *(("people.vend", 8.0), ("people.wrong", 1.5), ("people.cancel", 2.5), ("people.refund", 1.0)),
    ("people.take_back", 0.2),
    *(("people.code", 3.0), ("people.type", 4.0), ("people.office", 2.0), ("people.controls", 3.0)),
    *(
        ("people.tariff", 0.7),
        ("people.campaign", 0.7),
        ("people.load", 3.0),
        ("people.home", 2.0),
        ("people.power", 2.0),
    ),
    *(("people.power_back", 4.0), ("people.memory", 0.5), ("people.tick_homes", 4.0)),
    *(("trouble.crash", 2.0), ("trouble.disk", 0.5), ("trouble.skew", 0.3), ("trouble.backup", 0.8)),
    *(("trouble.restore", 0.5), ("trouble.lose_state", 0.05)),
    *(("damage.rot", 0.3), ("damage.astray", 0.3)),
)
# What befalls bodies: only in some seeds, and beside all the rest.
BODIES: Final = (
    *(("office.retire", 1.5), ("office.replace", 2.0), ("office.lose", 0.25), ("office.sign_over", 1.5)),
    *(("bodies.exchange", 1.5), ("bodies.back", 1.0), ("bodies.swap", 0.5)),
    *(("bodies.image", 0.6), ("bodies.twin", 0.3)),
)
# What a world without enemies and accidents leaves out.
FAULTS: Final = frozenset(name for name, _ in OPERATIONS if name.startswith(("field.", "trouble.", "damage.")))
# Without these nothing would happen at all.
_ALWAYS: Final = frozenset({"people.vend", "people.load", "people.power_back", "people.tick_homes"})
_MOODS: Final = {True: (0.5, 1.0, 1.0), False: (0.0, 0.3, 1.0, 1.0, 3.0)}
_GAPS_MS: Final = (5, 50, 200, 200, 1_200, 1_200, 5_000, 5_000, 31_000, 61_000)
_JUMPS_MS: Final = (300_000, 300_000, 3_600_000, 3_600_000, 21_600_000, 90_000_000)
_JUMP_SHARE: Final = 0.01
_BODIES_SHARE: Final = 0.4


@dataclass(frozen=True, slots=True)
class Operation:
    """``at_ms``: when, on the world's clock; ``number``: all of its chance."""

    at_ms: int
    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.at_ms} {self.name} {self.number}"

    @classmethod
    def parse(cls, text: str) -> "Operation":
        """Of ``str``; ValueError otherwise."""
        at_ms, name, number = text.split()
        return cls(int(at_ms), name, int(number))


def has_bodies(seed: int) -> bool:
    """Whether a seed retires, loses and clones meters, where bodies are asked for."""
    return Random(f"bodies {seed}").random() < _BODIES_SHARE


def draw(seed: int, *, bodies: bool = False) -> Iterator[Operation]:
    """The operations of a seed, without an end; ``bodies``: a share of seeds also retires, loses and clones meters."""
    chance = Random(f"script {seed}")
    names = [name for name, _ in OPERATIONS]
    weights = [weight * chance.choice(_MOODS[name in _ALWAYS]) for name, weight in OPERATIONS]
    pace = chance.choice((1, 1, 3))
    other = Random(f"bodies {seed}")
    if bodies and other.random() < _BODIES_SHARE:
        names += [name for name, _ in BODIES]
        weights += [weight * other.choice(_MOODS[False]) for _, weight in BODIES]
    at_ms = 1_000
    while True:
        name = chance.choices(names, weights)[0]
        jump = chance.random() < _JUMP_SHARE
        at_ms += chance.choice(_JUMPS_MS) if jump else pace * chance.choice(_GAPS_MS)
        yield Operation(at_ms, name, chance.getrandbits(32))
