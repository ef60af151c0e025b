"""A real meter in a home: its memory, its load, its power, and what it says.

The device is the product's own. The home feeds it load minute by minute, takes its power away (at any byte of any
write, with a last gasp or without), and hands out what it sends. What was fed is counted here, so that somebody else
than the meter knows how much energy it may have burned at most.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from prewatt.codec.errors import DecodeError
from prewatt.device.meter import Birth, LastGasp, LineSend, Load, Meter, Tick, WakeAt
from prewatt.device.meter.events import Event
from prewatt.device.meter.journal import JournalError
from prewatt.device.meter.money import Money
from prewatt.device.meter.nvm import PowerCut, Torn
from prewatt.device.meter.slots import SlotError
from prewatt.device.now import Now
from prewatt.sim.nvm import SimNvm
from prewatt.units import MINUTE_S, MeterId

__all__ = ["Home", "HomeWorld", "Image"]

# After a long jump a home took something only in its last hour: what is walked here is messages, not months.
_FED_MINUTES_MAX: Final = 60
_LOADS_MAX: Final = 2 * _FED_MINUTES_MAX
_RANDOM_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Image:
    """A copy of a body's memory, and what its home had taken by then."""

    nvm: SimNvm
    fed_pulses: int
    unpaid: bool


class HomeWorld(Protocol):
    """What a home needs of the world it stands in."""

    def meter_now(self) -> Now:
        """The time as a driver gives it to a meter."""
        ...

    def draw(self, count: int) -> bytes:
        """Random bytes of the run."""
        ...

    def wrote(self, who: str, count: int) -> None:
        """A durable write has returned."""
        ...

    def observe(self, home: "Home") -> None:
        """The meter has moved: look at it."""
        ...

    def check(self, holds: bool, law: str) -> None:
        """A violation unless ``holds``."""
        ...

    def power_moved(self, home: "Home") -> None:
        """The meter has power now, or has none: its modem too."""
        ...

    def wake_home(self, home: "Home", meter_s: int) -> None:
        """The meter wants a Tick at that world second."""
        ...


