"""The world of the walkers: meters, a host, and between them a relay that may do anything to messages.

Each operation takes one number that decides its choices, so that a seeded walker and Hypothesis can both drive it.
What must hold is checked after every step; `calm` ends all faults, lets people do their part, and then everything has
to converge: every payment applied or paid back, every book in step, no value in transit.
"""

import random
from collections import Counter
from hashlib import sha256

from world_host import HONEST_FREEZES, Host, HostCrashError
from world_meter import MINOR_MICRO, Body, PowerCut, Truth, ViolationError, check

from prewatt.codec.commands import Code
from prewatt.crypto import suite
from prewatt.device.meter.valuecode import CodeOutcome
from prewatt.protocol.transfer import BodyState, OrderState

# Equal ones, so that orders can be mistaken for each other, and many that are not, so that nothing hides behind one.
AMOUNTS = (*(10_000, 20_000, 30_000) * 5, *range(2_000, 26_000, 1_000), 50_000, 110_000, 150_000)
AIR_MAX = 40
LEAVING_MAX = 1
# Orders so large that a meter may never have room for them under its ceiling.
DISMISSED_ABOVE = 100_000
LIVE = BodyState.LIVE
ARCHIVE_MAX = 400
BACKUPS_MAX = 6
LIVE_SESSIONS_MAX = 4
METERS = 2
# One synchronous session at a time; a restored meter needs about twelve, an order one or two.
CALM_ROUNDS_MAX = 400


