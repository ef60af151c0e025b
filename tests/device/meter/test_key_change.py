"""Key sets come and go in a real meter (R12): refused where they must be, and whole after a power cut at any byte."""

from random import Random

import pytest

from prewatt.codec.bodies import KeyChange, KeyDrop
from prewatt.codec.commands import Code
from prewatt.codec.events import EventCode
from prewatt.codec.frame import Frame
from prewatt.codec.meter_messages import Head
from prewatt.codec.receipt import Status
from prewatt.crypto import check_value
from prewatt.device.meter import Cover, LineSend
from prewatt.device.meter.birth import KEY_SETS_MAX, KEY_SETS_MIN
from prewatt.device.meter.nvm import PowerCut, Torn
from prewatt.protocol.meter_messages import open_alarm

METER = b"\x00\x00\x01"


def change(rig, key_set, under=1):
    key = bytes((key_set,)) * rig.suite.terminal_key_bytes
    body = KeyChange(key_set, key, check_value(rig.suite, key_set, METER, key)).build()
    outcome = rig.command(Code.KEY, body, under)
    if outcome.receipt.status is Status.DONE:
        rig.keys[key_set] = key
    else:
        rig.control -= 1
    return outcome.receipt.status


def drop(rig, key_set, under=2):
    outcome = rig.command(Code.KEY_DROP, KeyDrop(key_set).build(), under)
    if outcome.receipt.status is not Status.DONE:
        rig.control -= 1
    return outcome.receipt.status


def held(rig):
    return set(rig.meter._core.keys)


def test_a_set_goes_when_another_has_come(rig):
    assert change(rig, 3) is Status.DONE
    assert drop(rig, 1, under=3) is Status.DONE
    assert held(rig) == {2, 3}
    rig.power_up()
    assert held(rig) == {2, 3}
    codes = [event.code for event in rig.meter._core.events.read_after(0, 100)]
    assert codes.count(EventCode.KEY_DROPPED) == 1


def test_the_sessions_own_set_and_the_last_two_stay(rig):
    assert drop(rig, 1) is Status.IMPOSSIBLE
    change(rig, 3)
    assert drop(rig, 2, under=2) is Status.IMPOSSIBLE
    assert held(rig) == {1, 2, 3}


def test_a_set_that_is_not_here_need_not_go(rig):
    assert drop(rig, 9) is Status.DONE
    assert held(rig) == {1, 2}


def test_keys_are_changed_for_ever_and_not_sixteen_times(rig):
    for key_set in range(3, 60):
        assert change(rig, key_set, under=key_set - 1) is Status.DONE
        assert drop(rig, key_set - 2, under=key_set) is Status.DONE
    assert held(rig) == {58, 59}


def test_without_dropping_the_seventeenth_set_is_refused(rig):
    for key_set in range(3, KEY_SETS_MAX + 1):
        assert change(rig, key_set) is Status.DONE
    assert len(held(rig)) == KEY_SETS_MAX
    assert change(rig, 99) is Status.IMPOSSIBLE
    assert drop(rig, 2, under=3) is Status.DONE
    assert change(rig, 99) is Status.DONE


def test_an_alarm_that_waits_under_a_dropped_set_is_sealed_anew_under_the_same_counter(rig):
    rig.step(Cover(opened=True))
    change(rig, 3)
    drop(rig, 1, under=3)
    (waiting,) = rig.meter._core.control.alarms
    assert waiting.key_set == 3
    rig.now_s += 3_600
    rig.line_ms += 3_600_000
    payloads = [Frame.parse(each.data).payload for each in rig.tick(1) if isinstance(each, LineSend)]
    (alarm,) = [open_alarm(rig.suite, rig.keys[3], payload) for payload in payloads if payload[0] == 0x15]
    assert alarm.head == Head(rig.suite.id, 3, METER, waiting.counter)


@pytest.mark.parametrize("torn", [Torn.OLD, Torn.NEW, Torn.GARBAGE])
@pytest.mark.parametrize("what", ["change", "drop"])
def test_power_may_go_at_any_byte_of_it(rig, what, torn):
    if what == "drop":
        change(rig, 3)
    whole, cut = None, 0
    while whole is None or cut < whole:
        twin = type(rig)(rig.nvm.copy(), rig.suite_name, dict(rig.keys), now_s=rig.now_s, line_ms=rig.line_ms + 10_000)
        twin.control = rig.control
        twin.power_up()
        if whole is None:
            before = twin.nvm.written_bytes
            _do(twin, what)
            whole = twin.nvm.written_bytes - before
            continue
        before = held(twin)
        twin.nvm.cut_after(cut, torn)
        with pytest.raises(PowerCut):
            _do(twin, what)
        twin.power_up()
        after = before | {3} if what == "change" else before - {1}
        assert held(twin) in (before, after)
        # The same order again ends it, whatever had become of the first.
        twin.control = rig.control
        assert _do(twin, what) is Status.DONE
        assert held(twin) == after
        assert twin.order(Code.RING, 0, b"", 2).receipt.status is Status.DONE
        cut += 3 if rig.suite_name == "tdes-1998" else 1


def _do(twin, what):
    return change(twin, 3, under=2) if what == "change" else drop(twin, 1)


def test_whatever_is_asked_two_sets_stay_and_the_one_that_asked_is_among_them(rig):
    chance = Random(1)
    for _ in range(120):
        under = chance.choice(sorted(held(rig)))
        before, key_set = held(rig), chance.randrange(1, 6)
        if chance.random() < 0.3:
            change(rig, key_set, under)
        elif drop(rig, key_set, under) is Status.DONE:
            assert held(rig) == before - {key_set}
        assert len(held(rig)) >= KEY_SETS_MIN
        assert under in held(rig), "a session under it has just succeeded: it is proved, and may be the only one"
