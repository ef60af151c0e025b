"""What stations kept is booked by number, and numbers alone can be lied about."""

from prewatt.codec.batch import METERS_MAX
from prewatt.codec.hop import Kept, KeptAck, build_hop, parse_hop
from prewatt.host.store import schema
from prewatt.units import Address

S1 = Address(0, 0)
JUNK = (b"\x00\x00\x01", b"\x14junk")


def kept(first, items, spool=b"spool id"):
    return (0, build_hop(Kept(S1, spool, first, first, tuple(items))))


def acked(hops):
    return [each.number for hop in hops if isinstance(each := parse_hop(hop.data), KeptAck)]


def alarm_of(field):
    """What the first home says when somebody opens its cover, taken off the line."""
    field.lines_open = False
    field.homes["000001"].open_cover()
    return (b"\x00\x00\x01", field.homes["000001"].said[-1])


def test_a_box_that_once_gave_numbers_of_the_far_future_keeps_no_alarm_from_being_booked(make_field):
    field = make_field(below=(1,))
    field.run(10)
    network, alarm = field.host.network, alarm_of(field)
    before = field.count(schema.alarms)
    network.arrived([kept(10**12, [JUNK])], field.line_ms)
    hops = network.arrived([kept(7, [JUNK, alarm])], field.line_ms)
    assert field.count(schema.alarms) == before + 1
    # Nor is more acknowledged than was there: the honest box holds the next ones still.
    assert acked(hops) == [8]
    network.arrived([kept(7, [JUNK, alarm])], field.line_ms)
    assert field.count(schema.alarms) == before + 1


def test_what_comes_twice_at_once_is_booked_once_and_looked_into_once(make_field):
    field = make_field(below=(1,))
    field.run(10)
    network, alarm = field.host.network, alarm_of(field)
    before = network._dispatch.dropped
    for _ in range(3):
        assert acked(network.arrived([kept(1, [JUNK] * (METERS_MAX - 1) + [alarm])], field.line_ms)) == [METERS_MAX]
    assert network._dispatch.dropped == before + METERS_MAX - 1
    assert field.count(schema.alarms) == 1