class World:
    """``body_type`` and ``host_type`` carry the planted holes."""

    AMOUNTS = AMOUNTS

    def __init__(self, suite_name="aes-2026", body_type=Body, host_type=Host):
        self.suite = suite(suite_name)
        size = self.suite.terminal_key_bytes
        self.key = bytes(range(1, size + 1))
        self.truth = Truth()
        self.drawn = 0
        self.body_type = body_type
        self.host = host_type(self.suite, {0: self.key}, self.truth, self.draw)
        self.host.bodies = self.bodies_of
        self.bodies, self.graveyard, self.destroyed = {}, [], set()
        self.leaving = {}
        self.line_ms = 0
        self.air, self.archive, self.backups, self.codes = [], [], [], {}
        self.used = set()
        self.names = self.number = 0
        self.audited = {}
        self.events = Counter()
        for _ in range(METERS):
            self.new_meter()

    # -- bricks

    def draw(self, count):
        self.drawn += 1
        return sha256(self.drawn.to_bytes(8, "big")).digest()[:count]

    def bodies_of(self, meter_id):
        return [body for body in (*self.bodies.values(), *self.graveyard) if body.meter_id == meter_id]

    def new_body(self, meter_id, ring=()):
        self.number += 1
        return self.body_type(self.number, meter_id, self.suite, {0: self.key}, self.truth, ring)

    def new_meter(self):
        self.names += 1
        self.host.crash_in = None
        meter_id = self.names.to_bytes(3, "big")
        self.bodies[meter_id] = self.new_body(meter_id)
        self.host.enrol(meter_id)
        self.host.ask_commission(meter_id)

    def pick(self, choice):
        ids = sorted(self.bodies)
        return ids[choice % len(ids)], choice // len(ids)

    def send(self, target, meter_id, payload):
        if payload is None:
            return
        self.air = [*self.air, (target, meter_id, payload)][-AIR_MAX:]
        if len(self.archive) < ARCHIVE_MAX:
            self.archive.append((target, meter_id, payload))
        else:
            self.archive[self.drawn * 7919 % ARCHIVE_MAX] = (target, meter_id, payload)

    def arrive(self, target, meter_id, payload, choice):
        if target == "host":
            self.send("meter", meter_id, self.host.receive(meter_id, payload, choice))
            return
        body = self.bodies.get(meter_id)
        if body is not None and body.on:
            for answer in self.powered(body, lambda: body.receive(payload, self.line_ms, self.draw(32))) or ():
                self.send("host", meter_id, answer)

    def powered(self, body, act):
        try:
            return act()
        except PowerCut:
            body.on = False
            return None

    # -- operations; each takes a number

    def op_deliver(self, choice):
        if self.air:
            index = choice % min(4, len(self.air)) if choice & 1 else choice % len(self.air)
            message = self.air[index]
            if choice % 11:
                self.air = self.air[:index] + self.air[index + 1 :]
            self.arrive(*message, choice // 64)

    def op_drop(self, choice):
        if self.air:
            index = choice % len(self.air)
            self.air = self.air[:index] + self.air[index + 1 :]

    def op_replay(self, choice):
        if self.archive:
            self.arrive(*self.archive[choice % len(self.archive)], choice // 1024)

    def op_haunt(self, choice):
        """The relay plays a message to a body that was replaced or destroyed."""
        if self.graveyard and self.archive:
            body = self.graveyard[choice % len(self.graveyard)]
            source = self.air if choice & 2 and self.air else self.archive
            _, meter_id, payload = source[choice // 8 % len(source)]
            if meter_id == body.meter_id:
                if not body.on:
                    body.power_up(self.line_ms)
                self.powered(body, lambda: body.receive(payload, self.line_ms, self.draw(32)))

    def op_pay(self, choice):
        meter_id, choice = self.pick(choice)
        amount = self.AMOUNTS[choice % len(self.AMOUNTS)]
        if choice // 64 % 8 == 0:
            amount = -10_000
        if self.host.book(meter_id).body is BodyState.LOST or meter_id in (*self.destroyed, *self.leaving):
            return
        self.pay(meter_id, f"p{len(self.host.bank.payments)}", amount)

    def pay(self, meter_id, payment, amount):
        if payment not in self.host.bank.payments:
            self.host.bank.payments[payment] = (meter_id, amount)
            self.truth.paid(meter_id, amount)
        self.host.take_payments(meter_id)

    def op_sweep(self, choice):
        meter_id, _ = self.pick(choice)
        self.host.take_payments(meter_id)
        self.host.pay_back(meter_id)

    def op_cancel(self, choice):
        meter_id, choice = self.pick(choice)
        orders = self.host.book(meter_id).orders
        if orders:
            self.host.cancel(meter_id, orders[choice % len(orders)].order_id)

    def op_press(self, choice):
        meter_id, _ = self.pick(choice)
        if sum(live.meter_id == meter_id for live in self.host.live.values()) < LIVE_SESSIONS_MAX:
            self.send("meter", meter_id, self.host.press(meter_id, self.line_ms))

    def op_session(self, choice):
        """A whole session on a line that behaves for once."""
        meter_id, _ = self.pick(choice)
        body = self.bodies[meter_id]
        if body.on and sum(live.meter_id == meter_id for live in self.host.live.values()) < LIVE_SESSIONS_MAX:
            self.powered(body, lambda: self._session(meter_id))

    def op_ask(self, choice):
        meter_id, choice = self.pick(choice)
        if sum(live.meter_id == meter_id for live in self.host.live.values()) < LIVE_SESSIONS_MAX:
            self.send("meter", meter_id, self.host.ask(meter_id, self.line_ms, (Code.RING, Code.USAGE)[choice % 2]))

    def op_wish(self, choice):
        meter_id, choice = self.pick(choice)
        self.host.wish(meter_id, b"set%d" % (choice % 5))

    def op_issue(self, choice):
        meter_id, choice = self.pick(choice)
        orders = [order for order in self.host.book(meter_id).orders if order.amount_micro % MINOR_MICRO == 0]
        if orders:
            digits = self.host.issue_code(meter_id, orders[choice % len(orders)].order_id)
            if digits is not None:
                self.codes.setdefault(meter_id, []).append(digits)

    def op_type(self, choice):
        meter_id, choice = self.pick(choice)
        body, every = self.bodies[meter_id], self.codes.get(meter_id, [])
        codes = [digits for digits in every if digits not in self.used] if choice % 8 else every
        if codes and body.on:
            digits = codes[-1 - choice // 8 % min(9, len(codes))]
            outcome = self.powered(body, lambda: body.type_code(digits, self.line_ms))
            self.events[f"code {outcome and outcome.name}"] += 1
            if outcome in (CodeOutcome.ALREADY_USED, CodeOutcome.WRONG):
                self.used.add(digits)

    def op_report(self, choice):
        meter_id, _ = self.pick(choice)
        body = self.bodies[meter_id]
        if body.on:
            self.send("host", meter_id, self.powered(body, body.report))

    def op_burn(self, choice):
        meter_id, choice = self.pick(choice)
        body = self.bodies[meter_id]
        if body.on and meter_id not in self.leaving:
            self.powered(body, lambda: body.burn(choice % 24))

    def op_power(self, choice):
        meter_id, choice = self.pick(choice)
        body = self.bodies[meter_id]
        if not body.on:
            body.power_up(self.line_ms)
        elif choice % 3:
            body.cut_after(choice // 4 % 1500)
        else:
            body.nvm.power_off()
            body.on = False

    def op_resume(self, choice):
        meter_id, _ = self.pick(choice)
        if not self.bodies[meter_id].on:
            self.bodies[meter_id].power_up(self.line_ms)

    def op_crash(self, choice):
        self.host.crash_in = choice % 4

    def op_give_up(self, choice):
        self.host.give_up(self.line_ms)

    def op_time(self, choice):
        self.line_ms += (1_000, 5_000, 20_000, 200_000)[choice % 4]

    def op_backup(self, choice):
        self.backups = [*self.backups, self.host.db.copy()][-BACKUPS_MAX:]

    def op_restore(self, choice):
        if self.backups:
            self.host.restore(self.backups[choice % len(self.backups)])
            self.audited = {}

    def op_reconcile(self, choice):
        meter_id, _ = self.pick(choice)
        self.host.reconcile(meter_id)

    def op_people(self, choice):
        """Somebody in the office looks at a frozen meter, or at one that waits for its body."""
        meter_id, choice = self.pick(choice)
        self.host.thaw(meter_id)
        if meter_id not in (*self.destroyed, *self.leaving):
            self.body_wanted(meter_id, choice)

    def body_wanted(self, meter_id, choice):
        """Brings or keeps a body where the host waits for one: a new one, or the retired one in a new epoch."""
        book, body = self.host.book(meter_id), self.bodies[meter_id]
        if book.body is BodyState.NEW or not body.money.commissioned:
            self.host.ask_commission(meter_id)
        elif book.body is BodyState.RETIRED and book.synced and body.money.retired:
            if choice % 3:
                self.swap(meter_id, body)
            else:
                self.host.ask_commission(meter_id, keeps_value=True)

    def op_replace(self, choice):
        """One step of replacing a body under the same id (R8)."""
        meter_id, _ = self.pick(choice)
        book, body = self.host.book(meter_id), self.bodies[meter_id]
        if meter_id in (*self.destroyed, *self.leaving):
            return
        if book.body is BodyState.LIVE:
            self.host.ask_retire(meter_id)
        if book.body is BodyState.RETIRED and book.synced and body.money.retired and body.on:
            self.swap(meter_id, body)

    def swap(self, meter_id, body, ring=()):
        if not body.on:
            body.power_up(self.line_ms)
        carry = body.money.balance_micro - body.money.owed_micro
        payment = f"carry {body.number}"
        self.graveyard.append(body)
        self.bodies[meter_id] = self.new_body(meter_id, ring)
        self.events["swaps"] += 1
        if carry > 0:
            self.host.bank.payments[payment] = (meter_id, carry)
            self.truth.paid(meter_id, carry)
        self.host.ask_commission(meter_id)

    def op_destroy(self, choice):
        """A body that nobody will ever read again; its id is lost and a meter with a new id takes its place."""
        meter_id, choice = self.pick(choice)
        if meter_id in (*self.destroyed, *self.leaving) or choice % 4 or len(self.destroyed) > 2:
            return
        if meter_id in self.leaving.values():
            return
        self.destroyed.add(meter_id)
        self.graveyard.append(self.bodies.pop(meter_id))
        self.events["destroyed"] += 1
        self.new_meter()
        self.host.body_lost(meter_id)

    def op_follow(self, choice):
        """One step of replacing a meter by another id: its load is taken off, it retires, its balance follows."""
        meter_id, choice = self.pick(choice)
        if meter_id in self.leaving:
            self.host.carry(meter_id, self.leaving[meter_id])
            return
        staying = [other for other in sorted(self.bodies) if other != meter_id and other not in self.leaving]
        targets = meter_id in self.leaving.values()
        if targets or not staying or len(self.leaving) >= LEAVING_MAX or self.host.book(meter_id).body is not LIVE:
            return
        self.leaving[meter_id] = staying[choice % len(staying)]
        self.events["leaving"] += 1
        self.host.ask_retire(meter_id)

    def op_sign(self, choice):
        """A person signs an order of a lost body over."""
        for meter_id in sorted(self.destroyed):
            book = self.host.db.books.get(meter_id)
            lost = [order for order in (book.orders if book else ()) if order.state is OrderState.LOST]
            if lost and book.body is BodyState.LOST:
                self.sign(meter_id, lost[choice % len(lost)].order_id, choice // 8)

    def sign(self, meter_id, order_id, choice):
        staying = [other for other in sorted(self.bodies) if other not in self.leaving]
        order = next(each for each in self.host.book(meter_id).orders if each.order_id == order_id)
        fits = order.amount_micro <= DISMISSED_ABOVE
        target = staying[choice % len(staying)] if staying and choice % 8 and fits else None
        self.host.sign(meter_id, order_id, target)

    def op_late(self, choice):
        """A body that was replaced or destroyed says something after all."""
        if self.graveyard:
            body = self.graveyard[choice % len(self.graveyard)]
            if not body.on:
                body.power_up(self.line_ms)
            self.send("host", body.meter_id, self.powered(body, body.report))

    # -- steps

    OPS = (
        *(("deliver", 60), ("drop", 3), ("replay", 6), ("haunt", 3), ("pay", 6), ("sweep", 3), ("cancel", 3)),
        *(
            ("press", 18),
            ("session", 6),
            ("ask", 2),
            ("wish", 1),
            ("issue", 5),
            ("type", 5),
            ("report", 2),
            ("burn", 8),
            ("power", 2),
        ),
        *(("resume", 4), ("crash", 2), ("give_up", 4), ("time", 6), ("backup", 1), ("restore", 0.5)),
        *(("reconcile", 5), ("people", 5), ("replace", 0.7), ("destroy", 0.1)),
        *(("follow", 0.4), ("sign", 0.5), ("late", 0.5)),
    )
    NAMES = tuple(name for name, _ in OPS)
    WEIGHTS = tuple(weight for _, weight in OPS)

    def step(self, name, choice):
        self.line_ms += 700
        try:
            getattr(self, f"op_{name}")(choice)
        except HostCrashError:
            self.events["crashes"] += 1
        self.check()

    def check(self):
        for meter_id, book in self.host.db.books.items():
            if self.audited.get(meter_id) is not book:
                self.host.audit(meter_id)
                self.audited[meter_id] = book

    # -- the end of all faults

    def calm(self):
        self.air = []
        self.host.crash_in = None
        for body in self.bodies.values():
            if not body.on:
                body.power_up(self.line_ms)
            body.nvm.restore_power()
        for meter_id in self.destroyed:
            self._bury(meter_id)
        # Those that others follow to come last: an order that follows has to arrive there.
        for meter_id in sorted(self.bodies, key=lambda each: (each not in self.leaving, each)):
            self._settle(meter_id)
        for meter_id in self.destroyed:
            self._bury(meter_id)
        for meter_id in sorted(set(self.bodies) - set(self.leaving)):
            self._settle(meter_id)
        self.check()
        self._check_ended()

    def _bury(self, meter_id):
        if meter_id not in self.host.db.books:
            self.host.enrol(meter_id)
        if self.host.book(meter_id).body is not BodyState.LOST:
            self.host.body_lost(meter_id)
        for order in self.host.book(meter_id).orders:
            if order.state is OrderState.LOST:
                self.sign(meter_id, order.order_id, 1)
            else:
                self.host.cancel(meter_id, order.order_id)
        self.host.pay_back(meter_id)

    def _leave(self, meter_id):
        """What is still open at a meter that leaves is paid back; its balance follows."""
        for order in self.host.book(meter_id).orders:
            if order.order_id.startswith("lot"):
                self.host.move_open(meter_id, order.order_id, self.leaving[meter_id])
            elif order.state not in (OrderState.LOST, OrderState.CANCELLING):
                self.host.cancel(meter_id, order.order_id)
        book = self.host.book(meter_id)
        if book.body is LIVE and book.synced and book.frozen is None:
            self.host.ask_retire(meter_id)
        if not book.orders:
            self.host.carry(meter_id, self.leaving[meter_id])

    def _settle(self, meter_id):
        host = self.host
        for _ in range(CALM_ROUNDS_MAX):
            self.line_ms += 100_000
            host.give_up(self.line_ms)
            host.thaw(meter_id)
            body = self.bodies[meter_id]
            host.reconcile(meter_id)
            if meter_id in self.leaving:
                self._leave(meter_id)
                self._session(self.leaving[meter_id])
                host.thaw(self.leaving[meter_id])
                host.reconcile(self.leaving[meter_id])
            else:
                self.body_wanted(meter_id, 1)
                host.take_payments(meter_id)
                body.burn(60)
            host.pay_back(meter_id)
            self._dismiss(meter_id)
            if sum(live.meter_id == meter_id for live in host.live.values()) < LIVE_SESSIONS_MAX:
                self._session(meter_id)
            if self.ended(meter_id):
                return
        book = host.book(meter_id)
        raise ViolationError(f"nothing moves any more: {book}")

    def _dismiss(self, meter_id):
        """People cancel what the meter will never take: more than its ceiling, or more back than it holds."""
        for order in self.host.book(meter_id).orders:
            if order.state is OrderState.REFUSED and (order.amount_micro < 0 or order.amount_micro > DISMISSED_ABOVE):
                self.host.cancel(meter_id, order.order_id)

    def _session(self, meter_id):
        """One session over a line without faults."""
        payload = self.host.press(meter_id, self.line_ms)
        body = self.bodies[meter_id]
        while payload is not None:
            answers = body.receive(payload, self.line_ms, self.draw(32))
            payload = None
            for answer in answers:
                newest = max((key for key, live in self.host.live.items() if live.meter_id == meter_id), default=0)
                keys = [key for key, live in self.host.live.items() if live.meter_id == meter_id]
                payload = self.host.receive(meter_id, answer, keys.index(newest)) if newest else None

    def ended(self, meter_id):
        book = self.host.book(meter_id)
        if meter_id in self.leaving:
            return ("balance", meter_id) in self.host.db.moved and not book.orders
        rows = [payment for payment, paid in self.host.bank.payments.items() if paid[0] == meter_id]
        done = all(self.host.db.rows.get(payment) in ("delivered", "refunded", "signed") for payment in rows)
        wished = self.host.db.wishes.get(meter_id, (None, True))[1]
        live = book.body is BodyState.LIVE and book.synced and not book.reconciling and book.frozen is None
        return done and wished and live and not book.orders

    def _check_ended(self):
        for meter_id, body in self.bodies.items():
            if meter_id in self.leaving:
                continue
            book = self.host.book(meter_id)
            check(not book.suspense, f"suspense is left: {book.suspense}")
            check(book.settled == body.money.last_sequence, "the book does not know the meter's last")
            setting, _ = self.host.db.wishes.get(meter_id, (None, True))
            check(setting is None or body.setting == setting, "the newest wish is not the meter's setting")
            for (owner, amount), room in self.truth.room.items():
                room -= min(room, self.host.found_lots[owner, amount])
                check(owner != meter_id or room == 0, f"{room} x {amount} was paid and never applied or paid back")


class RestoredWorld(World):
    """When all has come to its end, an old backup is put back, and all has to come to its end again."""

    def calm(self):
        super().calm()
        if self.backups:
            self.op_restore(self.drawn)
            super().calm()


def walk(seed, steps, *, calm_every=0, world_type=World, mood=None, **how):
    """A seeded walk of so many steps, then calm; a ViolationError names the seed and the step."""
    chance = random.Random(seed)
    world = world_type(**how)
    if seed % 4:
        world.calm()
    done = 0
    # Swarm: each seed has its own mood, in which some things happen often and others hardly ever.
    weights = [weight * chance.choice((0.1, 1, 1, 3)) for weight in World.WEIGHTS]
    weights = [weight * (mood or {}).get(name, 1) for name, weight in zip(World.NAMES, weights, strict=True)]
    try:
        while done < steps:
            for name in chance.choices(World.NAMES, weights, k=64):
                done += 1
                world.step(name, chance.getrandbits(30))
                if calm_every and done % calm_every == 0:
                    world.calm()
        world.calm()
    except ViolationError as violation:
        violation.seed, violation.steps = seed, done
        violation.add_note(f"seed {seed}, step {done}, {how}")
        raise
    return world


__all__ = ["HONEST_FREEZES", "RestoredWorld", "World", "walk"]
