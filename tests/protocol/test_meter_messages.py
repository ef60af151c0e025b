"""Report, Alarm, AlarmAck and Wish in both suites, altered in every way, and the book of counters."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.codec.meter_messages import Alarm, AlarmAck, Head, Report, Wish
from prewatt.crypto import AuthenticationError, MessageKind, suite
from prewatt.protocol.meter_messages import (
    COUNTER_MAX,
    CounterBook,
    open_ack,
    open_alarm,
    open_report,
    open_wish,
    seal_ack,
    seal_alarm,
    seal_report,
    seal_wish,
)
from prewatt.units import MeterId

METER = MeterId(bytes.fromhex("00A1B2"))
TDES, AES = suite("tdes-1998"), suite("aes-2026")
REFUSED = (AuthenticationError, DecodeError)


def key_of(used, n=3, meter_id=METER):
    return used.terminal_key(bytes(range(used.master_bytes)), meter_id, n)


def head_of(used, counter=0x01000009):
    return Head(used.id, 3, METER, counter)


def all_kinds(used):
    """name -> (sealed payload, the value, how to open it, how to seal it)."""
    head = head_of(used)
    values = {
        "report": (Report(head, bytes(range(200))), seal_report, open_report),
        "alarm": (Alarm(head, 1_700_000_000, 0x0105, b"detail"), seal_alarm, open_alarm),
        "ack": (AlarmAck(METER, head.counter), seal_ack, open_ack),
        "wish": (Wish(head, 5_000_000, "1234"), seal_wish, open_wish),
    }
    key = key_of(used)
    return {name: (seal(used, key, value), value, opener, seal) for name, (value, seal, opener) in values.items()}


KINDS = ["report", "alarm", "ack", "wish"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_sealed_opens_to_the_same_value(used, kind):
    payload, value, opener, seal = all_kinds(used)[kind]
    assert opener(used, key_of(used), payload) == value
    assert seal(used, key_of(used), value) == payload


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_altered_in_any_bit_or_length_is_refused(used, kind):
    payload, _, opener, _ = all_kinds(used)[kind]
    key = key_of(used)
    altered = [payload[:n] for n in range(len(payload))]
    altered += [payload + b"\0", payload + b"\x80", payload + bytes(8), payload * 2, payload + bytes(3000)]
    for bit in range(0, 8 * len(payload), 1 if len(payload) < 300 else 7):
        byte, inside = divmod(bit, 8)
        altered.append(payload[:byte] + bytes((payload[byte] ^ 1 << inside,)) + payload[byte + 1 :])
    for other in altered:
        with pytest.raises(REFUSED):
            opener(used, key, other)


@pytest.mark.parametrize("kind", KINDS)
def test_keys_of_other_sets_meters_and_suites_do_not_open(used, kind):
    payload, _, opener, _ = all_kinds(used)[kind]
    other = AES if used is TDES else TDES
    keys = [key_of(used, meter_id=MeterId(b"\0\0\1"))] + ([key_of(used, n=4)] if used is AES else [])
    for key in keys:
        with pytest.raises(REFUSED):
            opener(used, key, payload)
    with pytest.raises(REFUSED):
        opener(other, key_of(other), payload)


@pytest.mark.parametrize("kind", ["report", "alarm", "wish"])
def test_a_head_of_another_suite_is_refused_by_name(used, kind):
    payload, _, opener, _ = all_kinds(used)[kind]
    with pytest.raises(DecodeError, match="enrolled"):
        opener(used, key_of(used), payload[:1] + bytes((3 - used.id,)) + payload[2:])


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_passes_for_another(used, kind):
    payload, _, _, _ = all_kinds(used)[kind]
    for name, (_, _, opener, _) in all_kinds(used).items():
        if name == kind:
            continue
        for disguised in (payload, bytes((0x14,)) + payload[1:], bytes((0x16,)) + payload[1:]):
            with pytest.raises(REFUSED):
                opener(used, key_of(used), disguised)


def test_heads_stand_in_front_as_they_are(used):
    sealed = all_kinds(used)
    head = bytes((used.id, 3)) + METER + bytes.fromhex("01000009")
    assert sealed["report"][0][:10] == b"\x14" + head
    assert sealed["alarm"][0][:22] == b"\x15" + head + (1_700_000_000).to_bytes(4, "big") + b"\x01\x05" + b"detail"
    assert sealed["wish"][0][:10] == b"\x17" + head
    assert sealed["ack"][0][:8] == b"\x16" + METER + bytes.fromhex("01000009")
    keys = used.message_keys(key_of(used))
    assert sealed["ack"][0][8:] == keys.tag(MessageKind.ALARM, sealed["ack"][0][:8])
    body = (5_000_000).to_bytes(8, "big") + b"1234\0\0\0\0"
    assert sealed["wish"][0][10:] == keys.seal(MessageKind.WISH, sealed["wish"][0][:10], body)


@pytest.mark.parametrize(
    ("plain_bytes", "size"), [(0, 1000), (972, 1000), (973, 1500), (1972, 2000), (1973, 2500), (2472, 2500)]
)
def test_a_report_of_aes_2026_has_one_of_four_sizes(plain_bytes, size):
    report = Report(head_of(AES), bytes(plain_bytes))
    payload = seal_report(AES, key_of(AES), report)
    assert len(payload) == size
    assert open_report(AES, key_of(AES), payload) == report


def test_a_report_that_does_not_fit_its_budget_is_refused(used):
    assert len(seal_report(used, key_of(used), Report(head_of(used), bytes(2472)))) <= 2500
    with pytest.raises(ValueError, match=r"allowed is up to"):
        seal_report(used, key_of(used), Report(head_of(used), bytes(2485)))


def test_a_filler_that_is_not_zero_or_not_the_smallest_is_refused_though_authentic():
    keys = AES.message_keys(key_of(AES))
    head = head_of(AES).build(0x14)
    for body in (
        b"\0\2hi" + bytes(969) + b"\1",
        b"\0\2hi" + bytes(1470),
        b"\0\2hi",
        b"\xff\xff" + bytes(972),
        b"",
        b"\1",
    ):
        with pytest.raises(DecodeError):
            open_report(AES, key_of(AES), head + keys.seal(MessageKind.REPORT, head, body))


def test_a_waiting_message_is_sealed_anew_under_a_live_set_with_the_same_number(used):
    master = bytes(range(used.master_bytes))
    for kind in ("report", "alarm", "wish"):
        payload, value, opener, seal = all_kinds(used)[kind]
        anew = replace(value, head=value.head.under(4))
        key = used.terminal_key(bytes(reversed(master)), METER, 4)
        resealed = seal(used, key, anew)
        assert resealed != payload
        opened = opener(used, key, resealed)
        assert opened.head.key_set == 4
        assert opened.head.counter == value.head.counter
        assert replace(opened, head=value.head) == value


@pytest.mark.parametrize("pin", ["", "0", "1234", "00000000", "98765432"])
def test_pins_keep_their_digits(used, pin):
    wish = Wish(head_of(used), -1, pin)
    assert open_wish(used, key_of(used), seal_wish(used, key_of(used), wish)) == wish


@pytest.mark.parametrize("pin", ["123456789", "12a4", "-1", "١٢", " 1"])
def test_what_is_no_pin_is_refused_and_never_shown(used, pin):
    with pytest.raises(ValueError, match="pin") as caught:
        Wish(head_of(used), 1, pin)
    assert pin not in str(caught.value)


def test_a_pin_with_holes_is_refused_though_authentic(used):
    head = head_of(used).build(0x17)
    keys = used.message_keys(key_of(used))
    for digits in (b"12\x0034\0\0\0", b"12x4\0\0\0\0", b"\x001234567"):
        with pytest.raises(DecodeError):
            open_wish(used, key_of(used), head + keys.seal(MessageKind.WISH, head, bytes(8) + digits))


def test_a_pin_is_not_in_a_repr(used):
    assert "4711" not in repr(Wish(head_of(used), 1, "4711"))


def test_an_alarm_has_at_most_sixteen_bytes_of_detail(used):
    alarm = Alarm(head_of(used), 1, 2, bytes(range(1, 17)))
    assert open_alarm(used, key_of(used), seal_alarm(used, key_of(used), alarm)) == alarm
    with pytest.raises(ValueError, match="detail"):
        replace(alarm, detail=bytes(17))
    longer = alarm.build_signed() + b"\x11"
    tag = used.message_keys(key_of(used)).tag(MessageKind.ALARM, longer)
    with pytest.raises(DecodeError, match="detail"):
        open_alarm(used, key_of(used), longer + tag)


@pytest.mark.parametrize("detail", [b"", b"a", b"1234567"])
def test_an_alarm_cannot_be_made_from_a_shorter_one_and_an_acknowledgement(detail):
    # The chain of tdes-1998 goes on from any signature; this is the one splice that its lengths allow.
    key = key_of(TDES)
    short = seal_alarm(TDES, key, Alarm(head_of(TDES), 1, 2, detail))
    ack = seal_ack(TDES, key, AlarmAck(METER, 77))
    signed, tag = short[:-8], short[-8:]
    padded = signed + b"\x80" + bytes(7 - len(signed) % 8)
    spliced = padded + bytes(a ^ b for a, b in zip(ack[:8], tag, strict=True))
    TDES.message_keys(key).check_tag(MessageKind.ALARM, spliced, ack[8:])
    with pytest.raises(AuthenticationError):
        open_alarm(TDES, key, spliced + ack[8:])
    with pytest.raises(ValueError, match="detail"):
        seal_alarm(TDES, key, Alarm(head_of(TDES), 1, 2, spliced[16:]))


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=120), which=st.sampled_from([TDES, AES]))
def test_arbitrary_bytes_are_refused_and_nothing_else(data, which):
    for opener in (open_report, open_alarm, open_ack, open_wish):
        for payload in (data, bytes((0x14, which.id)) + data, bytes((0x15, which.id)) + data, b"\x16" + data):
            with pytest.raises(REFUSED):
                opener(which, key_of(which), payload)


counters = st.one_of(st.integers(0, 12), st.integers(0x00FFFFFA, 0x01000006), st.integers(0, COUNTER_MAX))


@settings(max_examples=200, deadline=None)
@given(st.lists(counters, max_size=60))
def test_each_counter_is_booked_once_in_any_order(heard):
    book, seen = CounterBook(), set()
    for counter in heard:
        following = book.book(counter)
        assert (following is None) == (counter in seen)
        seen.add(counter)
        book = following or book
        assert counter in book
    assert all((counter in book) == (counter in seen) for counter in range(20))
    assert sum(last - first + 1 for first, last in book.ranges) == len(seen)
    assert book == CounterBook.of(sorted(seen))
    assert CounterBook.parse(book.build()) == book


def test_a_counter_outside_32_bits_is_refused():
    for counter in (-1, COUNTER_MAX + 1):
        with pytest.raises(ValueError, match="counter"):
            CounterBook().book(counter)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_bytes_that_are_no_book_are_refused(data):
    try:
        book = CounterBook.parse(data)
    except DecodeError:
        return
    assert book.build() == data
