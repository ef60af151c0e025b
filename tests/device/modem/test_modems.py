"""The modems of a station and of its meters: one speaks at a time, and whoever was silent is soon known to be."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.device.modem.conftest import ALARM, FAST, HELLO, REPORT, RESULT, SLOW, WISH, Street, meter_id

from prewatt.codec.attention import Attention
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.messages import PAYLOAD_BYTES_MAX
from prewatt.device.modem import Deliver, Heard, MasterModem, Outgoing, SlaveModem, Tick, Transmit, WakeAtLine
from prewatt.device.modem.master import OUTGOING_MAX
from prewatt.device.modem.slave import ANSWERS_MAX, HELD_MAX
from prewatt.protocol.arq import CALL_TRIES, LineMessage
from prewatt.units import MeterId

EXAMPLES = settings(max_examples=40, deadline=None)
sizes = st.integers(1, 2_600) | st.sampled_from([1, 2_600])


def message(kind, size=40):
    return bytes((kind,)) + bytes(number & 0xFF for number in range(size - 1))


@EXAMPLES
@given(sizes, sizes, st.integers(0, 9), st.sampled_from([SLOW, FAST]))
def test_a_call_and_its_answer_go_through_whole_and_nobody_ever_speaks_into_another(down, up, m_id, profile):
    street = Street(10, profile)
    street.answers[m_id] = message(RESULT, up)
    street.call(m_id, message(HELLO, down))
    street.run()
    assert street.heard_down == [message(HELLO, down)]
    assert street.heard_up == [message(RESULT, up)]
    assert street.overlaps() == []
    for one, other in zip(street.air, street.air[1:], strict=False):
        assert other[0] >= one[1] + street.timing.turnaround_ms
    # Nothing is left to do, and nothing was sent twice.
    assert street.line.next_ms is None
    assert len(street.air) == 2 * (street.timing.fragments(down) + street.timing.fragments(up))


@pytest.mark.parametrize("kind", [REPORT, ALARM, WISH])
def test_what_a_meter_says_by_itself_waits_until_it_is_invited(kind):
    street = Street(3)
    street.say(1, message(kind, 300))
    street.run()
    assert street.air == []
    assert street.modems[1].held == 1
    street.invite()
    street.run()
    assert street.heard_up == [message(kind, 300)]
    assert street.modems[1].held == 0
    assert street.overlaps() == []
    street.invite()
    street.run()
    assert len(street.up) == 1


def test_an_answer_goes_ahead_of_what_is_held():
    street = Street(1)
    street.say(0, message(ALARM))
    street.answers[0] = message(RESULT)
    street.call(0, message(HELLO))
    street.run()
    street.invite()
    street.run()
    assert street.heard_up == [message(RESULT), message(ALARM)]


def test_an_alarm_that_repeats_itself_waits_once_and_a_newer_message_pushes_the_oldest_out():
    street = Street(1)
    for _ in range(3):
        street.say(0, message(ALARM))
    street.run()
    assert street.modems[0].held == 1
    for number in range(HELD_MAX):
        street.say(0, bytes((REPORT, number)))
    street.run()
    assert street.modems[0].held == HELD_MAX
    for _ in range(HELD_MAX):
        street.invite()
        street.run()
    assert street.heard_up == [bytes((REPORT, number)) for number in range(HELD_MAX)]


def test_two_meters_in_one_mini_slot_collide_back_off_and_are_both_heard():
    street = Street(2, seed=3)
    for m_id in (0, 1):
        street.say(m_id, bytes((ALARM, m_id)))
    street.run()
    street.invite(slots=1)
    street.run()
    assert street.up == []
    assert [street.modems[m_id].counts.unheard for m_id in (0, 1)] == [1, 1]
    for _ in range(30):
        street.invite(slots=1)
        street.run()
    assert sorted(street.heard_up) == [bytes((ALARM, m_id)) for m_id in (0, 1)]


@pytest.mark.parametrize("seed", range(3))
def test_after_a_power_cut_of_the_whole_street_every_alarm_is_heard_within_four_invitations_a_meter(seed):
    street = Street(60, seed=seed)
    for m_id in range(60):
        street.say(m_id, bytes((ALARM, m_id)))
    street.run()
    invitations = 0
    while len(street.up) < 60 and invitations < 240:
        street.invite(slots=8)
        street.run()
        invitations += 1
    assert sorted(street.heard_up) == [bytes((ALARM, m_id)) for m_id in range(60)]


def test_a_frame_waits_until_the_window_is_over_and_an_urgent_one_takes_the_line():
    began_ms = {}
    for urgent in (False, True):
        street = Street(1)
        street.invite(slots=50)
        street.call(0, message(HELLO), urgent=urgent, at_ms=street.timing.air_ms(15) + 10)
        street.run()
        window_ms = street.air[0][1]
        began_ms[urgent] = street.air[1][0] - window_ms
        assert street.heard_down == [message(HELLO)]
    assert began_ms[True] <= street.timing.slot_ms
    assert began_ms[False] >= 50 * street.timing.slot_ms


def test_the_most_urgent_frame_waits_for_a_meter_that_has_begun():
    street = Street(2)
    street.say(0, message(REPORT, 2_000))
    street.run()
    street.invite()
    street.run(street.line.now_ms + street.timing.air_ms(15) + 10 * street.timing.slot_ms)
    assert street.master.holding or len(street.air) > 1
    street.call(1, message(HELLO), urgent=True)
    street.run()
    assert street.heard_up == [message(REPORT, 2_000)]
    assert street.heard_down == [message(HELLO)]
    assert street.down[0][0] > street.up[0][0]
    assert not street.master.holding


def test_an_urgent_frame_goes_ahead_of_others_that_wait():
    street = Street(4)
    for m_id in (0, 1):
        street.call(m_id, message(HELLO))
    street.call(2, message(HELLO), urgent=True)
    street.call(3, message(HELLO), urgent=True)
    street.run()
    assert [m_id for _, m_id, _ in street.down] == [0, 2, 3, 1]


def test_a_meter_that_is_not_there_costs_so_many_calls_and_then_the_next_is_called():
    street = Street(2)
    street.line.detach(street.ends[0])
    street.call(0, message(HELLO))
    street.call(1, message(HELLO))
    street.run()
    assert street.heard_down == [message(HELLO)]
    assert sum(frame.m_id == 0 for *_, frame in street.air) == CALL_TRIES
    lasted_ms = CALL_TRIES * (street.timing.fragment_ms + street.timing.ack_within_ms + street.timing.turnaround_ms)
    assert street.down[0][0] <= lasted_ms + street.timing.message_ms(40)
    assert street.master.counts.given_up == 1


def test_a_meter_that_dies_in_its_answer_holds_the_line_no_longer_than_its_tries():
    street = Street(2)
    street.answers[0] = message(RESULT, 2_000)
    street.call(0, message(HELLO))
    street.run(600)
    assert street.master.holding
    died_ms = street.line.now_ms
    street.line.detach(street.ends[0])
    street.call(1, message(HELLO))
    street.run()
    assert street.heard_down[-1] == message(HELLO)
    assert street.down[-1][1] == 1
    last_ms = street.timing.silence_ms + street.timing.fragment_ms + 2 * street.timing.message_ms(40)
    assert street.down[-1][0] <= died_ms + last_ms


@pytest.mark.parametrize("nth", range(8))
@pytest.mark.parametrize("up", [False, True])
def test_any_one_acknowledgement_may_be_lost(nth, up):
    """Also the last one of a message, when the other side goes on already."""
    lost = []

    def lose(frame):
        chosen = bool(frame.flags & FrameFlags.ACK) and bool(frame.flags & FrameFlags.UP) == up
        if chosen:
            lost.append(frame)
        return chosen and len(lost) == nth + 1

    street = Street(2, lose=lose)
    street.answers = {0: message(RESULT, 900), 1: message(RESULT, 901)}
    for m_id in (0, 1):
        street.call(m_id, message(HELLO, 600))
        street.run()
    assert street.heard_down == [message(HELLO, 600)] * 2
    assert street.heard_up == [message(RESULT, 900), message(RESULT, 901)]


@pytest.mark.parametrize("nth", range(12))
def test_any_one_fragment_may_be_lost(nth):
    seen = []

    def lose(frame):
        if frame.flags & (FrameFlags.START | FrameFlags.MORE) and not frame.flags & FrameFlags.ACK:
            seen.append(frame)
            return len(seen) == nth + 1
        return False

    street = Street(1, lose=lose)
    street.answers = {0: message(RESULT, 900)}
    street.call(0, message(HELLO, 600))
    street.run()
    assert street.heard_down == [message(HELLO, 600)]
    assert street.heard_up == [message(RESULT, 900)]


def test_a_station_that_goes_on_without_a_last_acknowledgement_is_not_disturbed():
    """The meter's answer is here, its acknowledgement is lost, and the station calls the next at once."""
    lost = []

    def lose(frame):
        last = frame.flags == FrameFlags.ACK | FrameFlags.MORE and frame.m_id == 0
        lost.extend([frame] * last)
        return last and len(lost) == 1

    street = Street(2, lose=lose)
    street.answers = {0: message(RESULT, 300)}
    street.call(0, message(HELLO))
    while not street.up:
        street.run(street.line.next_ms)
    street.call(1, message(HELLO))
    street.run()
    assert street.heard_down == [message(HELLO)] * 2
    assert street.heard_up == [message(RESULT, 300)]
    assert street.overlaps() == []


