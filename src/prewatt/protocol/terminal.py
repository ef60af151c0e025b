"""The terminal's half: one session at a time, in RAM, gone with the power.

A Hello is answered with a Proof and replaces whatever session there was. The first Command that verifies is handed
out to be carried out, and its Result ends the session; the same bytes again, while the session would still live, get
the same Result again, so an answer lost on the line costs nothing. Three Commands that do not verify end it, as the
life does, which is counted in line ticks and not on a clock that somebody could set. Nothing durable is touched before
the Command verified; afterwards there always is a Result. Hellos are rationed, so that nobody can use the terminal as
an oracle at line speed. The whole state is one frozen value, `TerminalMemory`: a refused payload leaves it equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from prewatt.codec.commands import strip_body
from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import (
    PAYLOAD_BYTES_MAX,
    RESULT_BYTES_MAX,
    Hello,
    MessageType,
    Refusal,
    RefusalReason,
    SealedCommand,
)
from prewatt.codec.receipt import RECEIPT_BYTES
from prewatt.crypto import AuthenticationError, Suite
from prewatt.protocol.draw import check_random, draw, mixed
from prewatt.protocol.errors import LocalProtocolError, RemoteProtocolError
from prewatt.protocol.sealing import SessionSealing, session_sealing
from prewatt.protocol.tables import TERMINAL_TABLE, TerminalEvent, TerminalState, advance
from prewatt.units import METER_ID_BYTES, MeterId, Sequence

__all__ = [
    "FALSE_COMMANDS_MAX",
    "HELLOS_AT_ONCE_MAX",
    "HELLO_EVERY_MS",
    "SESSION_LIFE_MS",
    "SESSION_LIFE_UNSERVED_MS",
    "Answer",
    "Execute",
    "Silence",
    "TerminalIdentity",
    "TerminalMemory",
    "TerminalReply",
    "TerminalSession",
]

# Long enough for a Command to wait for the next round of a busy station; 30 s where the host itself is on the line.
SESSION_LIFE_MS: Final = 1_200_000
SESSION_LIFE_UNSERVED_MS: Final = 30_000
FALSE_COMMANDS_MAX: Final = 3
HELLOS_AT_ONCE_MAX: Final = 8
HELLO_EVERY_MS: Final = 1_000
_HELLO_CREDIT_MAX_MS: Final = HELLOS_AT_ONCE_MAX * HELLO_EVERY_MS


@dataclass(frozen=True, slots=True)
class TerminalIdentity:
    """Who this terminal is: its id, the suite it was enrolled with, its live key sets, what it mixes into R3."""

    meter_id: MeterId
    suite: Suite
    keys: Mapping[int, bytes] = field(repr=False)
    life_ms: int = SESSION_LIFE_MS
    boot_counter: int = 0

    def __post_init__(self) -> None:
        if len(self.meter_id) != METER_ID_BYTES:
            raise ValueError(f"meter_id: {len(self.meter_id)} bytes are not allowed; allowed is {METER_ID_BYTES}")
        for key_set, key in self.keys.items():
            if len(key) != self.suite.terminal_key_bytes:
                allowed = self.suite.terminal_key_bytes
                raise ValueError(f"keys: set {key_set} has {len(key)} bytes; allowed is {allowed}")
        if self.life_ms <= 0:
            raise ValueError(f"life_ms: {self.life_ms} is not allowed; allowed is above 0")


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes for the host: a Proof, a stored Result, or a Refusal (then ``refusal`` names its reason)."""

    payload: bytes
    refusal: RefusalReason | None = None


