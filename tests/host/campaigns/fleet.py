"""A real host over many real meters, as cheaply as it honestly goes: the engine's box messages, the meters' frames,
and between them no socket, no thread and no clock; a meter is stepped when something is said to it.

Stations here only carry: what their own machines do is tested elsewhere. A meter that is away hears nothing. What goes
down is remembered, for whoever wants to say it again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from random import Random

from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.hop import Answers, Kept, Round, build_hop, parse_hop
from prewatt.codec.messages import MessageType
from prewatt.device.meter import Birth, LineFrame, LineSend, Meter
from prewatt.device.meter.nvm import ERASED_BYTE
from prewatt.device.now import Now
from prewatt.host.dispatch import DispatchSettings
from prewatt.host.folder import DataFolder
from prewatt.host.host import Host, HostOptions
from prewatt.host.keys import FileVault, SealCost, VaultSecret
from prewatt.host.registry import Enrolment
from prewatt.units import Address, MeterId

NOW_S = 1_772_323_200  # 2026-03-01 00:00:00 UTC
PER_STATION = 256
TURN_MS = 1_001
_PASSPHRASE = "only for tests, nothing else"
_COST = SealCost(time_cost=1, memory_kib=8_192, lanes=1)
_PAGE = 512
_UP = (MessageType.REPORT, MessageType.ALARM, MessageType.WISH)


class PagedNvm:
    """A memory that holds only the pages that were written to: a meter's minutes alone are 400 KB of nothing."""

    __slots__ = ("_pages",)

    def __init__(self) -> None:
        self._pages: dict[tuple[str, int], bytearray] = {}

    def read(self, region, offset, length):
        name, found, at = region.value[0], bytearray(), offset
        while at < offset + length:
            page, begin = divmod(at, _PAGE)
            end = min(_PAGE, begin + offset + length - at)
            held = self._pages.get((name, page))
            found += held[begin:end] if held is not None else bytes((ERASED_BYTE,)) * (end - begin)
            at += end - begin
        return bytes(found)

    def write(self, region, offset, data):
        name, at, done = region.value[0], offset, 0
        while done < len(data):
            page, begin = divmod(at, _PAGE)
            size = min(_PAGE - begin, len(data) - done)
            held = self._pages.setdefault((name, page), bytearray((ERASED_BYTE,)) * _PAGE)
            held[begin : begin + size] = data[done : done + size]
            at, done = at + size, done + size


