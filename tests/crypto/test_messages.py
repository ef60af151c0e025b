"""Keys of messages that start at the meter: each kind apart from every other, and from sessions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.crypto import SUITES, AuthenticationError, MessageKind, suite
from prewatt.crypto.kdf import derive
from prewatt.crypto.tdes import encrypt_blocks

SEALED = (MessageKind.REPORT, MessageKind.WISH)
TAGGED = (MessageKind.ALARM, MessageKind.CODE)
HEAD = bytes.fromhex("140201123456" + "00000007")

# Not 3D: the lowest bit of each byte of a DES key is parity and makes no other key.
OTHER_KEY_BYTE = 0x3E


def keys_of(each, byte=0x3C):
    return each.message_keys(bytes((byte,)) * each.terminal_key_bytes)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(SUITES), st.sampled_from(SEALED), st.binary(max_size=40), st.binary(max_size=300))
def test_what_was_sealed_is_opened_with_its_head(each, kind, head, body):
    sealed = keys_of(each).seal(kind, head, body)
    assert len(sealed) == each.sealed_bytes(len(body))
    assert keys_of(each).open(kind, head, sealed) == body


@pytest.mark.parametrize("each", SUITES, ids=str)
@pytest.mark.parametrize("kind", SEALED)
def test_every_flipped_bit_of_head_and_sealed_body_is_seen(each, kind):
    keys = keys_of(each)
    sealed = keys.seal(kind, HEAD, bytes(range(20)))
    whole = HEAD + sealed
    for bit in range(8 * len(whole)):
        forged = bytearray(whole)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AuthenticationError):
            keys.open(kind, bytes(forged[: len(HEAD)]), bytes(forged[len(HEAD) :]))


@pytest.mark.parametrize("each", SUITES, ids=str)
def test_every_cut_longer_tail_and_moved_border_is_seen(each):
    keys = keys_of(each)
    sealed = keys.seal(MessageKind.REPORT, HEAD, bytes(range(20)))
    for length in range(len(sealed)):
        with pytest.raises(AuthenticationError):
            keys.open(MessageKind.REPORT, HEAD, sealed[:length])
    for tail in (b"\x00", b"\x80", bytes(8), bytes(70_000)):
        with pytest.raises(AuthenticationError):
            keys.open(MessageKind.REPORT, HEAD, sealed + tail)
    whole = HEAD + sealed
    for border in range(len(whole) + 1):
        if border != len(HEAD):
            with pytest.raises(AuthenticationError):
                keys.open(MessageKind.REPORT, whole[:border], whole[border:])


@pytest.mark.parametrize("each", SUITES, ids=str)
def test_a_message_of_another_kind_meter_or_set_is_not_opened(each):
    report = keys_of(each).seal(MessageKind.REPORT, HEAD, b"body")
    with pytest.raises(AuthenticationError):
        keys_of(each).open(MessageKind.WISH, HEAD, report)
    with pytest.raises(AuthenticationError):
        keys_of(each, OTHER_KEY_BYTE).open(MessageKind.REPORT, HEAD, report)
    alarm = keys_of(each).tag(MessageKind.ALARM, HEAD)
    with pytest.raises(AuthenticationError):
        keys_of(each).check_tag(MessageKind.CODE, HEAD, alarm)
    with pytest.raises(AuthenticationError):
        keys_of(each, OTHER_KEY_BYTE).check_tag(MessageKind.ALARM, HEAD, alarm)


@pytest.mark.parametrize("each", SUITES, ids=str)
@pytest.mark.parametrize("kind", TAGGED)
def test_every_flipped_bit_and_every_cut_of_a_tagged_message_is_seen(each, kind):
    keys = keys_of(each)
    tag = keys.tag(kind, HEAD)
    assert len(tag) == each.tag_bytes
    keys.check_tag(kind, HEAD, tag)
    whole = HEAD + tag
    for bit in range(8 * len(whole)):
        forged = bytearray(whole)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AuthenticationError):
            keys.check_tag(kind, bytes(forged[: len(HEAD)]), bytes(forged[len(HEAD) :]))
    for length in range(len(tag)):
        with pytest.raises(AuthenticationError):
            keys.check_tag(kind, HEAD, tag[:length])


@pytest.mark.parametrize("each", SUITES, ids=str)
def test_a_kind_is_used_only_for_what_it_is_for(each):
    keys = keys_of(each)
    for kind in TAGGED:
        with pytest.raises(ValueError, match=f"kind: {kind.name}"):
            keys.seal(kind, HEAD, b"")
        with pytest.raises(ValueError, match=f"kind: {kind.name}"):
            keys.open(kind, HEAD, b"")
    for kind in SEALED:
        with pytest.raises(ValueError, match=f"kind: {kind.name}"):
            keys.tag(kind, HEAD)
        with pytest.raises(ValueError, match=f"kind: {kind.name}"):
            keys.check_tag(kind, HEAD, b"")


def test_the_aes_keys_are_derived_by_their_labels_with_empty_context():
    aes, key = suite("aes-2026"), bytes(range(32))
    keys = aes.message_keys(key)
    pairs = {label: derive(key, b"prewatt " + label, b"", 48) for label in (b"Kr", b"Ka", b"Kw", b"Kc")}
    assert keys.seal(MessageKind.REPORT, HEAD, b"body") == aes.encrypt(b"body", pairs[b"Kr"], HEAD)
    assert keys.seal(MessageKind.WISH, HEAD, b"body") == aes.encrypt(b"body", pairs[b"Kw"], HEAD)
    assert keys.tag(MessageKind.ALARM, HEAD) == aes.sign(HEAD, pairs[b"Ka"])
    assert keys.tag(MessageKind.CODE, HEAD) == aes.sign(HEAD, pairs[b"Kc"])


def test_the_tdes_keys_are_derived_from_the_reserved_blocks():
    tdes, key = suite("tdes-1998"), bytes(range(16))
    keys = tdes.message_keys(key)
    made = [encrypt_blocks(b"\xff" * 7 + bytes((i,)) + b"\xfe" * 7 + bytes((i,)), key) for i in range(7)]
    for kind, encryption, tagging in ((MessageKind.REPORT, 1, 2), (MessageKind.WISH, 4, 5)):
        encrypted = tdes.encrypt(b"body", made[encryption])
        tag = tdes.sign(HEAD + b"\x00\x08" + encrypted, made[tagging])
        assert keys.seal(kind, HEAD, b"body") == encrypted + tag
    assert keys.tag(MessageKind.ALARM, HEAD) == tdes.sign(HEAD, made[3])
    assert keys.tag(MessageKind.CODE, HEAD) == tdes.sign(HEAD, made[6])


def test_a_tdes_body_has_a_length_that_fits_its_two_bytes():
    keys = keys_of(suite("tdes-1998"))
    largest = bytes(65_527)
    assert keys.open(MessageKind.REPORT, HEAD, keys.seal(MessageKind.REPORT, HEAD, largest)) == largest
    with pytest.raises(ValueError, match="body"):
        keys.seal(MessageKind.REPORT, HEAD, bytes(65_528))
