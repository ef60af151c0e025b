"""Designs with a hole in them: each leaves one rule out, and the walkers have to find what then goes wrong.

The first nine are the transfer holes that docs/protocol.md lists; the others are rules added since, each taken out
again. Nothing of this stands in the product: a hole is a meter, a host or one rule replaced here.
"""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

from world import RestoredWorld, World
from world_host import Host
from world_meter import Body

from prewatt.codec.bodies import Transfer
from prewatt.codec.receipt import RingEntry, Status
from prewatt.device.meter.money import ControlOutcome, ControlVerdict
from prewatt.protocol import transfer as rules
from prewatt.protocol.transfer import BodyState, OrderState


def with_rules(**planted):
    """A host type in which some rules are replaced; each gets the right rules first."""

    class PlantedHost(Host):
        def __init__(self, *how):
            super().__init__(*how)
            right = {name: getattr(rules, name) for name in rules.__all__}
            self.rules = SimpleNamespace(**right | {name: self._bind(rule) for name, rule in planted.items()})

        def _bind(self, rule):
            return lambda *given, **named: rule(self, *given, **named)

    return PlantedHost


# -- the nine


def _learn_without_tags(host, book, fact):
    """Whoever holds our number with our amount is taken for our order."""
    ours = {order.sequence: order for order in book.orders if order.sequence is not None}

    def read(sequence, tag, amount):
        order = ours.get(sequence)
        return order.tag if order is not None and order.amount_micro == amount else tag

    receipt = fact.receipt
    tag = read(receipt.last_sequence, receipt.last_tag, receipt.last_amount_micro)
    ring = fact.ring and tuple(replace(e, tag=read(e.sequence, e.tag, e.amount_micro)) for e in fact.ring)
    return rules.learn(book, replace(fact, receipt=replace(receipt, last_tag=tag), ring=ring))


def _keep_the_backup(host, book, highest_epoch):
    """A restored host that goes on as if nothing had happened."""
    return replace(book, frozen=None), ()


def _cancel_after_a_check(host, book, order_id):
    """The meter's last is below the order's number, so nothing was applied, so the order ends."""
    order = rules.find_order(book, order_id)
    if order.sequence is None or book.known or not book.synced or book.reconciling or book.frozen:
        return rules.ask_cancel(book, order_id)
    left = tuple(other for other in book.orders if other.order_id != order_id)
    return replace(book, orders=left), (rules.Cancelled(replace(order, state=OrderState.CANCELLED)),)


class ObligingBody(Body):
    """Answers a burn that came too late as if it had been applied."""

    pretends = None

    def _value(self, sequence, body):
        status = super()._value(sequence, body)
        order = None if body is None else Transfer.parse(body)
        late = order is not None and order.amount_micro == 0 and sequence <= self.money.last_sequence
        self.pretends = (sequence, order.tag) if late and status is Status.SEQUENCE else None
        return status

    def _answer(self, code, sequence, body, status):
        if self.pretends is None:
            return super()._answer(code, sequence, body, status)
        receipt = self.money.receipt(self.meter_id, Status.DONE)
        sequence, tag = self.pretends
        self.pretends = None
        return replace(receipt, last_sequence=sequence, last_tag=tag, last_amount_micro=0).build()


class WorldWithoutEpochs(World):
    """A new body goes on where the book is, in the numbers of the old one, which nobody retired."""

    def op_replace(self, choice):
        meter_id, _ = self.pick(choice)
        book, body = self.host.book(meter_id), self.bodies[meter_id]
        if book.body is BodyState.LIVE and book.synced and not book.known and not book.frozen:
            self.swap(meter_id, body, (RingEntry(book.settled, book.settled_tag, 0),))


class EqualWorld(World):
    """Everybody buys for the same amount."""

    AMOUNTS = (10_000,)


class FullWorld(World):
    """Orders that often do not fit under the ceiling."""

    AMOUNTS = tuple(range(40_000, 80_000, 1_000))


class PatientHost(Host):
    """Never gives a session up."""

    gives_up = False


