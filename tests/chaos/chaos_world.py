"""The world of the chaos walker: one real host, a few real meters, a hostile field, and an oracle that believes none.

A walk is a script of (operation, number, milliseconds of line); the number is the whole chance of its step, so that a
script with steps left out is still a walk, and a long story can be made short. After every step the oracle looks at
every meter that moved and at every order that ended; now and then, and at the end, everything is audited. `calm` ends
all faults and lets the office do its part: then everything has to converge.
"""

from collections import Counter
from hashlib import sha256
from random import Random

from chaos_field import Field
from chaos_host import Faults, HostCrashError, Installation, ViolationError
from chaos_meter import Body, meter_now
from chaos_people import People

from prewatt.codec.messages import MessageType
from prewatt.codec.minutelog import Packing, unpack
from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.codec.receipt import RING_ENTRIES_MAX
from prewatt.codec.settings import SettingsChange
from prewatt.host.answers import MeterState
from prewatt.host.dispatch import DispatchSettings
from prewatt.host.refusals import RefusedError
from prewatt.host.registry import Enrolment
from prewatt.host.store.books import read_book
from prewatt.protocol.transfer import BodyState, FreezeReason, OrderState
from prewatt.protocol.transfer_book import burn_tag, code_tag
from prewatt.units import MINUTE_S, epoch_of

NOW_S = 1_772_323_200  # 2026-03-01 00:00:00 UTC
SPEEDS = (1, 60, 60, 600)
METERS = 3
METERS_MAX = 5
AUDIT_EVERY = 250
CALM_ROUNDS_MAX = 400
SETS = {"aes-2026": (0, 1, 2), "tdes-1998": (3, 4, 5)}


