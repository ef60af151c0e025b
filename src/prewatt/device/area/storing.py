"""Store and forward: what stations kept is kept here until the host has booked it, station by station, in order.

Numbers are the station's own. A message whose items continue what is held is appended; what is held already is left
out; a gap is taken only where the station says that it holds nothing lower (this memory is new, or an older copy) and
everything before has gone up. Of each station the oldest spool that holds anything goes up first, one message at a
time; stations take turns, and only so many messages wait for the host at once.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from prewatt.codec.batch import Item
from prewatt.codec.hop import Kept, RefusedReason
from prewatt.device.forwarding import Forwarding
from prewatt.device.refusing import NotTakenError
from prewatt.device.spool import Spool, SpoolError, Spools
from prewatt.units import Address

__all__ = [
    "KEPT_RETRY_MS",
    "NUMBER_TAKEN_MAX",
    "SPOOLS_EACH_MAX",
    "STATION_BYTES_MAX",
    "STATION_ITEMS_MAX",
    "UNDER_WAY_MAX",
    "Storing",
]

# Of one station: a little more than a station itself can hold (256 meters with 80 items each).
STATION_ITEMS_MAX: Final = 20_480
# And no more bytes: what 256 meters come to whose Reports all are of the longest size (48 of 2,500 bytes each, 24
# Alarms, 8 Wishes). A real week is 4.5 MB. All 256 stations of an area: 8 GiB.
STATION_BYTES_MAX: Final = 32 * 1024 * 1024
# A station begins a new spool each time it starts; so often may one start with something to say while the host is away.
SPOOLS_EACH_MAX: Final = 64
# Messages of different stations that wait for the host at once: 2 MB.
UNDER_WAY_MAX: Final = 32
KEPT_RETRY_MS: Final = 5_000
# No station counts so far; one that says so would leave no number for what follows.
NUMBER_TAKEN_MAX: Final = 2**62


@dataclass(slots=True)
class _Stored:
    """One spool of a station and what is under way of it."""

    spool: Spool
    forwarding: Forwarding = field(default_factory=Forwarding)

    @property
    def held(self) -> int:
        return self.spool.next - self.spool.first


class Storing:
    """The spools of all stations of one area. What is under way is lost with the power, and may be."""

    __slots__ = ("_area", "_due", "_ready", "_spools", "_stations")

    def __init__(self, spools: Spools, area: int) -> None:
        self._spools, self._area = spools, area
        self._stations: dict[int, list[_Stored]] = {}
        for station, spool in spools.held():
            self._stations.setdefault(station, []).append(_Stored(spool))
        # Stations with something to send and nothing under way, in turn; and when the others are sent again.
        self._ready = dict.fromkeys(self._stations)
        self._due: dict[int, int] = {}

    @property
    def stations(self) -> tuple[int, ...]:
        """The stations that have a spool here."""
        return tuple(self._stations)

    @property
    def busy(self) -> bool:
        """Whether anything may have to be sent, or waits to be acknowledged."""
        return bool(self._ready or self._due)

    def kept(self, station: int) -> int:
        """How many items of a station the host has not booked yet."""
        return sum(stored.held for stored in self._stations.get(station, ()))

    def kept_bytes(self, station: int) -> int:
        """Their payloads, together."""
        return sum(stored.spool.held_bytes for stored in self._stations.get(station, ()))

    def take(self, message: Kept) -> int | None:
        """Makes the message's items durable; the highest number that is, to be acknowledged below.

        None where it cannot be told yet what lies between what is held and what came. NotTakenError where there is no
        room, or the memory does not take it; then nothing changed.
        """
        station = message.address.station
        if message.first > NUMBER_TAKEN_MAX:
            raise NotTakenError(RefusedReason.OUT_OF_RANGE, f"first: {message.first} is above {NUMBER_TAKEN_MAX}")
        try:
            spool = self._spool_for(message)
            if spool is None:
                return None
            new = message.items[max(spool.next - message.first, 0) :]
            if new:
                self._check_room(station, new)
                spool.append(new)
        except SpoolError as error:
            raise NotTakenError(RefusedReason.NOT_STORED, f"memory: {error}") from None
        if station not in self._due:
            self._ready[station] = None
        return spool.next - 1

    def booked(self, station: int, spool_id: bytes, number: int) -> None:
        """The host has booked everything of that spool up to ``number``; of any other spool nothing changes."""
        stored = self._find(station, spool_id)
        if stored is None or number < stored.spool.first:
            return
        if stored.forwarding.acknowledged(stored.spool, number):
            self._due.pop(station, None)
            self._ready[station] = None
            self._tidy(station)

    def pick(self, line_ms: int) -> list[Kept]:
        """What to send to the host now."""
        for station, due_ms in list(self._due.items()):
            if line_ms >= due_ms:
                del self._due[station]
                self._ready[station] = None
        picked: list[Kept] = []
        while self._ready and len(self._due) < UNDER_WAY_MAX:
            station = next(iter(self._ready))
            del self._ready[station]
            message = self._pick(station, line_ms)
            if message is not None:
                picked.append(message)
        return picked

    def due_ms(self) -> int | None:
        """When something is sent again; None where nothing is under way."""
        return min(self._due.values(), default=None)

    def link_is_new(self) -> None:
        """The way to the host was away: whatever was under way is sent again."""
        for station, all_stored in self._stations.items():
            for stored in all_stored:
                stored.forwarding.reset()
            self._ready[station] = None
        self._due = {}

    def _check_room(self, station: int, new: Sequence[Item]) -> None:
        if self.kept(station) + len(new) > STATION_ITEMS_MAX:
            raise NotTakenError(RefusedReason.FULL, f"station {station}: {STATION_ITEMS_MAX} items wait already")
        if self.kept_bytes(station) + sum(len(payload) for _, payload in new) > STATION_BYTES_MAX:
            raise NotTakenError(RefusedReason.FULL, f"station {station}: {STATION_BYTES_MAX} bytes wait already")

    def _pick(self, station: int, line_ms: int) -> Kept | None:
        head = next((stored for stored in self._stations[station] if stored.held), None)
        if head is None:
            return None
        try:
            message = head.forwarding.pick(head.spool, Address(self._area, station), line_ms, KEPT_RETRY_MS)
        except SpoolError:
            self._due[station] = line_ms + KEPT_RETRY_MS
            return None
        due_ms = head.forwarding.due_ms(head.spool)
        if due_ms is not None:
            self._due[station] = due_ms
        return message

    def _spool_for(self, message: Kept) -> Spool | None:
        """The spool that the message continues, opened or moved on where it begins one; None where it does not."""
        station = message.address.station
        stored = self._find(station, message.spool)
        if stored is not None and message.first <= stored.spool.next:
            return stored.spool
        if message.lowest < message.first:
            return None
        if stored is not None:
            if stored.held:
                return None
            stored.spool.skip_to(message.first)
            return stored.spool
        if len(self._stations.get(station, ())) >= SPOOLS_EACH_MAX:
            raise NotTakenError(RefusedReason.FULL, f"station {station}: {SPOOLS_EACH_MAX} spools wait already")
        spool = self._spools.open(station, message.spool, message.first)
        self._stations.setdefault(station, []).append(_Stored(spool))
        return spool

    def _find(self, station: int, spool_id: bytes) -> _Stored | None:
        return next((stored for stored in self._stations.get(station, ()) if stored.spool.id == spool_id), None)

    def _tidy(self, station: int) -> None:
        """Forgets the station's spools that hold nothing, but for the newest, which its numbers go on in."""
        all_stored = self._stations[station]
        for stored in all_stored[:-1]:
            if stored.held:
                continue
            with suppress(SpoolError):  # it is forgotten the next time
                self._spools.forget(station, stored.spool.id)
                all_stored.remove(stored)
