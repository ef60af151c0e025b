"""What a session signs and encrypts: the one place where the two suites differ, used by host and terminal alike.

A `SessionSealing` is one session's key with the Hello it came from. Both sides make it from the same bytes; each
method exists once for the side that makes a message and once for the side that checks it. tdes-1998 binds a Command
to R3 alone and tags its Result; aes-2026 binds everything to all that was said before (docs/protocol.md). Tags are
compared in constant time, and nothing is decrypted before what covers it was found authentic.
"""

from abc import ABC, abstractmethod
from typing import Final

from prewatt.codec.commands import Code, Command, plain_bytes
from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import (
    LAYOUTS,
    Hello,
    MessageType,
    Proof,
    SealedCommand,
    SealedResult,
    check_payload,
    command_head,
)
from prewatt.codec.padding import pad_plain, strip_plain
from prewatt.crypto import AuthenticationError, Suite, SuiteName, tag_equal

__all__ = ["SessionSealing", "session_sealing"]

_COMMAND_TYPE: Final = bytes((MessageType.COMMAND,))
_RESULT_TYPE: Final = bytes((MessageType.RESULT,))
_PROOF_LABEL: Final = b"t"
_COMMAND_LABEL: Final = b"h"
# Of a usage Result in aes-2026: the type byte, and the 16 bytes by which M is longer than its plain.
_RESULT_OVERHEAD_BYTES: Final = 17
# The source sends these plain; they hold nothing secret.
_TDES_PLAIN_CODES: Final = frozenset({Code.MODE, Code.USAGE})


class SessionSealing(ABC):
    """The session key at work. ``hello``, ``proof``, ``command`` are whole payloads, as they went over the line."""

    __slots__ = ("_key", "_layout", "_r2", "_suite", "hello")

    def __init__(self, suite: Suite, session_key: bytes, hello: Hello) -> None:
        self._suite = suite
        self._layout = LAYOUTS[suite.id]
        self._key = session_key
        self.hello = hello.build()
        self._r2 = hello.r2

    def __repr__(self) -> str:
        return "<session key, not shown>"

    def make_proof(self, r3: bytes) -> bytes:
        """The Proof with this R3."""
        return Proof(self._proof_tag(r3), r3).build()

    def check_proof(self, proof: bytes) -> None:
        """DecodeError or AuthenticationError unless it is the terminal's."""
        parsed = Proof.parse(proof, self._layout)
        if not tag_equal(self._proof_tag(parsed.r3), parsed.tag) or not self._suite.r3_allowed(parsed.r3):
            raise AuthenticationError

    def make_command(self, proof: bytes, command: Command, plain: bytes) -> bytes:
        """The Command payload; ``plain`` is the command's body with its filler."""
        head = command_head(command.code, command.sequence)
        body = self._seal_body(proof, head, plain)
        return _COMMAND_TYPE + head + body + self._command_tag(proof, head, body)

    def check_command(self, proof: bytes, command: bytes) -> SealedCommand:
        """The parts of the Command; DecodeError for its length, AuthenticationError unless it is the host's."""
        parsed = SealedCommand.parse(command, self._layout)
        self._check_body_length(parsed)
        head = command_head(parsed.code, parsed.sequence)
        if not tag_equal(self._command_tag(proof, head, parsed.body), parsed.tag):
            raise AuthenticationError
        return parsed

    def open_body(self, proof: bytes, command: SealedCommand) -> bytes:
        """The plain bytes of a Command that was checked; DecodeError where they cannot be had."""
        try:
            return self._open_body(proof, command)
        except AuthenticationError:
            raise DecodeError(0, "E", "is not what the body's encryption makes") from None

    @abstractmethod
    def _proof_tag(self, r3: bytes) -> bytes: ...

    @abstractmethod
    def _command_tag(self, proof: bytes, head: bytes, body: bytes) -> bytes: ...

    @abstractmethod
    def _check_body_length(self, command: SealedCommand) -> None: ...

    @abstractmethod
    def _seal_body(self, proof: bytes, head: bytes, plain: bytes) -> bytes: ...

    @abstractmethod
    def _open_body(self, proof: bytes, command: SealedCommand) -> bytes: ...

    @abstractmethod
    def make_result(self, proof: bytes, command: bytes, plain: bytes) -> bytes:
        """The Result payload to that Command; ValueError where ``plain`` is too long for its padding."""

    @abstractmethod
    def check_result(self, proof: bytes, command: bytes, result: bytes) -> bytes:
        """The bytes inside M, padding included; DecodeError or AuthenticationError unless they answer ``command``."""

    @abstractmethod
    def strip_result(self, command: bytes, inside: bytes) -> bytes:
        """What `make_result` was given, of the bytes inside M; DecodeError for false padding."""


