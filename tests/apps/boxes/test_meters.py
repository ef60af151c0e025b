"""The one loop that drives virtual meters, in a street and in a process of its own: loads, time, the transformer's."""

from dataclasses import replace

import pytest

from prewatt.apps.boxes.homes import Homes
from prewatt.apps.boxes.meters import manufacture
from prewatt.apps.boxes.spoolfile import BoxMemoryError
from prewatt.apps.boxes.transformer import METER_OWN_W
from prewatt.apps.street.loads import home_load
from prewatt.apps.street.nvm_file import FileNvm
from prewatt.device.meter import Birth, Meter, ct_birth
from prewatt.device.now import Now
from prewatt.units import ValueFieldError

START_S = 1_800_000_000
KEYS = {1: bytes(range(32))}
CT, OTHER_CT = b"\xc0\0\1", b"\xc0\0\2"
HOMES = (b"\0\0\1", b"\0\0\2", b"\0\0\3")
HOUR_S = 3_600


class Clock:
    """Goes when it is told."""

    speed = 1

    def __init__(self):
        self.s = START_S

    def line_ms(self):
        return (self.s - START_S) * 1000

    def now_s(self):
        return self.s


@pytest.fixture
def made(tmp_path):
    """Memories of three homes' meters and of two transformers'."""
    births = [Birth(meter_id, m_id, "aes-2026", KEYS, 150_000) for m_id, meter_id in enumerate(HOMES)]
    births += [ct_birth(CT, 255, "aes-2026", KEYS), ct_birth(OTHER_CT, 254, "aes-2026", KEYS)]
    for birth in births:
        manufacture(tmp_path / f"{birth.meter_id.hex()}.nvm", replace(birth, made_s=START_S))
    return {birth.meter_id: tmp_path / f"{birth.meter_id.hex()}.nvm" for birth in births}


def read_pulses(path, now_s):
    memory = FileNvm(path)
    try:
        return Meter.power_up(memory, Now(0, now_s, 1), bytes(32)).total_pulses
    finally:
        memory.close()


@pytest.mark.parametrize("first", [True, False])
def test_a_transformer_above_dark_homes_gives_what_their_meters_need(made, first):
    clock = Clock()
    homes = Homes(clock, tick_s=1)
    for meter_id in (CT, *HOMES) if first else (*HOMES, CT):
        homes.add(made[meter_id], home_load(len(homes)))
    assert len(homes) == len(HOMES)
    assert sorted(homes.places()) == [(HOMES[0], 0), (HOMES[1], 1), (HOMES[2], 2), (CT, 255)]
    clock.s += 6 * HOUR_S
    homes.close()
    assert read_pulses(made[CT], clock.s) == len(HOMES) * METER_OWN_W * 6
    assert [read_pulses(made[meter_id], clock.s) for meter_id in HOMES] == [0, 0, 0]


def test_it_goes_on_from_where_a_stopped_one_was(made):
    clock = Clock()
    for _ in range(3):
        homes = Homes(clock, tick_s=1)
        for meter_id in (CT, *HOMES):
            homes.add(made[meter_id], home_load(len(homes)))
        clock.s += HOUR_S
        homes.close()
        homes.close()
        clock.s += HOUR_S
    assert read_pulses(made[CT], clock.s) == 3 * len(HOMES) * METER_OWN_W


def test_a_second_one_is_refused_and_has_no_face_and_no_keys(made):
    homes = Homes(Clock(), tick_s=1)
    homes.add(made[CT], home_load(0))
    with pytest.raises(BoxMemoryError, match="C00001, is here already"):
        homes.add(made[OTHER_CT], home_load(0))
    with pytest.raises(BoxMemoryError, match="cannot be opened"):
        homes.add(made[CT], home_load(0))
    homes.add(made[HOMES[0]], home_load(0))
    assert [face["id"] for face in homes.faces()] == ["000001"]
    for ask in (lambda: homes.face("C00001"), lambda: homes.press("C00001", "C")):
        with pytest.raises(ValueFieldError, match="a home's meter"):
            ask()
    homes.close()
    again = Homes(Clock(), tick_s=1)
    again.add(made[OTHER_CT], home_load(0))
    again.close()


def test_the_factory_makes_one_for_a_process_with_homes(programs, tmp_path):
    memory = tmp_path / "transformer.nvm"
    for words in (
        ("init",),
        ("tariff", "set", "0.25"),
        ("meter", "enrol", "C00001", "--kind", "ct"),
        ("meter", "make", "C00001", "--out", str(memory)),
    ):
        assert programs.run(*words).code == 0
    homes = Homes(Clock(), tick_s=1)
    homes.add(memory, home_load(0))
    assert (homes.faces(), homes.places()) == ([], [(CT, 0)])
    homes.close()
