"""The host in the field: real boxes and real meters below it, over ways that lose, and power that goes."""

import pytest
from sqlalchemy import select

from prewatt.codec.batch import METERS_MAX
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.hop import (
    Answers,
    AreaHealth,
    Health,
    Kept,
    KeptAck,
    Members,
    Plan,
    Refused,
    RefusedReason,
    Round,
    StationState,
    build_hop,
    parse_hop,
)
from prewatt.codec.messages import MessageType, Refusal, RefusalReason
from prewatt.device.meter import LineFrame
from prewatt.host.answers import TransferState
from prewatt.host.campaigns.wishes import CampaignWish
from prewatt.host.dispatch.keeping import SPOOLS_MAX
from prewatt.host.refusals import StoreError
from prewatt.host.store import schema
from prewatt.protocol.meter_messages import CounterBook
from prewatt.units import Address

WEEK_S = 7 * 86_400
HOUR_S = 3_600
S1, S2 = Address(0, 0), Address(0, 1)


def sent(field, kind):
    return [message for hop in field.down if isinstance(message := parse_hop(hop.data), kind)]


def confirmed(field, order):
    return field.host.transfers.read(order).state is TransferState.CONFIRMED


def test_value_sold_reaches_the_meter_through_every_box(make_field):
    field = make_field()
    field.run(5)
    field.host.vending.vend("000001", "10", order="A")
    field.run_until(lambda: confirmed(field, "A"), 60)
    assert field.homes["000001"].device.view().balance_micro == 10_000_000
    assert field.host.audit.run().ok


@pytest.mark.heavy
def test_every_sale_arrives_exactly_once_over_ways_that_lose_a_fifth_of_everything(make_field):
    field = make_field(below=(2, 1), loss=0.2)
    orders = [field.host.vending.vend(f"{number % 3 + 1:06X}", "1", order=f"n{number}").order for number in range(6)]
    field.run_until(lambda: all(confirmed(field, order) for order in orders), 4 * HOUR_S)
    assert [home.device.money.received_micro for home in field.homes.values()] == [2_000_000] * 3
    assert field.host.audit.run().ok


def test_the_host_tells_each_station_its_meters_and_its_settings(make_field):
    field = make_field(below=(2, 1))
    field.run(5)
    for each in field.stations.values():
        box = field.host.topology.read_station(each.name).box
        assert (box.members_current, box.plan_current, box.refused) == (True, True, "")
        assert sorted(each.box.members) == sorted(home.meter_id for home in field.homes.values() if home.where is each)
    field.add_meter("S2")
    field.run(5)
    assert len(field.stations[S2].box.members) == 2


def test_a_station_that_lost_its_memory_is_told_again(make_field):
    field = make_field()
    field.run(5)
    pole = field.stations[S1]
    pole.spool = type(pole.spool)(field.rng.randbytes(8))
    pole.start()
    assert not pole.box.members
    field.run(90)
    assert len(pole.box.members) == 2
    assert len([message for message in sent(field, Members) if message.address == S1]) <= 4


def test_a_line_profile_is_what_the_station_works_by(make_field):
    field = make_field()
    field.run(5)
    before = field.stations[S1].box.plan
    field.host.topology.set_line("S1", "powerline-2400")
    field.run(5)
    plan = field.stations[S1].box.plan
    assert plan.answer_within_ms != before.answer_within_ms
    assert (before.slots, plan.slots) == (0, 8)
    assert sent(field, Plan)[-1] == plan


# -- rounds


@pytest.mark.heavy
def test_a_round_of_256_is_one_message_down_and_a_handful_of_commits(make_field):
    field = make_field(below=(METERS_MAX,))
    field.run(30)
    assert field.host.polling.coverage("S1").coverage.text == "256 of 256 read today"
    field.down.clear()
    before, since = field.commits(), field.now_s
    field.skip(6 * HOUR_S)
    field.run(20)
    rounds = sent(field, Round)
    polled = [message for message in rounds if message.items[0][1][0] == MessageType.HELLO]
    assert len(polled[0].items) == METERS_MAX
    m_ids = field.stations[S1].box.members
    assert [m_ids[meter_id] for meter_id, _ in polled[0].items] == list(range(METERS_MAX))
    assert field.column(schema.standings.c.polled_s, "000100")[0] > since
    # The choices of a round, what its answers book, and the answers that a line of 256 gives back in several messages.
    assert field.commits() - before <= 30


