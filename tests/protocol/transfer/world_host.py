"""A host for the walkers: a tiny durable store, double entry, sessions in RAM, and the people and payments around it.

Every commit is atomic; the host may crash before or after any of them. Outside the database, and so never restored
with it, stand the payments' own records (`Bank`) and the state folder with each id's highest epoch.
"""

from collections import Counter
from copy import copy
from dataclasses import dataclass, field, replace
from hashlib import sha256

from world_meter import MINOR_MICRO, ViolationError, check, parse_ring, parse_standing

from prewatt.codec.bodies import UsageQuery
from prewatt.codec.commands import Code, control_digest
from prewatt.codec.receipt import RECEIPT_BYTES, Status
from prewatt.codec.valuecode import ValueCode, check_input, check_of
from prewatt.crypto import MessageKind
from prewatt.protocol import transfer as rules
from prewatt.protocol.host import Command, Done, Ended, HostSession, Send
from prewatt.protocol.meter_messages import open_report
from prewatt.protocol.transfer import BodyState, OrderState, WorkKind

GIVE_UP_MS = 60_000
QUERY = UsageQuery(1, 0, 0, bytes(8), 0).build()
# Freezes that a restore, or a body on a bench, can cause without anybody lying.
HONEST_FREEZES = {
    rules.FreezeReason.GAP,
    rules.FreezeReason.NO_EPOCH,
    rules.FreezeReason.OLD_BODY,
}


class HostCrashError(Exception):
    """The process died."""


@dataclass
class Bank:
    """What the payment network and the paper in the office know; it survives everything."""

    payments: dict = field(default_factory=dict)
    refunds: set = field(default_factory=set)
    # Value that follows or was signed over: which lot (a body, an order) went to which meter as which order.
    lots: dict = field(default_factory=dict)
    signed: dict = field(default_factory=dict)


@dataclass
class Db:
    """The database: books, orders by payment, accounts, wishes. ``copy`` is a backup."""

    books: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)
    accounts: Counter = field(default_factory=Counter)
    wishes: dict = field(default_factory=dict)
    generation: int = 0
    moved: dict = field(default_factory=dict)

    def copy(self):
        books, rows, wishes = dict(self.books), dict(self.rows), dict(self.wishes)
        return Db(books, rows, copy(self.accounts), wishes, self.generation, dict(self.moved))

    def post(self, meter_id, source, target, amount):
        self.accounts[meter_id, source] -= amount
        self.accounts[meter_id, target] += amount


@dataclass
class Live:
    """One session in RAM."""

    meter_id: bytes
    session: HostSession
    work: rules.Work
    began_ms: int


