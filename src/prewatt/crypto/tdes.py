"""The suite `tdes-1998`: the source's own two-key Triple DES, for fidelity and for old fleets only.

F(block, K) is Triple DES, EDE, K = K1 | K2, on 8 bytes. Encryption takes each block by itself; a signature is the
last block of the chain O_i = F(D_i xor O_{i-1}) that starts from zero, which is CBC with a zero vector. Both pad with
80 and zeros, always (ISO/IEC 9797-1 method 2). NIST disallows Triple DES for new protection (SP 800-131A): use
`aes-2026`. Encryption alone proves nothing here, so every message that counts is tagged, and its tag is checked
before it is opened.
"""

from functools import lru_cache
from hmac import compare_digest
from typing import ClassVar, Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

from prewatt.crypto.abstract import Suite, SuiteName
from prewatt.crypto.errors import AuthenticationError, refuse_length
from prewatt.crypto.kdf import CONTEXTS_CACHED_MAX
from prewatt.crypto.messages import MessageKeys, MessageKind

__all__ = ["TDES_1998", "TdesMessageKeys", "TdesSuite", "chain_blocks", "encrypt_blocks", "reserved_r1"]

_BLOCK_BYTES: Final = 8
_KEY_BYTES: Final = 16
_PAD: Final = 0x80
_PADS: Final = tuple(bytes((_PAD,)) + bytes(7 - n) for n in range(_BLOCK_BYTES))
# R3[3:8] may not look like padding: else a proof's MAC input could be cut and joined to another (docs/protocol.md).
_R3_TAIL_REFUSED: Final = bytes((_PAD, 0, 0, 0, 0))
_R3_TAIL_START: Final = 3
_LEFT_PREFIX: Final = b"\xff" * 7
_RIGHT_PREFIX: Final = b"\xfe" * 7
# Derivations i = 1..6 are in use, 7 and 8 are kept free for later ones.
_DERIVATION_LAST: Final = 8
_RESERVED_HALVES: Final = frozenset(
    prefix + bytes((i,)) for prefix in (_LEFT_PREFIX, _RIGHT_PREFIX) for i in range(1, _DERIVATION_LAST + 1)
)
_SEAL_DERIVATIONS: Final = {MessageKind.REPORT: (1, 2), MessageKind.WISH: (4, 5)}
_TAG_DERIVATIONS: Final = {MessageKind.ALARM: 3, MessageKind.CODE: 6}
_LENGTH_BYTES: Final = 2
_SEALED_MAX_BYTES: Final = 0xFFFF


@lru_cache(maxsize=CONTEXTS_CACHED_MAX)
def _ecb(key: bytes) -> Cipher[ECB]:
    return Cipher(TripleDES(key + key[:_BLOCK_BYTES]), ECB())


@lru_cache(maxsize=CONTEXTS_CACHED_MAX)
def _cbc(key: bytes) -> Cipher[CBC]:
    return Cipher(TripleDES(key + key[:_BLOCK_BYTES]), CBC(bytes(_BLOCK_BYTES)))


def encrypt_blocks(blocks: bytes, key: bytes) -> bytes:
    """F of each block of whole blocks, by itself (ECB), under a two-key key of 16 bytes."""
    return _ecb(key).encryptor().update(blocks)


def chain_blocks(blocks: bytes, key: bytes) -> bytes:
    """Every O_i of the signature's chain over whole blocks (CBC from a zero vector)."""
    return _cbc(key).encryptor().update(blocks)


def reserved_r1(r1: bytes) -> bool:
    """Whether a half of R1 is a block from which keys of meter-started messages are derived."""
    return r1[:_BLOCK_BYTES] in _RESERVED_HALVES or r1[_BLOCK_BYTES:] in _RESERVED_HALVES