def test_all_choices_and_all_results_of_one_moment_are_one_commit_each(make_field):
    field = make_field(below=(40,))
    field.run(30)
    for number in range(40):
        field.host.vending.vend(f"{number + 1:06X}", "1", order=f"n{number}")
    before = field.commits()
    hellos = [parse_hop(hop.data) for hop in field.host.network.tick(field.line_ms)]
    assert [len(message.items) for message in hellos] == [40]
    assert field.commits() - before == 1


def test_value_goes_before_polling_and_says_so(make_field):
    field = make_field(below=(30,))
    field.run(30)
    field.down.clear()
    field.skip(6 * HOUR_S)
    field.host.vending.vend("00001E", "1", order="A")
    field.down += field.host.network.tick(field.line_ms)
    first, second = sent(field, Round)
    assert (first.urgent, [meter_id.hex() for meter_id, _ in first.items]) == (True, ["00001e"])
    assert (second.urgent, len(second.items)) == (False, 29)


def test_rounds_are_numbered_upwards_and_a_new_host_goes_on_above(make_field):
    field = make_field()
    field.run(5)
    field.restart_host()
    field.host.vending.vend("000001", "1", order="A")
    field.run(10)
    numbers = [message.number for message in sent(field, Round)]
    assert numbers == sorted(set(numbers))
    assert confirmed(field, "A")


def test_on_a_slow_line_a_round_is_as_long_as_its_time_and_the_rest_follows(make_field):
    field = make_field(below=(30,))
    field.run(30)
    field.host.topology.set_line("S1", "powerline-2400")
    field.run(1)
    field.down.clear()
    field.skip(6 * HOUR_S)
    field.run(1)
    assert 0 < len(sent(field, Round)[0].items) < 5
    field.run(300)
    assert field.host.polling.coverage("S1").coverage.polled_today == 30


def test_silent_meters_hold_nothing_up(make_field):
    field = make_field(below=(60,))
    field.run(30)
    field.host.topology.set_line("S1", "powerline-9600")
    field.run(1)
    for number in range(40):
        field.homes[f"{number + 1:06X}"].on = False
        field.host.vending.vend(f"{number + 1:06X}", "1", order=f"silent{number}")
    field.run(900)
    for number in range(40, 60):
        field.host.vending.vend(f"{number + 1:06X}", "1", order=f"n{number}")
    field.run_until(lambda: all(confirmed(field, f"n{number}") for number in range(40, 60)), 30)
    field.homes["000001"].on = True
    field.run_until(lambda: confirmed(field, "silent0"), 600)


def test_a_meter_that_the_station_calls_silent_is_given_up_at_once_and_called_again_later(make_field):
    field = make_field(below=(1,))
    field.run(10)
    field.homes["000001"].on = False
    field.host.vending.vend("000001", "1", order="A")
    field.down.clear()
    field.run(12)
    assert 3 <= len(sent(field, Round)) <= 4
    field.homes["000001"].on = True
    field.run_until(lambda: confirmed(field, "A"), 70)


# -- what meters say by themselves


def alarms(home):
    """The counters of the Alarms a meter has said, each once, in order."""
    return sorted({int.from_bytes(said[6:10], "big") for said in home.said if said[0] == MessageType.ALARM})


