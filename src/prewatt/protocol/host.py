"""The host's half of one session: bytes in, bytes out; it believes nothing but a Result it can prove.

The machine makes a Hello, answers an authentic Proof with the Command, and gives the receipt of an authentic Result in
which the meter names the id that was called: the third check. A false Proof ends the session. What does not verify as
its own Result is ignored and never confirms anything; a Refusal is a hint that only ends this session sooner. It has
no clock: whoever drives it drops it when the time is over, and tries again in a fresh one.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from prewatt.codec.commands import Command, fill_body
from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import Hello, MessageType, Refusal, RefusalReason
from prewatt.codec.receipt import RECEIPT_BYTES, Receipt
from prewatt.crypto import AuthenticationError, Suite
from prewatt.protocol.draw import check_random, draw
from prewatt.protocol.errors import RemoteProtocolError
from prewatt.protocol.sealing import SessionSealing, session_sealing
from prewatt.protocol.tables import HOST_TABLE, HostEvent, HostState, advance
from prewatt.units import MeterId

__all__ = ["Command", "Done", "EndReason", "Ended", "HostReply", "HostSession", "Ignored", "Outcome", "Send"]

_SEQUENCE_LAST: Final = 0xFFFF_FFFF


class EndReason(Enum):
    """Why a session ended without an outcome. None of them says whether the Command was carried out."""

    REFUSED = "the terminal, or somebody, sent a Refusal"
    PROOF = "the Proof is not the terminal's"
    RECEIPT = "the Result is authentic but its receipt cannot be read"
    WRONG_ID = "the Result is authentic but names another meter"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the meter said, proved: the receipt, and all plain bytes of the Result (which begin with it)."""

    receipt: Receipt
    plain: bytes = field(repr=False)

    @property
    def rest(self) -> bytes:
        """What stands behind the receipt."""
        return self.plain[RECEIPT_BYTES:]


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes for the terminal."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The one reply that may be believed."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over without an outcome; ``hint`` is what a Refusal said, and proves nothing."""

    reason: EndReason
    hint: RefusalReason | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """The payload was not this session's, and changed nothing."""

    reason: str


HostReply = Send | Done | Ended | Ignored


class HostSession:
    """One session with one meter for one Command. States and events are those of HOST_TABLE."""

    __slots__ = ("_command", "_command_payload", "_meter_id", "_plain", "_proof", "_sealing", "_state")

    def __init__(
        self, meter_id: MeterId, suite: Suite, key_set: int, terminal_key: bytes, command: Command, random: bytes
    ) -> None:
        """``random``: 32 fresh bytes of the system generator, from which R1 and R2 come.

        ValueError for a key or random bytes of another length, and for a command that cannot be sent.
        """
        check_random(random)
        if not 0 <= command.sequence <= _SEQUENCE_LAST:
            raise ValueError(f"sequence: {command.sequence} is not allowed; allowed is 0 to {_SEQUENCE_LAST}")
        self._plain = fill_body(command.code, suite.id, command.body)
        size = suite.r1_bytes
        random = draw(random, lambda drawn: suite.r1_allowed(drawn[:size]))
        hello = Hello(suite.id, key_set, meter_id, random[:size], random[size : size + suite.r2_bytes])
        self._meter_id = meter_id
        self._command = command
        self._sealing: SessionSealing = session_sealing(suite, terminal_key, hello)
        self._proof = self._command_payload = b""
        self._state = HostState.FRESH

    @property
    def state(self) -> HostState:
        """Where this half stands."""
        return self._state

    @property
    def command(self) -> Command:
        """What this session orders."""
        return self._command

    def hello(self) -> bytes:
        """The first payload, once; LocalProtocolError the second time."""
        self._state = advance(HOST_TABLE, self._state, HostEvent.HELLO_SENT)
        return self._sealing.hello

    def receive(self, payload: bytes) -> HostReply:
        """What to do about a payload that came from this meter, or seems to have come from it."""
        try:
            return self._received(payload)
        except RemoteProtocolError as error:
            return Ignored(error.why)

    def _received(self, payload: bytes) -> HostReply:
        kind = payload[0] if payload else None
        if kind == MessageType.PROOF:
            return self._prove(payload)
        if kind == MessageType.RESULT:
            return self._conclude(payload)
        if kind == MessageType.REFUSAL:
            return self._refused(payload)
        raise RemoteProtocolError("no message of a terminal in a session")

    def _prove(self, payload: bytes) -> HostReply:
        proved = advance(HOST_TABLE, self._state, HostEvent.PROOF)
        try:
            self._sealing.check_proof(payload)
        except (DecodeError, AuthenticationError):
            return self._end(HostEvent.FALSE_PROOF, EndReason.PROOF)
        self._proof = payload
        self._command_payload = self._sealing.make_command(payload, self._command, self._plain)
        self._state = proved
        return Send(self._command_payload)

    def _conclude(self, payload: bytes) -> HostReply:
        concluded = advance(HOST_TABLE, self._state, HostEvent.RESULT)
        try:
            inside = self._sealing.check_result(self._proof, self._command_payload, payload)
        except (DecodeError, AuthenticationError):
            raise RemoteProtocolError("a Result that is not this session's") from None
        try:
            plain = self._sealing.strip_result(self._command_payload, inside)
            receipt = Receipt.parse(plain[:RECEIPT_BYTES])
        except DecodeError:
            return self._end(HostEvent.FALSE_RECEIPT, EndReason.RECEIPT)
        if receipt.meter_id != self._meter_id:
            return self._end(HostEvent.FALSE_RECEIPT, EndReason.WRONG_ID)
        self._state = concluded
        return Done(Outcome(receipt, plain))

    def _refused(self, payload: bytes) -> HostReply:
        advance(HOST_TABLE, self._state, HostEvent.REFUSAL)
        try:
            hint = Refusal.parse(payload).reason
        except DecodeError as error:
            raise RemoteProtocolError(f"no Refusal: {error}") from None
        return self._end(HostEvent.REFUSAL, EndReason.REFUSED, hint)

    def _end(self, event: HostEvent, reason: EndReason, hint: RefusalReason | None = None) -> Ended:
        self._state = advance(HOST_TABLE, self._state, event)
        return Ended(reason, hint)