class TdesSuite(Suite):
    """`tdes-1998`, id 0x01. Every key is 16 bytes, K1 | K2."""

    name: ClassVar[SuiteName] = SuiteName.TDES_1998
    id: ClassVar[int] = 0x01
    master_bytes: ClassVar[int] = _KEY_BYTES
    terminal_key_bytes: ClassVar[int] = _KEY_BYTES
    session_key_bytes: ClassVar[int] = _KEY_BYTES
    r1_bytes: ClassVar[int] = 2 * _BLOCK_BYTES
    r2_bytes: ClassVar[int] = _BLOCK_BYTES
    r3_bytes: ClassVar[int] = _BLOCK_BYTES
    tag_bytes: ClassVar[int] = _BLOCK_BYTES

    __slots__ = ()

    def terminal_key(self, master: bytes, meter_id: bytes, key_set: int = 0) -> bytes:
        """F(ID | 00 00 00 00 01, KH) | F(ID | 00 00 00 00 02, KH)."""
        self.check_derivation(master, meter_id, key_set)
        return encrypt_blocks(meter_id + b"\x00\x00\x00\x00\x01" + meter_id + b"\x00\x00\x00\x00\x02", master)

    def session_key(self, terminal_key: bytes, r1: bytes, r2: bytes) -> bytes:
        """F(R1[0:8], KT) | F(R1[8:16], KT)."""
        _check_key("terminal_key", terminal_key)
        if len(r1) != self.r1_bytes:
            refuse_length("r1", r1, str(self.r1_bytes))
        if not self.r1_allowed(r1):
            raise ValueError("r1: equal halves, or a half kept for other keys; allowed is any other random bytes")
        return encrypt_blocks(r1, terminal_key)

    def sign(self, data: bytes, key: bytes) -> bytes:
        """The last block of the chain over the padded data."""
        _check_key("key", key)
        return chain_blocks(data + _PADS[len(data) % _BLOCK_BYTES], key)[-_BLOCK_BYTES:]

    def encrypt(self, data: bytes, key: bytes, associated: bytes = b"") -> bytes:
        """Each block of the padded data by itself; `associated` is not used."""
        _check_key("key", key)
        return encrypt_blocks(data + _PADS[len(data) % _BLOCK_BYTES], key)

    def decrypt(self, data: bytes, key: bytes, associated: bytes = b"") -> bytes:
        """The data without padding; AuthenticationError for broken blocks or padding that is not exact to the bit."""
        _check_key("key", key)
        if not data or len(data) % _BLOCK_BYTES:
            raise AuthenticationError
        plain = _ecb(key).decryptor().update(data)
        stripped = plain.rstrip(b"\x00")
        if len(plain) - len(stripped) >= _BLOCK_BYTES or stripped[-1] != _PAD:
            raise AuthenticationError
        return stripped[:-1]

    def message_keys(self, terminal_key: bytes) -> "TdesMessageKeys":
        """Key i = F(FF x 7 | i, KT) | F(FE x 7 | i, KT) for i = 1..6."""
        _check_key("terminal_key", terminal_key)
        return TdesMessageKeys(terminal_key)

    def r1_allowed(self, r1: bytes) -> bool:
        """16 bytes with unequal halves (else K1 = K2, single DES), neither of them kept for other keys."""
        return len(r1) == self.r1_bytes and r1[:_BLOCK_BYTES] != r1[_BLOCK_BYTES:] and not reserved_r1(r1)

    def r3_allowed(self, r3: bytes) -> bool:
        """8 bytes that do not end in 80 00 00 00 00."""
        return len(r3) == self.r3_bytes and r3[_R3_TAIL_START:] != _R3_TAIL_REFUSED

    def encrypted_bytes(self, plain_bytes: int) -> int:
        """The next whole number of blocks: 1 to 8 bytes more."""
        return (plain_bytes // _BLOCK_BYTES + 1) * _BLOCK_BYTES

    def sealed_bytes(self, body_bytes: int) -> int:
        """The encrypted body and its tag."""
        return self.encrypted_bytes(body_bytes) + self.tag_bytes


TDES_1998: Final = TdesSuite()


class TdesMessageKeys(MessageKeys):
    """A key for encryption and one for the tag where a kind is sealed, one key where it is only tagged."""

    __slots__ = ("_keys",)

    suite_name: ClassVar[str] = SuiteName.TDES_1998

    def __init__(self, terminal_key: bytes) -> None:
        super().__init__(terminal_key)
        self._keys: dict[int, bytes] = {}

    def _seal(self, kind: MessageKind, head: bytes, body: bytes) -> bytes:
        encryption, tagging = _SEAL_DERIVATIONS[kind]
        encrypted = TDES_1998.encrypt(body, self._key(encryption))
        if len(encrypted) > _SEALED_MAX_BYTES:
            refuse_length("body", body, "at most 65,527")
        return encrypted + self._seal_tag(head, encrypted, tagging)

    def _open(self, kind: MessageKind, head: bytes, sealed: bytes) -> bytes:
        encryption, tagging = _SEAL_DERIVATIONS[kind]
        encrypted, tag = sealed[:-_BLOCK_BYTES], sealed[-_BLOCK_BYTES:]
        if len(encrypted) > _SEALED_MAX_BYTES:
            raise AuthenticationError
        if not compare_digest(self._seal_tag(head, encrypted, tagging), tag):
            raise AuthenticationError
        return TDES_1998.decrypt(encrypted, self._key(encryption))

    def _tag(self, kind: MessageKind, data: bytes) -> bytes:
        return TDES_1998.sign(data, self._key(_TAG_DERIVATIONS[kind]))

    def _seal_tag(self, head: bytes, encrypted: bytes, tagging: int) -> bytes:
        # The length stands between them so that no byte can move from the head into the body or back.
        return TDES_1998.sign(head + len(encrypted).to_bytes(_LENGTH_BYTES, "big") + encrypted, self._key(tagging))

    def _key(self, i: int) -> bytes:
        key = self._keys.get(i)
        if key is None:
            last = bytes((i,))
            key = encrypt_blocks(_LEFT_PREFIX + last + _RIGHT_PREFIX + last, self._terminal_key)
            self._keys[i] = key
        return key


def _check_key(field: str, key: bytes) -> None:
    if len(key) != _KEY_BYTES:
        refuse_length(field, key, str(_KEY_BYTES))
