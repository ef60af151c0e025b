"""A rig for whole-meter tests: a memory, a meter, a world clock, and hosts that hold real sessions with it."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from prewatt.codec.bodies import Commission, Transfer
from prewatt.codec.commands import Code, Command
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.receipt import RECEIPT_BYTES
from prewatt.crypto import suite
from prewatt.device.meter import Birth, Display, Effect, Event, LineFrame, LineSend, Load, Meter, Tick
from prewatt.device.meter.nvm import MemoryNvm, Region
from prewatt.device.now import Now
from prewatt.protocol.host import Done, HostSession, Outcome, Send

START_S = 1_767_225_600
METER = b"\x00\x00\x01"
M_ID = 5


@dataclass
class Rig:
    """One meter in its world. ``epoch`` and ``control`` are what a host would remember."""

    nvm: MemoryNvm
    suite_name: str
    keys: dict[int, bytes]
    now_s: int = START_S
    line_ms: int = 0
    speed: int = 1
    epoch: int = 3
    control: int = 0
    last: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    effects: list[Effect] = field(default_factory=list)
    meter: Meter = None  # type: ignore[assignment]

    @property
    def now(self) -> Now:
        return Now(self.line_ms, self.now_s, self.speed)

    @property
    def suite(self):
        return suite(self.suite_name)

    def power_up(self) -> Meter:
        self.nvm.restore_power()
        self.meter = Meter.power_up(self.nvm, self.now, self.chance.randbytes(32))
        return self.meter

    def step(self, event: Event) -> list[Effect]:
        effects = self.meter.step(event, self.now, self.chance.randbytes(32))
        self.effects += effects
        return effects

    def tick(self, seconds: int) -> list[Effect]:
        self.now_s += seconds
        self.line_ms += 1000 * seconds // self.speed
        return self.step(Tick())

    def live(self, minutes: int, pulses: int, angle: int | None = None, source: int = 0) -> list[Effect]:
        """Minutes of a steady load from the present second on, which has to be a whole minute."""
        effects = []
        for _ in range(minutes):
            self.step(Load(source, self.now_s, pulses, angle))
            effects += self.tick(60)
        return effects

    def payloads(self, effects: list[Effect]) -> list[bytes]:
        frames = [Frame.parse(effect.data) for effect in effects if isinstance(effect, LineSend)]
        assert all(frame.flags == FrameFlags.UP and frame.meter_id == METER for frame in frames)
        return [frame.payload for frame in frames]

    def say(self, payload: bytes, *, meter_id: bytes = METER, m_id: int = M_ID) -> list[bytes]:
        """One payload down the line, and what came up."""
        self.line_ms += 50
        return self.payloads(self.step(LineFrame(Frame(m_id, FrameFlags.NONE, 1, meter_id, payload).build())))

    def session(self, command: Command, key_set: int = 1) -> HostSession:
        return HostSession(METER, self.suite, key_set, self.keys[key_set], command, self.chance.randbytes(32))

    def session_hello(self) -> bytes:
        """The Hello of a session that asks for the ring."""
        self.line_ms += 10_000
        return self.session(Command(Code.RING, 0, b"")).hello()

    def order(self, code: int, sequence: int, body: bytes, key_set: int = 1, wait_ms: int = 0) -> Outcome:
        """A whole session; the outcome that the host may believe."""
        self.line_ms += 1_000
        host = self.session(Command(code, sequence, body), key_set)
        payload = host.hello()
        while True:
            replies = [host.receive(up) for up in self.say(payload)]
            done = [reply for reply in replies if isinstance(reply, Done)]
            if done:
                return done[0].outcome
            sends = [reply for reply in replies if isinstance(reply, Send)]
            assert sends, replies
            payload = sends[0].payload
            self.line_ms += wait_ms

    def store(self, amount_micro: int, tag: bytes | None = None) -> Outcome:
        """A transfer with the next sequence."""
        tag = tag or bytes((0x00 if amount_micro else 0x80, *self.chance.randbytes(7)))
        outcome = self.order(Code.VALUE, self.last + 1, Transfer(amount_micro, tag).build())
        self.last = outcome.receipt.last_sequence
        return outcome

    def command(self, code: int, body: bytes, key_set: int = 1) -> Outcome:
        """A control command with the next counter."""
        self.control += 1
        return self.order(code, self.control, body, key_set)

    def commission(self) -> None:
        tag = b"\x80" + self.chance.randbytes(7)
        outcome = self.command(Code.COMMISSION, Commission(self.epoch, tag, self.last).build())
        self.last = outcome.receipt.last_sequence

    def memory(self) -> dict[Region, bytes]:
        """Every durable byte."""
        return {region: self.nvm.read(region, 0, region.size) for region in Region}

    def check_law(self) -> None:
        self.meter.money.check()

    def shown(self, effects: list[Effect]) -> tuple[str, ...]:
        return [effect.lines for effect in effects if isinstance(effect, Display)][-1]


RigMaker = Callable[..., Rig]


@pytest.fixture(scope="session")
def make_rig() -> RigMaker:
    """Makes a powered meter; keywords go to its Birth. ``commission=False`` leaves it without an epoch."""

    def make(
        suite_name: str = "aes-2026", *, commission: bool = True, keys: Mapping[int, bytes] | None = None, **birth
    ):
        size = suite(suite_name).terminal_key_bytes
        chance = random.Random(11)
        keys = dict(keys or {1: chance.randbytes(size), 2: chance.randbytes(size)})
        rig = Rig(MemoryNvm(), suite_name, keys)
        birth = {"unit_price_micro": 150_000, **birth}
        Meter.manufacture(rig.nvm, Birth(METER, M_ID, suite_name, keys, **birth))
        rig.power_up()
        if commission:
            rig.commission()
        return rig

    return make


@pytest.fixture(params=["aes-2026", "tdes-1998"])
def rig(request, make_rig) -> Iterator[Rig]:
    """A commissioned meter in each suite; the law holds at its end."""
    made = make_rig(request.param)
    yield made
    made.check_law()
    assert RECEIPT_BYTES == 36
