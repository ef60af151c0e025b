"""What a cipher suite is: the five functions of the key hierarchy and the byte lengths that messages need.

A master key KH makes a terminal key KT from the meter's id, KT makes a session key Ks from fresh random bytes, and Ks
signs and encrypts. A suite is stateless: keys go in as bytes with every call. Two exist, `tdes-1998` (the source's
own cipher, for fidelity and old fleets) and `aes-2026` (the default); both are described in docs/protocol.md.
"""

from abc import ABC, abstractmethod
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, ClassVar, Final

from prewatt.crypto.errors import refuse_length
from prewatt.units import METER_ID_BYTES

if TYPE_CHECKING:
    from prewatt.crypto.messages import MessageKeys

__all__ = ["CHECK_VALUE_BYTES", "KEY_SET_MAX", "Suite", "SuiteName", "check_value", "tag_equal"]

# Key sets are numbered by one byte on the wire.
KEY_SET_MAX: Final = 0xFF
CHECK_VALUE_BYTES: Final = 4
_CHECK_LABEL: Final = b"prewatt kcv"


class SuiteName(StrEnum):
    """The names people write; a setting or a command takes exactly these."""

    TDES_1998 = "tdes-1998"
    AES_2026 = "aes-2026"


class Suite(ABC):
    """One cipher suite. Lengths are in bytes; `id` is its byte on the wire."""

    name: ClassVar[SuiteName]
    id: ClassVar[int]
    master_bytes: ClassVar[int]
    terminal_key_bytes: ClassVar[int]
    session_key_bytes: ClassVar[int]
    r1_bytes: ClassVar[int]
    r2_bytes: ClassVar[int]
    r3_bytes: ClassVar[int]
    tag_bytes: ClassVar[int]

    __slots__ = ()

    def __repr__(self) -> str:
        return f"suite({self.name.value!r})"

    @abstractmethod
    def terminal_key(self, master: bytes, meter_id: bytes, key_set: int = 0) -> bytes:
        """KT of one meter from a master key KH.

        `master` is `master_bytes` long, `meter_id` 3 bytes, `key_set` 0-255 (tdes-1998 ignores it).
        ValueError for other lengths.
        """

    @abstractmethod
    def session_key(self, terminal_key: bytes, r1: bytes, r2: bytes) -> bytes:
        """Ks of one session from KT and the host's random bytes (tdes-1998 ignores `r2`).

        ValueError for wrong lengths and for an R1 that `r1_allowed` refuses.
        """

    @abstractmethod
    def sign(self, data: bytes, key: bytes) -> bytes:
        """The tag of `data`, `tag_bytes` long; ValueError where `key` is no session key and no signing key."""

    @abstractmethod
    def encrypt(self, data: bytes, key: bytes, associated: bytes = b"") -> bytes:
        """`data` (which may be empty) encrypted; aes-2026 authenticates it together with `associated`."""

    @abstractmethod
    def decrypt(self, data: bytes, key: bytes, associated: bytes = b"") -> bytes:
        """What `encrypt` was given. AuthenticationError for every cause in `data` or `associated`.

        tdes-1998 can only see wrong padding: its messages carry a tag of their own that is checked first.
        """

    @abstractmethod
    def message_keys(self, terminal_key: bytes) -> "MessageKeys":
        """The keys of messages that start at the meter (Report, Alarm, Wish) and of value codes."""

    @abstractmethod
    def r1_allowed(self, r1: bytes) -> bool:
        """Whether an R1 may be sent or accepted; False also for a wrong length."""

    @abstractmethod
    def r3_allowed(self, r3: bytes) -> bool:
        """Whether an R3 may be sent or accepted; False also for a wrong length."""

    @abstractmethod
    def encrypted_bytes(self, plain_bytes: int) -> int:
        """The length of `encrypt` of so many bytes."""

    @abstractmethod
    def sealed_bytes(self, body_bytes: int) -> int:
        """The length of `MessageKeys.seal` of a body of so many bytes (the head not counted)."""

    def check_derivation(self, master: bytes, meter_id: bytes, key_set: int) -> None:
        """ValueError where an argument of `terminal_key` is out of bounds."""
        if len(master) != self.master_bytes:
            refuse_length("master", master, str(self.master_bytes))
        if len(meter_id) != METER_ID_BYTES:
            refuse_length("meter_id", meter_id, str(METER_ID_BYTES))
        if not 0 <= key_set <= KEY_SET_MAX:
            raise ValueError(f"key_set: {key_set} is not allowed; allowed is 0 to {KEY_SET_MAX}")


def tag_equal(left: bytes, right: bytes) -> bool:
    """Whether two tags are equal, in time that does not tell where they differ."""
    return compare_digest(left, right)


def check_value(suite: Suite, key_set: int, meter_id: bytes, terminal_key: bytes) -> bytes:
    """Four bytes by which host and meter see that set `key_set` holds the same KT, without showing it."""
    suite.check_derivation(bytes(suite.master_bytes), meter_id, key_set)
    if len(terminal_key) != suite.terminal_key_bytes:
        refuse_length("terminal_key", terminal_key, str(suite.terminal_key_bytes))
    place = bytes((suite.id, key_set)) + meter_id
    return sha256(_CHECK_LABEL + place + terminal_key).digest()[:CHECK_VALUE_BYTES]
