"""The field without boxes: one hostile station between the host and the meters, and it does what it likes.

It has no key. It loses, doubles, delays, bends and records messages (its two links do that by their weather), and on
the workload's word it plays old ones to whoever it likes, answers in other meters' names, refuses for them, withholds
everything, and makes up bytes of its own. A message passes whole; boxes and lines slot in between by taking the places
of the two links.
"""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.messages import MessageType
from prewatt.device.meter import LineFrame
from prewatt.host.dispatch import Post
from prewatt.host.host import Host
from prewatt.host.topology import STATION_DEFAULT
from prewatt.sim.home import Home
from prewatt.sim.weather import CALM, CUT_MS, Link, bend

if TYPE_CHECKING:
    from prewatt.sim.world import World

__all__ = ["Street"]

_TAPE_MAX: Final = 1_500
_GARBAGE_BYTES_MAX: Final = 2_700
_PAYLOAD_MAX: Final = 2_600
_KINDS: Final = tuple(MessageType)
# What a meter says to whoever called it, and to nobody else.
_ANSWERS: Final = frozenset({MessageType.PROOF, MessageType.RESULT, MessageType.REFUSAL})
# What a station may keep back, on which way, and for how many milliseconds: a session lives for twenty minutes at a
# meter and for half a minute at the host, what a meter says by itself is good for ever.
_HELD: Final = (
    ("down", frozenset({MessageType.COMMAND}), (4_000, 12_000, 25_000, 60_000, 600_000, 1_190_000)),
    ("up", frozenset({MessageType.RESULT}), (4_000, 12_000, 25_000, 60_000)),
    ("up", frozenset({MessageType.REPORT}), (60_000, 600_000, 1_200_000, 100_000_000)),
    ("up", frozenset({MessageType.ALARM, MessageType.WISH}), (60_000, 1_200_000, 100_000_000)),
)


