"""The street's clock: world seconds that a person can hurry, and that never go back.

World time is what calendar, load and price run on. It stands still while the street is stopped, so a street that is
started again goes on where it was. After a crash the exact moment is not known, so a mark ahead of the clock is kept
on disk: the clock never passes the mark before it is moved, and a crashed street goes on from the mark. To the meters
the difference looks like what it was: a power cut.
"""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from prewatt.apps.settings import SPEED_MAX
from prewatt.host.keys.durable import replace_whole
from prewatt.units import UTC_MAX_S, ValueFieldError

__all__ = ["SPEED_MAX", "StreetClock", "checked_speed", "read_mark"]

# How far ahead of the clock the mark is kept, in real seconds: one small write a second, and a crash costs the street
# at most two real seconds of world time.
_MARK_REAL_S: Final = 2


class StreetClock:
    """World time from a monotonic wall clock (seconds as float, given as a function) and a speed.

    Any thread may look at it: the street's, those of the web server, and the host's.
    """

    def __init__(self, path: Path, *, start_s: int, speed: int, monotonic: Callable[[], float]) -> None:
        """Goes on from the mark in ``path``, or begins at ``start_s`` where there is none."""
        self._path = path
        self._monotonic = monotonic
        self._gate = threading.RLock()
        self._base_wall = monotonic()
        self._base_s = read_mark(path) if path.exists() else start_s
        self.speed = checked_speed(speed)
        # Nothing is written before somebody asks for the time: a start that is refused changes nothing.
        self._mark_s = self._base_s

    def now_s(self) -> int:
        """The world's UTC second; never less than before."""
        with self._gate:
            now_s = self._base_s + int((self._monotonic() - self._base_wall) * self.speed)
            self._keep_mark(now_s)
            return now_s

    def line_ms(self) -> int:
        """Line ticks: monotonic wall milliseconds."""
        return int(self._monotonic() * 1000)

    def set_speed(self, speed: int) -> None:
        """Changes the speed from this moment on; ValueFieldError outside 1 to SPEED_MAX."""
        checked = checked_speed(speed)
        with self._gate:
            self._base_s, self._base_wall = self.now_s(), self._monotonic()
            self.speed = checked

    def stop(self) -> None:
        """Writes down exactly where the clock stands, for the next start."""
        with self._gate:
            self._write(self.now_s() + 1)

    def _keep_mark(self, now_s: int) -> None:
        if now_s + _MARK_REAL_S * self.speed // 2 >= self._mark_s:
            self._write(now_s + _MARK_REAL_S * self.speed)

    def _write(self, mark_s: int) -> None:
        replace_whole(self._path, json.dumps({"world_s": mark_s}).encode())
        self._mark_s = mark_s


def checked_speed(speed: int) -> int:
    """``speed`` itself; ValueFieldError outside 1 to SPEED_MAX."""
    if not 1 <= speed <= SPEED_MAX:
        raise ValueFieldError("speed", speed, f"a whole number from 1 to {SPEED_MAX}")
    return speed


def read_mark(path: Path) -> int:
    """The world second from which a street goes on; ValueFieldError for a damaged file."""
    try:
        mark_s = json.loads(path.read_bytes())["world_s"]
        if not isinstance(mark_s, int) or not 0 <= mark_s <= UTC_MAX_S:
            raise ValueError(mark_s)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueFieldError("clock file", str(path), "what a street wrote; remove it to start from today") from error
    return mark_s
