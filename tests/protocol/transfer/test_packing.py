"""A stored book is the book, and bytes that are no book are refused in one way."""

import random

import pytest
from world import World
from world_host import HostCrashError

from prewatt.protocol.transfer import TransferRuleError, new_book, pack_book, unpack_book
from prewatt.units import MeterId


def books():
    """Books of every kind, as a walk leaves them behind."""
    chance, world = random.Random(5), World()
    seen = set()
    for name in chance.choices(World.NAMES, World.WEIGHTS, k=2_500):
        try:
            world.step(name, chance.getrandbits(30))
        except HostCrashError:
            continue
        seen.update(world.host.db.books.values())
    return seen


def test_every_book_of_a_walk_comes_back_as_it_was():
    found = books()
    assert len(found) > 200
    for book in found:
        assert unpack_book(pack_book(book)) == book
        assert pack_book(unpack_book(pack_book(book))) == pack_book(book)


def test_damaged_bytes_are_refused_or_are_another_whole_book():
    chance = random.Random(7)
    for book in sorted(books(), key=pack_book)[::15]:
        packed = pack_book(book)
        for _ in range(12):
            spot = chance.randrange(len(packed))
            flipped = packed[:spot] + bytes((packed[spot] ^ 1 << chance.randrange(8),)) + packed[spot + 1 :]
            for damaged in (packed[:spot], packed + b"x", flipped, chance.randbytes(spot)):
                try:
                    assert pack_book(unpack_book(damaged)) is not None
                except TransferRuleError:
                    continue


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b'{"version":1}', b"\xff"])
def test_what_is_no_book_gets_one_clear_error(data):
    with pytest.raises(TransferRuleError, match="book"):
        unpack_book(data)


def test_a_book_of_another_version_is_refused():
    packed = pack_book(new_book(MeterId(b"\x00\x00\x01"))).replace(b'"version":1', b'"version":2')
    with pytest.raises(TransferRuleError, match="version 2"):
        unpack_book(packed)
