"""The suite `aes-2026`: AES-CMAC, AES-SIV, and key derivation in counter mode. The default.

KT = KDF(KH, "prewatt KT", n | ID) and Ks = KDF(KT, "prewatt Ks", R1 | R2), a session key of 48 bytes: 32 for AES-SIV
(RFC 5297), 16 for AES-CMAC (NIST SP 800-38B). Everything encrypted is authenticated together with exactly one
associated component, also when that is empty.
"""

from typing import ClassVar, Final

from prewatt.crypto.abstract import Suite, SuiteName
from prewatt.crypto.errors import refuse_length
from prewatt.crypto.kdf import cmac, derive
from prewatt.crypto.messages import MessageKeys, MessageKind
from prewatt.crypto.siv import SIV_BYTES, siv_decrypt, siv_encrypt

__all__ = ["AES_2026", "AesMessageKeys", "AesSuite"]

_RANDOM_BYTES: Final = 16
_ENCRYPT_BYTES: Final = 32
_SIGN_BYTES: Final = 16
_PAIR_BYTES: Final = _ENCRYPT_BYTES + _SIGN_BYTES
_MESSAGE_LABELS: Final = {
    MessageKind.REPORT: b"prewatt Kr",
    MessageKind.ALARM: b"prewatt Ka",
    MessageKind.WISH: b"prewatt Kw",
    MessageKind.CODE: b"prewatt Kc",
}


class AesSuite(Suite):
    """`aes-2026`, id 0x02. Keys of 48 bytes are a pair: [0:32] encrypts, [32:48] signs."""

    name: ClassVar[SuiteName] = SuiteName.AES_2026
    id: ClassVar[int] = 0x02
    master_bytes: ClassVar[int] = 32
    terminal_key_bytes: ClassVar[int] = 32
    session_key_bytes: ClassVar[int] = _PAIR_BYTES
    r1_bytes: ClassVar[int] = _RANDOM_BYTES
    r2_bytes: ClassVar[int] = _RANDOM_BYTES
    r3_bytes: ClassVar[int] = _RANDOM_BYTES
    tag_bytes: ClassVar[int] = 16

    __slots__ = ()

    def terminal_key(self, master: bytes, meter_id: bytes, key_set: int = 0) -> bytes:
        """KDF(KH, "prewatt KT", n | ID, 32)."""
        self.check_derivation(master, meter_id, key_set)
        return derive(master, b"prewatt KT", bytes((key_set,)) + meter_id, self.terminal_key_bytes)

    def session_key(self, terminal_key: bytes, r1: bytes, r2: bytes) -> bytes:
        """KDF(KT, "prewatt Ks", R1 | R2, 48)."""
        if len(terminal_key) != self.terminal_key_bytes:
            refuse_length("terminal_key", terminal_key, str(self.terminal_key_bytes))
        if len(r1) != _RANDOM_BYTES:
            refuse_length("r1", r1, str(_RANDOM_BYTES))
        if len(r2) != _RANDOM_BYTES:
            refuse_length("r2", r2, str(_RANDOM_BYTES))
        return derive(terminal_key, b"prewatt Ks", r1 + r2, _PAIR_BYTES)

    def sign(self, data: bytes, key: bytes) -> bytes:
        """AES-CMAC under key[32:48] of a pair, or under a whole key of 16 bytes."""
        if len(key) == _PAIR_BYTES:
            key = key[_ENCRYPT_BYTES:]
        elif len(key) != _SIGN_BYTES:
            refuse_length("key", key, "48, or 16 for signing alone")
        return cmac(data, key)

    def encrypt(self, data: bytes, key: bytes, associated: bytes = b"") -> bytes:
        """AES-SIV under key[0:32] of a pair, or under a whole key of 32 bytes; 16 bytes longer than `data`."""
        return siv_encrypt(data, _encrypt_key(key), (associated,))

    def decrypt(self, data: bytes, key: bytes, associated: bytes = b"") -> bytes:
        """The plaintext; AuthenticationError for any change of data, associated data or key."""
        return siv_decrypt(data, _encrypt_key(key), (associated,))

    def message_keys(self, terminal_key: bytes) -> "AesMessageKeys":
        """Kr, Ka, Kw, Kc: KDF(KT, its label, empty context, 48) each."""
        if len(terminal_key) != self.terminal_key_bytes:
            refuse_length("terminal_key", terminal_key, str(self.terminal_key_bytes))
        return AesMessageKeys(terminal_key)

    def r1_allowed(self, r1: bytes) -> bool:
        """Any 16 bytes."""
        return len(r1) == _RANDOM_BYTES

    def r3_allowed(self, r3: bytes) -> bool:
        """Any 16 bytes."""
        return len(r3) == _RANDOM_BYTES

    def encrypted_bytes(self, plain_bytes: int) -> int:
        """16 more: V stands before the ciphertext."""
        return plain_bytes + SIV_BYTES

    def sealed_bytes(self, body_bytes: int) -> int:
        """As `encrypted_bytes`: the head is associated data."""
        return self.encrypted_bytes(body_bytes)


AES_2026: Final = AesSuite()


class AesMessageKeys(MessageKeys):
    """One pair of 48 bytes for each kind."""

    __slots__ = ("_pairs",)

    suite_name: ClassVar[str] = SuiteName.AES_2026

    def __init__(self, terminal_key: bytes) -> None:
        super().__init__(terminal_key)
        self._pairs: dict[MessageKind, bytes] = {}

    def _seal(self, kind: MessageKind, head: bytes, body: bytes) -> bytes:
        return AES_2026.encrypt(body, self._pair(kind), head)

    def _open(self, kind: MessageKind, head: bytes, sealed: bytes) -> bytes:
        return AES_2026.decrypt(sealed, self._pair(kind), head)

    def _tag(self, kind: MessageKind, data: bytes) -> bytes:
        return AES_2026.sign(data, self._pair(kind))

    def _pair(self, kind: MessageKind) -> bytes:
        pair = self._pairs.get(kind)
        if pair is None:
            pair = self._pairs[kind] = derive(self._terminal_key, _MESSAGE_LABELS[kind], b"", _PAIR_BYTES)
        return pair


def _encrypt_key(key: bytes) -> bytes:
    if len(key) == _PAIR_BYTES:
        return key[:_ENCRYPT_BYTES]
    if len(key) != _ENCRYPT_BYTES:
        refuse_length("key", key, "48, or 32 for encryption alone")
    return key
