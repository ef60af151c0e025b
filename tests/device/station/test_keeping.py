"""What a station keeps: bounded meter by meter, the same words once, and safe in a memory that was set back."""

import copy

import pytest

from prewatt.codec.hop import Kept, KeptAck, build_hop, parse_hop
from prewatt.codec.messages import MessageType
from prewatt.device.area import AreaServer, FromHost, FromStation, HostLink, ToHost, ToStation
from prewatt.device.forwarding import KEPT_BYTES_MAX, KEPT_WAIT_LONGEST_MS
from prewatt.device.spool import MemorySpool, MemorySpools, SpoolError
from prewatt.device.station.keeping import KEPT_EACH_MAX, Keeping
from prewatt.units import Address, MeterId

HERE = Address(1, 2)
ONE, TWO = MeterId(b"\0\0\1"), MeterId(b"\0\0\2")


@pytest.fixture
def spool() -> MemorySpool:
    return MemorySpool(b"spool id")


def word(kind: int, number: int, size: int = 3) -> bytes:
    return bytes((kind,)) + number.to_bytes(size, "big")


@pytest.mark.parametrize("kind", list(KEPT_EACH_MAX))
def test_each_meter_has_room_of_its_own_for_each_kind_and_the_next_word_is_counted(spool, kind: MessageType) -> None:
    keeping = Keeping(spool, HERE)
    for number in range(KEPT_EACH_MAX[kind]):
        assert keeping.take((ONE, word(kind, number)))
    assert not keeping.take((ONE, word(kind, 9_999)))
    assert keeping.dropped == 1
    assert keeping.take((ONE, word(kind, 0))), "its words wait already"
    assert keeping.take((TWO, word(kind, 0)))
    others = [other for other in KEPT_EACH_MAX if other is not kind]
    assert all(keeping.take((ONE, word(other, 0))) for other in others)
    keeping.acknowledged(b"spool id", 1)
    assert keeping.take((ONE, word(kind, 9_999)))


def test_the_limits_and_known_words_are_those_of_the_memory_after_a_power_cut(spool) -> None:
    keeping = Keeping(spool, HERE)
    for number in range(KEPT_EACH_MAX[MessageType.WISH]):
        keeping.take((ONE, word(0x17, number)))
    again = Keeping(spool, HERE)
    assert again.take((ONE, word(0x17, 0)))
    assert again.waiting == KEPT_EACH_MAX[MessageType.WISH]
    assert not again.take((ONE, word(0x17, 99)))


def test_a_full_memory_takes_nothing_and_goes_on_when_there_is_room_again() -> None:
    spool = MemorySpool(b"spool id", items_max=2)
    keeping = Keeping(spool, HERE)
    assert [keeping.take((ONE, word(0x14, n))) for n in range(3)] == [True, True, False]
    assert (keeping.dropped, keeping.waiting) == (1, 2)
    keeping.acknowledged(b"spool id", 2)
    assert keeping.take((ONE, word(0x14, 2)))
    assert spool.read(3, 1) == ((ONE, word(0x14, 2)),)


def test_one_message_takes_what_fits_and_at_least_one_item(spool) -> None:
    keeping = Keeping(spool, HERE)
    for number in range(30):
        keeping.take((ONE, word(0x14, number, 2_500)))
    kept = keeping.pick(0, 5_000)
    assert kept is not None
    assert len(kept.items) == KEPT_BYTES_MAX // 2_501
    assert keeping.pick(4_999, 5_000) is None
    assert keeping.pick(5_000, 5_000) == kept


def test_the_wait_doubles_up_to_its_longest_and_a_new_link_begins_again(spool) -> None:
    keeping = Keeping(spool, HERE)
    keeping.take((ONE, word(0x14, 1)))
    now, waits = 0, []
    for _ in range(40):
        assert keeping.pick(now, 5_000) is not None
        due_ms = keeping.due_ms()
        assert due_ms is not None
        waits.append(due_ms - now)
        now = due_ms
    assert waits[:3] == [5_000, 10_000, 20_000]
    assert waits[-1] == max(waits) == KEPT_WAIT_LONGEST_MS
    keeping.link_is_new()
    assert keeping.pick(now - 1, 5_000) is not None
    assert keeping.due_ms() == now - 1 + 5_000


def test_acknowledgements_that_are_late_doubled_partial_or_of_another_spool_lose_nothing(spool) -> None:
    keeping = Keeping(spool, HERE)
    for number in range(4):
        keeping.take((ONE, word(0x14, number)))
    keeping.pick(0, 5_000)
    keeping.acknowledged(b"another!", 4)
    keeping.acknowledged(b"spool id", 0)
    assert keeping.waiting == 4
    for _ in range(2):
        keeping.acknowledged(b"spool id", 2)
        assert keeping.waiting == 2
    kept = keeping.pick(1, 5_000)
    assert kept is not None
    assert (kept.first, len(kept.items)) == (3, 2)


