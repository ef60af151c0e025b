"""What meters say by themselves, kept until it is durable above: Report, Alarm, Wish, in the order heard.

An item is appended to the spool before anything else happens with it. The spool is bounded, meter by meter, so that
nobody can take the room of others; at its limit the new item is not taken, and counted. That is safe for each kind: a
Report's day stays in the meter for 35 days and the host asks for a day that is missing; an Alarm is repeated by its
meter until the host itself acknowledges it; a Wish is asked again by the person who sees nothing come of it. The same
bytes of the same meter are held once while they wait.

Nobody inside a memory can tell that it was set back to an older copy of itself, and gives numbers again that the boxes
above have already: they would take the new words under them for old ones, acknowledge them and throw them away. So a
station that starts goes on under a spool id that was drawn just then. What waits goes up again under it; the host
books it once.
"""

from collections import Counter
from hashlib import sha256
from typing import Final

from prewatt.codec.batch import Item
from prewatt.codec.hop import SPOOL_ID_BYTES, Kept
from prewatt.codec.messages import MessageType
from prewatt.device.forwarding import Forwarding
from prewatt.device.spool import Spool, SpoolError, read_all
from prewatt.units import Address, MeterId

__all__ = ["KEPT_EACH_MAX", "KEPT_KINDS", "Keeping"]

# Of one meter: five weeks of daily Reports and some days in several parts, as long as the meter itself remembers; more
# than the 16 Alarms that wait in a meter at once, also sealed anew; a person's impatience.
KEPT_EACH_MAX: Final = {MessageType.REPORT: 48, MessageType.ALARM: 24, MessageType.WISH: 8}
KEPT_KINDS: Final = frozenset(map(int, KEPT_EACH_MAX))
_DIGEST_BYTES: Final = 16

_Same = tuple[MeterId, bytes]
_Share = tuple[MeterId, int]


class Keeping:
    """The spool of one station, what it holds of whom, and what is under way."""

    __slots__ = ("_address", "_forwarding", "_fresh_id", "_held", "_shares", "_spool", "dropped")

    def __init__(self, spool: Spool, address: Address, fresh_id: bytes | None = None) -> None:
        """``fresh_id``: 8 random bytes of this start, under which the spool goes on; None where the memory cannot be
        an older copy of itself."""
        self._spool, self._address = spool, address
        self._fresh_id = fresh_id
        self._forwarding = Forwarding()
        self.dropped = 0
        self._held: Counter[_Same] = Counter()
        self._shares: Counter[_Share] = Counter()
        for item in read_all(spool):
            self._count(item, 1)
        self._begin()

    @property
    def waiting(self) -> int:
        """How many items are not durable above yet."""
        return self._spool.next - self._spool.first

    def take(self, item: Item) -> bool:
        """Keeps what a meter said; False where it is not kept: there is no room for it, and `dropped` counts it.

        Bytes that wait already are not kept twice: that is True.
        """
        if self._held[_same(item)]:
            return True
        if self._shares[_share(item)] >= KEPT_EACH_MAX[MessageType(item[1][0])]:
            self.dropped += 1
            return False
        try:
            self._spool.append((item,))
        except SpoolError:
            self.dropped += 1
            return False
        self._count(item, 1)
        return True

    def pick(self, line_ms: int, retry_ms: int) -> Kept | None:
        """What to send up now, if anything; nothing while the memory cannot be read, or does not take its new id."""
        if not self._begin():
            return None
        try:
            return self._forwarding.pick(self._spool, self._address, line_ms, retry_ms)
        except SpoolError:
            return None

    def due_ms(self) -> int | None:
        """When what is under way is sent again; None where nothing is."""
        return self._forwarding.due_ms(self._spool)

    def acknowledged(self, spool: bytes, number: int) -> None:
        """What is above holds ``spool`` up to ``number``; another spool than this one's changes nothing.

        A number that was never given here shows that this memory was set back to an older copy of itself, and gives
        numbers again that others already had: what is held then goes up as a new spool.
        """
        held = self._spool
        if spool != held.id or self._fresh_id is not None:
            return
        if number >= held.next:
            self._renew(number)
            return
        if number >= held.first:
            self._forget(number)

    def link_is_new(self) -> None:
        """The way up was away: whatever was under way is sent again."""
        self._forwarding.reset()

    def _begin(self) -> bool:
        """Whether the spool goes by the id of this start. Until then nothing goes up: a memory that takes no id could
        not forget what is acknowledged either."""
        if self._fresh_id is not None:
            try:
                self._spool.renew(self._fresh_id)
            except SpoolError:
                return False
            self._fresh_id = None
        return True

    def _forget(self, number: int) -> None:
        held = self._spool
        try:
            items = held.read(held.first, number - held.first + 1)
        except SpoolError:
            return  # what stays is sent again, and acknowledged again
        if self._forwarding.acknowledged(held, number):
            for item in items:
                self._count(item, -1)

    def _renew(self, number: int) -> None:
        try:
            self._spool.renew(_renewed(self._spool.id, number))
        except SpoolError:
            return  # the next acknowledgement says the same
        self._forwarding.reset()

    def _count(self, item: Item, change: int) -> None:
        same, share = _same(item), _share(item)
        self._held[same] += change
        self._shares[share] += change
        if not self._held[same]:
            del self._held[same]
        if not self._shares[share]:
            del self._shares[share]


def _same(item: Item) -> _Same:
    return item[0], sha256(item[1]).digest()[:_DIGEST_BYTES]


def _share(item: Item) -> _Share:
    return item[0], item[1][0]


def _renewed(spool: bytes, number: int) -> bytes:
    """The id of the spool that follows: as good as drawn, since nobody had this one with that number."""
    return sha256(b"prewatt spool" + spool + number.to_bytes(8, "big")).digest()[:SPOOL_ID_BYTES]