class World:
    """See the module. ``seed`` decides what kind of world it is; the script decides what happens in it."""

    # Sequences a meter may hold beyond a backup that is put back: the ring has sixteen.
    FORGOTTEN_MAX = 12

    OPS = (
        *(("field.deliver", 60), ("field.burst", 6), ("field.drop", 3), ("field.drop_all", 0.5), ("field.replay", 6)),
        *(("field.bend", 3), ("field.misroute", 3), ("field.crosstalk", 1), ("field.garbage", 2), ("field.refuse", 1)),
        *(("people.vend", 5), ("people.cancel", 2.5), ("people.refund", 1), ("people.code", 2), ("people.type", 4)),
        *(("people.people", 2), ("people.controls", 2.5), ("people.tariff", 0.7), ("people.load", 3)),
        *(("people.home", 2), ("people.power", 2), ("people.power_back", 4), ("people.crash", 2), ("people.skew", 0.3)),
        *(("people.backup", 0.8), ("people.restore", 0.5), ("people.lose_state", 0.05), ("people.enrol", 0.1)),
        *(("tick", 10), ("tick_meters", 4), ("time", 3)),
    )

    def __init__(self, path, seed):
        chance = Random(seed)
        # What is drawn in a step hangs on that step alone, so that leaving another out does not change it.
        self.seed, self.salt, self.drawn, self.frames = seed, seed, 0, 0
        self.speed = chance.choice(SPEEDS)
        self.line_ms, self.skew_s = 1_000, 0
        self.faults = Faults()
        self.events = Counter()
        self.bodies, self.enrolled, self.backups = {}, {}, []
        self.tags, self.orders, self.code_orders = {}, {}, {}
        self.seen_commits, self.tariff_top, self.tariff_digests = None, 0, {}
        self.restores = self.calms = 0
        self.taken_back, self.skewed = set(), False
        settings = DispatchSettings(poll_floor_ms=0, poll_s=self.speed * chance.choice((60, 600)))
        self.install = Installation(path, self.faults, self.host_s, self.draw, settings)
        self.field, self.people = Field(self), People(self)
        self.birth_chance = Random(seed + 1)
        for _ in range(METERS):
            self.new_meter()

    def close(self):
        self.faults.crash_in = None
        self.install.close()

    # -- bricks

    def check(self, holds, law):
        if not holds:
            raise ViolationError(law)

    def draw(self, count):
        self.drawn += 1
        drawn = sha256(f"{self.salt} {self.drawn}".encode()).digest()
        return drawn[:count] if count <= len(drawn) else Random(drawn).randbytes(count)

    @property
    def world_s(self):
        return NOW_S + self.line_ms * self.speed // 1_000

    def host_s(self):
        return self.world_s + self.skew_s

    def meter_now(self):
        return meter_now(self.line_ms, self.world_s, self.speed)

    def some_body(self, chance):
        return self.bodies[chance.choice(sorted(self.bodies))]

    def sets(self, body):
        return SETS[body.suite_name]

    def new_meter(self):
        if len(self.bodies) >= METERS_MAX:
            return
        number, chance = len(self.bodies) + 1, self.birth_chance
        meter, suite_name = f"{number:06X}", ("tdes-1998" if number % 2 == 0 else "aes-2026")
        sets = SETS[suite_name][:2]
        keys = {index: self.install.vault.terminal_key(index, bytes.fromhex(meter)) for index in sets}
        birth = {
            "unit_price_micro": 2_500_000,
            "drift_ppm": chance.choice((0, 0, 20, -200, 1_000, -1_000)),
            "made_s": NOW_S,
            "clock_ahead_s": chance.choice((0, 0, 0, 90, -90, 86_400, -86_400 * 40)),
        }
        wrong = birth["drift_ppm"] != 0 or birth["clock_ahead_s"] != 0
        self.bodies[meter] = Body(self, meter, number, suite_name, keys, **birth)
        self.bodies[meter].clock_wrong = wrong
        self.enrol(meter)

    def enrol(self, meter):
        body = self.bodies[meter]
        wanted = Enrolment(meter, m_id=body.m_id, suite=body.suite_name, key_sets=self.sets(body)[:2])
        self.call(lambda host: host.registry.enrol(wanted))
        self.note_enrolled()

    # -- the host

    def call(self, act):
        """What ``act`` gives, None where it was refused or the host died on the way; then the host starts again."""
        try:
            found = act(self.install.host)
        except RefusedError as error:
            self.events[f"refused {error.outcome}"] += 1
            return None
        except HostCrashError:
            self.events["crashes"] += 1
            self.restart()
            return None
        finally:
            self.check(not self.install.log.errors, f"the engine failed: {self.install.log.errors}")
        return found

    def restart(self, *, cleanly=False):
        self.install.end(cleanly=cleanly)
        self.start()

    def start(self):
        while True:
            try:
                self.install.start()
                break
            except HostCrashError:
                self.events["crashes at start"] += 1
        self.seen_commits = None
        self.note_enrolled()
        self.note_orders()
        self.note_tariffs()

    def restore(self, files):
        self.install.end()
        self.install.put_back(files)
        self.restores += 1
        self.events["restores"] += 1
        self.start()

    def rows(self, statement):
        return self.install.store.read_rows(statement)

    def tick(self):
        self._post(self.call(lambda host: host.dispatch.tick(self.line_ms)))

    def arrived(self, messages):
        self._post(self.call(lambda host: host.dispatch.arrived(messages, self.line_ms)))

    def _post(self, posts):
        for post in posts or ():
            for meter_id, payload in post.messages:
                self.field.send("meter", meter_id.hex().upper(), payload)

    def hear(self, body, *events):
        """Things happen at a meter; what it says goes into the field."""
        for event in events:
            for payload in body.step(event):
                self.field.send("host", body.meter, payload)

    # -- the oracle

    def note_enrolled(self):
        self.enrolled = {row[0] for row in self.rows("SELECT id FROM meters")}

    def note_orders(self):
        for order, meter, amount_micro, tag in self.rows("SELECT id, meter, amount_micro, tag FROM orders"):
            self.orders[meter, tag] = (order, amount_micro)

    def note_tariffs(self):
        for version, digest in self.rows("SELECT version, digest FROM tariffs"):
            self.tariff_top = max(self.tariff_top, version)
            self.tariff_digests[version] = digest

    def note_code(self, code):
        """Digits that a customer has: the code's 64 bits are a tag of its order."""
        told = (code.meter, code.order)
        tag = next(tag for (meter, tag), (order, _) in self.orders.items() if (meter, order) == told)
        self.code_orders[code.meter, code_tag(int(code.digits))] = tag

    def applied(self, body, entry):
        """A meter holds a sequence that it did not hold before."""
        tag = self.code_orders.get((body.meter, entry.tag), entry.tag)
        if entry.amount_micro:
            order = self.orders.get((body.meter, tag))
            self.check(order is not None, f"{body.meter}: {entry} was never ordered of this meter")
            self.check(order[1] == entry.amount_micro, f"{body.meter}: {entry}, ordered {order}")
            self.check((body.meter, tag) not in self.tags, f"{body.meter}: order {order} applied twice")
            self.events["applied by code" if tag is not entry.tag else "applied"] += 1
        self.tags[body.meter, tag] = entry

    def check_books(self):
        """Every order that ended, against what the meters really applied; a freeze is one too many."""
        store = self.install.store
        if self.seen_commits == (id(store), store.commits):
            return
        self.seen_commits = (id(store), store.commits)
        for order, meter, amount, tag, step, sequence in self.rows(
            "SELECT id, meter, amount_micro, tag, step, sequence FROM orders WHERE settled_s IS NOT NULL"
        ):
            entry = self.tags.get((meter, tag))
            if step == OrderState.CONFIRMED:
                self.check(entry is not None, f"order {order} is confirmed, and no meter holds it")
                self.check((entry.sequence, entry.amount_micro) == (sequence, amount), f"order {order} is {entry}")
            else:
                self.taken_back.add(order)
                self.check(entry is None, f"order {order} is {step}, and meter {meter} holds it: {entry}")
                burn = self.tags.get((meter, burn_tag(tag)))
                self.check(sequence is None or burn is not None, f"order {order} is {step} without its burn")
        for meter, frozen in self.rows("SELECT meter, frozen FROM books WHERE frozen IS NOT NULL"):
            self.check(self.restores and self._may_freeze(meter, frozen), f"frozen: {meter}, {frozen}")

    def _may_freeze(self, meter, reason):
        """What only a person can know after a restore: that no other body came between the backup and now."""
        history = self.bodies[meter].history
        if reason == FreezeReason.NO_EPOCH:
            return not history
        first_is_not_the_first = bool(history) and epoch_of(history[0].sequence) > 1
        return reason == FreezeReason.GAP and first_is_not_the_first and len(history) <= RING_ENTRIES_MAX

    def check_all(self):
        """The host's own audit, and what it shows of each meter."""
        self.check_books()
        for body in self.bodies.values():
            if body.on:
                body.observe()
        answer = self.install.host.audit.run()
        self.check(answer.ok, f"audit: {answer.violations[:3]}")
        for meter in self.install.host.registry.read_meters():
            left = meter.balance_micro + meter.burned_micro + meter.returned_micro - meter.owed_micro
            self.check(meter.received_micro == left, f"shown of {meter.id}: received {meter.received_micro}, {left}")

    def open_orders(self, meter):
        where = f"meter = '{meter}' AND settled_s IS NULL"
        return [row[0] for row in self.rows(f"SELECT id FROM orders WHERE {where} ORDER BY number")]

    # -- steps

    def op_tick(self, chance):
        self.tick()

    def op_tick_meters(self, chance):
        for body in self.bodies.values():
            for payload in body.tick():
                self.field.send("host", body.meter, payload)

    def op_time(self, chance):
        jumps_s = (300, 3_600, 21_600, 150_000)
        self.line_ms += chance.choice((5_000, 31_000, 31_000, chance.choice(jumps_s) * 1_000 // self.speed))
        self.op_tick_meters(chance)

    def step(self, name, number, pass_ms):
        self.line_ms += pass_ms
        self.salt, self.drawn = f"{self.seed} {number}", 0
        part, _, operation = name.rpartition(".")
        place = getattr(self, part) if part else self
        getattr(place, f"op_{operation}")(Random(number))
        self.check_books()

    # -- the end of all faults

    def office(self):
        """What a person does about meters that wait for one."""
        for meter in sorted(set(self.bodies) - self.enrolled):
            self.enrol(meter)
        for meter in self.enrolled:
            state = self.call(lambda host, meter=meter: host.registry.read_meter(meter))
            if state is None:
                return
            if state.state is MeterState.FROZEN:
                self.call(lambda host, meter=meter: host.registry.thaw(meter, "the first body hangs there"))
            for order in self.open_orders(meter):
                # The till's own records: a restored host must not deliver what was taken back before.
                if state.state is MeterState.UNSYNCED and order in self.taken_back:
                    self.call(lambda host, order=order: host.transfers.cancel(order))
        for entry in self.call(lambda host: host.transfers.read_suspense()) or ():
            self._explain(entry)
        for meter in self.enrolled:
            state = self.call(lambda host, meter=meter: host.registry.read_meter(meter))
            if state is not None and state.state_reason is not None and "reconcile" in state.state_reason:
                self.call(lambda host, meter=meter: host.registry.reconcile(meter, "the till agrees"))

    def _explain(self, entry):
        """The counter keeps the stubs of the codes it gave out: it knows which order a code was, and matches it where
        that order is open; what was sold after the backup it finds in the till's own records."""
        held = next(each for each in self.bodies[entry.meter].history if each.sequence == entry.sequence)
        tag = self.code_orders.get((entry.meter, held.tag), held.tag)
        order, _ = self.orders.get((entry.meter, tag), (None, None))
        if order in self.open_orders(entry.meter):
            self.events["matches"] += 1
            self.call(lambda host: host.transfers.match_suspense(entry.meter, entry.sequence, order, "on the stub"))
        elif order is not None:
            self.call(lambda host: host.transfers.explain_suspense(entry.meter, entry.sequence, "found"))

    def calm(self):
        """Everything has to come to its end now."""
        self.faults.crash_in, self.skew_s = None, 0
        self.calms += 1
        self.salt, self.drawn = f"{self.seed} calm {self.calms}", 0
        self.field.air.clear()
        for body in self.bodies.values():
            body.pulses_per_minute = 0
            while not body.on:
                body.restore_power()
            body.nvm.restore_power()
        self.office()
        self._last_wishes()
        for done in range(CALM_ROUNDS_MAX):
            self._carry()
            self.office()
            self._dismiss()
            self.check_books()
            if done > 2 and self._unfinished() is None:
                break
            poll_ms = self.install.host.dispatch.settings.poll_s * 1_000 // self.speed
            self.line_ms += poll_ms if done % 10 == 9 else 5_000 if done % 2 else 61_000
            self.op_tick_meters(None)
        why = self._unfinished()
        self.check(why is None, f"nothing moves any more: {why}")
        self.check_all()
        self._check_ended()

    def _last_wishes(self):
        """A text, a setting and a price that shall be everywhere at the end; a price above all that were forgotten."""
        self.wishes = self.line_ms
        for meter in sorted(self.enrolled):
            change = SettingsChange({"low_balance_micro": self.wishes, "ceiling_micro": 10**12})
            self.call(lambda host, meter=meter: host.controls.send_text(meter, f"calm {self.wishes}"))
            self.call(lambda host, meter=meter, change=change: host.controls.change_settings(meter, change))
        top = self.tariff_top
        while self.tariff_top <= top:
            self.call(lambda host: host.tariffs.set("2.5", table=EXAMPLE_TABLE))
            newest = self.rows("SELECT max(version) FROM tariffs")[0][0]
            self.note_tariffs()
            if newest > top:
                break

    def _carry(self):
        """An honest line, until nobody says anything more."""
        self.tick()
        for _ in range(600):
            if not self.field.air:
                self.line_ms += 1_100
                self.tick()
                if not self.field.air:
                    return
            self.line_ms += 40
            self.field.deliver(0)
        raise ViolationError("they never stop talking")

    def _dismiss(self):
        """People cancel what a meter refuses."""
        for order, meter in self.rows("SELECT id, meter FROM orders WHERE step = 'refused'"):
            self.events["dismissed"] += 1
            self.check(meter in self.bodies, "an order of nobody")
            self.call(lambda host, order=order: host.transfers.cancel(order))

    def _unfinished(self):
        """What is not at its end yet, in words; None where all is."""
        for meter in self.install.host.registry.read_meters():
            body = self.bodies[meter.id]
            with self.install.host.context.store.reading() as connection:
                book = read_book(connection, meter.id)
            if book.body is not BodyState.LIVE or not book.synced or book.reconciling or book.orders or book.known:
                return f"{meter.id}: {book}"
            waiting = self.rows(f"SELECT * FROM controls WHERE state = 'waiting' AND meter = '{meter.id}'")
            if waiting:
                return f"{meter.id}: {waiting}"
            if not meter.tariff_confirmed:
                return f"{meter.id}: tariff {meter.tariff_version} is not confirmed"
            if body.device._core.control.alarms:
                return f"{meter.id}: alarms wait, {body.device._core.control.alarms}"
            known = self.rows(f"SELECT count(DISTINCT number) FROM events WHERE meter = '{meter.id}'")[0][0]
            if not self.restores and known < body.device._core.events.newest:
                return f"{meter.id}: {known} events of {body.device._core.events.newest}"
            if meter.suspense_micro:
                return f"{meter.id}: suspense"
            shown = (meter.balance_micro, meter.received_micro, meter.burned_micro, meter.owed_micro)
            money = body.money
            if shown != (money.balance_micro, money.received_micro, money.burned_micro, money.owed_micro):
                return f"{meter.id}: shown {shown}, is {money}"
            if meter.total_pulses != body.device._core.control.registers.total_pulses:
                return f"{meter.id}: shown {meter.total_pulses} pulses"
            if meter.relay_causes != body.device._core.control.causes[0]:
                return f"{meter.id}: shown {meter.relay_causes}, is {body.device._core.control.causes[0]!r}"
        return None if set(self.bodies) == self.enrolled else "somebody is not enrolled"

    def _check_ended(self):
        for meter in self.install.host.registry.read_meters():
            body = self.bodies[meter.id]
            core = body.device._core
            self.check(meter.delivered_micro == body.held_micro, f"{meter.id}: delivered {meter.delivered_micro}")
            self.check(meter.in_transit_micro == 0, f"{meter.id}: in transit {meter.in_transit_micro}")
            self.check(core.text == f"calm {self.wishes}", f"{meter.id}: text {core.text!r}")
            self.check(core.settings.low_balance_micro == self.wishes, f"{meter.id}: not its newest setting")
            digest = self.tariff_digests[meter.tariff_version]
            self.check(core.newest_tariff.digest == digest, f"{meter.id}: not its newest price")
            if not self.restores:
                alarms = {counter for kind, counter in body.told if kind == MessageType.ALARM}
                booked = {row[0] for row in self.rows(f"SELECT counter FROM alarms WHERE meter = '{meter.id}'")}
                self.check(alarms == booked, f"{meter.id}: alarms {alarms ^ booked} are not booked, or never were")
            self._check_days(body)

    def _check_days(self, body):
        """Each minute that the host keeps is the minute that the meter keeps: as long as no clock was set back."""
        if self.skewed or body.clock_wrong:
            return
        for day, first, start_s, count, packing, log in self.rows(
            f"SELECT day, first_minute, day_start_s, minutes, packing, log FROM day_logs WHERE meter = '{body.meter}'"
        ):
            told = list(unpack(Packing(packing), log, count))
            kept = body.device._core.memories[0].read(start_s // MINUTE_S + first, count)
            self.check(told == kept, f"{body.meter}: day {day} from minute {first} is not what the meter keeps")


class Script:
    """A walk: the seed of its world and its steps."""

    # Without these nothing would happen at all.
    ALWAYS = frozenset({"field.deliver", "field.burst", "people.vend", "people.load", "people.power_back", "tick"})

    def __init__(self, seed, steps):
        self.seed, self.steps = seed, steps

    @classmethod
    def draw(cls, seed, count):
        """A swarm: each seed has its own mood, in which some things happen often and others hardly ever."""
        chance = Random(seed)
        names = [name for name, _ in World.OPS]
        moods = {True: (0.3, 1, 1), False: (0, 0.3, 1, 1, 3)}
        weights = [weight * chance.choice(moods[name in cls.ALWAYS]) for name, weight in World.OPS]
        steps = []
        for name in chance.choices(names, weights, k=count):
            pass_ms = chance.choice((5, 20, 50, 200, 200, 1_200))
            steps.append((name, chance.getrandbits(32), pass_ms))
        return cls(seed, steps)


def walk(path, script, *, audit_every=AUDIT_EVERY, calm_every=0, deadline=None):
    """Runs a script to its end, then calm; a ViolationError carries seed and step. Gives the world, closed."""
    world = World(path, script.seed)
    done = 0
    try:
        for name, number, pass_ms in script.steps:
            done += 1
            world.step(name, number, pass_ms)
            if done % audit_every == 0:
                world.check_all()
            if calm_every and done % calm_every == 0:
                world.calm()
        done += 1
        world.calm()
    except Exception as error:
        error.at_step = done
        error.add_note(f"seed {script.seed}, step {done} of {len(script.steps)}")
        raise
    finally:
        world.close()
    return world