def test_what_was_held_and_is_in_doubt_is_offered_again_and_delivered_once():
    lost = []

    def lose(frame):
        last = frame.flags == FrameFlags.ACK | FrameFlags.MORE and frame.m_id == 0
        lost.extend([frame] * last)
        return last and len(lost) == 1

    street = Street(2, lose=lose)
    street.say(0, message(REPORT, 300))
    street.run()
    street.invite()
    while not street.up:
        street.run(street.line.next_ms)
    street.call(1, message(HELLO))
    street.run()
    street.invite()
    street.run()
    assert street.heard_up == [message(REPORT, 300)]
    assert street.modems[0].held == 0


def test_frames_of_the_next_transformer_are_heard_and_change_nothing():
    street, other = Street(2), Street(2)
    other.ids = {m_id: meter_id(m_id, house=9) for m_id in range(2)}
    strange = SlaveModem(FAST.timing, other.ids[1], 1)
    other.line.attach(strange, 100)
    street.line.couple(other.line, crosstalk_db=3)
    other.call(1, message(HELLO))
    while True:
        due = [each.line.next_ms for each in (street, other) if each.line.next_ms is not None]
        if not due:
            break
        for each in (other, street):
            if each.line.next_ms == min(due):
                each.run(min(due))
    assert street.modems[1].counts.dropped > 0
    assert street.master.counts.dropped > 0
    assert street.air == []
    assert street.down == street.up == []
    assert other.heard_down == [message(HELLO)]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_is_put_on_the_line_the_next_call_is_answered(seed):
    """Noise, strangers, false fragments and acknowledgements in the right name: the line is never blocked for good."""
    random = Random(seed)
    street = Street(3, seed=seed)
    street.answers = {m_id: message(RESULT, 300) for m_id in range(3)}
    liar = street.line.line.attach(50)
    for _ in range(12):
        if random.random() < 0.5:
            street.call(random.randrange(3), message(HELLO, random.randrange(1, 600)))
        flags = FrameFlags(random.choice([0, 0x10, 0x40, 0x20, 0x60, 0x30]) | random.choice([0, 0x80]))
        m_id = random.randrange(4)
        meter = random.choice([meter_id(m_id), MeterId(b"\xff\xff\xff")])
        payload = random.choice([random.randbytes(random.randrange(40)), b"\1\4\0\1", bytes((2, 88)) + bytes(20)])
        data = Frame(m_id, flags, random.randrange(256), meter, payload).build()
        transmission = street.line.line.transmit(street.line.now_ms, liar, data)
        street.line._push(transmission.end_ms, transmission)
        street.run(street.line.now_ms + random.choice([0, 5, 60, 700]))
    street.run()
    street.up.clear()
    street.down.clear()
    street.call(1, message(HELLO, 500))
    street.run()
    assert street.heard_down[-1:] == [message(HELLO, 500)]
    assert street.heard_up[-1:] == [message(RESULT, 300)]


