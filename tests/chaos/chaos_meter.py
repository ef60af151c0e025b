"""A real meter in a home: its memory, its load, its power; and the oracle of everything it ever applied.

The oracle looks at the money after every step and never believes the host. An entry of the ring that was seen once
stays seen: a meter that forgets it, changes it, or applies a tag twice is a violation there and then.
"""

from chaos_host import ViolationError

from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.messages import MessageType
from prewatt.device.meter import Birth, LastGasp, LineSend, Load, Meter, Tick
from prewatt.device.meter.nvm import MemoryNvm, PowerCut, Torn
from prewatt.device.now import Now
from prewatt.units import MINUTE_S, counter_of, epoch_of

# After a long jump a home took something only in its last hour: what is walked here is messages, not months.
FED_MINUTES_MAX = 60
COUNTED = frozenset({MessageType.REPORT, MessageType.ALARM, MessageType.WISH})


class Body:
    """One meter. ``world`` gives time, chance and what was ever ordered."""

    def __init__(self, world, meter, m_id, suite_name, keys, **birth):
        self.world, self.meter, self.m_id, self.suite_name = world, meter, m_id, suite_name
        self.meter_id = bytes.fromhex(meter)
        self.nvm = MemoryNvm()
        Meter.manufacture(self.nvm, Birth(self.meter_id, m_id, suite_name, keys, **birth))
        self.device = None
        self.history = []
        self.received_micro = self.returned_micro = 0
        self.last_control = self.events = 0
        self.told = {}
        self.pulses_per_minute = 0
        self.load_until_s = 0
        self.kept = None
        self.power_up()

    # -- power

    @property
    def on(self):
        return self.device is not None

    def power_up(self):
        """Power comes back; a cut that was ordered meanwhile may take it away again at once."""
        try:
            self.device = Meter.power_up(self.nvm, self.world.meter_now(), self.world.draw(32))
        except PowerCut:
            self.device = None
            return
        self.load_until_s = self.world.world_s // MINUTE_S * MINUTE_S
        self.observe()

    def cut_after(self, count, torn=Torn.OLD):
        self.nvm.cut_after(count, torn)

    def power_off(self, *, gasp):
        """Without a gasp the meter never knows; with one it saves what it has."""
        if gasp:
            self.step(LastGasp())
            self.kept = self.device and self.device.money
        self.nvm.power_off()
        self.device = None

    def restore_power(self):
        self.nvm.restore_power()
        if not self.on:
            self.power_up()
            kept, self.kept = self.kept, None
            if kept is not None and self.on:
                self.world.check(self.device.money.received_micro == kept.received_micro, f"{self.meter}: gasp lost")
                self.world.check(self.device.money.burned_micro == kept.burned_micro, f"{self.meter}: gasp burned")

    # -- steps

    def step(self, event):
        """The payloads it sent, in order; none where it has no power or loses it meanwhile."""
        if not self.on:
            return []
        now = self.world.meter_now()
        try:
            effects = self._feed(now)
            effects += self.device.step(event, now, self.world.draw(32))
        except PowerCut:
            self.device = None
            return []
        self.observe()
        payloads = [self._payload(effect.data) for effect in effects if isinstance(effect, LineSend)]
        for payload in payloads:
            if payload[0] in COUNTED:
                self._told(payload)
        return payloads

    def tick(self):
        return self.step(Tick())

    def _feed(self, now):
        """What the home takes, minute by minute, up to the running one."""
        effects = []
        minute_s = now.meter_s // MINUTE_S * MINUTE_S
        self.load_until_s = max(self.load_until_s, minute_s - FED_MINUTES_MAX * MINUTE_S)
        while self.load_until_s <= minute_s:
            if self.pulses_per_minute:
                pulses = max(0, self.pulses_per_minute + self.load_until_s // MINUTE_S % 7 - 3)
                load = Load(0, self.load_until_s, pulses, 1_000 * (self.load_until_s // 3_600 % 6))
                effects += self.device.step(load, now, bytes(32))
            self.load_until_s += MINUTE_S
        return effects

    def _payload(self, data):
        try:
            frame = Frame.parse(data)
        except DecodeError as error:
            raise ViolationError(f"{self.meter}: sends what is no frame ({error})") from None
        mine = (frame.m_id, frame.meter_id, frame.flags) == (self.m_id, self.meter_id, FrameFlags.UP)
        self.world.check(mine, f"{self.meter}: sends a frame of another")
        return frame.payload

    # -- the oracle

    def _told(self, payload):
        """A message of its own: no counter is used for two of them, whatever the power does (R13)."""
        kind, key_set, counter = payload[0], payload[2], int.from_bytes(payload[6:10], "big")
        before = self.told.setdefault((kind, counter), (key_set, payload))
        again = before == (key_set, payload) or key_set != before[0]
        alone = kind == MessageType.ALARM or before[1] is payload
        self.world.check(again and alone, f"{self.meter}: counter {counter:08X} used twice")

    @property
    def money(self):
        return self.device.money

    @property
    def last_sequence(self):
        return self.history[-1].sequence if self.history else -1

    @property
    def held_micro(self):
        """All that it ever applied."""
        return self.received_micro - self.returned_micro

    def observe(self):
        money, check = self.device.money, self.world.check
        ring = money.ring
        for entry in ring:
            if entry.sequence > self.last_sequence:
                self._enter(entry)
        first = ring[0].sequence if ring else None
        held = tuple(entry for entry in self.history[-20:] if first is not None and entry.sequence >= first)
        check(held == ring or (not ring and not self.history), f"{self.meter}: its ring is not what it applied")
        check(money.received_micro == self.received_micro, f"{self.meter}: received is not what it applied")
        check(money.returned_micro == self.returned_micro, f"{self.meter}: returned is not what it applied")
        explained = money.balance_micro + money.burned_micro + money.returned_micro - money.owed_micro
        check(money.received_micro == explained, f"{self.meter}: value is not conserved, {money}")
        check(not money.owed_micro or not money.balance_micro, f"{self.meter}: owes {money.owed_micro} with a balance")
        control, events = money.last_control, self.device._core.events.newest
        check(control >= self.last_control, f"{self.meter}: control counter {control} after {self.last_control}")
        check(events >= self.events, f"{self.meter}: event {events} after {self.events}")
        self.last_control, self.events = control, events
        parts = (money.svm_micro, money.tank_micro, money.exchanger_micro, money.acc, money.owed_micro)
        check(min(parts) >= 0, f"{self.meter}: less than nothing, {money}")

    def _enter(self, entry):
        """A sequence that the oracle has not seen held before."""
        last = self.last_sequence
        begins = counter_of(entry.sequence) == 0 and (last < 0 or epoch_of(entry.sequence) > epoch_of(last))
        self.world.check(
            begins or (last >= 0 and entry.sequence == last + 1), f"{self.meter}: {entry.sequence:08X} after {last:08X}"
        )
        self.history.append(entry)
        self.received_micro += max(entry.amount_micro, 0)
        self.returned_micro += max(-entry.amount_micro, 0)
        self.world.applied(self, entry)

    def frame(self, payload, number, m_id=None, meter_id=None, flags=FrameFlags.NONE):
        """The frame in which a station sends a payload to this meter."""
        return Frame(self.m_id if m_id is None else m_id, flags, number, meter_id or self.meter_id, payload).build()


def meter_now(line_ms, world_s, speed):
    """The time as a driver gives it to a meter."""
    return Now(line_ms, world_s, speed)
