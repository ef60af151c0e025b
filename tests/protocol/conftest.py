"""Two halves of a session, made to meet: what the tests of the session machines share."""

import copy
from dataclasses import dataclass, field
from hashlib import sha256

import pytest

from prewatt.codec.receipt import Receipt, Status
from prewatt.crypto import Suite, suite
from prewatt.protocol.host import Command, HostSession, Send
from prewatt.protocol.terminal import Answer, Execute, TerminalIdentity, TerminalSession
from prewatt.units import MeterId, Micro, Sequence

METER = MeterId(bytes.fromhex("00A1B2"))
SUITES = [suite("tdes-1998"), suite("aes-2026")]


def random_of(seed: object) -> bytes:
    """32 bytes that differ for every seed."""
    return sha256(repr(seed).encode()).digest()


def bodies(used: Suite) -> dict[int, bytes]:
    """A body that each code can have."""
    key_bytes = used.terminal_key_bytes
    return {
        0x01: (10_000_000).to_bytes(8, "big") + bytes(range(8)),
        0x02: (40).to_bytes(2, "big") + bytes(range(40)) + bytes(216) + (250_000).to_bytes(8, "big"),
        0x03: bytes(range(19)),
        0x04: b"",
        0x05: b"\x04" + bytes(range(key_bytes)) + b"abcd",
        0x06: b"\x02",
        0x07: b"\x01" + bytes(range(8)),
        0x08: bytes(range(8)),
        0x09: "Grüße".encode(),
        0x0A: bytes(range(100)),
        0xFE: b"",
    }


@dataclass
class Pair:
    """One host half and one terminal half that belong together."""

    used: Suite
    code: int = 0x01
    seed: object = 0
    meter_id: MeterId = METER
    key_set: int = 3
    sequence: int = 7
    body: bytes | None = None
    rest: bytes = b"more"
    host: HostSession = field(init=False)
    terminal: TerminalSession = field(init=False)

    def __post_init__(self):
        master = random_of("master")[: self.used.master_bytes]
        self.keys = {n: self.used.terminal_key(random_of(n)[: len(master)], self.meter_id, n) for n in (3, 4)}
        self.body = bodies(self.used)[self.code] if self.body is None else self.body
        self.terminal = TerminalSession(TerminalIdentity(self.meter_id, self.used, self.keys, boot_counter=5))
        self.host = self.new_host(self.seed)

    def new_host(self, seed):
        command = Command(self.code, Sequence(self.sequence), self.body)
        return HostSession(self.meter_id, self.used, self.key_set, self.keys[self.key_set], command, random_of(seed))

    def receipt(self, meter_id=None) -> Receipt:
        tag = bytes(range(8))
        meter_id = self.meter_id if meter_id is None else meter_id
        return Receipt(Micro(12_500_000), meter_id, Status.DONE, Sequence(self.sequence), tag, 10_000_000, 2)

    def tell(self, payload, line_ms=0, seed="terminal"):
        """Gives the terminal a payload."""
        return self.terminal.receive(payload, line_ms=line_ms, random=random_of((seed, self.seed)))

    def to_proof(self) -> bytes:
        answer = self.tell(self.host.hello())
        assert isinstance(answer, Answer)
        assert answer.refusal is None
        return answer.payload

    def to_command(self) -> bytes:
        sent = self.host.receive(self.to_proof())
        assert isinstance(sent, Send)
        return sent.payload

    def to_result(self) -> bytes:
        execute = self.tell(self.to_command())
        assert isinstance(execute, Execute)
        return self.terminal.result(self.receipt().build() + self.rest)


def host_facts(host: HostSession) -> tuple:
    """Everything a host half remembers, to compare."""
    return tuple(getattr(host, name) for name in HostSession.__slots__)


@pytest.fixture(params=SUITES, ids=lambda each: each.name.value)
def used(request) -> Suite:
    """Each suite in turn."""
    return request.param


@pytest.fixture(scope="session")
def make_pair():
    """Makes a Pair: make_pair(suite, code=..., seed=...)."""
    return Pair


@pytest.fixture(scope="session")
def all_codes():
    """The codes and a body for each: all_codes(suite)."""
    return bodies


@pytest.fixture(scope="session")
def facts():
    """What a host half remembers."""
    return host_facts


@pytest.fixture(scope="session")
def rand():
    """32 bytes of a seed."""
    return random_of


@pytest.fixture(scope="session")
def clone():
    """A copy of a host half that goes its own way."""
    return copy.copy