@pytest.mark.heavy
def test_a_week_without_uplink_loses_nothing_and_books_everything_once_in_order(make_field):
    field = make_field(below=(2, 1), tick_ms=600_000)
    field.run(HOUR_S)
    booked = {meter: field.count(schema.reports, meter) for meter in field.homes}
    field.areas[0].link(False)
    for day in range(7):
        for number, home in enumerate(field.homes.values()):
            home.burn(100 + number)
        if day in (2, 5):
            field.homes["000002"].open_cover()
        field.run(86_400)
    assert field.count(schema.alarms) == 0
    said = {meter: home.count(MessageType.REPORT) for meter, home in field.homes.items()}
    assert min(said.values()) >= 7
    field.areas[0].link(True)
    field.run(2 * HOUR_S)
    for meter, home in field.homes.items():
        book = CounterBook.parse(field.column(schema.counter_books.c.book, meter)[-1])
        counters = {int.from_bytes(payload[6:10], "big") for payload in home.said if payload[0] == MessageType.REPORT}
        assert all(book.book(counter) is None for counter in counters)
        timers = field.column(schema.reports.c.timer_s, meter)
        assert len(timers) >= booked[meter] + 6
        assert timers == sorted(timers)
    assert field.column(schema.alarms.c.counter, "000002") == alarms(field.homes["000002"])
    assert all(field.stations[address].spool.first == field.stations[address].spool.next for address in (S1, S2))
    assert field.host.audit.run().ok


@pytest.mark.parametrize("box", ["host", "area", "station", "all"])
def test_an_alarm_survives_the_restart_of_every_box_on_its_way(make_field, box):
    field = make_field(below=(1,))
    field.run(10)
    field.host_on = False
    field.homes["000001"].open_cover()
    field.run(1)
    if box in ("station", "all"):
        field.stations[S1].start()
    if box in ("area", "all"):
        field.areas[0].start()
    if box in ("host", "all"):
        field.restart_host()
    field.host_on = True
    home = field.homes["000001"]
    field.run_until(lambda: field.count(schema.alarms) == 1, 120)
    field.run(1_000)
    assert field.count(schema.alarms) == 1
    assert home.device.view().alarms_waiting == 0
    assert [each.kind for each in field.host.happenings.read("000001")].count("alarm") == 1


def test_kept_items_are_acknowledged_once_they_are_booked_and_never_when_the_disk_is_full(make_field, monkeypatch):
    field = make_field(below=(1,))
    field.run(10)
    field.down.clear()
    store = field.host.context.store
    monkeypatch.setattr(store, "write", lambda work: (_ for _ in ()).throw(StoreError("the disk is full")))
    area_linked, field.areas[0].linked = field.areas[0].linked, False
    field.homes["000001"].open_cover()
    field.run(1)
    held = [item for _, spool in field.areas[0].spools.held() for item in spool.read(spool.first, 9)]
    assert held
    message = Kept(S1, b"spool id", 1, 1, tuple(held))
    with pytest.raises(StoreError):
        field.host.network.arrived([(0, build_hop(message))], field.line_ms)
    monkeypatch.undo()
    field.areas[0].linked = area_linked
    hops = field.host.network.arrived([(0, build_hop(message))], field.line_ms)
    acks = [each for hop in hops if isinstance(each := parse_hop(hop.data), KeptAck)]
    assert acks == [KeptAck(S1, b"spool id", len(held))]
    assert field.count(schema.alarms) == 1


def kept(first, lowest, items, spool=b"spool id"):
    return (0, build_hop(Kept(S1, spool, first, lowest, tuple(items))))


def acked(hops):
    return [each.number for hop in hops if isinstance(each := parse_hop(hop.data), KeptAck)]


def test_what_was_jumped_over_is_waited_for_unless_nobody_holds_it_any_more(make_field):
    field = make_field(below=(1,))
    field.run(10)
    junk = [(b"\x00\x00\x01", b"\x14junk")]
    network, ms = field.host.network, field.line_ms
    assert acked(network.arrived([kept(1, 1, junk * 3)], ms)) == [3]
    assert acked(network.arrived([kept(6, 4, junk)], ms)) == []
    assert network.counts["gaps"] == 1
    assert acked(network.arrived([kept(2, 2, junk * 2)], ms)) == [3]
    assert acked(network.arrived([kept(4, 4, junk * 2)], ms)) == [5]
    assert acked(network.arrived([kept(9, 9, junk)], ms)) == [9]
    assert acked(network.arrived([kept(1, 1, junk, spool=b"another!")], ms)) == [1]
    field.restart_host()
    assert acked(field.host.network.arrived([kept(12, 10, junk)], ms)) == []
    assert acked(field.host.network.arrived([kept(10, 10, junk)], ms)) == [10]