class Street:
    """See the module."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.down = Link(world, "down", self._to_meter)
        self.up = Link(world, "up", self._to_host)
        self.links = [self.down, self.up]
        self._tape: list[tuple[str, str, bytes]] = []
        self._recorded = self._numbers = 0
        for link in self.links:
            link.tape = self._record

    # -- honest carrying

    def tick(self, host: Host) -> None:
        """The host looks at what is due."""
        self.post(host.dispatch.tick(self.world.now_ms))

    def post(self, posts: Sequence[Post]) -> None:
        """What the host sends."""
        for post in posts:
            for meter_id, payload in post.messages:
                self.down.send(meter_id.hex().upper(), payload)

    def say(self, home: Home, frames: Sequence[bytes]) -> None:
        """What a meter sends: frames of its own, each with one payload."""
        for data in frames:
            try:
                frame = Frame.parse(data)
            except DecodeError as error:
                self.world.check(False, f"{home.meter}: sends what is no frame ({error})")
                raise
            mine = (frame.m_id, frame.meter_id, frame.flags) == (home.m_id, home.meter_id, FrameFlags.UP)
            self.world.check(mine, f"{home.meter}: sends a frame of another")
            self.world.auditor.told(home, frame.payload)
            self.up.send(home.meter, frame.payload)

    def begin(self) -> None:
        """Nothing to be set up."""

    def place_of(self, number: int) -> str:
        """Everybody stands below the one station there is."""
        return STATION_DEFAULT

    def power_moved(self, home: Home) -> None:
        """Nobody notices."""

    def check_kept(self) -> None:
        """Nothing is kept here."""

    def calm(self) -> None:
        """No fault from now on; what was under way is lost."""
        for link in self.links:
            link.weather, link.up = CALM, True
            link.clear()

    def idle(self) -> bool:
        """Nothing of the field's own waits."""
        return True

    def _to_meter(self, meter: str, payload: bytes) -> None:
        for home in self.world.bodies.standing(meter):
            self._hear(home, payload)

    def _to_host(self, meter: str, payload: bytes) -> None:
        self.world.arrived([(bytes.fromhex(meter), payload)])

    def _hear(
        self,
        home: Home,
        payload: bytes,
        m_id: int | None = None,
        meter_id: bytes | None = None,
        flags: FrameFlags = FrameFlags.NONE,
    ) -> None:
        self._numbers += 1
        address = home.m_id if m_id is None else m_id
        name = home.meter_id if meter_id is None else type(home.meter_id)(meter_id)
        frame = Frame(address, flags, self._numbers % 256, name, payload[:_PAYLOAD_MAX])
        frames = home.step(LineFrame(frame.build()))
        if (address, name, flags) != (home.m_id, home.meter_id, FrameFlags.NONE):
            answers = [each for each in frames if Frame.parse(each).payload[0] in _ANSWERS]
            self.world.check(not answers, f"{home.meter}: answers a frame that is to another")
        self.say(home, frames)

    def _record(self, link: str, meter: str, payload: bytes) -> None:
        self._recorded += 1
        if len(self._tape) < _TAPE_MAX:
            self._tape.append((link, meter, payload))
        else:
            self._tape[self._recorded * 7_919 % _TAPE_MAX] = (link, meter, payload)

    # -- what it may do besides; each takes its own chance

    def op_replay(self, chance: Random) -> None:
        """An old message again, days later perhaps."""
        if self._tape:
            recent = chance.random() < 0.5
            index = chance.randrange(max(0, len(self._tape) - 40) if recent else 0, len(self._tape))
            self._inject(*self._tape[index])

    def op_burst_of_replays(self, chance: Random) -> None:
        """A stretch of the tape, in its order or backwards."""
        if self._tape:
            start = chance.randrange(len(self._tape))
            stretch = self._tape[start : start + chance.randrange(2, 9)]
            for each in reversed(stretch) if chance.random() < 0.3 else stretch:
                self._inject(*each)

    def op_misroute(self, chance: Random) -> None:
        """A message goes to, or is said to come from, another meter."""
        if self._tape:
            link, _meter, payload = self._tape[-1 - chance.randrange(min(len(self._tape), 40))]
            self._inject(link, self.world.some_home(chance).meter, payload)

    def op_forge(self, chance: Random) -> None:
        """A message that passed a while ago, changed with thought: a few bits in one of its fields."""
        if self._tape:
            link, meter, payload = self._tape[-1 - chance.randrange(min(len(self._tape), 20))]
            self._inject(link, meter, bend(payload, chance))

    def op_crosstalk(self, chance: Random) -> None:
        """A frame with the right M-ID and a wrong id, or the reverse, or as if a meter had sent it."""
        if self._tape:
            _, _meter, payload = chance.choice(self._tape)
            home, how = self.world.some_home(chance), chance.randrange(4)
            if how == 0:
                self._hear(home, payload, m_id=home.m_id ^ 1)
            elif how == 1:
                self._hear(home, payload, meter_id=b"\x7f\x7f\x7f")
            else:
                self._hear(home, payload, flags=FrameFlags.UP if how == 2 else FrameFlags(0x40))

    def op_garbage(self, chance: Random) -> None:
        """Bytes of its own, to the host or to a meter, under a type that exists or not."""
        home = self.world.some_home(chance)
        length = chance.choice((0, 1, 2, 7, 40, 100, chance.randrange(_GARBAGE_BYTES_MAX)))
        payload = chance.randbytes(length)
        if payload and chance.random() < 0.8:
            payload = bytes((chance.choice(_KINDS),)) + payload[1:]
        if chance.random() < 0.6:
            named = home.meter_id if chance.random() < 0.8 else chance.randbytes(3)
            self.world.passed("changed", "up", bytes(named).hex(), payload)
            self.world.arrived([(bytes(named), payload)])
        elif chance.random() < 0.5:
            self.world.passed("changed", "down", home.meter, payload)
            self.say(home, home.step(LineFrame(payload)))
        else:
            self.world.passed("changed", "down", home.meter, payload)
            self._hear(home, payload)

    def op_hold(self, chance: Random) -> None:
        """It keeps the next message of a kind back, and hands it on when its time is over."""
        name, kinds, waits_ms = chance.choice(_HELD)
        link = self.down if name == "down" else self.up
        link.hold(lambda payload: bool(payload) and payload[0] in kinds, chance.choice(waits_ms))

    def op_refuse(self, chance: Random) -> None:
        """It refuses in a meter's name."""
        home = self.world.some_home(chance)
        self._inject("up", home.meter, bytes((MessageType.REFUSAL, chance.randrange(1, 9))))

    def op_weather(self, chance: Random) -> None:
        """The links behave otherwise for a while."""
        weather = chance.choice(self.world.weathers)
        for link in self.links:
            if chance.random() < 0.7:
                link.weather = weather

    def op_cut(self, chance: Random) -> None:
        """A link is cut off for a while, or comes back before."""
        link, wait_ms = chance.choice(self.links), chance.choice(CUT_MS)
        link.up = not link.up
        if not link.up:
            self.world.after(wait_ms, link.mend)

    def op_drop_all(self, chance: Random) -> None:
        """What is under way on a link never arrives."""
        chance.choice(self.links).clear()

    def op_box(self, chance: Random) -> None:
        """There are no boxes here."""

    def op_erase(self, chance: Random) -> None:
        """There are no boxes here."""

    def op_move(self, chance: Random) -> None:
        """There is one place only."""

    def _inject(self, link: str, meter: str, payload: bytes) -> None:
        self.world.passed("changed", link, meter, payload)
        if link == "down":
            self._to_meter(meter, payload)
        else:
            self._to_host(meter, payload)