@dataclass(frozen=True, slots=True)
class Execute:
    """A Command that verified. Carry it out, then give the Result's plain bytes to `TerminalSession.result`.

    ``body`` is the exact plain body, or None where the plain bytes are no body of this code (``fault`` says why):
    that too is answered, with status 2. ``elapsed_ms`` are the line ticks since R3 was sent; ``key_set`` is the set
    under which the session ran.
    """

    code: int
    sequence: Sequence
    body: bytes | None = field(repr=False)
    elapsed_ms: int
    key_set: int
    fault: DecodeError | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is sent; ``reason`` is for whoever watches the meter from inside."""

    reason: str


TerminalReply = Answer | Execute | Silence


@dataclass(frozen=True, slots=True)
class _Session:
    """The one session there is."""

    sealing: SessionSealing
    proof: bytes
    key_set: int
    begun_ms: int
    false_commands: int = 0
    command: bytes = b""
    result: bytes = b""


@dataclass(frozen=True, slots=True)
class TerminalMemory:
    """All that a terminal session remembers, none of it durable."""

    state: TerminalState = TerminalState.IDLE
    session: _Session | None = None
    hello_credit_ms: int = _HELLO_CREDIT_MAX_MS
    hellos: int = 0
    line_ms: int | None = None


class TerminalSession:
    """The machine. States and events are those of TERMINAL_TABLE; ``identity`` may be replaced at any time."""

    __slots__ = ("identity", "memory")

    def __init__(self, identity: TerminalIdentity) -> None:
        self.identity = identity
        self.memory = TerminalMemory()

    @property
    def state(self) -> TerminalState:
        """Where this half stands."""
        return self.memory.state

    def receive(self, payload: bytes, *, line_ms: int, random: bytes) -> TerminalReply:
        """What to do about a payload from the line.

        ``line_ms`` are line ticks that never go back; ``random`` are 32 fresh bytes. LocalProtocolError while a
        Command is being carried out or when the ticks went back; whatever stands in ``payload``, nothing else.
        """
        check_random(random)
        if self.memory.state is TerminalState.EXECUTING:
            raise LocalProtocolError("a Command waits for its result; nothing can be received before")
        self._pass_time(line_ms)
        kind = payload[0] if payload else None
        try:
            if kind == MessageType.HELLO:
                return self._hello(payload, line_ms, random)
            if kind == MessageType.COMMAND:
                return self._command(payload, line_ms)
            return Silence("no message to a terminal in a session")
        except RemoteProtocolError as error:
            if error.refusal is None:
                return Silence(error.why)
            return Answer(Refusal(error.refusal).build(), error.refusal)

    def result(self, plain: bytes) -> bytes:
        """The Result payload for the Command that was handed out; ``plain`` begins with the receipt.

        LocalProtocolError where no Command waits; ValueError where ``plain`` has no room for a receipt or makes more
        than 2,500 bytes.
        """
        following = advance(TERMINAL_TABLE, self.memory.state, TerminalEvent.RESULT_SENT)
        session = self._session()
        if len(plain) < RECEIPT_BYTES:
            raise ValueError(f"plain: {len(plain)} bytes are not allowed; a Result begins with {RECEIPT_BYTES}")
        payload = session.sealing.make_result(session.proof, session.command, plain)
        if len(payload) > RESULT_BYTES_MAX:
            raise ValueError(f"plain: makes a Result of {len(payload)} bytes; allowed is {RESULT_BYTES_MAX}")
        self.memory = replace(self.memory, state=following, session=replace(session, result=payload))
        return payload

    def _pass_time(self, line_ms: int) -> None:
        """Ends a session whose life is over and lets the right to be answered grow again."""
        memory = self.memory
        passed_ms = 0 if memory.line_ms is None else line_ms - memory.line_ms
        if passed_ms < 0:
            raise LocalProtocolError(f"line_ms: {line_ms} is before {memory.line_ms}; line ticks never go back")
        credit_ms = min(_HELLO_CREDIT_MAX_MS, memory.hello_credit_ms + passed_ms)
        self.memory = memory = TerminalMemory(memory.state, memory.session, credit_ms, memory.hellos, line_ms)
        if memory.session is not None and line_ms - memory.session.begun_ms >= self.identity.life_ms:
            following = advance(TERMINAL_TABLE, memory.state, TerminalEvent.LIFE_OVER)
            self.memory = replace(memory, state=following, session=None)

    def _hello(self, payload: bytes, line_ms: int, random: bytes) -> Answer:
        identity, memory = self.identity, self.memory
        if Hello.addressee(payload) != identity.meter_id:
            raise RemoteProtocolError("a Hello to another meter")
        hello = self._readable_hello(payload)
        if memory.hello_credit_ms < HELLO_EVERY_MS:
            raise RemoteProtocolError("too many Hellos", RefusalReason.BUSY)
        following = advance(TERMINAL_TABLE, memory.state, TerminalEvent.HELLO)
        sealing = session_sealing(identity.suite, identity.keys[hello.key_set], hello)
        size, allowed = identity.suite.r3_bytes, identity.suite.r3_allowed
        drawn = draw(mixed(random, identity.boot_counter, memory.hellos), lambda drawn: allowed(drawn[:size]))
        proof = sealing.make_proof(drawn[:size])
        session = _Session(sealing, proof, hello.key_set, line_ms)
        credit_ms = memory.hello_credit_ms - HELLO_EVERY_MS
        self.memory = TerminalMemory(following, session, credit_ms, memory.hellos + 1, line_ms)
        return Answer(proof)

    def _readable_hello(self, payload: bytes) -> Hello:
        """The Hello, where this terminal can answer it with a Proof."""
        identity = self.identity
        if payload[1] != identity.suite.id:
            raise RemoteProtocolError("another suite than the enrolled one", RefusalReason.SUITE)
        try:
            hello = Hello.parse(payload)
        except DecodeError as error:
            raise RemoteProtocolError(str(error), RefusalReason.LENGTH) from None
        if hello.key_set not in identity.keys:
            raise RemoteProtocolError("a key set that is not here", RefusalReason.KEY_SET)
        if not identity.suite.r1_allowed(hello.r1):
            raise RemoteProtocolError("an R1 that is not allowed", RefusalReason.R1)
        return hello

    def _command(self, payload: bytes, line_ms: int) -> TerminalReply:
        if self.memory.session is not None and payload == self.memory.session.command:
            self.memory = replace(self.memory, state=self._after(TerminalEvent.SAME_COMMAND))
            return Answer(self._session().result)
        following = self._after(TerminalEvent.COMMAND)
        session = self._session()
        try:
            if len(payload) > PAYLOAD_BYTES_MAX:
                raise DecodeError(PAYLOAD_BYTES_MAX, "E", "is longer than a payload can be")
            command = session.sealing.check_command(session.proof, payload)
        except DecodeError as error:
            raise self._false_command(str(error), RefusalReason.LENGTH) from None
        except AuthenticationError as error:
            raise self._false_command(str(error), RefusalReason.SIGNATURE) from None
        self.memory = replace(self.memory, state=following, session=replace(session, command=payload))
        return self._execute(session, command, line_ms - session.begun_ms)

    def _execute(self, session: _Session, command: SealedCommand, elapsed_ms: int) -> Execute:
        body, fault = None, None
        try:
            plain = session.sealing.open_body(session.proof, command)
            body = strip_body(command.code, self.identity.suite.id, plain)
        except DecodeError as error:
            fault = error
        return Execute(command.code, command.sequence, body, elapsed_ms, session.key_set, fault)

    def _false_command(self, why: str, refusal: RefusalReason) -> RemoteProtocolError:
        """Counts a Command that does not verify; the third one ends the session."""
        session = self._session()
        count = session.false_commands + 1
        last = count >= FALSE_COMMANDS_MAX
        following = self._after(TerminalEvent.LAST_FALSE_COMMAND if last else TerminalEvent.FALSE_COMMAND)
        left = None if last else replace(session, false_commands=count)
        self.memory = replace(self.memory, state=following, session=left)
        return RemoteProtocolError(why, refusal)

    def _after(self, event: TerminalEvent) -> TerminalState:
        return advance(TERMINAL_TABLE, self.memory.state, event)

    def _session(self) -> _Session:
        if self.memory.session is None:
            raise LocalProtocolError("there is no session in this state")
        return self.memory.session
