import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.host.payment.iso8583.fields import FIELDS, De, Dialect, Kind
from prewatt.host.payment.iso8583.messages import MASKED, MESSAGE_BYTES_MAX, Message, Wire, parse_message
from prewatt.units import ValueFieldError

ALPHABETS = {
    Kind.N: "0123456789",
    Kind.AN: "0123456789ABCxyz ",
    Kind.ANS: "".join(map(chr, range(0x20, 0x7F))),
}
PAN = "9999990000000006"
LAWS = settings(deadline=None, max_examples=200)


def texts(field):
    least = 1 if field.prefix_digits else field.length
    if field.kind is Kind.B:
        return st.binary(min_size=least, max_size=field.length).map(lambda data: data.hex().upper())
    return st.text(ALPHABETS[field.kind], min_size=least, max_size=field.length)


@st.composite
def messages(draw):
    chosen = draw(st.sets(st.sampled_from(sorted(De)), max_size=12))
    values = {number: draw(texts(FIELDS[number])) for number in chosen}
    return Message(draw(st.text("0123456789", min_size=4, max_size=4)), values)


DIALECTS = st.sampled_from(list(Dialect))


@LAWS
@given(messages(), DIALECTS)
def test_what_is_built_is_read_back(message, dialect):
    assert parse_message(message.build(dialect), dialect) == message


@LAWS
@given(messages(), DIALECTS, st.data())
def test_what_is_cut_short_extended_or_flipped_is_refused_or_is_its_own_message(message, dialect, data):
    built = bytes(message.build(dialect))
    hostile = data.draw(
        st.one_of(
            st.integers(0, len(built) - 1).map(lambda end: built[:end]),
            st.binary(min_size=1, max_size=8).map(lambda more: built + more),
            st.tuples(st.integers(0, len(built) - 1), st.integers(1, 255)).map(
                lambda flip: built[: flip[0]] + bytes([built[flip[0]] ^ flip[1]]) + built[flip[0] + 1 :]
            ),
            st.binary(max_size=80),
        )
    )
    try:
        read = parse_message(hostile, dialect)
    except DecodeError as error:
        assert MASKED in str(error) or PAN not in str(error)
    else:
        assert read.build(dialect) == hostile


@pytest.mark.parametrize("number", list(De))
def test_every_element_is_taken_at_its_length_and_not_one_past_it(number):
    field = FIELDS[number]
    one = "AB" if field.kind is Kind.B else "7"
    Message("0100", {number: one * field.length})
    wrong = [one * (field.length + 1), ""] + ([] if field.prefix_digits else [one * (field.length - 1)])
    for text in wrong:
        with pytest.raises(ValueFieldError, match=f"data element {int(number)}"):
            Message("0100", {number: text})


@pytest.mark.parametrize(
    ("number", "text"),
    [(De.STAN, "12345A"), (De.STAN, "12345\u0661"), (De.RRN, "12345678901-"), (De.TERMINAL, "TERM\x00001"),
     (De.CHIP, "AB1"), (De.CHIP, "ab"), (De.TERMINAL, "TERMÄ001")],
)  # fmt: skip
def test_other_characters_are_refused(number, text):
    with pytest.raises(ValueFieldError):
        Message("0100", {number: text})


@pytest.mark.parametrize("mti", ["", "100", "01000", "01A0", "\u0660100"])
def test_a_type_is_four_digits(mti):
    with pytest.raises(ValueFieldError):
        Message(mti, {})


def test_a_length_with_a_sign_is_another_spelling_and_refused():
    built = bytes(Message("0100", {De.ACQUIRER_ID: "12"}).build(Dialect.ASCII))
    for spelling in (b"+2", b" 2"):
        hostile = built.replace(b"0212", spelling + b"12")
        assert hostile != built
        with pytest.raises(DecodeError):
            parse_message(hostile, Dialect.ASCII)


def test_an_element_outside_the_table_is_named():
    bitmap = (1 << (64 - 28)).to_bytes(8, "big")
    with pytest.raises(DecodeError, match="data element 28"):
        parse_message(b"0100" + bitmap + b"00000000", Dialect.BINARY)


def test_a_message_past_the_limit_is_not_read():
    with pytest.raises(DecodeError, match="more than"):
        parse_message(b"0" * (MESSAGE_BYTES_MAX + 1), Dialect.BINARY)
    with pytest.raises(DecodeError) as refused:
        parse_message(b"0" * MESSAGE_BYTES_MAX, Dialect.BINARY)
    assert "more than" not in str(refused.value)


def test_all_elements_at_their_longest_fit():
    full = Message("0100", {number: ("AB" if f.kind is Kind.B else "7") * f.length for number, f in FIELDS.items()})
    for dialect in Dialect:
        assert len(full.build(dialect)) < MESSAGE_BYTES_MAX
        assert parse_message(full.build(dialect), dialect) == full


def test_secrets_are_shown_nowhere():
    secret = {De.PAN: PAN, De.EXPIRY: "3012", De.CHIP: "5A08" + PAN}
    message = Message("0100", {**secret, De.STAN: "000001"})
    wire = message.build(Dialect.BINARY)
    for shown in (repr(message), str(message), repr(wire), str(wire), f"{wire}", f"{message}"):
        assert PAN not in shown
        assert "3012" not in shown
    assert "stan=000001" in repr(message)
    assert bytes(wire).count(PAN.encode()) == 1


def test_an_error_about_a_secret_does_not_show_it():
    with pytest.raises(ValueFieldError) as refused:
        Message("0100", {De.PAN: PAN + "99999"})
    assert PAN not in str(refused.value)
    built = bytes(Message("0100", {De.PAN: PAN}).build(Dialect.BINARY)).replace(PAN.encode(), PAN.encode()[:-1] + b"X")
    with pytest.raises(DecodeError) as undecoded:
        parse_message(built, Dialect.BINARY)
    assert PAN[:-1] not in str(undecoded.value)
    assert undecoded.value.__cause__ is None


def test_a_wire_is_bytes_like_any_other():
    assert Wire(b"abc") + b"d" == b"abcd"
    assert Wire(b"abc")[1:] == b"bc"


def test_a_message_does_not_change():
    message = Message("0100", {De.STAN: "000001"})
    with pytest.raises(TypeError):
        message.values[De.STAN] = "000002"
