"""Stop and wait: two sides back to back over a line that loses, doubles, delays and falsifies frames."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.protocol import arq
from prewatt.protocol.arq import (
    AGAIN_MAX,
    CALL_TRIES,
    DELIVERED_MAX,
    FRAGMENT_TRIES,
    ArqReceiver,
    ArqSender,
    LineMessage,
)
from prewatt.protocol.arq_tables import (
    RECEIVER_TABLE,
    SENDER_TABLE,
    ReceiverEvent,
    ReceiverState,
    SenderEvent,
    SenderState,
)
from prewatt.units import MeterId

METER = MeterId(b"\x00\xa1\xb2")
EXAMPLES = settings(max_examples=150, deadline=None)
START, MORE, ACK, UP = FrameFlags.START, FrameFlags.MORE, FrameFlags.ACK, FrameFlags.UP
# A frame is late by fewer turns than would let `DELIVERED_MAX` messages pass it: two turns a message at least.
LATE_MAX = DELIVERED_MAX
payloads = st.binary(max_size=200) | st.binary(min_size=1, max_size=3).map(lambda piece: piece * 60)


def whole(payload, flags=FrameFlags.NONE):
    return Frame(5, flags, 0, METER, payload)


def cut(payload, start=0, size=16, flags=FrameFlags.NONE):
    return LineMessage.cut(whole(payload, flags), start, size)


class Wire:
    """Both sides with a faulty line between them; every frame in flight may be lost, doubled, late or changed."""

    def __init__(self, seed, *, lose=0.0, double=0.0, delay=0.0, flip=0.0):
        self.random = Random(seed)
        self.lose, self.double, self.delay, self.flip = lose, double, delay, flip
        self.sender, self.receiver = ArqSender(), ArqReceiver()
        self.late, self.got, self.fragments, self.turn = [], [], 0, 0
        self.number = self.random.randrange(256)

    def on_the_way(self, frame):
        """What of a frame arrives now: copies of it, and what was late."""
        random, arriving = self.random, []
        for _ in range(2 if random.random() < self.double else 1):
            data = frame.build()
            if random.random() < self.flip:
                at = random.randrange(8 * len(data))
                data = data[: at >> 3] + bytes((data[at >> 3] ^ 1 << (at & 7),)) + data[(at >> 3) + 1 :]
            if random.random() < self.delay:
                self.late.append((self.turn + random.randrange(1, LATE_MAX), data))
            elif random.random() >= self.lose:
                arriving.append(data)
        self.turn += 1
        arriving += [data for due, data in self.late if due <= self.turn]
        self.late = [(due, data) for due, data in self.late if due > self.turn]
        return [parsed for parsed in map(parse, arriving) if parsed is not None]

    def exchange(self, frame):
        """A fragment goes there, acknowledgements come back; the next fragment that follows from them."""
        self.fragments += 1
        following = None
        for there in self.on_the_way(frame):
            if there.flags & ACK:
                continue
            heard = self.receiver.receive(there)
            if heard.message is not None:
                self.got.append(heard.message.payload)
            for back in self.on_the_way(heard.ack) if heard.ack is not None else []:
                if back.flags & ACK and back.flags & UP:
                    following = self.sender.acknowledged(back) or following
        return following

    def send(self, payload, size=16, *, fault=None):
        """Whether the sender ended with its message acknowledged as whole."""
        message = cut(payload, self.number, size)
        self.number = message.following
        frame = self.sender.give(message)
        while not self.sender.idle:
            following = self.exchange(frame)
            if fault is not None:
                fault(self)
            if self.sender.idle:
                break
            frame = following or self.sender.silence()
            if frame is None:
                break
        return self.sender.through


def parse(data):
    try:
        return Frame.parse(data)
    except DecodeError:
        return None


@EXAMPLES
@given(st.lists(payloads, max_size=6), st.integers(16, 40), st.integers(0, 2**32))
def test_on_a_clean_line_every_message_arrives_once_with_one_frame_a_fragment(messages, size, seed):
    wire = Wire(seed)
    assert all(wire.send(payload, size) for payload in messages)
    assert wire.got == messages
    assert wire.fragments == sum(len(cut(payload, 0, size).chunks) for payload in messages)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0, 0.3), st.floats(0, 0.3))
def test_over_any_faults_messages_come_whole_in_order_and_never_twice(seed, lose, double, delay, flip):
    random = Random(seed)
    wire = Wire(seed, lose=lose, double=double, delay=delay, flip=flip)
    # All different, so that each is known again.
    messages = [number.to_bytes(2, "big") * random.randrange(1, 40) for number in range(30)]
    through = [payload for payload in messages if wire.send(payload)]
    assert len(set(wire.got)) == len(wire.got)
    # One that was given up may still come late; the others come in order.
    assert [payload for payload in wire.got if payload in through] == through
    # What the sender believes to be through is through.
    assert set(through) <= set(wire.got)


@EXAMPLES
@given(st.integers(0, 2**32))
def test_on_a_line_that_loses_one_frame_in_ten_nearly_all_arrives(seed):
    wire = Wire(seed, lose=0.1, flip=0.05)
    messages = [bytes((number, 1)) * 40 for number in range(10)]
    assert sum(wire.send(payload) for payload in messages) >= 8


@EXAMPLES
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_a_receiver_that_restarts_in_the_middle_asks_to_begin_again(seed, after):
    wire = Wire(seed)

    def restart(wire):
        if wire.fragments == after:
            wire.receiver = ArqReceiver()

    payload = bytes(range(150))
    assert wire.send(payload, fault=restart)
    # A receiver that had handed it out and forgot may hand it out once more: what is above survives doubles.
    assert wire.got in ([payload], [payload, payload])
    assert wire.send(b"next")
    assert wire.got[-1] == b"next"


@EXAMPLES
@given(st.integers(0, 2**32), st.integers(1, 9))
def test_a_sender_that_restarts_in_the_middle_goes_on_with_a_new_message(seed, after):
    wire = Wire(seed)
    message = cut(bytes(range(150)), wire.number)
    frame = wire.sender.give(message)
    for _ in range(after):
        frame = wire.exchange(frame)
    wire.sender, wire.number = ArqSender(), wire.random.randrange(256)
    assert wire.send(b"after the power cut" * 3)
    assert wire.got == [b"after the power cut" * 3]


def test_an_acknowledgement_that_is_lost_delivers_nothing_twice():
    sender, receiver = ArqSender(), ArqReceiver()
    frame = sender.give(cut(bytes(40)))
    got = []
    while frame is not None:
        first, again = receiver.receive(frame), receiver.receive(frame)
        got += [heard.message for heard in (first, again) if heard.message is not None]
        assert again.ack == first.ack
        assert not again.fresh
        frame = sender.acknowledged(first.ack)
    assert [message.payload for message in got] == [bytes(40)]
    assert sender.through


@EXAMPLES
@given(st.integers(0, 3), st.sampled_from([START, MORE]), st.integers(0, 255), st.binary(max_size=30))
def test_a_false_fragment_costs_at_most_the_message_it_breaks_into(at, kind, number, payload):
    """Whatever breaks in between two fragments: what is delivered is true, and the next message arrives."""
    sender, receiver, true = ArqSender(), ArqReceiver(), bytes(range(60))
    frame, got, steps = sender.give(cut(true, 100)), [], 0
    while frame is not None and steps < 40:
        if steps == at:
            false = receiver.receive(Frame(5, kind, number, METER, payload))
            if false.message is not None:
                # Right in length and CRC-32: as good a message as any; who sealed it is asked above.
                assert kind == START or number == 100 + at
        heard = receiver.receive(frame)
        if heard.message is not None:
            got.append(heard.message.payload)
        frame = sender.acknowledged(heard.ack) if heard.ack is not None else sender.silence()
        steps += 1
    assert set(got) <= {true}
    following = sender.give(cut(b"next", 200))
    assert receiver.receive(following).message.payload == b"next"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([START, MORE, START | MORE]), st.integers(0, 8), payloads), max_size=40))
def test_whatever_arrives_a_receiver_holds_one_message_at_most(fragments):
    receiver = ArqReceiver()
    for flags, number, payload in fragments:
        heard = receiver.receive(Frame(5, flags, number, METER, payload))
        assert heard.ack is None or heard.ack.flags & ACK
        assert sum(map(len, receiver._chunks)) <= 2 * arq.PAYLOAD_BYTES_MAX + 6
        assert len(receiver._known) <= DELIVERED_MAX
        assert (receiver.state is ReceiverState.ASSEMBLING) == bool(receiver._chunks)


def test_old_copies_of_the_last_messages_deliver_nothing():
    receiver = ArqReceiver()
    old = [cut(bytes((number,)) * 10, number) for number in range(DELIVERED_MAX + 1)]
    assert all(receiver.receive(message.fragment(0)).message for message in old)
    for message in old[1:]:
        heard = receiver.receive(message.fragment(0))
        assert heard.message is None
        assert heard.ack.flags == ACK | MORE | UP
    # One past the limit: the first is not remembered any more.
    assert receiver.receive(old[0].fragment(0)).message is not None


@pytest.mark.parametrize("up", [FrameFlags.NONE, UP])
def test_fragments_and_acknowledgements_look_as_documented(up):
    message = cut(bytes(range(30)), 254, 16, up)
    first, second, third = (message.fragment(index) for index in range(3))
    assert [frame.flags for frame in (first, second, third)] == [START | up, MORE | up, MORE | up]
    assert [frame.number for frame in (first, second, third)] == [254, 255, 0]
    assert first.payload[:2] == (30).to_bytes(2, "big")
    assert (message.following, message.start) == (1, 254)
    receiver = ArqReceiver()
    back = FrameFlags.NONE if up else UP
    kinds = [receiver.receive(frame).ack for frame in (first, third, second, third)]
    assert [ack.flags for ack in kinds] == [ACK | back, ACK | START | back, ACK | back, ACK | MORE | back]
    assert [(ack.number, ack.payload, ack.m_id, ack.meter_id) for ack in kinds] == [
        (number, b"", 5, METER) for number in (254, 0, 255, 0)
    ]


def test_a_message_of_the_longest_payload_goes_through_and_one_byte_more_is_not_answered():
    wire = Wire(1)
    assert wire.send(bytes(2_600), 16)
    first = cut(bytes(20)).fragment(0)
    longer = replace(first, payload=(2_601).to_bytes(2, "big") + first.payload[2:])
    assert ArqReceiver().receive(longer).ack is None
    short = replace(first, payload=first.payload[:5])
    assert ArqReceiver().receive(short).ack is None


def test_a_peer_that_is_not_there_costs_so_many_calls_and_one_that_fell_silent_so_many_tries():
    sender = ArqSender()
    sender.give(cut(bytes(50)))
    assert [sender.silence() is not None for _ in range(CALL_TRIES)] == [True] * (CALL_TRIES - 1) + [False]
    assert sender.idle
    assert not sender.through
    first = sender.give(cut(bytes(50)))
    sender.acknowledged(ArqReceiver().receive(first).ack)
    assert [sender.silence() is not None for _ in range(FRAGMENT_TRIES)] == [True] * (FRAGMENT_TRIES - 1) + [False]
    assert sender.silence() is None


def test_a_receiver_that_asks_for_ever_to_begin_again_is_given_up():
    sender = ArqSender()
    frame = sender.give(cut(bytes(50)))
    for turn in range(AGAIN_MAX + 1):
        frame = sender.acknowledged(replace(ArqReceiver().receive(frame).ack))
        assert frame.flags == MORE
        frame = sender.acknowledged(ArqReceiver().receive(frame).ack)
        assert (frame is None) == (turn == AGAIN_MAX)
    assert sender.idle
    assert not sender.through


def test_an_acknowledgement_of_another_fragment_says_nothing():
    sender = ArqSender()
    first = sender.give(cut(bytes(50), 7))
    for flags in (ACK | UP, ACK | UP | MORE, ACK | UP | START):
        assert sender.acknowledged(Frame(5, flags, 8, METER, b"")) is None
    # Nobody can be asked to begin again who has only begun, and the last fragment is through only as a whole.
    assert sender.acknowledged(Frame(5, ACK | UP | START, 7, METER, b"")) is None
    assert sender.message.fragment(0) == first
    sender.give(cut(b"", 9))
    assert sender.acknowledged(Frame(5, ACK | UP, 9, METER, b"")) is None
    assert not sender.idle


def test_the_tables_lead_nowhere_that_is_not_there_and_every_message_ends():
    for table, idle in ((SENDER_TABLE, SenderState.IDLE), (RECEIVER_TABLE, ReceiverState.EMPTY)):
        assert set(table) == set(type(idle))
        assert {after for row in table.values() for after in row.values()} <= set(table)
        for row in table.values():
            assert idle in row.values() or not row or set(row) == {SenderEvent.GIVEN}
    assert {event for row in SENDER_TABLE.values() for event in row} == set(SenderEvent)
    assert {event for row in RECEIVER_TABLE.values() for event in row} == set(ReceiverEvent)


def test_a_false_fragment_of_the_right_number_breaks_its_message_and_is_not_delivered():
    sender, receiver, true = ArqSender(), ArqReceiver(), bytes(range(40))
    first = sender.give(cut(true, 7))
    receiver.receive(first)
    for number in (8, 9):
        heard = receiver.receive(Frame(5, MORE, number, METER, b"\xee" * (16 if number == 8 else 14)))
        assert heard.message is None
    assert heard.ack.flags == ACK | START | UP
    assert receiver.state is ReceiverState.EMPTY
    # The true one is begun again and arrives.
    frame, got = first, None
    while got is None:
        heard = receiver.receive(frame)
        got, frame = heard.message, sender.acknowledged(heard.ack)
    assert got.payload == true
