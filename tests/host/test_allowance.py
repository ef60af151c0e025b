"""A meter whose keys were stolen is authentic and may lie, but it fills nothing; an honest one loses nothing."""

import pytest
from sqlalchemy import func, select

from prewatt.host.allowance import A_DAY_MAX, Allowance, Beyond, BeyondError, Said
from prewatt.host.store import schema
from prewatt.units import DAY_S

NOW_S = 1_772_323_200


def count(world, table):
    with world.host.context.store.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def told(world):
    return {each.what: each.detail for each in world.host.happenings.read("000001") if each.kind == "beyond"}


@pytest.mark.parametrize("said", list(Said))
def test_a_day_has_its_measure_and_one_past_it_is_counted_and_not_believed(said):
    allowance = Allowance()
    for _ in range(A_DAY_MAX[said]):
        allowance.check("000001", said, NOW_S)
    assert allowance.beyond("000001") == []
    with pytest.raises(BeyondError, match=f"{A_DAY_MAX[said]} of meter 000001"):
        allowance.check("000001", said, NOW_S + 1)
    assert not allowance.take("000001", said, NOW_S + 2)
    assert allowance.beyond("000001") == [Beyond(said, 2, NOW_S + 2)]
    assert allowance.take("000002", said, NOW_S)
    assert all(allowance.take("000001", other, NOW_S) for other in Said if other is not said)


@pytest.mark.parametrize("days", [1, 3_650, -1, -3_650])
def test_another_day_begins_anew_however_the_hosts_clock_came_there(days):
    allowance = Allowance()
    for _ in range(A_DAY_MAX[Said.WISH] + 1):
        allowance.take("000001", Said.WISH, NOW_S)
    assert allowance.take("000001", Said.WISH, NOW_S + days * DAY_S)
    assert [each.count for each in allowance.beyond("000001")] == [1]


@pytest.mark.parametrize(
    ("said", "table"), [(Said.REPORT, schema.reports), (Said.ALARM, schema.alarms), (Said.WISH, schema.wishes)]
)
def test_messages_beyond_it_are_kept_apart_shown_and_booked_another_day(world, monkeypatch, said, table):
    world.pump()
    monkeypatch.setitem(A_DAY_MAX, said, 2)
    body, before = world.bodies["000001"], count(world, table)
    for number in range(3):
        body.add_event(number + 1)
        made = {Said.REPORT: body.report, Said.ALARM: lambda: [body.alarm()], Said.WISH: lambda: [body.wish(1_000_000)]}
        for payload in made[said]():
            world.say("000001", payload)
    assert world.host.context.allowance.beyond("000001")[0].count == 1
    assert told(world) == {f"more than 2 a day: {said}": "1"}
    (held,) = world.host.unbooked.read("S1")
    assert (held.kind, held.meter) == (said, "000001")
    if said is not Said.REPORT:
        assert count(world, table) == before + 2
    world.now_s += DAY_S
    assert world.host.unbooked.book_again("S1") == []
    if said is not Said.REPORT:
        assert count(world, table) == before + 3


def test_events_beyond_it_stay_in_the_meter_until_another_day(world, monkeypatch):
    world.pump()
    monkeypatch.setitem(A_DAY_MAX, Said.EVENT, 2)
    body = world.bodies["000001"]
    for number in range(5):
        body.add_event(number + 1)

    def tell():
        for payload in body.report():
            world.say("000001", payload)
        with world.host.context.store.reading() as connection:
            cursor = connection.execute(select(schema.standings.c.events_acknowledged)).scalar_one()
            numbers = list(
                connection.execute(select(schema.events.c.number).order_by(schema.events.c.number)).scalars()
            )
        return cursor, numbers

    assert tell() == (2, [1, 2])
    assert told(world) == {"more than 2 a day: event": "3"}
    assert tell() == (2, [1, 2])
    world.now_s += DAY_S
    assert tell() == (4, [1, 2, 3, 4])
    world.now_s += DAY_S
    assert tell() == (5, [1, 2, 3, 4, 5])


def test_info_beyond_it_proves_the_receipt_and_no_more_and_no_day_is_passed_over(world, monkeypatch):
    world.pump()
    monkeypatch.setitem(A_DAY_MAX, Said.INFO, 0)
    reports, days = count(world, schema.reports), count(world, schema.day_logs)
    world.host.vending.vend("000001", "5", order="A")
    world.now_s += DAY_S
    world.pump()
    assert world.host.transfers.read("A").state == "confirmed"
    assert world.host.registry.read_meter("000001").balance_micro == 5_000_000
    assert (count(world, schema.reports), count(world, schema.day_logs)) == (reports, days)
    assert "more than 0 a day: info" in told(world)
