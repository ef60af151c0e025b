"""Shadow slots, the birth certificate and the control block: torn writes, damaged slots, strict reading."""

import pytest

from prewatt.codec.errors import DecodeError
from prewatt.codec.modetable import flat_table
from prewatt.device.meter.birth import Birth, Certificate, build_keys, parse_keys
from prewatt.device.meter.calendar import LocalCalendar
from prewatt.device.meter.clock import Clock
from prewatt.device.meter.control import Control, WaitingAlarm
from prewatt.device.meter.nvm import MemoryNvm, PowerCut, Region, Torn
from prewatt.device.meter.record import CONTROL_BYTES_MAX
from prewatt.device.meter.registers import Registers
from prewatt.device.meter.relay import Cause
from prewatt.device.meter.slots import SlotError, Slots, Store


def test_a_new_slot_never_touches_the_one_in_use_whatever_byte_the_power_goes_at():
    for cut in range(110):
        nvm = MemoryNvm()
        slots = Slots(nvm)
        place = slots.write(Store.TEXT, b"old")
        nvm.cut_after(cut, list(Torn)[cut % 3])
        try:
            slots.write(Store.TEXT, b"n" * 100, (place,))
        except PowerCut:
            nvm.restore_power()
        assert slots.read(Store.TEXT, place) == b"old"


def test_a_damaged_slot_is_refused():
    nvm = MemoryNvm()
    slots = Slots(nvm)
    slots.write(Store.SETTINGS, b"settings")
    for place in range(14):
        byte = nvm.read(Region.SETTINGS_A, place, 1)
        nvm.write(Region.SETTINGS_A, place, bytes((byte[0] ^ 0x10,)))
        with pytest.raises(SlotError, match="settings A"):
            slots.read(Store.SETTINGS, 0)
        nvm.write(Region.SETTINGS_A, place, byte)
    assert slots.read(Store.SETTINGS, 0) == b"settings"
    with pytest.raises(SlotError):
        slots.read(Store.SETTINGS, 1)


def test_erased_slots_hold_nothing():
    nvm = MemoryNvm()
    slots = Slots(nvm)
    for in_use in ((), (0,)):
        slots.write(Store.KEYS, b"secret", in_use)
    slots.erase(Store.KEYS)
    for region in Store.KEYS.value:
        assert nvm.read(region, 0, region.size) == bytes(region.size)


KEYS = {1: bytes(32), 9: bytes(range(32))}
BIRTH = Birth(b"\0\0\7", 250, "aes-2026", KEYS, 1, sources=3, drift_ppm=-40, token_micro=500)


def test_certificate_and_keys_read_back_and_nothing_else_does():
    data = BIRTH.build_certificate()
    assert Certificate.parse(data) == Certificate(b"\0\0\7", 250, 2, 500, 3, -40)
    built = build_keys(KEYS)
    assert parse_keys(built) == KEYS
    for whole, parse in ((data, Certificate.parse), (built, parse_keys)):
        for wrong in (whole[:-2], whole + b"\0"):
            with pytest.raises(DecodeError):
                parse(wrong)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"keys": {}}, "1 to 16 key sets"),
        ({"keys": {1: bytes(16)}}, "set 1 of 16 bytes"),
        ({"keys": {256: bytes(32)}}, "set 256"),
        ({"m_id": 256}, "m_id: 256"),
        ({"sources": 5}, "sources: 5"),
        ({"drift_ppm": 1_001}, "drift_ppm: 1001"),
        ({"suite": "rot13"}, "suite: 'rot13'"),
        ({"made_s": 0}, "made_s: 0"),
    ],
)
def test_a_birth_out_of_range_is_refused(change, why):
    given = {"meter_id": b"\0\0\7", "m_id": 1, "suite": "aes-2026", "keys": KEYS, "unit_price_micro": 1}
    with pytest.raises(ValueError, match=why):
        Birth(**{**given, **change})


def test_the_key_is_not_shown():
    assert KEYS[9].hex() not in repr(BIRTH)
    assert repr(KEYS[9]) not in repr(BIRTH)


def test_the_control_block_reads_back_and_fits_its_record_when_it_is_full():
    registers = Registers.new(LocalCalendar.of(flat_table()), 1_767_225_600)
    registers.step_pulses = [2**64 - 1] * 16
    control = Control(
        clock=Clock(1_767_225_600, 1_767_225_000, 13),
        registers=registers,
        causes=[Cause.ZERO, Cause.INTERLOCK | Cause.ARMED, Cause(255), Cause.NONE],
        emergency=True,
        zeroised=True,
        heard_set=7,
        surges=5,
        alarms=[WaitingAlarm(number, 2**32 - 1, 255) for number in range(16)],
        reports_due=list(range(35)),
    )
    data = control.build()
    assert Control.parse(data, 13).build() == data
    assert len(data) <= CONTROL_BYTES_MAX
    for wrong in (data[:-1], data + b"\0", b"\xff" + data[1:]):
        with pytest.raises(DecodeError):
            Control.parse(wrong, 13)
