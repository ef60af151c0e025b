"""What meters told can be read: events, alarms and wishes, newest first, each as it came."""

import pytest

from prewatt.host.happenings import SHOWN_MAX
from prewatt.host.refusals import RefusedError


def test_events_alarms_and_wishes_are_shown_newest_first(world):
    world.pump()
    body = world.bodies["000001"]
    body.add_event(1)
    body.add_event(2, code=0x7777)
    for payload in body.report():
        world.say("000001", payload)
    world.now_s += 60
    world.say("000001", body.alarm(event=0x0602))
    world.now_s += 60
    world.say("000001", body.wish(5_000_000))
    found = world.host.happenings.read("000001")
    assert [(each.kind, each.what) for each in found] == [
        ("wish", "value asked for"),
        ("alarm", "customer message"),
        ("event", "event 7777"),
        ("event", "cover opened"),
    ]
    assert found[0].detail == "5000000"
    assert found[0].time_s is None
    assert [each.kind for each in world.host.happenings.read("000001", limit=2)] == ["wish", "alarm"]


@pytest.mark.parametrize("limit", [0, -1, SHOWN_MAX + 1])
def test_a_limit_out_of_range_is_refused(world, limit):
    with pytest.raises(RefusedError, match="limit"):
        world.host.happenings.read("000001", limit=limit)


def test_an_unknown_meter_is_named(world):
    with pytest.raises(RefusedError, match="FFFFFE"):
        world.host.happenings.read("FFFFFE")
