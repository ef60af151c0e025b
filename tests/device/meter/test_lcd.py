"""The display and the modem: fixed lines whatever is to be said, and deaf to whatever is for others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.bodies import Text
from prewatt.codec.commands import Code
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.settings import Settings
from prewatt.device.meter import KeyPress, Sense
from prewatt.device.meter.lcd import PAGES
from prewatt.device.meter.modem import Modem

UNIT = 1_000_000


def turn_pages(rig):
    pages = []
    for _ in PAGES:
        pages.append(rig.meter.view().lcd)
        rig.step(KeyPress("C"))
    assert rig.meter.view().lcd == pages[0]
    return pages


@pytest.mark.parametrize(("wide", "rows", "width"), [(1, 4, 20), (0, 2, 16)])
def test_every_page_has_fixed_lines_and_says_its_figure_in_the_first_two(make_rig, wide, rows, width):
    rig = make_rig(settings=Settings(lcd_wide=wide))
    rig.store(123 * UNIT)
    rig.command(Code.TEXT, Text("Power will be off\n on Sunday from 9 to 12 in your street").build())
    rig.live(90, 50)
    rig.step(Sense(load_voltage=False, shunt_current=True, neutral_excess=True))
    pages = turn_pages(rig)
    for page in pages:
        assert [len(line) for line in page] == [width] * rows
        assert all(line.isprintable() for line in page)
    first = [" ".join(line.strip() for line in page[:2]) for page in pages]
    assert first[0].startswith("Balance 122.9")
    assert first[1] == "Last transfer 123.00"
    assert first[2] == "Power 300 W" or first[2] == "Power 0 W"
    assert first[3] == "Energy in all 0.4500 kWh"
    assert first[4] == "Energy this month 0.4500 kWh"[: width + 11] or "0.4500 kWh" in first[4]
    assert first[5] == "Price now 0.1500/kWh"
    assert first[6].startswith("Alarms 1")
    assert first[7].startswith("Message Power will be of")
    assert first[8].startswith("Clock 000001 26")


def test_the_display_never_shows_more_than_there_is(make_rig):
    rig = make_rig()
    rig.store(1_999_999)
    assert "1.99" in rig.meter.view().lcd[1]


@pytest.mark.parametrize(("wide", "line"), [(1, 3), (0, 0)])
def test_what_came_of_the_keys_stands_on_every_page_until_the_next_key(make_rig, wide, line):
    rig = make_rig(settings=Settings(lcd_wide=wide))
    for key in "12D":
        rig.step(KeyPress(key))
    assert rig.meter.view().lcd[line].strip() == "message 12 sent"
    rig.step(KeyPress("C"))
    assert "message 12 sent" not in "".join(rig.meter.view().lcd)
    for key in "B" + "1" * 20:
        rig.step(KeyPress(key))
    assert rig.meter.view().lcd[line].strip().startswith("code ")


def test_a_page_is_found_by_its_number(make_rig):
    rig = make_rig()
    for key in "6#":
        rig.step(KeyPress(key))
    assert rig.meter.view().lcd[0].strip() == "Price now"
    rig.power_up()
    assert rig.meter.view().lcd[0].strip() == "Balance"


@settings(max_examples=200, deadline=None)
@given(
    m_id=st.sampled_from([0, 4, 5, 255]),
    meter_id=st.sampled_from([b"\0\0\1", b"\0\0\2", b"\1\0\1"]),
    flags=st.sampled_from(list(FrameFlags)) | st.just(FrameFlags.NONE),
    payload=st.binary(max_size=40),
)
def test_only_frames_with_both_ids_going_down_are_heard(m_id, meter_id, flags, payload):
    modem = Modem(b"\0\0\1", 5)
    heard = modem.receive(Frame(m_id, flags, 3, meter_id, payload).build())
    ours = m_id == 5 and meter_id == b"\0\0\1" and flags == FrameFlags.NONE
    assert heard == (payload if ours else None)
    assert modem.dropped == (not ours)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_noise_is_no_frame(data):
    assert Modem(b"\0\0\1", 5).receive(data) is None


def test_a_sent_frame_is_marked_as_going_up():
    frame = Frame.parse(Modem(b"\0\0\1", 5).send(b"abc"))
    assert (frame.m_id, frame.meter_id, frame.flags, frame.payload) == (5, b"\0\0\1", FrameFlags.UP, b"abc")
