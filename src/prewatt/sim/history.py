"""What happened, as text: one line an event, in order, and the SHA-256 of all of them.

A step is one message delivered, lost or changed, or one durable write. The same seed makes the same lines, in any
process; two runs are compared by their digest, and a person reads the last lines of a run that broke.
"""

from collections import Counter, deque
from hashlib import sha256
from typing import Final

__all__ = ["History", "ViolationError"]

_RECENT_MAX: Final = 400


class ViolationError(AssertionError):
    """Something that must never be."""


class History:
    """See the module. ``keep_all`` keeps every line instead of the last few hundred."""

    def __init__(self, *, keep_all: bool = False) -> None:
        self.steps = 0
        self.counts: Counter[str] = Counter()
        self.lines: deque[str] = deque(maxlen=None if keep_all else _RECENT_MAX)
        self._digest = sha256()

    def step(self, at_ms: int, kind: str, told: str) -> None:
        """One step: ``kind`` is what it was in one word."""
        self.steps += 1
        self.counts[kind] += 1
        self.note(at_ms, kind, told)

    def steps_of(self, at_ms: int, kind: str, count: int, told: str) -> None:
        """Several steps of one kind at one moment."""
        self.steps += count - 1
        self.counts[kind] += count - 1
        self.step(at_ms, kind, f"{told} {count}")

    def note(self, at_ms: int, kind: str, told: str) -> None:
        """Something that happened and is no step."""
        line = f"{at_ms} {kind} {told}\n"
        self._digest.update(line.encode())
        self.lines.append(line)

    @property
    def digest(self) -> str:
        """The SHA-256 of all lines so far, in hex."""
        return self._digest.hexdigest()
