"""The local station relays rounds, asks one meter at a time, and lets nobody foreign in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.batch import BatchKind, build_batch, parse_batch
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.device.station.local import (
    ANSWER_WITHIN_MS,
    HOLD_ANSWERS_MS,
    LineHeard,
    LineSend,
    LocalStation,
    MemberError,
    RoundArrived,
    Tick,
    Uplink,
    WakeAtLine,
)
from prewatt.units import MeterId

ONE, TWO, THREE = (MeterId(bytes((0, 0, n))) for n in (1, 2, 3))


@pytest.fixture
def station() -> LocalStation:
    station = LocalStation()
    for meter, m_id in ((ONE, 10), (TWO, 20), (THREE, 30)):
        station.join(meter, m_id)
    return station


def round_of(*items: tuple[MeterId, bytes]) -> RoundArrived:
    return RoundArrived(build_batch(BatchKind.TO_METERS, items))


def answer(meter: MeterId, m_id: int, payload: bytes, flags: FrameFlags = FrameFlags.UP) -> LineHeard:
    return LineHeard(Frame(m_id, flags, 0, meter, payload).build())


def sent(effects: list) -> list[tuple[int, bytes, bytes]]:
    frames = [Frame.parse(effect.data) for effect in effects if isinstance(effect, LineSend)]
    return [(frame.m_id, frame.meter_id, frame.payload) for frame in frames]


def uplinked(effects: list) -> list[tuple[bytes, bytes]]:
    return [
        item
        for effect in effects
        if isinstance(effect, Uplink)
        for item in parse_batch(effect.data, BatchKind.FROM_METERS)
    ]


def test_a_round_asks_one_meter_after_the_other_and_answers_go_up_together(station: LocalStation) -> None:
    effects = station.step(round_of((ONE, b"\x10a"), (TWO, b"\x10b")), 0)
    assert sent(effects) == [(10, ONE, b"\x10a")]
    effects = station.step(answer(ONE, 10, b"\x11A"), 50)
    assert sent(effects) == [(20, TWO, b"\x10b")]
    assert not uplinked(effects)
    effects = station.step(answer(TWO, 20, b"\x11B"), 90)
    assert uplinked(effects) == [(ONE, b"\x11A"), (TWO, b"\x11B")]


def test_a_silent_meter_holds_the_rest_up_no_longer_than_its_time(station: LocalStation) -> None:
    station.step(round_of((ONE, b"\x10a"), (TWO, b"\x10b")), 0)
    assert sent(station.step(Tick(), ANSWER_WITHIN_MS - 1)) == []
    assert sent(station.step(Tick(), ANSWER_WITHIN_MS)) == [(20, TWO, b"\x10b")]


def test_answers_do_not_wait_for_a_silent_meter_longer_than_the_hold(station: LocalStation) -> None:
    station.step(round_of((ONE, b"\x10a"), (TWO, b"\x10b")), 0)
    effects = station.step(answer(ONE, 10, b"\x11A"), 50)
    assert WakeAtLine(50 + HOLD_ANSWERS_MS) in effects
    assert uplinked(station.step(Tick(), 50 + HOLD_ANSWERS_MS)) == [(ONE, b"\x11A")]


def test_what_a_meter_says_by_itself_goes_up_at_once_and_an_alarm_ack_waits_for_nobody(station: LocalStation) -> None:
    assert uplinked(station.step(answer(THREE, 30, b"\x15alarm"), 5)) == [(THREE, b"\x15alarm")]
    effects = station.step(round_of((THREE, b"\x16ack"), (ONE, b"\x10a")), 6)
    assert sent(effects) == [(30, THREE, b"\x16ack"), (10, ONE, b"\x10a")]


@pytest.mark.parametrize(
    "heard",
    [
        answer(MeterId(b"\0\0\x09"), 10, b"\x11x"),
        answer(ONE, 20, b"\x11x"),
        answer(ONE, 10, b"\x10x", FrameFlags.NONE),
        answer(ONE, 10, b""),
        LineHeard(b"\x7e noise"),
        LineHeard(b""),
    ],
)
def test_foreign_reflected_and_broken_frames_are_dropped(station: LocalStation, heard: LineHeard) -> None:
    assert station.step(heard, 0) == []


def test_messages_for_meters_that_are_not_here_are_dropped_and_broken_rounds_change_nothing(
    station: LocalStation,
) -> None:
    assert station.step(round_of((MeterId(b"\0\0\x09"), b"\x10")), 0) == []
    assert station.step(RoundArrived(b"\x01\x00"), 0) == []
    assert station.step(RoundArrived(build_batch(BatchKind.FROM_METERS, [(ONE, b"x")])), 0) == []


def test_members_are_checked() -> None:
    station = LocalStation()
    station.join(ONE, 0)
    for meter, m_id, why in ((TWO, 0, "taken by meter 000001"), (ONE, 1, "here already"), (TWO, 256, "0 to 255")):
        with pytest.raises(MemberError, match=why):
            station.join(meter, m_id)
    with pytest.raises(MemberError, match="not below"):
        station.leave(TWO)
    station.leave(ONE)
    assert station.members == {}
    for m_id in range(256):
        station.join(MeterId((m_id + 1).to_bytes(3, "big")), m_id)
    assert len(station.members) == 256


def test_what_waits_for_a_meter_that_left_is_dropped(station: LocalStation) -> None:
    station.step(round_of((ONE, b"\x10a"), (TWO, b"\x10b"), (THREE, b"\x10c")), 0)
    station.leave(TWO)
    assert sent(station.step(answer(ONE, 10, b"\x11A"), 5)) == [(30, THREE, b"\x10c")]


@given(
    st.lists(st.one_of(st.binary(max_size=40).map(LineHeard), st.binary(max_size=40).map(RoundArrived)), max_size=20)
)
@settings(max_examples=100, deadline=None)
def test_noise_never_breaks_a_station(events: list) -> None:
    station = LocalStation()
    station.join(ONE, 10)
    for now, event in enumerate(events):
        station.step(event, now)
    effects = station.step(round_of((ONE, b"\x10a")), 10_000)
    assert sent(effects)[-1] == (10, ONE, b"\x10a")