@EXAMPLES
@given(st.binary(max_size=90), st.booleans())
def test_bytes_that_are_no_frame_are_counted_and_answered_by_nobody(data, busy):
    for modem in (SlaveModem(FAST.timing, meter_id(1), 1), MasterModem(FAST.timing, lambda *_: True)):
        assert modem.step(Heard(data), 5, bytes(4), busy=busy) == []
        assert modem.counts.dropped == 1


def test_a_line_that_is_always_in_use_is_taken_after_some_patience():
    modem = MasterModem(FAST.timing, lambda *_: True)
    data = Frame(1, FrameFlags.NONE, 0, meter_id(1), b"x").build()
    now_ms, effects = 1_000, modem.step(Outgoing(data), 1_000, bytes(4), busy=True)
    while not isinstance(effects[0], Transmit):
        now_ms = effects[-1].line_ms
        effects = modem.step(Tick(), now_ms, bytes(4), busy=True)
        assert now_ms < 1_000 + 5 * FAST.timing.fragment_ms
    assert now_ms >= 1_000 + 4 * FAST.timing.fragment_ms


def test_a_line_on_which_somebody_never_stops_beginning_is_taken_after_two_of_the_longest_messages():
    timing, sent_ms = SLOW.timing, None
    master = MasterModem(timing, lambda meter, m_id: True)
    call = Frame(1, FrameFlags.NONE, 0, meter_id(1), bytes((HELLO, 1)))
    patience_ms = 2 * timing.message_ms(PAYLOAD_BYTES_MAX)
    effects = master.step(Outgoing(call.build()), 0, bytes(4), busy=True)
    for line_ms in range(40, patience_ms + 1_000, 40):
        if any(isinstance(effect, Transmit) for effect in effects):
            sent_ms = line_ms
            break
        effects = master.step(Heard(b"a burst"), line_ms, bytes(4), busy=True)
        effects += master.step(Tick(), line_ms + 20, bytes(4), busy=True)
    assert sent_ms is not None
    assert sent_ms > patience_ms - 1_000