def test_foreign_and_unreadable_messages_are_counted_and_change_nothing(make_field):
    field = make_field()
    field.run(10)
    network, before = field.host.network, field.commits()
    item = (b"\x00\x00\x01", b"\x14junk")
    foreign = [
        (1, build_hop(Answers(S1, 1, True, ()))),
        (0, build_hop(Answers(Address(0, 9), 1, True, ()))),
        (0, build_hop(Kept(Address(0, 200), b"spool id", 1, 1, (item,)))),
        (7, build_hop(Health(Address(7, 0), 1, 0, 0, 0, 0, 0, 0, ()))),
        (0, build_hop(Round(S1, 1, False, (item,)))),
    ]
    assert acked(network.arrived(foreign, field.line_ms)) == []
    assert network.counts["foreign"] == len(foreign)
    network.arrived([(0, b""), (0, b"\x01"), (0, bytes(99)), (0, b"\xff" * 700)], field.line_ms)
    assert network.counts["unreadable"] == 4
    assert field.commits() == before


def test_what_a_station_would_not_take_is_shown_until_it_is_well_again(make_field):
    field = make_field()
    field.run(10)
    told = Refused(S1, 1, RefusedReason.NOT_MEMBER, "meter: not below this station: 0000AA")
    field.down.clear()
    field._post(field.host.network.arrived([(0, build_hop(told))], field.line_ms))
    assert "0000AA" in field.host.topology.read_station("S1").box.refused
    field.run(120)
    assert field.host.topology.read_station("S1").box.refused == ""
    assert sent(field, Members)


# -- places


def test_a_meter_in_transit_loses_nothing_and_its_money_stays(make_field):
    field = make_field(below=(2, 1))
    field.run(10)
    home = field.homes["000001"]
    field.host.vending.vend("000001", "10", order="A")
    field.run_until(lambda: confirmed(field, "A"), 60)
    field.host_on = False
    home.open_cover()
    field.run(1)
    field.host_on = True
    before = field.host.registry.read_meter("000001")
    moved = field.host.topology.move_meter("000001", "S2", m_id=7, reason="the street was split")
    assert (moved.station, moved.m_id) == ("S2", 7)
    assert (moved.balance_micro, moved.key_sets, moved.epoch) == (before.balance_micro, before.key_sets, before.epoch)
    field.host.vending.vend("000001", "5", order="B")
    field.run(60)
    # What the old station had heard is booked; the meter itself is taken there by a person, with its new address.
    assert field.count(schema.alarms, "000001") == 1
    assert home.meter_id in field.stations[S2].box.members
    assert home.meter_id not in field.stations[S1].box.members
    home.where = field.stations[S2]
    home.device._modem._m_id = 7
    field.run_until(lambda: confirmed(field, "B"), 300)
    assert home.device.money.received_micro == 15_000_000
    assert field.host.audit.run().ok
    with field.host.context.store.reading() as connection:
        rows = connection.execute(select(schema.audit_log).where(schema.audit_log.c.action == "meter move")).all()
    assert [(row.subject, "the street was split" in row.detail) for row in rows] == [("000001", True)]


def test_a_meter_that_moves_while_it_waits_for_its_turn_is_called_at_its_new_place(make_field):
    field = make_field(below=(20, 1))
    field.run(20)
    field.host.topology.set_line("S1", "powerline-2400")
    field.run(1)
    for number in range(20):
        field.homes[f"{number + 1:06X}"].on = False
        field.host.vending.vend(f"{number + 1:06X}", "1", order=f"n{number}")
    field.run(1)
    field.host.topology.move_meter("000014", "S2", m_id=9, reason="moved while it waited")
    home = field.homes["000014"]
    home.on, home.where, home.device._modem._m_id = True, field.stations[S2], 9
    field.run_until(lambda: confirmed(field, "n19"), 30)


