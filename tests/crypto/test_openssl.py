"""Both suites against the `openssl` command: an implementation that shares no line of Python with ours.

openssl has no AES-SIV on its command line, so S2V is put together here from its CMAC and the encryption from its CTR.
"""

import shutil
import subprocess

import pytest

from prewatt.crypto import MessageKind, suite

AES, TDES = suite("aes-2026"), suite("tdes-1998")
METER = b"\x12\x34\x56"


@pytest.fixture(scope="module")
def openssl():
    path = shutil.which("openssl")
    assert path is not None, "the openssl command is missing; it is in the Debian package openssl"

    def run(*arguments, data=b""):
        done = subprocess.run([path, *arguments], input=data, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


def cmac(openssl, data, key):
    cipher = f"AES-{8 * len(key)}-CBC"
    return openssl("mac", "-cipher", cipher, "-macopt", f"hexkey:{key.hex()}", "-binary", "CMAC", data=data)


def kbkdf(openssl, key, label, context, length):
    options = (
        "mac:CMAC", f"cipher:AES-{8 * len(key)}-CBC", "mode:counter", f"hexkey:{key.hex()}", f"hexsalt:{label.hex()}",
    )  # fmt: skip
    options += (f"hexinfo:{context.hex()}",) if context else ()
    flags = [part for option in options for part in ("-kdfopt", option)]
    return openssl("kdf", "-keylen", str(length), *flags, "-binary", "KBKDF")


def two_key(openssl, mode, data, key):
    vector = ["-iv", bytes(8).hex()] if mode == "cbc" else []
    name = "-des-ede" if mode == "ecb" else "-des-ede-cbc"
    return openssl("enc", name, "-e", "-nopad", "-K", key.hex(), *vector, data=data)


def padded(data):
    return data + b"\x80" + bytes(7 - len(data) % 8)


def siv(openssl, data, key, components):
    """RFC 5297 2.4 and 2.6."""
    mac_key, ctr_key = key[:16], key[16:]

    def double(block):
        number = int.from_bytes(block, "big") << 1
        return ((number & (1 << 128) - 1) ^ (0x87 if number >> 128 else 0)).to_bytes(16, "big")

    def xor(left, right):
        return bytes(a ^ b for a, b in zip(left, right, strict=True))

    state = cmac(openssl, bytes(16), mac_key)
    for component in components:
        state = xor(double(state), cmac(openssl, component, mac_key))
    if len(data) >= 16:
        last = data[:-16] + xor(data[-16:], state)
    else:
        last = xor(double(state), data + b"\x80" + bytes(15 - len(data)))
    vector = cmac(openssl, last, mac_key)
    mask = (1 << 128) - 1 ^ (1 << 63) ^ (1 << 31)
    counter = (int.from_bytes(vector, "big") & mask).to_bytes(16, "big")
    return vector + openssl("enc", "-aes-128-ctr", "-e", "-K", ctr_key.hex(), "-iv", counter.hex(), data=data)


def test_aes_terminal_and_session_keys_are_openssl_kbkdf(openssl):
    master = bytes(range(32))
    terminal_key = kbkdf(openssl, master, b"prewatt KT", b"\x09" + METER, 32)
    assert AES.terminal_key(master, METER, 9) == terminal_key
    r1, r2 = b"\x11" * 16, b"\x22" * 16
    assert AES.session_key(terminal_key, r1, r2) == kbkdf(openssl, terminal_key, b"prewatt Ks", r1 + r2, 48)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 100])
def test_aes_sign_is_openssl_cmac(openssl, length):
    data, key = bytes(range(length)), bytes(range(48))
    assert AES.sign(data, key) == cmac(openssl, data, key[32:])


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 100])
@pytest.mark.parametrize("associated", [b"", b"hello", bytes(range(64))])
def test_aes_encrypt_is_siv_made_of_openssl_cmac_and_ctr(openssl, length, associated):
    data, key = bytes(range(length)), bytes(range(100, 148))
    assert AES.encrypt(data, key, associated) == siv(openssl, data, key[:32], [associated])


def test_aes_message_keys_are_openssl_kbkdf_with_empty_context(openssl):
    terminal_key, head = bytes(range(32)), b"\x14" * 10
    keys = AES.message_keys(terminal_key)
    report, alarm = (kbkdf(openssl, terminal_key, label, b"", 48) for label in (b"prewatt Kr", b"prewatt Ka"))
    assert keys.seal(MessageKind.REPORT, head, b"body") == siv(openssl, b"body", report[:32], [head])
    assert keys.tag(MessageKind.ALARM, head) == cmac(openssl, head, alarm[32:])


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100])
def test_tdes_encrypt_and_sign_are_openssl_two_key_triple_des(openssl, length):
    data, key = bytes(range(length)), bytes(range(50, 66))
    assert TDES.encrypt(data, key) == two_key(openssl, "ecb", padded(data), key)
    assert TDES.sign(data, key) == two_key(openssl, "cbc", padded(data), key)[-8:]


def test_tdes_keys_are_openssl_two_key_triple_des(openssl):
    master, r1 = bytes(range(16)), bytes(range(200, 216))
    terminal_key = two_key(openssl, "ecb", METER + b"\0\0\0\0\x01" + METER + b"\0\0\0\0\x02", master)
    assert TDES.terminal_key(master, METER) == terminal_key
    assert TDES.session_key(terminal_key, r1, bytes(8)) == two_key(openssl, "ecb", r1, terminal_key)
    code_key = two_key(openssl, "ecb", b"\xff" * 7 + b"\x06" + b"\xfe" * 7 + b"\x06", terminal_key)
    tag = TDES.message_keys(terminal_key).tag(MessageKind.CODE, b"code")
    assert tag == two_key(openssl, "cbc", padded(b"code"), code_key)[-8:]
