"""The session payloads as bytes: round trips, whole and trailing, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import (
    LAYOUTS,
    Hello,
    MessageType,
    Proof,
    Refusal,
    RefusalReason,
    SealedCommand,
    SealedResult,
)
from prewatt.codec.meter_messages import Alarm, AlarmAck, Head, Wish
from prewatt.codec.padding import pad_plain, strip_plain
from prewatt.units import MeterId, Sequence

METER = MeterId(b"\x00\xa1\xb2")
EXAMPLES = settings(max_examples=100, deadline=None)


def fixed(size):
    return st.binary(min_size=size, max_size=size)


ids = fixed(3).map(MeterId)
u8, u32 = st.integers(0, 255), st.integers(0, 2**32 - 1)
heads = st.builds(Head, st.sampled_from([1, 2]), u8, ids, u32)


def hellos(suite):
    return st.builds(Hello, st.just(suite), u8, ids, fixed(LAYOUTS[suite].r1), fixed(LAYOUTS[suite].r2))


def whole_and_nothing_else(payload, parse):
    """Whole it parses; with a byte less, and with a byte more, it does not."""
    for length in range(len(payload)):
        with pytest.raises(DecodeError):
            parse(payload[:length])
    with pytest.raises(DecodeError):
        parse(payload + b"\0")
    with pytest.raises(DecodeError):
        parse(bytes((payload[0] ^ 0x80,)) + payload[1:])


@EXAMPLES
@given(st.one_of(hellos(1), hellos(2)))
def test_a_hello_is_what_it_was(hello):
    payload = hello.build()
    assert Hello.parse(payload) == hello
    assert Hello.addressee(payload) == hello.meter_id
    whole_and_nothing_else(payload, Hello.parse)


@EXAMPLES
@given(st.data(), st.sampled_from([1, 2]))
def test_a_proof_is_what_it_was(data, suite):
    layout = LAYOUTS[suite]
    proof = Proof(data.draw(fixed(layout.tag)), data.draw(fixed(layout.r3)))
    payload = proof.build()
    assert Proof.parse(payload, layout) == proof
    whole_and_nothing_else(payload, lambda given: Proof.parse(given, layout))


@EXAMPLES
@given(st.data(), st.sampled_from([1, 2]), u8, u32, st.binary(max_size=60))
def test_a_command_is_what_it_was_and_has_at_least_its_fixed_parts(data, suite, code, sequence, body):
    layout = LAYOUTS[suite]
    command = SealedCommand(code, Sequence(sequence), body, data.draw(fixed(layout.tag)))
    payload = command.build()
    assert SealedCommand.parse(payload, layout) == command
    for length in range(6 + layout.tag):
        with pytest.raises(DecodeError):
            SealedCommand.parse(payload[:length], layout)


@EXAMPLES
@given(st.binary(max_size=60), st.binary(min_size=8, max_size=8), st.booleans())
def test_a_result_is_what_it_was(body, tag, tagged):
    result = SealedResult(body, tag if tagged else b"")
    assert SealedResult.parse(result.build(), len(result.tag)) == result
    with pytest.raises(DecodeError):
        SealedResult.parse(b"", 0)
    with pytest.raises(DecodeError):
        SealedResult.parse(b"\x13" + tag[:7], 8)


@pytest.mark.parametrize("reason", list(RefusalReason))
def test_a_refusal_is_what_it_was(reason):
    payload = Refusal(reason).build()
    assert Refusal.parse(payload) == Refusal(reason)
    whole_and_nothing_else(payload, Refusal.parse)


@pytest.mark.parametrize("reason", [0, 8, 255])
def test_a_refusal_for_no_reason_there_is_is_none(reason):
    with pytest.raises(DecodeError, match="reason"):
        Refusal.parse(bytes((0x1F, reason)))


@pytest.mark.parametrize("suite", [0, 3, 255])
def test_a_suite_that_does_not_exist_is_refused(suite):
    with pytest.raises(DecodeError, match="suite"):
        Hello.parse(bytes((0x10, suite)) + bytes(36))
    with pytest.raises(DecodeError, match="suite"):
        Head.parse(bytes((0x14, suite)) + bytes(8), MessageType.REPORT)


@EXAMPLES
@given(heads, st.sampled_from([MessageType.REPORT, MessageType.ALARM, MessageType.WISH]), st.binary(max_size=20))
def test_a_head_is_what_it_was_whatever_follows(head, kind, following):
    payload = head.build(kind) + following
    assert Head.parse(payload, kind) == head
    for length in range(10):
        with pytest.raises(DecodeError):
            Head.parse(payload[:length], kind)


@EXAMPLES
@given(heads, u32, st.integers(0, 0xFFFF), st.binary(max_size=16))
def test_an_alarm_is_what_it_was(head, time_s, event, detail):
    alarm = Alarm(head, time_s, event, detail)
    assert Alarm.parse_signed(alarm.build_signed()) == alarm
    for length in range(16):
        with pytest.raises(DecodeError):
            Alarm.parse_signed(alarm.build_signed()[:length])


@EXAMPLES
@given(ids, u32)
def test_an_acknowledgement_is_what_it_was(meter_id, counter):
    ack = AlarmAck(meter_id, counter)
    assert AlarmAck.parse_signed(ack.build_signed()) == ack
    whole_and_nothing_else(ack.build_signed(), AlarmAck.parse_signed)


@EXAMPLES
@given(heads, st.integers(-(2**63), 2**63 - 1), st.text("0123456789", max_size=8))
def test_a_wish_is_what_it_was(head, amount, pin):
    wish = Wish(head, amount, pin)
    assert Wish.parse_body(head, wish.build_body()) == wish
    for body in (wish.build_body()[:-1], wish.build_body() + b"\0", b""):
        with pytest.raises(DecodeError):
            Wish.parse_body(head, body)


@EXAMPLES
@given(st.binary(max_size=2_481), st.sampled_from([17, 26]))
def test_padding_hides_the_length_and_gives_it_back(plain, overhead):
    plain = plain[: 2_498 - overhead]
    padded = pad_plain(plain, overhead)
    assert len(padded) + overhead in (1_000, 1_500, 2_000, 2_500)
    assert strip_plain(padded, overhead) == plain


@EXAMPLES
@given(st.binary(max_size=40), st.sampled_from([17, 26]))
def test_bytes_that_are_no_padding_are_refused(data, overhead):
    with pytest.raises(DecodeError):
        strip_plain(data, overhead)


def test_padding_says_what_it_cannot_hold():
    with pytest.raises(ValueError, match="2472"):
        pad_plain(bytes(2_473), 26)
    with pytest.raises(DecodeError):
        strip_plain((2_473).to_bytes(2, "big") + bytes(2_473), 26)


@EXAMPLES
@given(st.binary(max_size=70))
def test_arbitrary_bytes_decode_to_themselves_or_raise_decode_error(data):
    layout = LAYOUTS[1]
    for parse in (
        Hello.parse,
        lambda payload: Proof.parse(payload, layout),
        lambda payload: SealedCommand.parse(payload, layout),
        lambda payload: SealedResult.parse(payload, layout.tag),
        Refusal.parse,
    ):
        for payload in (data, *(bytes((kind,)) + data for kind in MessageType)):
            try:
                parsed = parse(payload)
            except DecodeError:
                continue
            assert parsed.build() == payload
