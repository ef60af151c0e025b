"""A host on a real database, and bare meters: the real terminal session over the real money core, no more."""

import os
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from tests.host.databases import KINDS, FilePlace, wanted_kinds
from tests.host.old_and_new import OLD, burn

from prewatt.codec.bodies import Commission, KeyChange, KeyDrop, ModeChange, Retire, Transfer, UsageQuery
from prewatt.codec.commands import Code
from prewatt.codec.events import EventRecord
from prewatt.codec.info import Info, build_parts
from prewatt.codec.meter_messages import Alarm, Head, Report, Wish
from prewatt.codec.modetable import table_digest
from prewatt.codec.receipt import Status
from prewatt.codec.standing import Registers, Split, Standing
from prewatt.crypto import check_value, suite
from prewatt.device.meter.money import (
    ControlOutcome,
    Money,
    MoneyLimits,
    apply_transfer,
    check_sequence,
    commission,
    control,
    retire,
)
from prewatt.device.meter.tokens import Sam, burn_through, rate_of
from prewatt.host.dispatch import DispatchSettings
from prewatt.host.folder import DataFolder
from prewatt.host.host import Host, HostOptions
from prewatt.host.keys import FileVault, SealCost, VaultSecret
from prewatt.host.registry import Enrolment
from prewatt.protocol.meter_messages import seal_alarm, seal_report, seal_wish
from prewatt.protocol.terminal import Answer, Execute, TerminalIdentity, TerminalSession

NOW_S = 1_772_323_200  # 2026-03-01 00:00:00 UTC
DAY_S = 86_400
PASSPHRASE = "only for tests, nothing else"
COST = SealCost(time_cost=1, memory_kib=8_192, lanes=1)


