"""The keypad, and value codes typed at it."""

import pytest

from prewatt.codec.bodies import Transfer
from prewatt.codec.commands import Code
from prewatt.codec.receipt import Status
from prewatt.codec.valuecode import ValueCode, check_input, check_of
from prewatt.crypto import MessageKind
from prewatt.device.meter import KeyPress
from prewatt.device.meter.keypad import CodeTyped, EmergencyCall, Keypad, MessageTyped, PageAsked, ValueAsked
from prewatt.device.meter.nvm import PowerCut, Torn

UNIT = 1_000_000


def press(keypad, keys):
    return [action for key in keys if (action := keypad.press(key)) is not None]


@pytest.mark.parametrize(
    ("keys", "actions"),
    [
        ("A1234#99#", [ValueAsked(1234, "99")]),
        ("A0#", []),
        ("A#5#7#", [ValueAsked(5, "7")]),
        ("A5*7#", [PageAsked(7)]),
        ("C", [PageAsked(0)]),
        ("3#", [PageAsked(3)]),
        ("345#", []),
        ("D", [EmergencyCall()]),
        ("7D", [MessageTyped(7)]),
        ("12D", [MessageTyped(12)]),
        ("123D", [EmergencyCall()]),
        ("A5D", [EmergencyCall()]),
        ("B3D", [MessageTyped(3)]),
        ("B" + "1" * 20, [CodeTyped("1" * 20)]),
        ("0" * 20, [CodeTyped("0" * 20)]),
        ("0" * 19 + "*" + "1" * 20, [CodeTyped("1" * 20)]),
        ("A" + "9" * 30 + "#" + "1" * 30 + "#", [ValueAsked(10**12 - 1, "1" * 8)]),
        ("#*#*", []),
    ],
)
def test_keys_mean(keys, actions):
    assert press(Keypad(), keys) == actions


def test_the_pin_is_never_shown():
    keypad = Keypad()
    press(keypad, "A500#4711")
    assert keypad.prompt == ("PIN, then #", "****")
    assert "4711" not in repr(ValueAsked(1, "4711"))


def test_a_key_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="key: 'x' is not allowed"):
        Keypad().press("x")


def code_for(rig, sequence, minor, key_set=1):
    keys = rig.suite.message_keys(rig.keys[key_set])
    check = check_of(keys.tag(MessageKind.CODE, check_input(b"\0\0\1", sequence, minor)))
    return ValueCode(sequence & 0xFF, minor, check).build()


def type_in(rig, digits):
    for key in digits:
        rig.step(KeyPress(key))
    return rig.meter.view().notice


def test_a_typed_code_stores_its_value_once_under_any_live_key_set(rig):
    first = code_for(rig, rig.last + 1, 1_000)
    assert type_in(rig, first) == "code stored"
    assert rig.meter.view().balance_micro == 10 * UNIT
    assert rig.meter.view().relay_closed
    assert "10.00" in rig.meter.view().lcd[1]
    assert type_in(rig, first) == "code already used"
    assert type_in(rig, code_for(rig, rig.last + 2, 1, key_set=2)) == "code stored"
    rig.power_up()
    assert rig.meter.view().balance_micro == 10 * UNIT + 10_000
    assert type_in(rig, first) == "code already used"


def test_code_and_transfer_of_one_sequence_whichever_comes_first_holds_it(rig):
    code = code_for(rig, rig.last + 1, 500)
    rig.store(5 * UNIT)
    assert type_in(rig, code) == "code already used"
    assert rig.meter.view().balance_micro == 5 * UNIT
    code = code_for(rig, rig.last + 1, 700)
    assert type_in(rig, code) == "code stored"
    late = rig.order(Code.VALUE, rig.last + 1, Transfer(7 * UNIT, bytes(8)).build())
    assert late.receipt.status is Status.SEQUENCE
    assert late.receipt.last_tag == int(code).to_bytes(8, "big")
    assert rig.meter.view().balance_micro == 12 * UNIT


def test_wrong_codes_lock_the_entry_and_a_power_cut_does_not_open_it(rig):
    for _ in range(3):
        assert type_in(rig, "12345678901234567890") == "code wrong"
    good = code_for(rig, rig.last + 1, 100)
    assert type_in(rig, good) == "code locked"
    rig.power_up()
    assert type_in(rig, good) == "code locked"
    rig.line_ms += 10_001
    assert type_in(rig, good) == "code stored"


def test_power_cut_at_every_byte_of_storing_a_code_leaves_it_stored_or_not(make_rig):
    for cut in range(0, 1_200, 17):
        rig = make_rig()
        code = code_for(rig, rig.last + 1, 100)
        rig.nvm.cut_after(cut, list(Torn)[cut % 3])
        try:
            type_in(rig, code)
        except PowerCut:
            rig.power_up()
        rig.nvm.restore_power()
        assert rig.meter.money.balance_micro in {0, UNIT}
        stored = rig.meter.money.balance_micro == UNIT
        assert type_in(rig, code) == ("code already used" if stored else "code stored")
        rig.check_law()
