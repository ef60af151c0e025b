"""Links: what is kept back comes late, what is cut off comes back."""

from random import Random

import pytest

from prewatt.sim.weather import Link


class Sky:
    """A world with a clock and nothing else."""

    def __init__(self):
        self.chance, self.later, self.now_ms, self.told = Random(1), [], 0, []

    def after(self, wait_ms, act):
        self.later.append((self.now_ms + wait_ms, act))

    def passed(self, kind, link, address, data):
        self.told.append((kind, data))

    def run(self, until_ms):
        self.now_ms = until_ms
        due, self.later = [e for e in self.later if e[0] <= until_ms], [e for e in self.later if e[0] > until_ms]
        for _, act in sorted(due, key=lambda each: each[0]):
            act()


@pytest.fixture
def sky():
    return Sky()


@pytest.fixture
def link(sky):
    found = Link(sky, "up", lambda address, data: found.heard.append(data))
    found.heard = []
    return found


def test_the_next_message_of_a_kind_comes_when_its_time_is_over_and_only_that_one(sky, link):
    link.hold(lambda data: data[0] == 7, 60_000)
    for data in (b"\x01", b"\x07a", b"\x07b"):
        link.send("1", data)
    sky.run(1_000)
    assert sorted(link.heard) == [b"\x01", b"\x07b"]
    sky.run(59_999)
    assert len(link.heard) == 2
    sky.run(61_000)
    assert link.heard[2:] == [b"\x07a"]


def test_a_message_is_kept_back_though_the_way_is_cut_off(sky, link):
    link.hold(lambda data: True, 5_000)
    link.up = False
    for data in (b"a", b"b"):
        link.send("1", data)
    link.mend()
    link.send("1", b"c")
    sky.run(10_000)
    assert sorted(link.heard) == [b"a", b"c"]
    assert ("lost", b"b") in sky.told


def test_nothing_that_was_under_way_arrives_after_a_clear(sky, link):
    link.hold(lambda data: True, 5_000)
    link.hold(lambda data: True, 5_000)
    link.send("1", b"a")
    link.clear()
    link.send("1", b"b")
    sky.run(1_000)
    assert link.heard == [b"b"]
    sky.run(10_000)
    assert link.heard == [b"b"]
    assert ("lost", b"a") in sky.told