class Body:
    """One meter: money, a price, a log of readings, events."""

    def __init__(self, meter, keys, suite_name="aes-2026", limits=None):
        self.meter_id = bytes.fromhex(meter)
        self.suite = suite(suite_name)
        self.keys = dict(keys)
        self.limits = limits or MoneyLimits()
        self.money = Money()
        self.table, self.price = b"", 250_000
        self.relay_causes = 1
        self.counters = {}
        self.events = []
        self.days = {}
        self.clock_s = None
        self.texts = []
        self.pulses = 0
        self.results = 0
        self._session()

    def _session(self):
        self.session_keys = self.keys
        self.session = TerminalSession(TerminalIdentity(self.meter_id, self.suite, self.keys))

    def restart(self):
        """Power went and came: the session is gone, what is durable stays."""
        self._session()

    def receive(self, payload, line_ms, random):
        reply = self.session.receive(payload, line_ms=line_ms, random=random)
        if isinstance(reply, Answer):
            return [reply.payload]
        if isinstance(reply, Execute):
            self.results += 1
            plain = self._execute(reply)
            payloads = [self.session.result(plain)]
            if self.session_keys != self.keys:
                self._session()
            return payloads
        return []

    def _execute(self, command):
        code, sequence, body = command.code, command.sequence, command.body
        if code == Code.VALUE:
            return self._receipt(self._value(sequence, body))
        if code == Code.RING:
            return self._receipt(Status.DONE) + b"".join(entry.build() for entry in self.money.ring)
        if code == Code.USAGE:
            return self._usage(UsageQuery.parse(body))
        self.under = command.key_set
        return self._control(code, sequence, body)

    def _receipt(self, status):
        return self.money.receipt(self.meter_id, status).build()

    def _value(self, sequence, body):
        if body is None:
            return check_sequence(self.money, sequence) or Status.IMPOSSIBLE
        order = Transfer.parse(body)
        self.money, status = apply_transfer(self.money, sequence, order.amount_micro, order.tag, self.limits)
        if self.money.balance_micro:
            self.relay_causes = 0
        return status

    def _control(self, code, counter, body):
        verdict = control(self.money, counter, code, body or b"")
        if verdict.outcome is ControlOutcome.ALREADY:
            return self._receipt(Status.DONE)
        if verdict.outcome is ControlOutcome.STALE:
            return self._receipt(Status.CONTROL)
        money, status, extra = verdict.money, Status.DONE, b""
        if code == Code.COMMISSION:
            asked = Commission.parse(body)
            money, status = commission(money, asked.epoch, asked.tag, after=asked.after)
        elif code == Code.RETIRE:
            money, status = retire(money, Retire.parse(body).tag)
        elif code == Code.MODE:
            change = ModeChange.parse(body)
            self.table, self.price = change.table, change.unit_price_micro
            extra = table_digest(self.table, self.price)
        elif code == Code.KEY:
            change = KeyChange.parse(body, self.suite.id)
            wanted = check_value(self.suite, change.key_set, self.meter_id, change.terminal_key)
            assert wanted == change.check
            self.keys = {**self.keys, change.key_set: change.terminal_key}
        elif code == Code.KEY_DROP:
            drop = KeyDrop.parse(body).key_set
            if drop in self.keys and (drop == self.under or len(self.keys) <= 2):
                status = Status.IMPOSSIBLE
            else:
                self.keys = {number: key for number, key in self.keys.items() if number != drop}
        elif code == Code.TEXT:
            self.texts.append(body.decode())
        if status is Status.DONE:
            self.money = money
        return self._receipt(status) + extra

    def _usage(self, query):
        self.clock_s = query.time_s
        self.events = [event for event in self.events if event.number > query.events_acknowledged]
        parts = self.info_parts(query.day, plain_max=900)
        return parts[query.part]

    def info_parts(self, day, **bounds):
        start_s, minutes = self.days.get(day, (0, ()))
        money = self.money
        standing = Standing(
            ring=money.ring,
            split=Split(money.svm_micro, money.tank_micro, money.exchanger_micro, money.acc),
            received_micro=money.received_micro,
            burned_micro=money.burned_micro,
            returned_micro=money.returned_micro,
            owed_micro=money.owed_micro,
            unit_price_micro=self.price,
            timer_s=self.clock_s or 0,
            table_digest=table_digest(self.table, self.price),
            relay_causes=self.relay_causes,
            event_newest=self.events[-1].number if self.events else 0,
            registers=Registers(self.pulses, 0, 0, 0, 0, (self.pulses,)),
        )
        receipt = money.receipt(self.meter_id, Status.DONE)
        info = Info(receipt, standing, day if minutes else 0, start_s, tuple(minutes), tuple(self.events))
        return build_parts(info, **bounds)

    def burn(self, pulses):
        rate = rate_of(self.price, 100, 100)
        self.money = burn_through(self.money, rate, pulses, self.limits, Sam(self.money.svm_micro)).money
        self.pulses += pulses
        if not self.money.balance_micro:
            self.relay_causes = 1

    def add_event(self, number, code=0x0103):
        self.events.append(EventRecord(number, NOW_S + number, code))

    def head(self, kind, counter=None):
        if counter is None:
            counter = self.counters[kind] = self.counters.get(kind, 0) + 1
        return Head(self.suite.id, min(self.keys), self.meter_id, counter)

    def report(self, day=0, counter=None):
        key = self.keys[min(self.keys)]
        return [
            seal_report(self.suite, key, Report(self.head("report", counter), part)) for part in self.info_parts(day)
        ]

    def alarm(self, event=0x0201, counter=None):
        message = Alarm(self.head("alarm", counter), NOW_S, event, b"")
        return seal_alarm(self.suite, self.keys[min(self.keys)], message)

    def wish(self, amount=5_000_000):
        return seal_wish(self.suite, self.keys[min(self.keys)], Wish(self.head("wish"), amount, "1234"))