class Host:
    """``rules`` is looked up at each call, so that a hole can be planted by replacing one rule."""

    gives_up = True
    one_commit = True
    matches_codes = True
    waits_to_pay = True
    reads_codes_width = None

    def __init__(self, suite, keys, truth, draw):
        self.suite, self.keys, self.truth, self.draw = suite, keys, truth, draw
        self.db, self.bank, self.folder = Db(), Bank(), {}
        self.rules = rules
        self.live = {}
        self.sessions = 0
        self.crash_in = None
        self.events = Counter()

    # -- durability

    def commit(self, change):
        """Runs ``change`` on the database as one transaction; a crash comes before or after it."""
        self._maybe_crash()
        change(self.db)
        self._maybe_crash()

    def _maybe_crash(self):
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash()
                raise HostCrashError

    def crash(self):
        self.crash_in = None
        self.live = {}

    def restore(self, backup):
        """A database from a backup: the state folder shows it, and every id it knows is put out of step."""
        self.crash()
        self.db = backup.copy()
        self.events["restores"] += 1
        for meter_id, epoch in self.folder.items():
            book = self.db.books.get(meter_id) or self.rules.new_book(meter_id)
            book, _ = self.rules.restored(book, epoch)
            self.db.books[meter_id] = book
            self._wish_again(self.db, meter_id)

    def _wish_again(self, db, meter_id):
        """What was set is no longer known: a forgotten host may have set it otherwise, a new body has nothing set."""
        if meter_id in db.wishes:
            db.wishes[meter_id] = (db.wishes[meter_id][0], False)

    def book(self, meter_id):
        return self.db.books[meter_id]

    def _tag(self):
        drawn = self.draw(8)
        return bytes((drawn[0] & 0x7F,)) + drawn[1:]

    # -- meters

    def enrol(self, meter_id):
        self.folder[meter_id] = rules.NO_EPOCH
        self.commit(lambda db: db.books.setdefault(meter_id, self.rules.new_book(meter_id)))

    def ask_commission(self, meter_id, *, keeps_value=False):
        book = self.book(meter_id)
        if book.body not in (BodyState.NEW, BodyState.RETIRED) or not book.synced or book.frozen:
            return
        epoch = max(self.folder[meter_id], book.epoch, rules.SAFE_EPOCH_FIRST - 1) + 1
        self.folder[meter_id] = epoch
        self._rule(meter_id, lambda book: self.rules.ask_commission(book, epoch, self._tag(), keeps_value=keeps_value))

    def ask_retire(self, meter_id):
        if self.book(meter_id).body is BodyState.LIVE:
            self._rule(meter_id, lambda book: self.rules.ask_retire(book, self._tag()))

    def body_lost(self, meter_id):
        self._rule(meter_id, self.rules.body_lost)

    # -- money

    def take_payments(self, meter_id):
        """Makes an order of every payment that the database does not know; not while it is out of step (R7)."""
        book = self.book(meter_id)
        if book.body is BodyState.LOST or not book.synced or book.reconciling:
            return
        for payment, (owner, amount) in list(self.bank.payments.items()):
            gone = payment in self.bank.refunds or payment in self.bank.signed
            if owner == meter_id and payment not in self.db.rows and not gone:
                self._order(meter_id, payment, amount)

    def _order(self, meter_id, payment, amount):
        tag = self._tag()
        self.truth.name(meter_id, tag, payment)

        def change(db):
            db.books[meter_id] = self.rules.make_order(db.books[meter_id], payment, amount, tag)
            db.rows[payment] = "open"
            db.post(meter_id, "bank", "transit", amount)

        self.commit(change)

    def cancel(self, meter_id, payment):
        book = self.book(meter_id)
        states = {order.order_id: order.state for order in book.orders}
        if payment in states and states[payment] is not OrderState.LOST and not payment.startswith("lot"):
            self._rule(meter_id, lambda book: self.rules.ask_cancel(book, payment))
            self.pay_back(meter_id)

    def pay_back(self, meter_id):
        """Cash for what is cancelled: the bank knows each payment, so paying twice is not possible, forgetting is."""
        book = self.book(meter_id)
        out_of_step = (not book.synced or book.reconciling) and book.body is not BodyState.LOST
        if out_of_step and self.waits_to_pay:
            return
        for payment, state in list(self.db.rows.items()):
            if state == "cancelled" and self.bank.payments[payment][0] == meter_id:
                self._pay_back(meter_id, payment)

    def _pay_back(self, meter_id, payment):
        self._maybe_crash()
        if payment not in self.bank.refunds:
            self.bank.refunds.add(payment)
            self.truth.refunded(meter_id, self.bank.payments[payment][1])
        self.commit(lambda db: db.rows.__setitem__(payment, "refunded"))

    def issue_code(self, meter_id, payment):
        """The twenty digits, or None where the rules give no code now."""
        digits = []

        def build(sequence, amount):
            minor = amount // MINOR_MICRO
            mac = self.suite.message_keys(self.keys[0]).tag(MessageKind.CODE, check_input(meter_id, sequence, minor))
            code = ValueCode(sequence & 0xFF, minor, check_of(mac))
            self.truth.name(meter_id, code.build_tag(), payment)
            digits.append(code.build())
            return code.build_bits()

        def change(db):
            db.books[meter_id], _ = self.rules.issue_code(db.books[meter_id], payment, build)

        try:
            self.commit(change)
        except rules.TransferRuleError:
            return None
        return digits[0] if digits else None

    # -- bodies (R8): the balance of a retired one follows, orders of a lost one are signed over

    def carried_tag(self, lot):
        """The tag is made from what the order carries: asked again after a restore, it is the same order."""
        digest = sha256(repr(lot).encode()).digest()[:8]
        return bytes((digest[0] & 0x7F,)) + digest[1:]

    def final(self, meter_id):
        """The last balance of a retired body; None before its standing is final."""
        book, seen = self.book(meter_id), self.book(meter_id).seen
        ended = book.body is BodyState.RETIRED and book.synced and not book.reconciling and book.frozen is None
        if not ended or book.known or book.suspense or seen is None or seen.last_sequence & 0xFFFFFF != 0xFFFFFF:
            return None
        return seen.balance_micro

    def carry(self, meter_id, target):
        """The balance of a retired body follows to a meter with a new id; asked again, nothing happens again."""
        amount, lot = self.final(meter_id), ("balance", meter_id)
        if amount is None or self._closed(target, lot) or lot in self.db.moved:
            return False
        self._move_lot(meter_id, target, lot, amount, lambda db: None)
        return True

    def sign(self, meter_id, order_id, target):
        """A person signs an order over that was lost with its body: to another meter, or nowhere (written off)."""
        order = self.rules.find_order(self.book(meter_id), order_id)
        target, lot = self.bank.signed.get(order_id, target), ("order", order_id)
        if order.state is not OrderState.LOST or (target is not None and self._closed(target, lot)):
            return
        if self._in_suspense(meter_id, order):
            return

        def end(db):
            db.books[meter_id], changes = self.rules.sign_over(db.books[meter_id], order_id)
            self._post(db, meter_id, changes)

        if target is None or order.amount_micro < 0:
            self.commit(end)
        else:
            self.bank.signed[order_id] = target
            self._move_lot(meter_id, target, lot, order.amount_micro, end)

    def move_open(self, meter_id, order_id, target):
        """An order that is still open at a retired meter goes on at the one that follows it."""
        order, lot, book = (
            self.rules.find_order(self.book(meter_id), order_id),
            ("order", order_id),
            self.book(meter_id),
        )
        settled = book.synced and not book.reconciling and book.frozen is None and order.sequence is None
        if not settled or order.state is OrderState.LOST or self._closed(target, lot):
            return

        def end(db):
            db.books[meter_id], changes = self.rules.ask_cancel(db.books[meter_id], order_id)
            self._post(db, meter_id, changes)
            db.post(meter_id, "wallet", "signed", order.amount_micro)
            db.rows[order_id] = "signed"

        self._move_lot(meter_id, target, lot, order.amount_micro, end)

    def _in_suspense(self, meter_id, order):
        return any(entry.amount_micro == order.amount_micro for entry in self.book(meter_id).suspense)

    def _closed(self, target, lot):
        """Whether a meter cannot take the order of this lot now."""
        book, tag = self.book(target), self.carried_tag(lot)
        held = any(entry.tag == tag for entry in book.suspense)
        return book.body is BodyState.LOST or len(book.orders) >= rules.OPEN_ORDERS_MAX or (held and not book.synced)

    def _move_lot(self, meter_id, target, lot, amount, end):
        order_id, tag = f"lot {lot[0]} {lot[1]!r}", self.carried_tag(lot)
        if amount > 0:
            if lot not in self.bank.lots:
                self.bank.lots[lot] = (target, amount)
                self.truth.paid(target, amount)
            self.truth.name(target, tag, order_id)

        def change(db):
            end(db)
            db.moved[lot] = amount
            if amount <= 0:
                return
            db.books[target] = self.rules.make_order(db.books[target], order_id, amount, tag)
            db.rows[order_id] = "open"
            db.post(target, "bank", "transit", amount)
            held = next((entry for entry in db.books[target].suspense if entry.tag == tag), None)
            if held is not None and held.amount_micro == amount:
                self._match(db, target, order_id, held)

        self.commit(change)
        self.events[f"moved {lot[0]}"] += 1

    def _match(self, db, meter_id, order_id, entry):
        db.books[meter_id], changes = self.rules.match_suspense(db.books[meter_id], order_id, entry.sequence)
        db.post(meter_id, "suspense", "unknown", entry.amount_micro)
        self._post(db, meter_id, changes, matched=True)

    def reconcile(self, meter_id):
        """After a restore, once in step: the payments' own records explain the suspense, then orders may move."""
        book = self.book(meter_id)
        if not book.synced or not book.reconciling or book.body is BodyState.LOST or book.frozen:
            return
        if any(self.bank.lots[lot][0] == meter_id for lot in self._lots_forgotten()):
            # What followed to this meter is asked for again first: else its value is taken for somebody's payment.
            return

        def change(db):
            for entry in db.books[meter_id].suspense:
                self._explain(db, meter_id, entry)
            for payment, (owner, _) in self.bank.payments.items():
                if owner == meter_id and payment in self.bank.refunds and payment not in db.rows:
                    db.rows[payment] = "refunded"
            book = db.books[meter_id]
            for order in book.orders:
                if order.order_id in self.bank.refunds:
                    book, changes = self.rules.ask_cancel(book, order.order_id)
                    db.books[meter_id] = book
                    self._post(db, meter_id, changes)
            db.books[meter_id], changes = self.rules.reconciled(db.books[meter_id])
            self._post(db, meter_id, changes)

        self.commit(change)
        self.events["reconciled"] += 1

    def _lots_forgotten(self):
        """Lots that can be asked for again; of an order that the backup does not have open nothing can follow."""
        return [lot for lot in self.bank.lots if lot not in self.db.moved and not self._unknown(lot)]

    @property
    def found_lots(self):
        """How often value that was to follow to a meter stayed where it was: its order was found there after all."""
        return Counter(self.bank.lots[lot] for lot in self.bank.lots if self._unknown(lot))

    def _unknown(self, lot):
        return lot[0] == "order" and self.db.rows.get(lot[1]) not in ("open", "lost")

    def _explain(self, db, meter_id, entry):
        amount = entry.amount_micro
        for lot, (target, _) in self.bank.lots.items():
            if target == meter_id and self._unknown(lot) and entry.tag == self.carried_tag(lot):
                db.books[meter_id] = self.rules.close_suspense(db.books[meter_id], entry.sequence)
                db.post(meter_id, "bank", "delivered", amount)
                db.post(meter_id, "suspense", "unknown", amount)
                return
        for payment, paid in self.bank.payments.items():
            if paid == (meter_id, amount) and payment not in db.rows and payment not in self.bank.refunds:
                db.books[meter_id] = self.rules.close_suspense(db.books[meter_id], entry.sequence)
                db.rows[payment] = "delivered"
                db.post(meter_id, "bank", "delivered", amount)
                db.post(meter_id, "suspense", "unknown", amount)
                return
        for payment, paid in self.bank.payments.items():
            # Cancelled by this book, made again and delivered by one that was forgotten.
            again = db.rows.get(payment) == "cancelled" and payment not in self.bank.refunds
            if again and paid == (meter_id, amount):
                db.books[meter_id] = self.rules.close_suspense(db.books[meter_id], entry.sequence)
                db.rows[payment] = "delivered"
                db.post(meter_id, "wallet", "delivered", amount)
                db.post(meter_id, "suspense", "unknown", amount)
                return
        for order in db.books[meter_id].orders if self.matches_codes else ():
            free = order.sequence is None and order.state is not OrderState.LOST
            if free and order.amount_micro == amount and order.order_id not in self.bank.refunds:
                self._match(db, meter_id, order.order_id, entry)
                return

    def thaw(self, meter_id):
        """A person reads the meters, also those in the cellar, and says what nobody could read over the line."""
        book = self.book(meter_id)
        if book.frozen is None or book.body is BodyState.LOST:
            return
        top = book.known[-1].high if book.known else book.settled
        held = [entry for entry in self.truth.entries(meter_id) if entry.sequence <= max(top, self._retired(meter_id))]
        self._rule(meter_id, lambda book: self.rules.thaw(book, held))

    def _retired(self, meter_id):
        ends = [entry.sequence for entry in self.truth.entries(meter_id) if entry.sequence & 0xFFFFFF == 0xFFFFFF]
        return max(ends, default=-1)

    def wish(self, meter_id, setting):
        self.commit(lambda db: db.wishes.__setitem__(meter_id, (setting, False)))

    # -- sessions

    def press(self, meter_id, line_ms):
        """Begins a session for the next money work, or a wish; the first payload, or None."""
        found = []

        def change(db):
            book, work = self.rules.next_work(db.books[meter_id], self.draw(8))
            setting, done = db.wishes.get(meter_id, (None, True))
            if work is None and not done and book.body is BodyState.LIVE:
                book, work = self.rules.next_control(book, Code.TEXT, setting)
            db.books[meter_id] = book
            found.append(work)

        self.commit(change)
        return None if found[0] is None else self._begin(meter_id, found[0], line_ms)

    def ask(self, meter_id, line_ms, code):
        body = QUERY if code == Code.USAGE else b""
        return self._begin(meter_id, self.rules.query_work(self.book(meter_id), code, body), line_ms)

    def _begin(self, meter_id, work, line_ms):
        command = Command(work.code, work.sequence, work.body)
        session = HostSession(meter_id, self.suite, 0, self.keys[0], command, self.draw(32))
        self.sessions += 1
        self.live[self.sessions] = Live(meter_id, session, work, line_ms)
        return session.hello()

    def give_up(self, line_ms):
        if self.gives_up:
            self.live = {key: live for key, live in self.live.items() if line_ms - live.began_ms < GIVE_UP_MS}

    def receive(self, meter_id, payload, choice):
        """A payload from the line; the payload to send back, or None."""
        if payload[:1] == b"\x14":
            self._report(payload)
            return None
        keys = [key for key, live in self.live.items() if live.meter_id == meter_id]
        if not keys:
            return None
        key = keys[choice % len(keys)]
        live = self.live[key]
        reply = live.session.receive(payload)
        if isinstance(reply, Send):
            return reply.payload
        if isinstance(reply, Ended):
            del self.live[key]
        if isinstance(reply, Done):
            del self.live[key]
            self._learn(meter_id, self._fact(live.work, reply.outcome))
        return None

    def _fact(self, work, outcome):
        ring = totals = None
        if work.code == Code.RING:
            ring = parse_ring(outcome.plain[RECEIPT_BYTES:])
        elif work.code == Code.USAGE:
            _, ring, totals = parse_standing(outcome.plain)
        self.events[f"{work.kind.value} {outcome.receipt.status.name}"] += 1
        return rules.ResultFact(work, outcome.receipt, ring, totals)

    def _report(self, payload):
        report = open_report(self.suite, self.keys[0], payload)
        if report.head.meter_id in self.db.books:
            self._learn(report.head.meter_id, rules.ReportFact(*parse_standing(report.plain)))

    def _learn(self, meter_id, fact):
        if self.one_commit:
            self.commit(lambda db: self._learn_in(db, meter_id, fact))
            return
        kept = []

        def first(db):
            db.books[meter_id], changes = self.rules.learn(db.books[meter_id], fact)
            kept.append(changes)

        self.commit(first)
        self.commit(lambda db: self._post(db, meter_id, kept[0]))

    def _learn_in(self, db, meter_id, fact):
        db.books[meter_id], changes = self.rules.learn(db.books[meter_id], fact)
        self._post(db, meter_id, changes)

    def _rule(self, meter_id, rule):
        def change(db):
            made = rule(db.books[meter_id])
            book, changes = made if isinstance(made, tuple) else (made, ())
            db.books[meter_id] = book
            self._post(db, meter_id, changes)

        self.commit(change)

    # -- what each change posts

    def _post(self, db, meter_id, changes, *, matched=False):
        for change in changes:
            self.events[type(change).__name__] += 1
            if isinstance(change, rules.Confirmed):
                self._confirmed(db, meter_id, change, matched)
            elif isinstance(change, rules.Cancelled):
                db.post(meter_id, self._where(db, change.order), "wallet", change.order.amount_micro)
                db.rows[change.order.order_id] = "cancelled"
            elif isinstance(change, rules.Lost):
                db.post(meter_id, self._where(db, change.order), "lost", change.order.amount_micro)
                db.rows[change.order.order_id] = "lost"
            elif isinstance(change, rules.Renumbered):
                if self._where(db, change.order) == "lost" and change.order.state is not OrderState.LOST:
                    db.post(meter_id, "lost", "transit", change.order.amount_micro)
                    db.rows[change.order.order_id] = "open"
            elif isinstance(change, rules.SignedOver):
                db.post(meter_id, "lost", "signed", change.order.amount_micro)
                db.rows[change.order.order_id] = "signed"
            elif isinstance(change, rules.Suspense):
                db.post(meter_id, "unknown", "suspense", change.entry.amount_micro)
            elif isinstance(change, rules.Commissioned):
                self._wish_again(db, meter_id)
            elif isinstance(change, rules.ControlDone):
                self._control_done(db, meter_id, change)
            elif isinstance(change, rules.Frozen):
                self.events[f"frozen {change.reason.name}"] += 1
                check(
                    change.reason in HONEST_FREEZES,
                    f"{meter_id.hex()} frozen without a lie: {change.reason} {change.detail}",
                )

    def _confirmed(self, db, meter_id, change, matched):
        order = change.order
        held = self.truth.entry(meter_id, change.sequence)
        check(held is not None, f"{order.order_id} confirmed, but nobody holds {change.sequence:08X}")
        check(held.amount_micro == order.amount_micro, f"{order.order_id} confirmed with another amount")
        owner = self.truth.owners.get((meter_id, held.tag))
        check(matched or owner == order.order_id, f"{order.order_id} confirmed, but {owner} holds the sequence")
        left = ("balance", meter_id) in db.moved and not order.order_id.startswith("lot")
        check(not left, f"{order.order_id} confirmed in a body whose value has moved on")
        db.post(meter_id, self._where(db, order), "delivered", order.amount_micro)
        db.rows[order.order_id] = "delivered"

    def _where(self, db, order):
        return "lost" if db.rows[order.order_id] == "lost" else "transit"

    def _control_done(self, db, meter_id, change):
        done = any(change.digest in body.applied_digests for body in self.bodies(meter_id))
        check(done, "a control command is believed that the meter never did")
        setting, _ = db.wishes.get(meter_id, (b"", True))
        if setting is not None and control_digest(Code.TEXT, setting) == change.digest:
            db.wishes[meter_id] = (setting, True)

    def bodies(self, meter_id):
        """Set by the world: all bodies that ever had this id."""
        raise AssertionError("the world sets this")

    # -- conservation of value, for the host

    def audit(self, meter_id):
        """Every micro-unit in one place, and what counts as delivered is what the meter was seen to hold."""
        book = self.book(meter_id)
        accounts = {name: amount for (owner, name), amount in self.db.accounts.items() if owner == meter_id}
        open_, lost = 0, 0
        for order in book.orders:
            where = "lost" if order.state is OrderState.LOST else "open"
            row = self.db.rows[order.order_id]
            check(row == where, f"{order.order_id} is {row} in its row and {order.state} in its book")
            open_ += order.amount_micro if where == "open" else 0
            lost += order.amount_micro if where == "lost" else 0
        check(accounts.get("transit", 0) == open_, f"in transit {accounts.get('transit', 0)}, open orders {open_}")
        check(accounts.get("lost", 0) == lost, f"lost {accounts.get('lost', 0)}, lost orders {lost}")
        suspense = sum(entry.amount_micro for entry in book.suspense)
        check(accounts.get("suspense", 0) == suspense, "suspense differs from its entries")
        seen = sum(
            entry.amount_micro
            for entry in self.truth.by_meter.get(meter_id, ())
            if entry.sequence <= book.settled or any(i.low <= entry.sequence <= i.high for i in book.known)
        )
        booked = accounts.get("delivered", 0) + suspense
        check(booked == seen, f"{meter_id.hex()}: {booked} is booked as held, the meter was seen to hold {seen}")
        numbers = [order.sequence for order in book.orders if order.sequence is not None]
        check(len(numbers) == len(set(numbers)), "two orders have one number")


__all__ = ["Bank", "Db", "Host", "HostCrashError", "Status", "ViolationError", "WorkKind", "replace"]