def test_a_station_that_makes_up_spools_fills_nothing(make_field):
    field = make_field(below=(1,))
    field.run(10)
    for number in range(SPOOLS_MAX + 20):
        spool = number.to_bytes(8, "big")
        hops = field.host.network.arrived([kept(1, 1, [(b"\x00\x00\x01", b"\x14junk")], spool)], field.line_ms)
        assert acked(hops) == [1]
    assert field.count(schema.kept) == SPOOLS_MAX


# -- coverage


def test_coverage_counts_who_was_read_today_and_names_who_was_not(make_field):
    field = make_field(below=(3, 2))
    field.run(30)
    assert field.host.polling.coverage("S1").coverage.text == "3 of 3 read today"
    field.homes["000003"].on = False
    field.skip(86_400 // 2)
    field.skip(86_400)
    field.run(60)
    found = field.host.polling.coverage("S1")
    assert (found.coverage.text, [each.id for each in found.stragglers]) == ("2 of 3 read today", ["000003"])
    assert found.stragglers[0].since_s < field.now_s - 86_400 // 2
    (area,) = field.host.topology.read_areas()
    assert (area.coverage.text, area.stations) == ("4 of 5 read today", 2)
    assert field.host.polling.total().text == "4 of 5 read today"
    assert field.host.topology.read_station("S1").box.silent == ("000003",)


def rounds(hops):
    return [message for hop in hops if isinstance(message := parse_hop(hop.data), Round)]


def test_an_acknowledged_alarm_ends_no_call_that_waits_in_another_round(make_field):
    field = make_field(below=(1,))
    field.run(10)
    home, network = field.homes["000001"], field.host.network
    home.open_cover()
    alarm = next(payload for payload in home.said if payload[0] == MessageType.ALARM)
    field.run(60)
    field.host.vending.vend("000001", "1", order="A")
    (hello,) = rounds(network.tick(field.line_ms))
    again = kept(1, 1, ((home.meter_id, alarm),), b"anotherS")
    (ack,) = rounds(network.arrived([again], field.line_ms))
    assert ack.items[0][1][0] == MessageType.ALARM_ACK
    network.arrived([(0, build_hop(Answers(S1, ack.number, True, ())))], field.line_ms)
    assert field.host.dispatch.sessions_open == 1
    network.arrived([(0, build_hop(Answers(S1, hello.number, True, ())))], field.line_ms)
    assert field.host.dispatch.sessions_open == 0


def test_a_station_ends_no_session_with_a_meter_of_another(make_field):
    field = make_field(below=(1, 1))
    field.run(10)
    network = field.host.network
    field.host.vending.vend("000001", "1", order="A")
    assert rounds(network.tick(field.line_ms))
    refusal = ((field.homes["000001"].meter_id, Refusal(RefusalReason.BUSY).build()),)
    network.arrived([(0, build_hop(Answers(S2, 0, False, refusal)))], field.line_ms)
    assert field.host.dispatch.sessions_open == 1
    network.arrived([(0, build_hop(Answers(S1, 0, False, refusal)))], field.line_ms)
    assert field.host.dispatch.sessions_open == 0


def test_another_stations_word_does_not_bring_a_silent_meter_back_into_the_line_of_those_that_answer(make_field):
    field = make_field(below=(1, 1))
    field.run(10)
    field.homes["000001"].on = False
    field.host.controls.send_text("000001", "is anybody there")
    field.run(10)
    line = field.host.dispatch._roster.line("000001")
    assert line.silent
    junk = ((field.homes["000001"].meter_id, b"\x14junk"),)
    field.host.network.arrived([(0, build_hop(Kept(S2, b"spool id", 1, 1, junk)))], field.line_ms)
    assert line.silent
    field.host.network.arrived([(0, build_hop(Kept(S1, b"spool id", 1, 1, junk)))], field.line_ms)
    assert not line.silent


def test_places_that_changed_while_the_books_could_not_be_read_are_looked_at_later(make_field, monkeypatch):
    field = make_field(below=(1,))
    field.run(10)
    store = field.host.context.store
    field.host.topology.add_station("S9", "A1")
    with monkeypatch.context() as broken:
        broken.setattr(store, "reading", lambda: (_ for _ in ()).throw(StoreError("the disk is gone")))
        with pytest.raises(StoreError):
            field.host.network.tick(field.line_ms)
    told = {parse_hop(hop.data).address for hop in field.host.network.tick(field.line_ms)}
    assert Address(0, field.host.topology.read_station("S9").number) in told


def test_what_a_box_says_of_itself_moves_nobodys_cursor(make_field):
    field = make_field(below=(1,))
    field.run(10)
    said = Refused(S1, 1, RefusedReason.NOT_STORED, "\x1b[2Jall is well\r\n")
    field.host.network.arrived([(0, build_hop(said))], field.line_ms)
    assert field.host.topology.read_station("S1").box.refused == "not stored: ?[2Jall is well??"


def test_what_is_booked_is_answered_though_the_next_thing_meets_a_full_disk(make_field, monkeypatch):
    field = make_field(below=(1,))
    field.run(10)
    home, network = field.homes["000001"], field.host.network
    field.host.vending.vend("000001", "1", order="A")
    (hello,) = rounds(network.tick(field.line_ms))
    home.said.clear()
    home.step(LineFrame(Frame(0, FrameFlags.NONE, 1, home.meter_id, hello.items[0][1]).build()))
    proof = ((home.meter_id, home.said[0]),)
    assert proof[0][1][0] == MessageType.PROOF
    full = StoreError("the disk is full")
    monkeypatch.setattr(field.host.dispatch.campaigns, "tick", lambda line_ms: (_ for _ in ()).throw(full))
    answers = (0, build_hop(Answers(S1, hello.number, True, proof)))
    hops = network.arrived([answers, kept(1, 1, ((home.meter_id, b"\x14junk"),))], field.line_ms)
    assert acked(hops) == [1]
    (command,) = rounds(hops)
    assert command.items[0][1][0] == MessageType.COMMAND
    assert field.host.dispatch.sessions_open == 1
    with pytest.raises(StoreError):
        network.tick(field.line_ms)


def test_the_first_health_of_an_area_server_ends_no_session_that_has_just_begun(make_field):
    field = make_field(below=(1,))
    field.run(10)
    field.restart_host()
    network = field.host.network
    network.link(0, field.line_ms, up=True)
    field.host.vending.vend("000001", "1", order="A")
    assert len(rounds(network.tick(field.line_ms))) == 1
    health = AreaHealth(Address(0, 0), 1, 0, 0, (StationState(0, True, 0, 0, 0),))
    assert rounds(network.arrived([(0, build_hop(health))], field.line_ms)) == []
    assert field.host.dispatch.sessions_open == 1


def test_a_sale_waits_for_no_meter_that_a_campaign_has_let_go(make_field):
    field = make_field(below=(6,))
    field.run(10)
    field.host.topology.set_line("S1", "powerline-2400")
    network = field.host.network
    network.tick(field.line_ms)
    called = {item[0].hex().upper() for post in rounds(network.tick(field.line_ms)) for item in post.items}
    assert called == set()
    field.host.campaigns.start(CampaignWish("text", text="hello", per_minute=60_000, per_station=256))
    waiting = {item[0].hex().upper() for post in rounds(network.tick(field.line_ms)) for item in post.items}
    assert 0 < len(waiting) < 6
    sold = next(meter for meter in field.homes if meter not in waiting)
    field.host.vending.vend(sold, "1", order="A")
    (sale,) = rounds(network.tick(field.line_ms))
    assert (sale.urgent, [item[0].hex().upper() for item in sale.items]) == (True, [sold])
