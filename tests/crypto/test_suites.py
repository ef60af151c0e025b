"""What both suites have in common: names, lengths, refusals, and that no key shows."""

import subprocess
import sys

import pytest

from prewatt.crypto import (
    SUITES,
    AuthenticationError,
    SuiteName,
    check_value,
    kdf,
    siv,
    suite,
    suite_by_id,
    tag_equal,
    tdes,
)

AES, TDES = suite("aes-2026"), suite("tdes-1998")
METER = b"\x12\x34\x56"


def test_a_suite_is_found_by_its_name_and_by_its_byte():
    assert suite_by_id(1) is suite(SuiteName.TDES_1998) is TDES
    assert suite_by_id(2) is suite(SuiteName.AES_2026) is AES
    assert [each.name for each in SUITES] == ["tdes-1998", "aes-2026"]


@pytest.mark.parametrize("name", ["", "AES-2026", "aes", "aes-2026 ", "des"])
def test_another_name_is_refused_with_the_names_there_are(name):
    with pytest.raises(ValueError, match=r"suite: .* allowed is tdes-1998 or aes-2026"):
        suite(name)


@pytest.mark.parametrize("number", [0, 3, 255, -1])
def test_another_byte_is_refused(number):
    with pytest.raises(ValueError, match="suite"):
        suite_by_id(number)


def test_the_lengths_are_those_of_the_protocol():
    assert (AES.master_bytes, AES.terminal_key_bytes, AES.session_key_bytes, AES.tag_bytes) == (32, 32, 48, 16)
    assert (AES.r1_bytes, AES.r2_bytes, AES.r3_bytes) == (16, 16, 16)
    assert (TDES.master_bytes, TDES.terminal_key_bytes, TDES.session_key_bytes, TDES.tag_bytes) == (16, 16, 16, 8)
    assert (TDES.r1_bytes, TDES.r2_bytes, TDES.r3_bytes) == (16, 8, 8)


@pytest.mark.parametrize("each", SUITES, ids=str)
def test_the_lengths_are_those_of_what_the_functions_give(each):
    terminal_key = each.terminal_key(bytes(each.master_bytes), METER)
    assert len(terminal_key) == each.terminal_key_bytes
    session_key = each.session_key(terminal_key, bytes(range(each.r1_bytes)), bytes(each.r2_bytes))
    assert len(session_key) == each.session_key_bytes
    assert len(each.sign(b"", session_key)) == each.tag_bytes


@pytest.mark.parametrize("each", SUITES, ids=str)
@pytest.mark.parametrize("length", [n for n in range(66) if n not in (16, 32, 48)])
def test_a_key_of_another_length_is_refused_by_length_and_never_shown(each, length):
    key = b"\xa7" * length
    for call in (
        lambda: each.sign(b"x", key),
        lambda: each.encrypt(b"x", key),
        lambda: each.decrypt(bytes(32), key),
        lambda: each.terminal_key(key, METER),
        lambda: each.session_key(key, bytes(range(16)), bytes(each.r2_bytes)),
        lambda: each.message_keys(key),
        lambda: check_value(each, 0, METER, key),
    ):
        with pytest.raises(ValueError, match=rf"(key|master): {length} bytes are not allowed; allowed is") as refused:
            call()
        assert "a7" not in str(refused.value)
        assert "\\x" not in str(refused.value)


def test_keys_of_the_other_suite_are_refused():
    with pytest.raises(ValueError, match="key"):
        TDES.sign(b"x", bytes(48))
    with pytest.raises(ValueError, match="key"):
        TDES.decrypt(bytes(8), bytes(32))
    with pytest.raises(ValueError, match="master"):
        TDES.terminal_key(bytes(32), METER)
    with pytest.raises(ValueError, match="key"):
        AES.encrypt(b"x", bytes(16))
    with pytest.raises(ValueError, match="key"):
        AES.sign(b"x", bytes(32))
    with pytest.raises(ValueError, match="terminal_key"):
        AES.session_key(bytes(16), bytes(16), bytes(16))
    with pytest.raises(ValueError, match="master"):
        AES.terminal_key(bytes(16), METER)


