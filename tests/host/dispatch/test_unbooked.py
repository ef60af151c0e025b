"""What a meter said and could not be booked holds up nothing, is not lost, and is booked once when it can be."""

import pytest
from sqlalchemy import func, select

from prewatt.codec.hop import Kept, KeptAck, build_hop, parse_hop
from prewatt.codec.messages import MessageType
from prewatt.host.dispatch import inbound
from prewatt.host.dispatch.unbooked import UNBOOKED_EACH_MAX
from prewatt.host.keys import VaultError
from prewatt.host.refusals import RefusedError, StoreError
from prewatt.host.store import schema
from prewatt.units import Address

ONE, TWO = "000001", "000002"
HERE = Address(0, 0)
SPOOL = b"spool id"


def count(world, table):
    with world.host.context.store.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def keep(world, first, *messages):
    """A station's kept items come up; gives what goes down."""
    items = tuple((bytes.fromhex(meter), payload) for meter, payload in messages)
    data = build_hop(Kept(HERE, SPOOL, first, first, items))
    hops = world.host.network.arrived([(HERE.area, data)], world.line_ms)
    return [parse_hop(hop.data) for hop in hops]


def acked(messages):
    return [(each.spool, each.number) for each in messages if isinstance(each, KeptAck)]


@pytest.fixture
def two(make_world):
    world = make_world(meters=2)
    world.pump()
    world.pass_line(60_000)
    return world


@pytest.fixture
def broken(monkeypatch):
    """Breaks the booking of a kind of message, of one meter; gives the function that mends it."""
    broken = []

    def break_it(kind, meter=ONE, error=None):
        real = getattr(inbound, f"book_{kind}")

        def book(writing, context, of, message):
            if real(writing, context, of, message) and of == meter and broken:
                raise error or AssertionError("books of this meter disagree\n\x1b[2J")
            return True

        broken.append(kind)
        monkeypatch.setattr(inbound, f"book_{kind}", book)
        return broken.clear

    return break_it


@pytest.mark.parametrize("kind", ["report", "alarm", "wish"])
def test_it_holds_nothing_up_and_is_kept_with_its_bytes_and_its_cause(two, broken, kind):
    mend = broken(kind)
    made = getattr(two.bodies[ONE], kind)()
    payload = made[0] if kind == "report" else made
    tables = {"report": schema.reports, "alarm": schema.alarms, "wish": schema.wishes}
    before = {name: count(two, table) for name, table in tables.items()}
    other = two.bodies[TWO].wish()
    down = keep(two, 1, (ONE, payload), (TWO, other), (ONE, two.bodies[ONE].wish() if kind != "wish" else payload))
    assert acked(down) == [(SPOOL, 3)], "it is safe in the books as it came: the boxes may forget it"
    assert count(two, tables[kind]) == before[kind] + (kind == "wish"), "nothing of it is half booked"
    assert count(two, schema.wishes) == before["wish"] + (1 if kind == "wish" else 2)
    (found,) = two.host.unbooked.read("S1")
    assert (found.meter, found.kind, bytes.fromhex(found.payload)) == (ONE, kind, payload)
    assert found.cause == "AssertionError: books of this meter disagree  [2J"
    assert found.times == (2 if kind == "wish" else 1)
    assert two.host.topology.read_station("S1").unbooked == 1
    two.restart()
    (again,) = two.host.unbooked.book_again("S1")
    assert (again.number, again.cause) == (found.number, found.cause)
    mend()
    assert two.host.unbooked.book_again("S1") == []
    assert count(two, tables[kind]) == before[kind] + (2 if kind == "wish" else 1)
    keep(two, 4, (ONE, payload))
    assert count(two, tables[kind]) == before[kind] + (2 if kind == "wish" else 1), "booked once (R13)"
    assert two.host.topology.read_station("S1").unbooked == 0
    assert two.host.audit.run().ok


def test_an_alarm_is_not_acknowledged_before_it_is_booked_and_then_nothing_of_it_waits(two, broken):
    mend = broken("alarm")
    alarm = two.bodies[ONE].alarm()
    for _ in range(3):
        assert MessageType.ALARM_ACK not in {payload[0] for payload in two.say(ONE, alarm)}
    (found,) = two.host.unbooked.read("S1")
    assert found.times == 3
    mend()
    assert [payload[0] for payload in two.say(ONE, alarm)] == [MessageType.ALARM_ACK]
    assert two.host.unbooked.read("S1") == []
    assert count(two, schema.alarms) == 1