class TwoCommitHost(Host):
    """Writes the record first and the ledger afterwards."""

    one_commit = False


def _void_what_is_refused(host, book, fact):
    book, changes = rules.learn(book, fact)
    kept = []
    for change in changes:
        if isinstance(change, rules.Refused):
            left = tuple(order for order in book.orders if order.order_id != change.order.order_id)
            book = replace(book, orders=left)
            change = rules.Cancelled(replace(change.order, state=OrderState.CANCELLED))
        kept.append(change)
    return book, tuple(kept)


class ForgetfulBody(Body):
    """Takes an equal control counter for the same command, whatever the command is."""

    def _verdict(self, counter, code, body):
        if counter == self.money.last_control:
            return ControlVerdict(ControlOutcome.ALREADY, self.money)
        return super()._verdict(counter, code, body)


def _learn_no_counter(host, book, fact):
    """Takes the meter's control counter only from a meter that complained."""
    after, changes = rules.learn(book, fact)
    if fact.receipt.status is not Status.CONTROL:
        highest = max([book.last_control, *(pending.counter for pending in book.controls)])
        after = replace(after, last_control=highest)
    return after, changes


# -- rules that are in the text of no list


def _narrow_book(host, meter_id):
    return rules.new_book(meter_id, fence_width=1)


def _cancel_unnumbered(host, book, order_id):
    order = rules.find_order(book, order_id)
    if order.sequence is not None or order.state is OrderState.LOST:
        return rules.ask_cancel(book, order_id)
    left = tuple(other for other in book.orders if other.order_id != order_id)
    return replace(book, orders=left), (rules.Cancelled(replace(order, state=OrderState.CANCELLED)),)


class PromptHost(with_rules(ask_cancel=_cancel_unnumbered)):
    """Cancels in the books what has no number, and pays it back at once."""

    waits_to_pay = False


def _learn_and_go_on(host, book, fact):
    book, changes = rules.learn(book, fact)
    return replace(book, reconciling=book.reconciling and not book.synced), changes


class HastyHost(Host):
    """Lets the balance follow as soon as the body was asked to retire, as it was last seen."""

    def final(self, meter_id):
        seen = self.book(meter_id).seen
        return None if seen is None or self.book(meter_id).body is BodyState.LIVE else seen.balance_micro


class DrawnTagHost(Host):
    """Draws a tag for what follows, like for any other order: after a restore the same lot is another order."""

    def carried_tag(self, lot):
        return self._tag()


def _code_while_unsynced(host, book, order_id, build):
    """A code on a restored book: the number is what the backup would have given next."""
    ready = replace(book, synced=True, reconciling=False, frozen=None, known=())
    coded, order = rules.issue_code(ready, order_id, build)
    return replace(book, orders=coded.orders), order


def _reconciled_unasked(host, book):
    """Payments are reconciled by the till alone; nobody asks whether suspense was an open order's code."""
    after, changes = rules.reconciled(replace(book, suspense=()))
    return replace(after, suspense=book.suspense), changes


def _unmatched(base=Host):
    class Unmatched(with_rules(reconciled=_reconciled_unasked), base):
        matches_codes = False

    return Unmatched


class NoFolderHost(Host):
    """Keeps the highest epoch of an id nowhere but in the database."""

    def restore(self, backup):
        self.folder = dict.fromkeys(self.folder, rules.NO_EPOCH)
        super().restore(backup)


@dataclass(frozen=True)
class Hole:
    """What is planted; ``seed`` is known to find it, ``needs`` what it must be found by."""

    name: str
    seed: int
    needs: str
    host_type: type = Host
    body_type: type = Body
    world_type: type = World
    mood: dict = field(default_factory=dict)

    def how(self):
        types = {"host_type": self.host_type, "body_type": self.body_type, "world_type": self.world_type}
        return types | {"mood": self.mood}


