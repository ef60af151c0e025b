"""What the engine remembers of meters and stations, and the rounds it makes of what goes out."""

import pytest

from prewatt.codec.batch import METERS_MAX
from prewatt.codec.hop import Round, build_hop
from prewatt.codec.messages import MessageType
from prewatt.host.dispatch.agenda import Agenda, Call, Line
from prewatt.host.dispatch.posts import DispatchSettings
from prewatt.host.dispatch.roster import Outgoing, Roster
from prewatt.units import Address

ACK = bytes((MessageType.ALARM_ACK,)) + bytes(20)


def lines(count):
    return [Line(f"{number:06X}", "S1") for number in range(1, count + 1)]


@pytest.mark.parametrize("count", [METERS_MAX, METERS_MAX + 1, 3 * METERS_MAX])
def test_a_round_holds_no_more_than_a_batch_takes_however_many_a_station_makes_the_host_answer(make_world, count):
    # A station that repeats what it heard of other stations' meters makes the host acknowledge them all through it.
    world = make_world(meters=1)
    roster = Roster(world.host.context, DispatchSettings())
    posts = roster.posts(Outgoing(line, "S1", True, ACK) for line in lines(count))
    assert sum(len(post.messages) for post in posts) == count
    assert len({post.number for post in posts}) == len(posts)
    for post in posts:
        build_hop(Round(Address(0, 0), post.number, post.urgent, post.messages))


def test_a_thousand_calls_that_end_at_once_are_found_without_comparing_each_with_each(monkeypatch):
    compared = 0

    def compare(self, other):
        nonlocal compared
        compared += 1
        return self is other

    monkeypatch.setattr(Line, "__eq__", compare)
    agenda, waiting = Agenda(), {line.meter: line for line in lines(1_000)}
    for line in waiting.values():
        line.call = Call(None, None, b"", None, 500)
        for _ in range(2):
            agenda.expect(line, line.call)
    found = agenda.pop_overdue(501, waiting)
    assert [line.meter for line in found] == sorted(waiting)
    assert compared < 10 * len(waiting)


def test_what_a_station_has_to_do_with_its_meters_does_not_grow_with_those_of_others(make_world):
    world = make_world(meters=3)
    world.host.topology.add_station("S2", "A1")
    world.host.topology.move_meter("000003", "S2", reason="test")
    roster = Roster(world.host.context, DispatchSettings())
    roster.start(0)
    roster.places_changed("")
    assert {line.meter for line in roster._below("S1")} == {"000001", "000002"}
    assert {line.meter for line in roster._below("S2")} == {"000003"}
    world.host.topology.move_meter("000002", "S2", reason="test")
    roster.places_changed("S2")
    assert {line.meter for line in roster._below("S1")} == {"000001"}
    assert {line.meter for line in roster._below("S2")} == {"000002", "000003"}
