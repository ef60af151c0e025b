"""Up to where what stations kept is booked: a number for each spool, written in the commit that books the items.

The boxes below delete what is acknowledged, so a number is never acknowledged that was jumped over, unless its sender
holds nothing lower any more (this host was restored from a backup, or the items were lost with a memory).

Numbers carry no signature. A box that lies may name one of the far future; its honest successor must not be shut out
for that, so what lies more than a message below the mark is handed on all the same: each message's own counter, which
its meter sealed, decides whether it was booked (R13).
"""

from typing import Final

from sqlalchemy import delete, select

from prewatt.codec.batch import METERS_MAX, Item
from prewatt.codec.hop import Kept
from prewatt.host.context import HostContext
from prewatt.host.store import Writing, schema

__all__ = ["SPOOLS_MAX", "KeptMarks"]

_Spool = tuple[str, bytes]
# A station has one spool, and a new one each time its memory is lost; one that makes up spools fills nothing here.
SPOOLS_MAX: Final = 64
# Marks held in memory; the others are read when they are needed.
_REMEMBERED_MAX: Final = 100_000


class KeptMarks:
    """The marks of all spools, read from the database when they are first asked for."""

    def __init__(self, context: HostContext) -> None:
        self._context = context
        self._marks: dict[_Spool, int] = {}
        self._fresh: dict[_Spool, int] = {}

    @property
    def fresh(self) -> bool:
        """Whether there is anything to be written."""
        return bool(self._fresh)

    def take(self, station: str, message: Kept) -> tuple[Item, ...] | None:
        """The items of a message that may not be booked yet; None where some before them have not come."""
        booked = self.acknowledged(station, message.spool)
        if message.first > booked + 1 and message.lowest < message.first:
            return None
        last = message.first + len(message.items) - 1
        if last > booked:
            self._fresh[station, message.spool] = last
        if last + METERS_MAX < booked:
            return message.items
        return message.items[max(0, booked + 1 - message.first) :]

    def acknowledged(self, station: str, spool: bytes) -> int:
        """The number up to which a spool is booked, or will be with the commit under way; 0: nothing."""
        found = self._fresh.get((station, spool), self._marks.get((station, spool)))
        if found is None:
            kept = schema.kept
            with self._context.store.reading() as connection:
                wanted = select(kept.c.acknowledged).where(kept.c.station == station, kept.c.spool == spool)
                found = connection.execute(wanted).scalar() or 0
            self._marks[station, spool] = found
        return found

    def write(self, writing: Writing) -> None:
        """The marks of what is booked in this commit."""
        for (station, spool), number in self._fresh.items():
            row = {"station": station, "spool": spool, "acknowledged": number, "at_s": self._context.now()}
            add = writing.insert(schema.kept).values(row)
            moved = {"acknowledged": number, "at_s": row["at_s"]}
            writing.connection.execute(add.on_conflict_do_update(index_elements=["station", "spool"], set_=moved))
            _forget_oldest(writing, station)

    def settle(self) -> None:
        """The commit is durable."""
        self._marks |= self._fresh
        self._fresh = {}
        while len(self._marks) > _REMEMBERED_MAX:
            del self._marks[next(iter(self._marks))]

    def undo(self) -> None:
        """The commit failed: nothing of it is booked."""
        self._fresh = {}


def _forget_oldest(writing: Writing, station: str) -> None:
    """Of a station's spools the newest stay; an older one that comes again is known by its counters alone (R13)."""
    kept = schema.kept.c
    newest = select(kept.spool).where(kept.station == station).order_by(kept.at_s.desc(), kept.spool).limit(SPOOLS_MAX)
    writing.connection.execute(delete(schema.kept).where(kept.station == station, kept.spool.not_in(newest)))