def test_a_commit_that_fails_books_and_acknowledges_nothing_and_the_boxes_send_it_again(two, monkeypatch):
    wish = two.bodies[ONE].wish()

    def full(work):
        raise StoreError("disk full")

    with monkeypatch.context() as at:
        at.setattr(two.host.context.store, "write", full)
        with pytest.raises(StoreError):
            keep(two, 1, (ONE, wish))
    assert two.host.unbooked.read("S1") == []
    assert acked(keep(two, 1, (ONE, wish))) == [(SPOOL, 1)]
    assert count(two, schema.wishes) == 1


def test_while_the_vault_cannot_be_read_what_meters_say_is_kept(two, monkeypatch):
    def pulled_out(*given):
        raise VaultError("vault keys.vault: cannot be read (Input/output error)")

    payloads = [two.bodies[ONE].wish(), two.bodies[ONE].alarm(), *two.bodies[ONE].report()]
    with monkeypatch.context() as at:
        at.setattr(type(two.vault), "terminal_key", pulled_out)
        assert acked(keep(two, 1, *((ONE, payload) for payload in payloads))) == [(SPOOL, len(payloads))]
    assert {row.kind for row in two.host.unbooked.read("S1")} == {"wish", "alarm", "report"}
    assert two.host.unbooked.book_again("S1") == []
    assert (count(two, schema.wishes), count(two, schema.alarms)) == (1, 1)


def test_what_a_restored_host_does_not_know_the_meter_of_waits_until_it_does(two, backed_up):
    back_up, restore = backed_up
    back_up(two)
    two.add_meter("000003")
    wish = two.bodies["000003"].wish()
    restore(two)
    forged = wish[:-1] + bytes((wish[-1] ^ 1,))
    assert acked(keep(two, 1, ("000003", wish), ("000003", forged))) == [(SPOOL, 2)]
    (found,) = two.host.unbooked.read("S1")
    assert (found.meter, bytes.fromhex(found.payload)) == ("000003", wish)
    assert "not enrolled" in found.cause
    two.add_meter("000003")
    assert two.host.unbooked.book_again("S1") == []
    assert count(two, schema.wishes) == 1


def test_what_proves_nothing_is_not_kept(two):
    wish = two.bodies[ONE].wish()
    for at in range(len(wish)):
        keep(two, at + 1, (ONE, wish[:at] + bytes((wish[at] ^ 0x40,)) + wish[at + 1 :]))
    assert two.host.unbooked.read("S1") == []


def test_each_meter_has_so_much_room_and_the_next_one_is_not_kept(two, broken):
    broken("wish")
    payloads = [two.bodies[ONE].wish() for _ in range(UNBOOKED_EACH_MAX + 1)]
    for first, payload in enumerate(payloads, 1):
        assert acked(keep(two, first, (ONE, payload))) == [(SPOOL, first)]
    found = [bytes.fromhex(row.payload) for row in two.host.unbooked.read("S1")]
    assert found == payloads[:-1]
    keep(two, len(payloads) + 1, (ONE, payloads[0]))
    assert two.host.unbooked.read("S1")[0].times == 2, "one that is here is counted still"


def test_what_is_thrown_away_is_told_once_more_and_stands_in_the_audit_log(two, broken):
    broken("wish")
    keep(two, 1, (ONE, two.bodies[ONE].wish()))
    with pytest.raises(RefusedError, match="reason"):
        two.host.unbooked.forget("S1", " ")
    waiting = two.host.unbooked.read("S1")
    assert two.host.unbooked.forget("S1", "asked the customer") == waiting
    assert two.host.unbooked.read("S1") == two.host.unbooked.forget("S1", "again") == []
    with two.host.context.store.reading() as connection:
        log = schema.audit_log.c
        (row,) = connection.execute(select(log.detail).where(log.action == "messages forgotten"))
    assert row.detail == "1: asked the customer"


def test_a_station_that_is_not_there_is_named(two):
    for call in (
        two.host.unbooked.read,
        two.host.unbooked.book_again,
        lambda station: two.host.unbooked.forget(station, "x"),
    ):
        with pytest.raises(RefusedError, match="S9"):
            call("S9")