@pytest.mark.parametrize("each", SUITES, ids=str)
def test_a_meter_id_has_three_bytes_and_a_key_set_one(each):
    master = bytes(each.master_bytes)
    for meter_id in (b"", b"\x01\x02", b"\x01\x02\x03\x04"):
        with pytest.raises(ValueError, match="meter_id"):
            each.terminal_key(master, meter_id)
    for key_set in (-1, 256):
        with pytest.raises(ValueError, match="key_set"):
            each.terminal_key(master, METER, key_set)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_random_bytes_of_another_length_make_no_session_key(length):
    with pytest.raises(ValueError, match="r1"):
        AES.session_key(bytes(32), bytes(length), bytes(16))
    with pytest.raises(ValueError, match="r2"):
        AES.session_key(bytes(32), bytes(16), bytes(length))
    with pytest.raises(ValueError, match="r1"):
        TDES.session_key(bytes(16), bytes(range(length)), bytes(8))


def test_meters_sets_and_sessions_have_different_keys():
    master = bytes(range(32))
    keys = {AES.terminal_key(master, bytes((0, 0, i)), n) for i in range(1, 20) for n in range(20)}
    assert len(keys) == 19 * 20
    old = {TDES.terminal_key(master[:16], bytes((0, 0, i))) for i in range(1, 20)}
    assert len(old) == 19


def test_the_check_value_names_suite_set_meter_and_key():
    key = bytes(range(32))
    expected = check_value(AES, 3, METER, key)
    assert len(expected) == 4
    others = [
        check_value(TDES, 3, METER, key[:16]),
        check_value(AES, 4, METER, key),
        check_value(AES, 3, b"\x12\x34\x57", key),
        check_value(AES, 3, METER, key[::-1]),
    ]
    assert expected not in others
    for bad in (-1, 256):
        with pytest.raises(ValueError, match="key_set"):
            check_value(AES, bad, METER, key)
    with pytest.raises(ValueError, match="meter_id"):
        check_value(AES, 0, b"", key)


def test_tags_are_compared_whole():
    assert tag_equal(b"abc", b"abc")
    assert not tag_equal(b"abc", b"abd")
    assert not tag_equal(b"abc", b"ab")
    assert not tag_equal(b"", b"a")


def test_nothing_shows_a_key():
    for each in SUITES:
        key = b"\xa7" * each.terminal_key_bytes
        shown = repr(each.message_keys(key)) + repr(each) + str(each.message_keys(key))
        assert "a7" not in shown
        assert "\\x" not in shown
    assert repr(AES) == "suite('aes-2026')"


def test_every_failure_to_decrypt_reads_the_same():
    texts = set()
    for data in (b"", bytes(16), bytes(17), bytes(24)):
        with pytest.raises(AuthenticationError) as failed:
            AES.decrypt(data, bytes(48))
        texts.add(str(failed.value))
    for data in (b"", b"\x01", bytes(8)):
        with pytest.raises(AuthenticationError) as failed:
            TDES.decrypt(data, bytes(range(16)))
        texts.add(str(failed.value))
    assert len(texts) == 1


@pytest.mark.parametrize("cached", [kdf._context, siv._cipher, tdes._ecb, tdes._cbc])
def test_no_more_contexts_are_kept_than_the_limit(cached):
    for number in range(kdf.CONTEXTS_CACHED_MAX + 5):
        key = number.to_bytes(16, "big")
        cached(key * 2 if cached is siv._cipher else key)
    assert cached.cache_info().currsize == kdf.CONTEXTS_CACHED_MAX == 1_024


def test_the_import_warns_about_nothing():
    code = "import prewatt.crypto as c; c.suite('tdes-1998').sign(b'', bytes(range(16)))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