def test_a_memory_set_back_to_an_older_copy_is_noticed_and_what_it_holds_goes_up_as_a_new_spool(spool) -> None:
    area = AreaServer(MemorySpools(), 1, 0)

    keeping = Keeping(spool, HERE)
    keeping.take((ONE, word(0x14, 1)))
    older = copy.deepcopy(spool)
    for number in range(2, 6):
        keeping.take((ONE, word(0x14, number)))
    (ack,) = acknowledgements(area, keeping, 0)
    assert ack.number == 5
    back = Keeping(older, HERE)
    back.take((TWO, word(0x15, 9)))
    (ack,) = acknowledgements(area, back, 1)
    assert ack.number == 5, "the area server has these numbers already, with other words"
    back.acknowledged(ack.spool, ack.number)
    assert older.id != b"spool id"
    assert older.first == 1
    (ack,) = acknowledgements(area, back, 2)
    assert (ack.spool, ack.number) == (older.id, 2)
    back.acknowledged(ack.spool, ack.number)
    assert back.waiting == 0


def test_what_a_memory_that_was_set_back_says_under_old_numbers_is_new_to_the_boxes_above(spool) -> None:
    """Its way up was closed until it had given every number again that the area server has: nothing above can tell."""
    area, keeping = AreaServer(MemorySpools(), 1, 0), Keeping(spool, HERE, b"start 01")
    older = copy.deepcopy(spool)
    for number in range(5):
        keeping.take((ONE, word(0x14, number)))
    (ack,) = acknowledgements(area, keeping, 0)
    keeping.acknowledged(ack.spool, ack.number)
    back = Keeping(older, HERE, b"start 02")
    for number in range(9):
        assert back.take((TWO, word(0x17, number))) == (number < 8)
    (ack,) = acknowledgements(area, back, 1)
    assert (ack.spool, ack.number) == (b"start 02", 8)
    effects = area.step(HostLink(True), 2)
    (first,) = [message for message in map(told, effects) if isinstance(message, Kept)]
    effects = area.step(FromHost(build_hop(KeptAck(HERE, first.spool, 5))), 3)
    (second,) = [message for message in map(told, effects) if isinstance(message, Kept)]
    assert [item[0] for item in (*first.items, *second.items)] == [ONE] * 5 + [TWO] * 8


def told(effect):
    return parse_hop(effect.data) if isinstance(effect, ToHost) else None


def acknowledgements(area: AreaServer, keeping: Keeping, now: int) -> list[KeptAck]:
    kept = keeping.pick(now, 5_000)
    assert isinstance(kept, Kept)
    effects = area.step(FromStation(2, build_hop(kept)), now)
    return [parse_hop(effect.data) for effect in effects if isinstance(effect, ToStation)]


def test_a_memory_that_takes_no_new_id_sends_nothing_and_believes_nobody_until_it_does() -> None:
    class Full(MemorySpool):
        full = True

        def renew(self, spool_id: bytes) -> None:
            if self.full:
                raise SpoolError("full")
            super().renew(spool_id)

    spool = Full(b"spool id")
    spool.append([(ONE, word(0x17, 1))])
    keeping = Keeping(spool, HERE, b"start 01")
    assert keeping.pick(0, 5_000) is None
    assert keeping.due_ms() is None
    for number in (1, 7):
        keeping.acknowledged(b"spool id", number)
    assert (keeping.waiting, spool.id) == (1, b"spool id")
    spool.full = False
    kept = keeping.pick(1, 5_000)
    assert kept is not None
    assert (kept.spool, kept.first, len(kept.items)) == (b"start 01", 1, 1)
    keeping.acknowledged(b"start 01", 1)
    assert keeping.waiting == 0


def test_a_memory_that_will_not_be_renewed_keeps_what_it_has(spool) -> None:
    class Stubborn(MemorySpool):
        def renew(self, spool_id: bytes) -> None:
            raise SpoolError("full")

    stubborn = Stubborn(b"spool id")
    keeping = Keeping(stubborn, HERE)
    keeping.take((ONE, word(0x14, 1)))
    keeping.acknowledged(b"spool id", 7)
    assert (keeping.waiting, stubborn.id) == (1, b"spool id")


class Sick(MemorySpool):
    """A memory that can be told to refuse."""

    refuses: str = ""

    def read(self, number: int, count: int):
        if self.refuses == "read":
            raise SpoolError("unreadable")
        return super().read(number, count)

    def drop_through(self, number: int) -> None:
        if self.refuses == "drop":
            raise SpoolError("full")
        super().drop_through(number)


@pytest.mark.parametrize("refuses", ["read", "drop"])
def test_a_memory_that_fails_for_a_while_loses_nothing(refuses: str) -> None:
    sick = Sick(b"spool id")
    keeping = Keeping(sick, HERE)
    keeping.take((ONE, word(0x14, 1)))
    keeping.pick(0, 5_000)
    sick.refuses = refuses
    keeping.acknowledged(b"spool id", 1)
    assert keeping.waiting == 1
    assert (keeping.pick(5_000, 5_000) is None) == (refuses == "read")
    sick.refuses = ""
    assert keeping.take((ONE, word(0x14, 1))), "it waits still, and is not kept twice"
    assert keeping.waiting == 1
    keeping.acknowledged(b"spool id", 1)
    assert keeping.waiting == 0
    assert keeping.take((ONE, word(0x14, 1)))
    assert keeping.waiting == 1
