"""A spool in RAM behaves as the contract says; any other memory has to do the same."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from prewatt.device.spool import MemorySpool, MemorySpools, SpoolError, count_boot, read_all
from prewatt.units import MeterId

ITEM = (MeterId(b"\0\0\1"), b"x")


class SpoolAgainstAList(RuleBasedStateMachine):
    """A spool is a list of numbered items of which the lowest are forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.spool = MemorySpool(b"spool id", items_max=20)
        self.numbered: dict[int, tuple[MeterId, bytes]] = {}
        self.next = 1

    @rule(count=st.integers(0, 9))
    def append(self, count: int) -> None:
        items = [(MeterId(b"\0\0\1"), n.to_bytes(4, "big")) for n in range(self.next, self.next + count)]
        if len(self.numbered) + count > 20:
            with pytest.raises(SpoolError):
                self.spool.append(items)
            return
        self.spool.append(items)
        self.numbered |= dict(enumerate(items, self.next))
        self.next += count

    @rule(number=st.integers(0, 60))
    def drop(self, number: int) -> None:
        self.spool.drop_through(number)
        self.numbered = {held: item for held, item in self.numbered.items() if held > number}

    @rule(further=st.integers(-1, 3))
    def skip(self, further: int) -> None:
        if self.numbered or further < 0:
            with pytest.raises(ValueError, match="number"):
                self.spool.skip_to(self.next + further)
        else:
            self.spool.skip_to(self.next + further)
            self.next += further

    @rule()
    def renew(self) -> None:
        self.spool.renew(b"another!")
        self.numbered = dict(enumerate(self.numbered.values(), 1))
        self.next = len(self.numbered) + 1
        assert self.spool.id == b"another!"

    @rule(count=st.integers(0, 25), above=st.integers(0, 25))
    def read(self, count: int, above: int) -> None:
        number = self.spool.first + above
        expected = [item for held, item in sorted(self.numbered.items()) if number <= held < number + count]
        assert list(self.spool.read(number, count)) == expected

    @invariant()
    def agree(self) -> None:
        assert self.spool.next == self.next
        assert self.spool.held_bytes == sum(len(payload) for _, payload in self.numbered.values())
        assert self.spool.first == min(self.numbered, default=self.next)
        assert list(read_all(self.spool)) == [item for _, item in sorted(self.numbered.items())]


TestSpoolAgainstAList = SpoolAgainstAList.TestCase
TestSpoolAgainstAList.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)


def test_what_is_forgotten_cannot_be_read() -> None:
    spool = MemorySpool(b"spool id")
    spool.append([ITEM, ITEM])
    spool.drop_through(1)
    with pytest.raises(ValueError, match="2 or more"):
        spool.read(1, 1)


@pytest.mark.parametrize(("spool_id", "first"), [(b"short", 1), (b"longer than 8", 1), (b"spool id", 0)])
def test_a_spool_has_an_id_of_8_bytes_and_counts_from_1(spool_id: bytes, first: int) -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        MemorySpool(spool_id, first=first)


def test_notes_are_kept_by_name() -> None:
    for notes in (MemorySpool(b"spool id"), MemorySpools()):
        assert notes.read_note("a") == b""
        notes.write_note("a", b"1")
        notes.write_note("b", b"2")
        notes.write_note("a", b"3")
        assert (notes.read_note("a"), notes.read_note("b")) == (b"3", b"2")


def test_boots_are_counted_and_a_memory_that_takes_no_more_is_no_reason_to_stop() -> None:
    class Full(MemorySpool):
        def write_note(self, name: str, value: bytes) -> None:
            raise SpoolError("full")

    spool = MemorySpool(b"spool id")
    assert [count_boot(spool) for _ in range(3)] == [1, 2, 3]
    spool.write_note("boots", (2**32 - 1).to_bytes(4, "big"))
    assert count_boot(spool) == 2**32 - 1
    assert count_boot(Full(b"spool id")) == 1


def test_spools_of_an_area_server_stand_in_the_order_in_which_they_were_opened() -> None:
    spools = MemorySpools(items_max=3)
    spools.open(9, b"spool  b", 5)
    spools.open(1, b"spool  a", 1)
    assert [(station, spool.id, spool.next) for station, spool in spools.held()] == [
        (9, b"spool  b", 5),
        (1, b"spool  a", 1),
    ]
    spools.held()[0][1].append([ITEM])
    with pytest.raises(ValueError, match="still holds"):
        spools.forget(9, b"spool  b")
    spools.forget(1, b"spool  a")
    spools.forget(1, b"spool  a")
    assert len(spools.held()) == 1
