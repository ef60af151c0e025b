"""Keys of what starts at the meter: Report, Alarm (and its acknowledgement), Wish, and the value code.

These messages have no session, so their keys come from the terminal key alone, one for each kind, and a counter in
the head keeps them apart. What is sealed is bytes to this module: the head is everything up to and with the counter,
the body what nobody but the host may read. Keys are derived when first needed and stay with the object.
"""

from abc import ABC, abstractmethod
from enum import Enum
from hmac import compare_digest
from typing import ClassVar

from prewatt.crypto.errors import AuthenticationError

__all__ = ["MessageKeys", "MessageKind"]


class MessageKind(Enum):
    """What a key may be used for. Report and Wish are sealed; Alarm (with AlarmAck) and value code carry a tag."""

    REPORT = "report"
    ALARM = "alarm"
    WISH = "wish"
    CODE = "code"


_SEALED = frozenset({MessageKind.REPORT, MessageKind.WISH})


class MessageKeys(ABC):
    """The keys of one meter under one key set; made by `Suite.message_keys`."""

    __slots__ = ("_terminal_key",)

    suite_name: ClassVar[str]

    def __init__(self, terminal_key: bytes) -> None:
        self._terminal_key = terminal_key

    def __repr__(self) -> str:
        return f"<keys of messages that start at a meter, {self.suite_name}, not shown>"

    def seal(self, kind: MessageKind, head: bytes, body: bytes) -> bytes:
        """`body` encrypted and bound to `head`; the message is head followed by this. `kind`: REPORT or WISH."""
        _check_kind(kind, sealed=True)
        return self._seal(kind, head, body)

    def open(self, kind: MessageKind, head: bytes, sealed: bytes) -> bytes:
        """The body that `seal` was given with this head; AuthenticationError for anything else."""
        _check_kind(kind, sealed=True)
        return self._open(kind, head, sealed)

    def tag(self, kind: MessageKind, data: bytes) -> bytes:
        """The tag over `data`. `kind`: ALARM (Alarm and AlarmAck alike) or CODE (whose first 34 bits are typed)."""
        _check_kind(kind, sealed=False)
        return self._tag(kind, data)

    def check_tag(self, kind: MessageKind, data: bytes, tag: bytes) -> None:
        """AuthenticationError unless `tag` is the whole tag over `data`."""
        if not compare_digest(self.tag(kind, data), tag):
            raise AuthenticationError

    @abstractmethod
    def _seal(self, kind: MessageKind, head: bytes, body: bytes) -> bytes: ...

    @abstractmethod
    def _open(self, kind: MessageKind, head: bytes, sealed: bytes) -> bytes: ...

    @abstractmethod
    def _tag(self, kind: MessageKind, data: bytes) -> bytes: ...


def _check_kind(kind: MessageKind, *, sealed: bool) -> None:
    if (kind in _SEALED) is not sealed:
        allowed = "REPORT or WISH, which are sealed" if sealed else "ALARM or CODE, which carry a tag"
        raise ValueError(f"kind: {kind.name} is not allowed; allowed is {allowed}")