class Fleet:
    """The host, its meters by id, and the time, which only `turn` and `sleep` move."""

    def __init__(
        self, path: Path, meters: int = 2, *, place=None, seed: int = 1, suite: str = "aes-2026", sets: int = 2, **birth
    ):
        self.path, self.suite, self.birth = path / "data", suite, birth
        self.state = path / "state"
        # None: a file in the folder.
        self.place = place and place(self.path)
        self.rng = Random(seed)
        self.now_s, self.line_ms = NOW_S, 0
        self.meters: dict[MeterId, Meter] = {}
        self.memories: dict[MeterId, PagedNvm] = {}
        self.places: dict[MeterId, tuple[Address, int]] = {}
        self.away: set[MeterId] = set()
        self.lose: Callable[[bytes], bool] = lambda payload: False
        self.said: dict[MeterId, list[bytes]] = defaultdict(list)
        self.record = False
        self.exchanged = 0
        self._up: list[tuple[int, bytes]] = []
        self._kept = defaultdict(lambda: count(1))
        self.settings = DispatchSettings(poll_s=365 * 86_400, poll_floor_ms=0)
        folder = DataFolder.claim(self.path, create=True)
        secret = VaultSecret.from_passphrase(_PASSPHRASE)
        self.vault = FileVault.create(folder.vault, secret, suites=[suite] * sets, now_s=NOW_S, cost=_COST)
        self.host = Host.create(folder, self.vault, options=HostOptions(), **self._outer())
        for first in range(1, meters + 1, PER_STATION):
            self._add_station(range(first, min(first + PER_STATION, meters + 1)))

    def _outer(self):
        return {
            "store": self.place and self.place.database,
            "state_dir": self.state,
            "now": lambda: self.now_s,
            "random": self.rng.randbytes,
            "dispatch_settings": self.settings,
        }

    def add_meter(self, number: int) -> MeterId:
        """Enrols one more meter and makes it."""
        self._add_station(range(number, number + 1))
        return MeterId(number.to_bytes(3, "big"))

    def _add_station(self, numbers: range) -> None:
        """Meters below one station, enrolled in one commit: 256 below a station, 256 stations below an area."""
        place = (numbers[0] - 1) // PER_STATION
        area, station = divmod(place, 256)
        name, registry = f"S{place + 1}", self.host.registry
        self.host.topology.add_station(name, f"A{area + 1}")
        sets = tuple(each.index for each in self.vault.sets() if each.state == "active")
        ids = [MeterId(number.to_bytes(3, "big")) for number in numbers]

        def enrol(writing):
            for meter_id in ids:
                meter = meter_id.hex().upper()
                registry._enrol(writing, meter, Enrolment(meter, name, suite=self.suite), sets)

        self.host.context.store.write(enrol)
        self.host.context.note_place(name)
        for meter_id in ids:
            self.make(meter_id, {index: self.vault.terminal_key(index, meter_id) for index in sets})
            self.places[meter_id] = (Address(area, station), (int.from_bytes(meter_id, "big") - 1) % PER_STATION)
            self.host.context.wake(meter_id.hex().upper())

    def make(self, meter_id: MeterId, keys) -> None:
        """A body with these keys, powered up."""
        nvm = self.memories[meter_id] = PagedNvm()
        made = {"unit_price_micro": 150_000, "made_s": NOW_S - 86_400, **self.birth}
        m_id = (int.from_bytes(meter_id, "big") - 1) % PER_STATION
        Meter.manufacture(nvm, Birth(meter_id, m_id, self.suite, keys, **made))
        self.power_up(meter_id)

    def power_up(self, meter_id: MeterId) -> None:
        """The meter's power goes and comes."""
        now = Now(self.line_ms, self.now_s, 1)
        self.meters[meter_id] = Meter.power_up(self.memories[meter_id], now, self.rng.randbytes(32))

    def close(self) -> None:
        self.host.close()

    def restart(self) -> None:
        """The host ends and starts again on its data."""
        self.host.close()
        self.reopen()

    def reopen(self) -> None:
        self.host = Host.open(DataFolder.claim(self.path), self.vault, **self._outer())
        self._up = []

    def turn(self) -> int:
        """A second of the line: the host speaks, meters answer; how many messages went down."""
        self.line_ms += TURN_MS
        self.now_s += 1
        up, self._up = self._up, []
        network = self.host.network
        hops = network.arrived(up, self.line_ms) if up else network.tick(self.line_ms)
        went = 0
        for hop in hops:
            message = parse_hop(hop.data)
            if isinstance(message, Round):
                went += len(message.items)
                self._carry(message)
        return went

    def run(self, turns: int = 400, *, until: Callable[[], bool] | None = None) -> None:
        """Turns until nothing is said any more (or ``until`` holds), at most ``turns``."""
        quiet = 0
        for _ in range(turns):
            quiet = 0 if self.turn() else quiet + 1
            if until is not None and until():
                return
            if until is None and quiet > 12:
                return

    def sleep(self, seconds: int) -> None:
        """Time passes and nobody speaks."""
        self.now_s += seconds
        self.line_ms += 61_000

    def tick(self, meters: Iterable[MeterId] | None = None) -> None:
        """Meters see the time, and what they say by themselves goes up."""
        from prewatt.device.meter import Tick

        for meter_id in list(self.meters if meters is None else meters):
            address, _ = self.places[meter_id]
            self._file(address, meter_id, self._step(meter_id, Tick()), [])

    def say(self, meter_id: MeterId, payload: bytes) -> list[bytes]:
        """One payload to a meter, whoever made it; what it answers goes nowhere."""
        _, m_id = self.places[meter_id]
        return self._step(meter_id, LineFrame(Frame(m_id, FrameFlags.NONE, 1, meter_id, payload).build()))

    def _carry(self, message: Round) -> None:
        answers: list[tuple[MeterId, bytes]] = []
        for meter_id, payload in message.items:
            if self.record:
                self.said[meter_id].append(payload)
            if meter_id in self.away or meter_id not in self.meters or self.lose(payload):
                continue
            self.exchanged += 1
            self._file(message.address, meter_id, self.say(meter_id, payload), answers)
        self._send(Answers(message.address, message.number, True, tuple(answers)))

    def _file(self, address: Address, meter_id: MeterId, payloads: list[bytes], answers) -> None:
        """Sorts what a meter said: answers go with their round, the rest is kept and numbered."""
        for payload in payloads:
            if payload[0] not in _UP:
                if not self.lose(payload):
                    answers.append((meter_id, payload))
            elif meter_id not in self.away:
                number = next(self._kept[address])
                self._send(Kept(address, bytes(7) + b"\1", number, 1, ((meter_id, payload),)))

    def _send(self, message) -> None:
        self._up.append((message.address.area, build_hop(message)))

    def _step(self, meter_id: MeterId, event) -> list[bytes]:
        now = Now(self.line_ms, self.now_s, 1)
        effects = self.meters[meter_id].step(event, now, self.rng.randbytes(32))
        return [Frame.parse(effect.data).payload for effect in effects if isinstance(effect, LineSend)]

    def keys_of(self, number: int) -> set[int]:
        """The sets that a meter really holds."""
        return set(self.meters[MeterId(number.to_bytes(3, "big"))]._core.keys)