class _TdesSealing(SessionSealing):
    """tdes-1998: a Proof signs R2, a Command H | R3 | E, a Result 13 | sequence | R3 | M."""

    __slots__ = ()

    def _proof_tag(self, r3: bytes) -> bytes:
        return self._suite.sign(self._r2, self._key)

    def _command_tag(self, proof: bytes, head: bytes, body: bytes) -> bytes:
        return self._suite.sign(head + self._r3(proof) + body, self._key)

    def _check_body_length(self, command: SealedCommand) -> None:
        allowed = plain_bytes(command.code, self._suite.id)
        if allowed is not None and command.code not in _TDES_PLAIN_CODES:
            allowed = self._suite.encrypted_bytes(allowed)
        if len(command.body) != allowed:
            raise DecodeError(0, "E", f"{len(command.body)} bytes, code {command.code:02X} has {allowed}")

    def _seal_body(self, proof: bytes, head: bytes, plain: bytes) -> bytes:
        return plain if head[0] in _TDES_PLAIN_CODES else self._suite.encrypt(plain, self._key)

    def _open_body(self, proof: bytes, command: SealedCommand) -> bytes:
        return command.body if command.code in _TDES_PLAIN_CODES else self._suite.decrypt(command.body, self._key)

    def make_result(self, proof: bytes, command: bytes, plain: bytes) -> bytes:
        body = self._suite.encrypt(plain, self._key)
        return SealedResult(body, self._result_tag(proof, command, body)).build()

    def check_result(self, proof: bytes, command: bytes, result: bytes) -> bytes:
        parsed = SealedResult.parse(result, self._layout.tag)
        if not tag_equal(self._result_tag(proof, command, parsed.body), parsed.tag):
            raise AuthenticationError
        return self._suite.decrypt(parsed.body, self._key)

    def strip_result(self, command: bytes, inside: bytes) -> bytes:
        return inside

    def _result_tag(self, proof: bytes, command: bytes, body: bytes) -> bytes:
        return self._suite.sign(_RESULT_TYPE + command[2:6] + self._r3(proof) + body, self._key)

    def _r3(self, proof: bytes) -> bytes:
        return proof[-self._layout.r3 :]


class _AesSealing(SessionSealing):
    """aes-2026: each message is bound to every whole payload before it."""

    __slots__ = ()

    def _proof_tag(self, r3: bytes) -> bytes:
        return self._suite.sign(_PROOF_LABEL + self.hello + r3, self._key)

    def _command_tag(self, proof: bytes, head: bytes, body: bytes) -> bytes:
        return self._suite.sign(_COMMAND_LABEL + self.hello + proof + head + body, self._key)

    def _check_body_length(self, command: SealedCommand) -> None:
        if len(command.body) < self._suite.encrypted_bytes(0):
            raise DecodeError(0, "E", f"{len(command.body)} bytes are no encrypted body")

    def _seal_body(self, proof: bytes, head: bytes, plain: bytes) -> bytes:
        return self._suite.encrypt(plain, self._key, self.hello + proof + head)

    def _open_body(self, proof: bytes, command: SealedCommand) -> bytes:
        head = command_head(command.code, command.sequence)
        return self._suite.decrypt(command.body, self._key, self.hello + proof + head)

    def make_result(self, proof: bytes, command: bytes, plain: bytes) -> bytes:
        if command[1] == Code.USAGE:
            plain = pad_plain(plain, _RESULT_OVERHEAD_BYTES)
        return SealedResult(self._suite.encrypt(plain, self._key, self.hello + proof + command)).build()

    def check_result(self, proof: bytes, command: bytes, result: bytes) -> bytes:
        check_payload(result, MessageType.RESULT, 1 + self._suite.encrypted_bytes(0), longer=True)
        return self._suite.decrypt(result[1:], self._key, self.hello + proof + command)

    def strip_result(self, command: bytes, inside: bytes) -> bytes:
        return strip_plain(inside, _RESULT_OVERHEAD_BYTES) if command[1] == Code.USAGE else inside


def session_sealing(suite: Suite, terminal_key: bytes, hello: Hello) -> SessionSealing:
    """The sealing of the session that ``hello`` opens; ValueError for an R1 or a key that ``suite`` does not take."""
    key = suite.session_key(terminal_key, hello.r1, hello.r2)
    return (_TdesSealing if suite.name == SuiteName.TDES_1998 else _AesSealing)(suite, key, hello)