class World:
    """A host, its meters, and a line between them that a test may spoil. Nothing here looks at a clock."""

    def __init__(self, path, place, seed=1, meters=1, suite_name="aes-2026", settings=None, **options):
        self.path, self.state = path / "data", path / "state"
        self.place = place(self.path)
        self.rng = Random(seed)
        self.now_s, self.line_ms = NOW_S, 0
        self.bodies = {}
        self.spoil = None
        self.seen = []
        self.settings = settings or DispatchSettings(poll_s=DAY_S, poll_floor_ms=0)
        folder = DataFolder.claim(self.path, create=True)
        secret = VaultSecret.from_passphrase(PASSPHRASE)
        self.vault = FileVault.create(folder.vault, secret, suites=[suite_name] * 2, now_s=NOW_S, cost=COST)
        self.host = Host.create(folder, self.vault, options=HostOptions(**options), **self._outer())
        for number in range(1, meters + 1):
            self.add_meter(f"{number:06X}", suite_name)

    def _outer(self):
        return {
            "store": self.place.database,
            "state_dir": self.state,
            "now": lambda: self.now_s,
            "random": self.rng.randbytes,
            "dispatch_settings": self.settings,
        }

    def add_meter(self, meter, suite_name="aes-2026", limits=None, **enrolment):
        keys = {index: self.vault.terminal_key(index, bytes.fromhex(meter)) for index in (0, 1)}
        self.bodies[meter] = Body(meter, keys, suite_name, limits)
        return self.host.registry.enrol(Enrolment(meter, suite=suite_name, **enrolment))

    def restart(self):
        """The host ends and starts again on its data."""
        self.close()
        self.reopen()

    def close(self):
        self.host.close()

    def reopen(self):
        self.host = Host.open(DataFolder.claim(self.path), self.vault, **self._outer())
        return self.host

    def pass_line(self, milliseconds):
        self.line_ms += milliseconds

    def pump(self, rounds=200):
        """Carries messages until nobody says anything more."""
        self.line_ms += 1
        posts = self.host.dispatch.tick(self.line_ms)
        for _ in range(rounds):
            answers = self._carry(posts)
            if not answers:
                return
            self.line_ms += 1_001
            posts = self.host.dispatch.arrived(answers, self.line_ms)
        raise AssertionError("they never stop talking")

    def settle(self, times=40):
        """Pumps through give-ups and back-offs until the line has been fair for long enough."""
        for _ in range(times):
            self.pump()
            self.pass_line(61_000)
        self.pump()

    def _carry(self, posts):
        answers = []
        for post in posts:
            for meter_id, payload in post.messages:
                for heard in self._line(payload):
                    body = self.bodies.get(meter_id.hex().upper())
                    for reply in body.receive(heard, self.line_ms, self.rng.randbytes(32)) if body else ():
                        answers += [(meter_id, said) for said in self._line(reply)]
        return answers

    def _line(self, payload):
        self.seen.append(payload)
        return [payload] if self.spoil is None else self.spoil(payload)

    def say(self, meter, payload):
        """A meter speaks first; gives what the host answers to that meter."""
        posts = self.host.dispatch.arrived([(bytes.fromhex(meter), payload)], self.line_ms)
        sent = [payload for post in posts for to, payload in post.messages if to == bytes.fromhex(meter)]
        self._carry(posts)
        return sent

    def steal(self, amount=7_000_000):
        """A meter takes value that no order of this host explains (as after a restore); gives its tag."""
        body = next(iter(self.bodies.values()))
        tag = bytes((self.rng.randrange(1, 127),)) + self.rng.randbytes(7)
        sequence = body.money.last_sequence + 1
        body.money, status = apply_transfer(body.money, sequence, amount, tag, body.limits)
        assert status is Status.DONE
        return tag


@pytest.fixture(scope="session")
def quick_paths():
    """Gives folders in memory where there is one: what these tests check does not need the disk to be waited for."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(prefix="prewatt-test-", dir=memory) as folder:
        numbers = count()
        yield lambda: Path(folder) / str(next(numbers))


@pytest.fixture(scope="session")
def opened_kinds():
    """Each kind of database once a process, whatever order the tests come in: a server takes a second to begin."""
    made = {}

    def open_kind(kind):
        if kind not in made:
            made[kind] = KINDS[kind]()
        return made[kind]

    yield open_kind
    for each in made.values():
        each.close()


@pytest.fixture(scope="session", params=wanted_kinds())
def databases(request, opened_kinds):
    """Where databases come from: every test that has one runs on both kinds."""
    return opened_kinds(request.param)


@pytest.fixture(scope="session")
def world_class():
    """The class itself, for who brings places of his own."""
    return World


@pytest.fixture(scope="session")
def world_type(databases):
    """Makes a world in a folder, for modules that build one world for many tests."""
    return lambda path, **given: World(path, databases.place, **given)


def back_up(world, name="backup"):
    """Copies the database as it lies there, under a name."""
    world.close()
    world.place.back_up(name)
    world.reopen()


def restore(world, name="backup"):
    """Puts a copy in place of the database; the state folder stays."""
    world.close()
    world.place.restore(name)
    world.reopen()


@pytest.fixture
def backed_up():
    """Two functions of a world and a name: back its database up, put the backup back."""
    return back_up, restore


@pytest.fixture
def make_world(quick_paths, world_type):
    quick_path = quick_paths()
    worlds = []

    def make(**given):
        worlds.append(world_type(quick_path / f"world{len(worlds)}", **given))
        return worlds[-1]

    yield make
    for each in worlds:
        each.close()
        each.place.drop()


@pytest.fixture
def world(make_world):
    return make_world()


@pytest.fixture
def file_world(quick_paths):
    """A world whose database is a file, for what there is only with files."""
    made = World(quick_paths(), FilePlace)
    yield made
    made.close()


@pytest.fixture
def street(make_world):
    """Two meters; the first holds 8 of the 10 it was sold."""
    world = make_world(meters=2)
    world.host.tariffs.set("1")
    world.host.vending.vend(OLD, "10", order="A")
    world.settle(2)
    burn(world, 2_000)
    world.settle(1)
    return world