class Home:
    """One body of a meter. ``meter`` is its id as people write it, ``body`` the name of this one thing on a wall."""

    def __init__(
        self,
        world: HomeWorld,
        meter: str,
        place: str,
        suite: str,
        keys: Mapping[int, bytes],
        birth: dict[str, Any],
        *,
        body: str = "",
        image: Image | None = None,
    ) -> None:
        """``place``: the station it stands below; ``image``: a memory that was some body's, instead of a new one."""
        m_id = int(meter, 16) % 256

        self.world, self.meter, self.place, self.m_id, self.suite = world, meter, place, m_id, suite
        self.body = body or meter
        # Along the line from the transformer.
        self.distance_m = 50 + int(meter, 16) * 317 % 1_200
        self.meter_id = MeterId(bytes.fromhex(meter))
        self.nvm = SimNvm(lambda count: world.wrote(self.body, count))
        if image is None:
            Meter.manufacture(self.nvm, Birth(self.meter_id, m_id, suite, keys, **birth))
        else:
            self.nvm.take_over(image.nvm)
        self.clock_wrong = image is not None or bool(birth.get("drift_ppm") or birth.get("clock_ahead_s"))
        self._device: Meter | None = None
        # Nobody has plugged it in: it lies on a shelf, or was scrapped.
        self.away = self.scrapped = False
        # Its memory holds no whole meter any more; it has to be sent in.
        self.dead = False
        self.pulses_per_minute = 0
        self.fed_pulses = image.fed_pulses if image is not None else 0
        # The second from which on it took so many pulses for a minute, at that angle; whoever reckons uses them up.
        self.loads: deque[tuple[int, int, int]] = deque(maxlen=_LOADS_MAX)
        # Whether it ever stood where what it takes is not burned: no balance, and as much owed as may be.
        self.unpaid = image is not None and image.unpaid
        self._load_until_s = 0
        self._kept: Money | None = None
        self.power_up()

    # -- power

    @property
    def device(self) -> Meter | None:
        """The device; None without power."""
        return self._device

    @device.setter
    def device(self, device: Meter | None) -> None:
        moved = device is not self._device
        self._device = device
        if moved:
            self.world.power_moved(self)

    @property
    def on(self) -> bool:
        """Whether it has power and works."""
        return self.device is not None

    @property
    def money(self) -> Money:
        """The money state of a meter that is on."""
        assert self.device is not None
        return self.device.money

    def power_up(self) -> None:
        """Power comes back; a cut that was ordered meanwhile may take it away again at once."""
        if self.dead or self.away:
            return
        try:
            self.device = Meter.power_up(self.nvm, self.world.meter_now(), self.world.draw(_RANDOM_BYTES))
        except PowerCut:
            self.device = None
            return
        except (JournalError, SlotError, DecodeError) as error:
            if self.nvm.take_failed():
                # A write did not read back: once more, as in `step`.
                self.power_up()
                return
            # Refused, never guessed; allowed only where the memory itself destroyed something.
            self.world.check(self.nvm.spoilt, f"{self.meter}: does not power up: {error}")
            self.device, self.dead = None, True
            return
        self._load_until_s = self.world.meter_now().meter_s // MINUTE_S * MINUTE_S
        self.world.observe(self)

    def cut_after(self, count: int, torn: Torn = Torn.OLD) -> None:
        """The power will go when so many more bytes are written."""
        self.nvm.cut_after(count, torn)

    def power_off(self, *, gasp: bool) -> None:
        """Without a gasp the meter never knows; with one it saves what it has."""
        if gasp:
            self.step(LastGasp())
            self._kept = self.device.money if self.device is not None else None
        self.nvm.power_off()
        self.device = None

    def image(self) -> Image:
        """Its memory as it is now, bit for bit."""
        nvm = SimNvm(lambda _count: None)
        nvm.take_over(self.nvm)
        return Image(nvm, self.fed_pulses, self.unpaid)

    def take_away(self) -> None:
        """Off the wall: without power, on no line, until somebody hangs it up again."""
        self.away, self._kept = True, None
        self.nvm.power_off()
        self.device = None

    def hang(self, place: str) -> None:
        """On a wall below that station, with power."""
        self.place, self.away = place, False
        self.restore_power()

    def restore_power(self) -> None:
        """Power is back, and no cut is ordered."""
        self.nvm.restore_power()
        if self.on or self.dead or self.away:
            return
        self.power_up()
        kept, self._kept = self._kept, None
        if kept is not None:
            self._check_kept(kept)

    def _check_kept(self, kept: Money) -> None:
        """What a last gasp saved is there again."""
        if self.device is not None:
            money = self.device.money
            self.world.check(money.received_micro == kept.received_micro, f"{self.meter}: gasp lost")
            self.world.check(money.burned_micro == kept.burned_micro, f"{self.meter}: gasp burned")

    # -- steps

    def step(self, event: Event) -> list[bytes]:
        """The frames it sent, in order; none where it has no power or loses it meanwhile."""
        if self.device is None:
            return []
        now = self.world.meter_now()
        try:
            effects = self._feed(self.device, now)
            effects += self.device.step(event, now, self.world.draw(_RANDOM_BYTES))
        except PowerCut:
            self.device = None
            return []
        except (JournalError, SlotError) as error:
            # A write did not read back: the driver drops the meter and powers it up again.
            self.world.check(self.nvm.take_failed(), f"{self.meter}: {error}")
            self.device = None
            self.power_up()
            return []
        # What was written again and is right now excuses nothing later.
        self.nvm.take_failed()
        self.world.observe(self)
        for effect in effects:
            if isinstance(effect, WakeAt):
                self.world.wake_home(self, effect.meter_s)
        return [effect.data for effect in effects if isinstance(effect, LineSend)]

    def tick(self) -> list[bytes]:
        """Time has passed."""
        return self.step(Tick())

    def _feed(self, device: Meter, now: Now) -> list[Any]:
        """What the home takes, minute by minute, up to the running one."""
        effects: list[Any] = []
        minute_s = now.meter_s // MINUTE_S * MINUTE_S
        self._load_until_s = max(self._load_until_s, minute_s - _FED_MINUTES_MAX * MINUTE_S)
        while self._load_until_s <= minute_s:
            if self.pulses_per_minute:
                pulses = max(0, self.pulses_per_minute + self._load_until_s // MINUTE_S % 7 - 3)
                load = Load(0, self._load_until_s, pulses, 1_000 * (self._load_until_s // 3_600 % 6))
                # Before, because a cut may come in the middle of what it does about it.
                self.fed_pulses += pulses
                self.loads.append((load.minute_s, pulses, load.angle_cdeg or 0))
                said = device.step(load, now, bytes(_RANDOM_BYTES))
                owed = device.money.owed_micro
                self.unpaid |= device.money.balance_micro == 0 and owed >= device._core.limits.owed_max_micro
                if said:
                    # What it says tells of this minute, not of the last one that is fed now.
                    self.world.observe(self)
                effects += said
            self._load_until_s += MINUTE_S
        return effects