@pytest.mark.parametrize("side", ["station", "meter"])
@pytest.mark.parametrize("at_ms", [30, 200, 400, 700, 900])
def test_a_modem_that_restarts_in_the_middle_is_in_step_with_the_next_call(side, at_ms):
    street = Street(1)
    street.answers = {0: message(RESULT, 1_500)}
    street.call(0, message(HELLO, 1_500))
    street.run(at_ms)
    end = street.station if side == "station" else street.ends[0]
    street.line.detach(end)
    if side == "station":
        street.station = street.line.attach(MasterModem(street.timing, street.knows, 77), 0)
    else:
        street.ends[0] = street.line.attach(SlaveModem(street.timing, meter_id(0), 0, 77), 200)
    street.run()
    street.up.clear()
    street.down.clear()
    street.call(0, message(HELLO, 700))
    street.run()
    assert street.heard_down == [message(HELLO, 700)]
    assert street.heard_up == [message(RESULT, 1_500)]


def test_a_meter_that_is_called_anew_forgets_its_old_answer():
    street = Street(1)
    street.answers = {0: message(RESULT, 2_000)}
    street.call(0, message(HELLO))
    street.run(400)
    # The station lost its modem and calls again: the old answer is of no use to it.
    street.line.detach(street.station)
    street.station = street.line.attach(MasterModem(street.timing, street.knows, 9), 0)
    street.answers = {0: message(RESULT, 100)}
    street.call(0, message(HELLO, 41))
    street.run()
    assert street.heard_up[-1] == message(RESULT, 100)


def test_queues_hold_what_they_say_and_not_one_more():
    modem = MasterModem(FAST.timing, lambda *_: True)
    data = Frame(1, FrameFlags.NONE, 0, meter_id(1), b"x").build()
    for _ in range(OUTGOING_MAX + 1):
        modem.step(Outgoing(data), 0, bytes(4))
    assert modem.waiting == OUTGOING_MAX
    modem.step(Outgoing(data), 0, bytes(4))
    assert (modem.waiting, modem.counts.given_up) == (OUTGOING_MAX, 1)
    meter = SlaveModem(FAST.timing, meter_id(1), 1)
    up = Frame(1, FrameFlags.UP, 0, meter_id(1), bytes((RESULT,))).build()
    for _ in range(ANSWERS_MAX + 2):
        meter.step(Outgoing(up), 0, bytes(4))
    assert meter.waiting == ANSWERS_MAX


def test_whole_plain_frames_pass_without_fragments():
    """A meter without a modem of this kind may share the line."""
    modem = MasterModem(FAST.timing, lambda *_: True)
    up = Frame(1, FrameFlags.UP, 0, meter_id(1), b"plain").build()
    assert modem.step(Heard(up), 0, bytes(4)) == [Deliver(up)]
    meter = SlaveModem(FAST.timing, meter_id(1), 1)
    down = Frame(1, FrameFlags.NONE, 0, meter_id(1), b"plain").build()
    assert meter.step(Heard(down), 0, bytes(4)) == [Deliver(down)]
    assert MasterModem(FAST.timing, lambda *_: False).step(Heard(up), 0, bytes(4)) == []