# Moods in which the rare thing that a hole needs is common.
CODES = {"issue": 12, "type": 8, "press": 0.3, "session": 0.5, "cancel": 4, "backup": 2, "restore": 4} | {
    "reconcile": 4,
    "destroy": 0,
    "replace": 0,
    "people": 0.2,
}
REPLACING = {
    "replace": 20,
    "haunt": 8,
    "people": 8,
    "restore": 2,
    "reconcile": 3,
    "pay": 0.3,
    "destroy": 0,
    "follow": 0,
}
CRASHES = {"crash": 8, "restore": 0, "destroy": 0}
CANCELS = {"cancel": 5, "restore": 0, "destroy": 0, "replace": 0}
RESTORES = {"restore": 5, "backup": 3, "session": 2, "destroy": 0, "replace": 0}
BODIES = {"follow": 40, "destroy": 60, "sign": 20, "late": 6, "restore": 3, "backup": 3, "people": 3} | {
    "reconcile": 3,
    "session": 6,
    "pay": 3,
    "press": 3,
    "power": 0.3,
    "replace": 0,
}
REFUSALS = {"pay": 3, "burn": 3, "issue": 6, "type": 6, "cancel": 0.2, "restore": 0, "destroy": 0, "replace": 0}

HOLES = (
    Hole(
        "no tag",
        10,
        "holds the sequence",
        with_rules(learn=_learn_without_tags, restored=_keep_the_backup),
        world_type=EqualWorld,
        mood=RESTORES,
    ),
    Hole(
        "cancel after a check",
        2,
        "once more",
        with_rules(ask_cancel=_cancel_after_a_check),
        mood=CANCELS,
    ),
    Hole("burn answered as if applied", 21, "once more|booked as held", body_type=ObligingBody, mood=CANCELS),
    Hole(
        "restore without fence",
        21,
        "once more",
        with_rules(restored=_keep_the_backup),
        world_type=EqualWorld,
        mood=RESTORES,
    ),
    Hole(
        "replacement without epoch",
        28,
        "held twice|once more|booked as held",
        world_type=WorldWithoutEpochs,
        mood=REPLACING,
    ),
    Hole("no host give-up", 0, "nothing moves any more", PatientHost),
    Hole(
        "ledger and record file in two commits",
        4,
        "in transit|suspense differs|booked as held",
        TwoCommitHost,
        mood=CRASHES,
    ),
    Hole(
        "order voided on status 2",
        69,
        "once more",
        with_rules(learn=_void_what_is_refused),
        world_type=FullWorld,
        mood=REFUSALS,
    ),
    Hole(
        "control answer not bound to its digest",
        104,
        "never did",
        with_rules(learn=_learn_no_counter),
        ForgetfulBody,
    ),
    Hole("one fence where codes are open", 164, "once more", with_rules(new_book=_narrow_book), mood=CODES),
    Hole(
        "unnumbered order cancelled out of step",
        23,
        "once more",
        PromptHost,
        mood=CODES,
    ),
    Hole("orders move before payments are reconciled", 14, "once more", with_rules(learn=_learn_and_go_on)),
    Hole("value follows before the old body's standing is final", 183, "moved on|held", HastyHost, mood=BODIES),
    Hole(
        "what follows has a tag of its own each time, and nobody matches",
        5,
        "once more",
        _unmatched(DrawnTagHost),
        world_type=RestoredWorld,
        mood=BODIES,
    ),
    Hole(
        "code given out again under another sequence after a restore",
        23,
        "once more",
        with_rules(issue_code=_code_while_unsynced),
        mood=CODES,
    ),
    Hole("reconciled without a match", 23, "once more", _unmatched(), mood=CODES),
    Hole("highest epoch kept in the database alone", 339, "held twice", NoFolderHost, mood=REPLACING),
)

# What is safe although half a hole is there: the other half catches it.
HALVES = (
    Hole("what follows has a tag of its own each time, and people match", 0, "", DrawnTagHost, mood=BODIES),
    Hole("a host that takes no counter, a meter that binds it", 0, "", with_rules(learn=_learn_no_counter)),
    Hole("a meter that does not bind the counter, a host that takes it", 0, "", body_type=ForgetfulBody),
)

__all__ = ["HALVES", "HOLES", "Hole"]
