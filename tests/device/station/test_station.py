"""The local station: one meter at a time, money first, answers by the round, and what meters say by themselves kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.attention import Attention
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.hop import (
    Answers,
    Health,
    Kept,
    KeptAck,
    Members,
    Plan,
    Refused,
    RefusedReason,
    Round,
    build_hop,
    parse_hop,
)
from prewatt.device.spool import MemorySpool
from prewatt.device.station import (
    FromAbove,
    LineHeard,
    LineHeld,
    LineSend,
    LocalStation,
    Tick,
    Uplink,
    UplinkUp,
    WakeAtLine,
)
from prewatt.device.station.calling import HELD_LONGEST_MS
from prewatt.units import Address, MeterId

HERE = Address(1, 2)
ONE, TWO, THREE = (MeterId(bytes((0, 0, n))) for n in (1, 2, 3))
M_IDS = {ONE: 10, TWO: 20, THREE: 30}
MEMBERS = Members(HERE, 77, tuple(M_IDS.items()))
HELLO, COMMAND, ACK, PROOF, RESULT = b"\x10", b"\x12", b"\x16", b"\x11", b"\x13"
REPORT, ALARM, WISH = b"\x14", b"\x15", b"\x17"


class Pole:
    """A station with three members, its uplink up."""

    def __init__(self, spool: MemorySpool | None = None, **plan: int) -> None:
        self.spool = MemorySpool(b"spool id") if spool is None else spool
        self.now = 0
        self.number = 0
        self.station = LocalStation(self.spool, HERE, self.now)
        self.wake_ms = None
        self.step(UplinkUp(True))
        self.hear(MEMBERS)
        if plan:
            self.hear(Plan(HERE, 5, **plan))

    def step(self, event):
        effects = self.station.step(event, self.now)
        wakes = [effect.line_ms for effect in effects if isinstance(effect, WakeAtLine)]
        self.wake_ms = wakes[-1] if wakes else None
        self.urgent = [effect.urgent for effect in effects if isinstance(effect, LineSend)]
        self.sent = [Frame.parse(effect.data) for effect in effects if isinstance(effect, LineSend)]
        self.up = [parse_hop(effect.data) for effect in effects if isinstance(effect, Uplink)]
        return [(frame.meter_id, frame.payload) for frame in self.sent]

    def hear(self, message):
        return self.step(FromAbove(build_hop(message)))

    def round(self, *items, urgent: bool = False, number: int | None = None):
        self.number = self.number + 1 if number is None else number
        return self.hear(Round(HERE, self.number, urgent, items))

    def says(self, meter, payload, flags=FrameFlags.UP, m_id=None):
        m_id = M_IDS[meter] if m_id is None else m_id
        return self.step(LineHeard(Frame(m_id, flags, 0, meter, payload).build()))

    def wait(self, ms: int):
        """Time passes; the station is woken when it wants to be."""
        until, sent, up, frames = self.now + ms, [], [], []
        while self.wake_ms is not None and self.wake_ms <= until:
            self.now = self.wake_ms
            sent += self.step(Tick())
            up += self.up
            frames += self.sent
        self.now = until
        sent += self.step(Tick())
        self.up, self.sent = up + self.up, frames + self.sent
        return sent

    def told(self, kind):
        return [message for message in self.up if isinstance(message, kind)]


@pytest.fixture
def pole() -> Pole:
    return Pole()


# Rounds.


def test_a_round_asks_one_meter_after_the_other_and_answers_go_up_together(pole: Pole) -> None:
    assert pole.round((ONE, HELLO), (TWO, HELLO)) == [(ONE, HELLO)]
    assert (pole.sent[0].m_id, pole.sent[0].flags) == (10, FrameFlags.NONE)
    assert pole.says(ONE, PROOF + b"1") == [(TWO, HELLO)]
    assert not pole.told(Answers)
    pole.says(TWO, PROOF + b"2")
    assert pole.up == [Answers(HERE, 1, True, ((ONE, PROOF + b"1"), (TWO, PROOF + b"2")))]


def test_a_silent_meter_holds_the_rest_up_no_longer_than_its_time_and_the_round_ends_without_it(pole: Pole) -> None:
    pole.round((ONE, HELLO), (TWO, HELLO))
    assert pole.wait(1_499) == []
    assert pole.wait(1) == [(TWO, HELLO)]
    pole.says(TWO, PROOF)
    assert pole.up == [Answers(HERE, 1, True, ((TWO, PROOF),))]


def test_a_round_of_silent_meters_ends_too(pole: Pole) -> None:
    pole.round((ONE, HELLO))
    pole.wait(1_500)
    assert pole.told(Answers) == [Answers(HERE, 1, True, ())]


@pytest.mark.parametrize(("urgent", "hold_ms"), [(False, 200), (True, 50)])
def test_first_answers_do_not_wait_for_a_silent_meter_longer_than_the_hold(urgent: bool, hold_ms: int) -> None:
    pole = Pole()
    pole.round((ONE, HELLO), (TWO, HELLO), urgent=urgent)
    pole.says(ONE, PROOF)
    pole.wait(hold_ms - 1)
    assert not pole.told(Answers)
    pole.wait(1)
    assert pole.told(Answers) == [Answers(HERE, 1, False, ((ONE, PROOF),))]


def test_money_overtakes_polling_at_the_next_frame_boundary(pole: Pole) -> None:
    pole.round((ONE, HELLO), (TWO, HELLO))
    assert pole.round((THREE, COMMAND), urgent=True) == []
    assert pole.says(ONE, PROOF) == [(THREE, COMMAND)]
    assert pole.urgent == [True]
    assert pole.says(THREE, RESULT) == [(TWO, HELLO)]


def test_an_alarms_acknowledgement_waits_for_nobody_and_nobody_for_it(pole: Pole) -> None:
    assert pole.round((THREE, ACK), (ONE, HELLO)) == [(THREE, ACK), (ONE, HELLO)]


def test_a_newer_rounds_message_takes_the_place_of_one_that_waits(pole: Pole) -> None:
    pole.round((ONE, HELLO))
    pole.round((TWO, HELLO + b"old"))
    pole.round((TWO, HELLO + b"new"))
    assert pole.told(Answers) == [Answers(HERE, 2, True, ())]
    assert pole.says(ONE, PROOF) == [(TWO, HELLO + b"new")]
    assert pole.says(TWO, PROOF) == []


def test_a_stale_hello_never_takes_the_place_of_a_command(pole: Pole) -> None:
    pole.round((ONE, HELLO))
    pole.round((TWO, COMMAND), number=9)
    pole.round((TWO, HELLO), number=8)
    assert pole.says(ONE, PROOF) == [(TWO, COMMAND)]


def test_round_numbers_may_run_round(pole: Pole) -> None:
    pole.round((ONE, HELLO))
    pole.round((TWO, HELLO + b"old"), number=2**32 - 1)
    pole.round((TWO, HELLO + b"new"), number=1)
    assert pole.says(ONE, PROOF) == [(TWO, HELLO + b"new")]


def test_an_acknowledgement_and_a_sessions_message_wait_side_by_side(pole: Pole) -> None:
    pole.round((ONE, HELLO))
    pole.round((TWO, COMMAND))
    pole.round((TWO, ACK))
    assert pole.says(ONE, PROOF) == [(TWO, COMMAND)]
    assert pole.says(TWO, RESULT) == [(TWO, ACK)]


def test_a_copy_of_a_round_changes_nothing(pole: Pole) -> None:
    data = build_hop(Round(HERE, 1, False, ((ONE, HELLO),)))
    assert pole.step(FromAbove(data)) == [(ONE, HELLO)]
    pole.says(ONE, PROOF)
    assert pole.step(FromAbove(data)) == []


def test_a_message_that_waited_too_long_is_not_sent(pole: Pole) -> None:
    pole.hear(Plan(HERE, 1, answer_within_ms=5_000, item_life_ms=2_000))
    pole.round((ONE, HELLO), (TWO, HELLO), (THREE, HELLO))
    assert pole.wait(5_000) == []
    assert pole.told(Answers)[-1] == Answers(HERE, 1, True, ())


def test_meters_that_are_not_below_the_station_are_told_and_the_others_are_called(pole: Pole) -> None:
    stranger = MeterId(b"\0\0\x09")
    assert pole.round((stranger, HELLO), (ONE, HELLO)) == [(ONE, HELLO)]
    (refused,) = pole.told(Refused)
    assert (refused.kind, refused.reason) == (1, RefusedReason.NOT_MEMBER)
    assert "000009" in refused.detail
    pole.round((stranger, HELLO))
    assert pole.told(Answers) == [Answers(HERE, 2, True, ())]


def test_an_answer_that_comes_after_its_time_goes_up_under_no_round(pole: Pole) -> None:
    pole.round((ONE, HELLO))
    pole.wait(1_500)
    pole.says(ONE, PROOF)
    pole.wait(50)
    assert pole.told(Answers) == [Answers(HERE, 0, False, ((ONE, PROOF),))]


def test_an_alarm_does_not_end_the_waiting_for_an_answer(pole: Pole) -> None:
    pole.round((ONE, HELLO), (TWO, HELLO))
    assert pole.says(ONE, ALARM) == []
    assert pole.says(ONE, PROOF) == [(TWO, HELLO)]


@settings(max_examples=100, deadline=None)
@given(
    silent=st.sets(st.integers(0, 11)),
    urgent=st.sets(st.integers(0, 11), max_size=3),
    answer_ms=st.integers(1, 400),
)
def test_silent_meters_delay_the_others_by_their_time_each_and_no_more(silent, urgent, answer_ms) -> None:
    pole = Pole()
    meters = [MeterId(bytes((1, 0, n))) for n in range(12)]
    pole.hear(Members(HERE, 78, tuple((meter, n) for n, meter in enumerate(meters))))
    M_IDS.update({meter: n for n, meter in enumerate(meters)})
    ordinary = [meter for n, meter in enumerate(meters) if n not in urgent]
    calls = [*pole.round(*((meter, HELLO) for meter in ordinary))]
    calls += pole.round(*((meters[n], COMMAND) for n in urgent), urgent=True)
    asked, begun, waited = [], pole.now, 0
    while calls:
        assert len(calls) == 1, "one meter at a time"
        meter = calls[0][0]
        asked.append(meter)
        if meters.index(meter) in silent:
            calls = pole.wait(1_500)
            waited += 1_500
        else:
            calls = pole.wait(answer_ms)
            waited += answer_ms
            assert calls == []
            calls = pole.says(meter, PROOF)
    assert sorted(asked) == sorted(meters)
    assert pole.now - begun == waited
    first = {asked[0]} if ordinary else set()
    assert set(asked[: len(first) + len(urgent)]) == first | {meters[n] for n in urgent}


# Attention windows.


def attention(pole: Pole) -> list[Attention]:
    return [Attention.parse(frame.payload) for frame in pole.sent if frame.meter_id == b"\xff\xff\xff"]


def test_after_each_call_and_from_time_to_time_meters_may_speak_first() -> None:
    pole = Pole(slots=4, slot_ms=25)
    pole.round((ONE, HELLO), (TWO, HELLO))
    pole.says(ONE, PROOF)
    assert attention(pole) == [Attention(4, 25)]
    assert pole.wait(99) == []
    assert pole.wait(1) == [(TWO, HELLO)]
    pole.wait(1_500)
    assert attention(pole) == [Attention(4, 25)]
    pole.wait(9_999)
    assert attention(pole) == []
    pole.wait(1)
    assert attention(pole) == [Attention(4, 25)]


def test_without_slots_nobody_is_invited(pole: Pole) -> None:
    pole.round((ONE, HELLO))
    pole.says(ONE, PROOF)
    assert pole.wait(100_000) == []


def test_money_takes_the_line_from_a_window() -> None:
    pole = Pole(slots=4, slot_ms=25)
    pole.round((ONE, HELLO))
    pole.says(ONE, PROOF)
    assert attention(pole)
    assert pole.round((TWO, HELLO)) == []
    assert pole.round((THREE, COMMAND), urgent=True) == [(THREE, COMMAND)]


def test_while_a_meter_is_speaking_nothing_begins_and_nobodys_time_runs(pole: Pole) -> None:
    pole.round((ONE, HELLO), (TWO, HELLO))
    pole.now += 1_000
    pole.step(LineHeld(True))
    assert pole.wait(60_000) == []
    pole.step(LineHeld(False))
    assert pole.wait(499) == []
    assert pole.wait(1) == [(TWO, HELLO)]


def test_a_modem_that_has_lost_count_does_not_stop_the_station(pole: Pole) -> None:
    pole.step(LineHeld(True))
    assert pole.round((ONE, HELLO)) == []
    assert pole.wait(HELD_LONGEST_MS - 1) == []
    assert pole.wait(1) == []
    assert pole.told(Answers) == [Answers(HERE, 1, True, ())]
    assert pole.round((ONE, HELLO + b"2")) == [(ONE, HELLO + b"2")]


# What meters say by themselves.


def test_what_a_meter_says_by_itself_is_durable_before_it_goes_up_and_stays_until_acknowledged(pole: Pole) -> None:
    pole.says(ONE, REPORT + b"1")
    assert pole.spool.read(1, 9) == ((ONE, REPORT + b"1"),)
    assert pole.up == [Kept(HERE, b"spool id", 1, 1, ((ONE, REPORT + b"1"),))]
    pole.says(TWO, ALARM + b"2")
    pole.says(ONE, WISH + b"3")
    assert not pole.told(Kept)
    pole.hear(KeptAck(HERE, b"spool id", 1))
    assert pole.up == [Kept(HERE, b"spool id", 2, 2, ((TWO, ALARM + b"2"), (ONE, WISH + b"3")))]
    pole.hear(KeptAck(HERE, b"spool id", 3))
    assert pole.spool.first == pole.spool.next == 4
    assert not pole.told(Kept)


def test_what_is_not_acknowledged_goes_up_again_after_a_growing_wait(pole: Pole) -> None:
    pole.says(ONE, REPORT)
    for wait_ms in (5_000, 10_000, 20_000):
        pole.wait(wait_ms - 1)
        assert not pole.told(Kept)
        pole.wait(1)
        assert len(pole.told(Kept)) == 1


def test_the_same_words_are_kept_once_while_they_wait_and_again_afterwards(pole: Pole) -> None:
    for _ in range(3):
        pole.says(ONE, ALARM)
    assert pole.spool.next == 2
    pole.hear(KeptAck(HERE, b"spool id", 1))
    pole.says(ONE, ALARM)
    assert pole.spool.next == 3


def test_a_week_without_uplink_and_a_power_cut_lose_nothing() -> None:
    pole = Pole()
    pole.step(UplinkUp(False))
    for day in range(7):
        for meter in (ONE, TWO, THREE):
            pole.says(meter, REPORT + bytes((day,)) * 2_000)
        pole.says(ONE, ALARM)
        assert not pole.up
        pole.wait(86_400_000)
    back = Pole.__new__(Pole)
    back.spool, back.now, back.number, back.wake_ms = pole.spool, 0, 0, None
    back.station = LocalStation(pole.spool, HERE, 0)
    assert back.station.members == M_IDS or set(back.station.members) == {ONE, TWO, THREE}
    booked = []
    back.step(UplinkUp(True))
    assert back.told(Health)[0].boots == 2
    assert back.told(Health)[0].waiting == 22
    while back.told(Kept):
        (kept,) = back.told(Kept)
        booked += kept.items
        back.hear(KeptAck(HERE, b"spool id", kept.first + len(kept.items) - 1))
    reports = [(meter, REPORT + bytes((day,)) * 2_000) for day in range(7) for meter in (ONE, TWO, THREE)]
    assert booked == [*reports[:3], (ONE, ALARM), *reports[3:]]


def test_frames_that_are_no_members_or_no_frames_are_dropped_and_strangers_are_counted(pole: Pole) -> None:
    stranger = MeterId(b"\0\0\x09")
    pole.says(stranger, ALARM, m_id=10)
    pole.says(ONE, ALARM, m_id=20)
    pole.says(ONE, ALARM, flags=FrameFlags.NONE)
    pole.says(ONE, ALARM, flags=FrameFlags.UP | FrameFlags.MORE)
    pole.says(ONE, b"")
    pole.says(ONE, HELLO)
    pole.step(LineHeard(b"\x7e noise"))
    pole.step(LineHeard(b""))
    assert pole.spool.next == 1
    pole.wait(60_000)
    assert pole.told(Health)[-1].foreign == 2


# From above.


def test_health_tells_versions_boots_silent_meters_and_counts(pole: Pole) -> None:
    pole.hear(Plan(HERE, 9, health_ms=5_000))
    assert pole.up == [Health(HERE, 1, 77, 9, 0, 0, 0, 0, ())]
    pole.round((ONE, HELLO), (TWO, HELLO))
    pole.wait(3_000)
    pole.says(TWO, ALARM)
    pole.wait(2_000)
    assert pole.told(Health) == [Health(HERE, 1, 77, 9, 1, 0, 0, 0, (ONE,))]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (((ONE, 1), (ONE, 2)), RefusedReason.METER_TWICE),
        (((ONE, 1), (TWO, 1)), RefusedReason.M_ID_TWICE),
        (((MeterId(b"\0\0\0"), 1),), RefusedReason.RESERVED_ID),
        (((ONE, 1), (MeterId(b"\xff\xff\xff"), 2)), RefusedReason.RESERVED_ID),
        (tuple((MeterId((n + 1).to_bytes(3, "big")), n % 256) for n in range(257)), RefusedReason.TOO_MANY),
    ],
)
def test_members_that_cannot_be_are_refused_whole(pole: Pole, members, reason: RefusedReason) -> None:
    pole.hear(Members(HERE, 5, members))
    (refused,) = pole.told(Refused)
    assert (refused.kind, refused.reason) == (2, reason)
    assert pole.station.members == {ONE: 10, TWO: 20, THREE: 30}
    pole.step(UplinkUp(True))
    assert pole.told(Health)[0].members_version == 77


def test_256_members_are_taken(pole: Pole) -> None:
    pole.hear(Members(HERE, 5, tuple((MeterId((n + 1).to_bytes(3, "big")), n) for n in range(256))))
    assert len(pole.station.members) == 256
    assert pole.told(Health)[0].members_version == 5


def test_what_waits_for_a_meter_that_left_is_dropped_and_what_it_had_said_still_goes_up(pole: Pole) -> None:
    pole.round((ONE, HELLO), (TWO, HELLO), (THREE, HELLO))
    pole.says(TWO, REPORT)
    assert pole.hear(Members(HERE, 5, ((TWO, 20), (THREE, 30)))) == [(TWO, HELLO)]
    assert pole.hear(Members(HERE, 6, ((THREE, 30),))) == [(THREE, HELLO)]
    pole.says(THREE, PROOF)
    assert pole.told(Answers) == [Answers(HERE, 1, True, ((THREE, PROOF),))]
    pole.wait(5_000)
    assert pole.told(Kept) == [Kept(HERE, b"spool id", 1, 1, ((TWO, REPORT),))]
    pole.says(TWO, REPORT + b"x")
    assert pole.spool.next == 2


def test_nothing_is_sent_to_a_meter_that_left_while_its_message_waited(pole: Pole) -> None:
    pole.round((ONE, HELLO), (TWO, HELLO), (THREE, HELLO))
    assert pole.hear(Members(HERE, 5, ((ONE, 10), (THREE, 30)))) == []
    assert pole.says(ONE, PROOF) == [(THREE, HELLO)]
    pole.says(THREE, PROOF)
    assert pole.told(Answers) == [Answers(HERE, 1, True, ((ONE, PROOF), (THREE, PROOF)))]


def test_a_plan_that_cannot_be_is_refused(pole: Pole) -> None:
    for wrong in (
        {"answer_within_ms": 99},
        {"kept_retry_ms": 86_400_001},
        {"slots": 256, "slot_ms": 5},
        {"slots": 1, "slot_ms": 0},
        {"slot_ms": 65_536},
        {"health_ms": 0},
        {"hold_answers_ms": 86_400_001},
    ):
        pole.hear(Plan(HERE, 5, **wrong))
        (refused,) = pole.told(Refused)
        assert (refused.kind, refused.reason) == (4, RefusedReason.OUT_OF_RANGE)
        assert next(iter(wrong)) in refused.detail or "slot_ms" in refused.detail
    assert pole.station.plan == Plan(HERE, 0)
    for right in ({"answer_within_ms": 100}, {"kept_retry_ms": 86_400_000}, {"slots": 255, "slot_ms": 65_535}):
        pole.hear(Plan(HERE, 6, **right))
        assert not pole.told(Refused)


def test_foreign_unreadable_and_wrong_way_messages_are_refused_with_the_reason(pole: Pole) -> None:
    for data, reason in (
        (build_hop(Round(Address(1, 3), 1, False, ((ONE, HELLO),))), RefusedReason.FOREIGN),
        (build_hop(KeptAck(Address(2, 2), b"spool id", 1)), RefusedReason.FOREIGN),
        (build_hop(Answers(HERE, 1, True, ())), RefusedReason.DIRECTION),
        (b"", RefusedReason.UNREADABLE),
        (b"\x01\x01\x01\x02\x00", RefusedReason.UNREADABLE),
    ):
        assert pole.step(FromAbove(data)) == []
        assert [refused.reason for refused in pole.told(Refused)] == [reason]


def test_members_and_plan_are_known_after_a_power_cut(pole: Pole) -> None:
    pole.hear(Plan(HERE, 9, slots=3, slot_ms=10))
    station = LocalStation(pole.spool, HERE, 0)
    assert station.members == pole.station.members
    assert station.plan == pole.station.plan
    assert station.knows(ONE, 10)
    assert not station.knows(ONE, 11)


def test_a_station_that_stands_elsewhere_now_has_none_of_its_old_members(pole: Pole) -> None:
    pole.hear(Plan(HERE, 9, slots=3, slot_ms=10))
    station = LocalStation(pole.spool, Address(1, 3), 0)
    assert station.members == {}
    assert station.plan == Plan(Address(1, 3), 0)


def test_a_note_that_cannot_be_read_is_as_if_there_were_none(pole: Pole) -> None:
    pole.spool.write_note("members", b"\x02 of another version")
    pole.spool.write_note("plan", build_hop(MEMBERS))
    station = LocalStation(pole.spool, HERE, 0)
    assert station.members == {}
    assert station.plan == Plan(HERE, 0)


def test_without_an_uplink_nothing_goes_up_and_hellos_are_dropped_while_commands_go_on(pole: Pole) -> None:
    pole.round((ONE, HELLO), (TWO, COMMAND), (THREE, HELLO))
    assert pole.step(UplinkUp(False)) == []
    assert pole.says(ONE, PROOF) == [(TWO, COMMAND)]
    assert pole.says(TWO, RESULT) == []
    assert not pole.up
    pole.now += 1_000
    pole.step(UplinkUp(True))
    assert pole.told(Answers) == [Answers(HERE, 1, True, ((ONE, PROOF), (TWO, RESULT)))]


def test_answers_older_than_any_session_are_not_sent_after_a_long_silence(pole: Pole) -> None:
    pole.round((ONE, HELLO))
    pole.step(UplinkUp(False))
    pole.says(ONE, PROOF)
    pole.now += 600_000
    pole.step(UplinkUp(True))
    assert pole.told(Answers) == [Answers(HERE, 1, True, ())]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60).map(LineHeard),
            st.binary(max_size=60).map(FromAbove),
            st.sampled_from([1, 2, 3, 4, 0x81, 0x82]).flatmap(
                lambda kind: st.binary(max_size=60).map(lambda rest: FromAbove(bytes((1, kind, 1, 2)) + rest))
            ),
            st.sampled_from([UplinkUp(True), UplinkUp(False), LineHeld(True), LineHeld(False), Tick()]),
        ),
        max_size=30,
    )
)
def test_noise_never_breaks_a_station(events) -> None:
    pole = Pole()
    for event in events:
        pole.now += 100
        pole.step(event)
    pole.step(LineHeld(False))
    pole.step(UplinkUp(True))
    pole.hear(MEMBERS)
    pole.hear(Plan(HERE, 3))
    assert (ONE, HELLO + b"last") in [*pole.round((ONE, HELLO + b"last"), number=2**31 - 9), *pole.wait(200_000)]