def fragments(meter, payload, up=True, start=0):
    flags = FrameFlags.UP if up else FrameFlags.NONE
    whole = Frame(meter[-1], flags, 0, meter, payload)
    message = LineMessage.cut(whole, start, FAST.timing.fragment_bytes)
    return [message.fragment(index).build() for index in range(len(message.chunks))]


def transmitted(effects):
    return [Frame.parse(effect.data) for effect in effects if isinstance(effect, Transmit)]


def test_while_the_station_speaks_to_one_meter_it_takes_nothing_from_another():
    modem = MasterModem(FAST.timing, lambda *_: True)
    call = Frame(0, FrameFlags.NONE, 0, meter_id(0), bytes(600)).build()
    assert len(transmitted(modem.step(Outgoing(call), 0, bytes(4)))) == 1
    assert transmitted(modem.step(Heard(fragments(meter_id(1), b"alarm")[0]), 30, bytes(4))) == []
    # Nor does the called meter's old answer end a call that is not through.
    assert transmitted(modem.step(Heard(fragments(meter_id(0), b"old")[0]), 32, bytes(4))) == []
    assert modem.holding
    ack = Frame(0, FrameFlags.UP | FrameFlags.ACK, 0, meter_id(0), b"").build()
    assert [frame.flags for frame in transmitted(modem.step(Heard(ack), 70, bytes(4)))] == [FrameFlags.MORE]


def test_while_one_meter_speaks_another_is_not_listened_to_until_it_is_silent_too_long():
    modem = MasterModem(FAST.timing, lambda *_: True)
    assert len(transmitted(modem.step(Heard(fragments(meter_id(0), bytes(600))[0]), 0, bytes(4)))) == 1
    other = Heard(fragments(meter_id(1), b"alarm")[0])
    assert transmitted(modem.step(other, 60, bytes(4))) == []
    later_ms = 60 + FAST.timing.silence_ms + FAST.timing.ack_ms
    effects = modem.step(other, later_ms, bytes(4))
    assert [frame.meter_id for frame in transmitted(effects)] == [meter_id(1)]


def test_a_meter_lets_its_slot_go_where_another_was_earlier_and_begins_where_none_was():
    for busy in (True, False):
        modem = SlaveModem(FAST.timing, meter_id(1), 1)
        up = Frame(1, FrameFlags.UP, 0, meter_id(1), bytes((ALARM,))).build()
        assert modem.step(Outgoing(up), 0, bytes(4)) == []
        effects = modem.step(Heard(Attention(8, 30).frame(1).build()), 100, b"\0\3\0\0")
        assert effects == [WakeAtLine(100 + FAST.timing.turnaround_ms + 3 * 30)]
        effects = modem.step(Tick(), effects[0].line_ms, bytes(4), busy=busy)
        assert bool(transmitted(effects)) is not busy
        assert (modem.held, modem.counts.unheard) == (1, 0)


def test_whose_acknowledgement_is_lost_is_answered_before_the_call_is_repeated_into_the_answer():
    lost = []

    def lose(frame):
        last = frame.flags == FrameFlags.UP | FrameFlags.ACK | FrameFlags.MORE
        lost.extend([frame] * last)
        return last and len(lost) == 1

    for profile in (SLOW, FAST):
        lost.clear()
        street = Street(1, profile, lose=lose)
        street.answers = {0: message(RESULT, 33)}
        street.call(0, message(HELLO, 38))
        street.run()
        assert (street.heard_down, street.heard_up) == ([message(HELLO, 38)], [message(RESULT, 33)])
        assert street.overlaps() == []
        assert street.master.counts.repeated == 0


def test_the_second_repeat_comes_after_a_random_wait():
    waits = set()
    for chance in range(4):
        modem = MasterModem(FAST.timing, lambda *_: True)
        modem.step(Outgoing(Frame(1, FrameFlags.NONE, 0, meter_id(1), b"x").build()), 0, bytes(4))
        effects = modem.step(Tick(), 1_000, bytes((chance, 0, 0, 0)))
        waits.add(effects[-1].line_ms)
    assert len(waits) == 4
