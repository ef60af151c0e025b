"""Holes planted on purpose in host, meter and boxes: a simulator that does not fall into them is no simulator.

Each is a function that gives what is replaced, (place, name, with what); its docstring says what it would do to a
customer. ``SEEDS`` holds a run known to fall into each. Nothing of this stands in the product.
"""

from contextlib import contextmanager
from dataclasses import replace
from random import Random

import prewatt.device.meter.commands as commands
import prewatt.device.meter.core as core
import prewatt.device.meter.journal as journal
import prewatt.device.meter.money as money
import prewatt.device.station.keeping as keeping
import prewatt.host.booking as booking
import prewatt.host.dispatch.choice as choice
import prewatt.host.dispatch.inbound as inbound
import prewatt.host.dispatch.keeping as marks
import prewatt.host.dispatch.results as results
import prewatt.host.host as host
import prewatt.host.restoring as restoring
import prewatt.host.transfers as transfers
import prewatt.sim.store as store
import prewatt.sim.world as world
from prewatt.codec.bodies import Transfer
from prewatt.codec.commands import Code
from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import MessageType
from prewatt.codec.meter_messages import AlarmAck, Head
from prewatt.codec.receipt import Status
from prewatt.device.meter.record import Record
from prewatt.host.refusals import StoreError
from prewatt.protocol.meter_messages import seal_ack
from prewatt.protocol.transfer import Cancelled, OrderState, ResultFact, find_order, reconciled
from prewatt.protocol.transfer_book import without_order
from prewatt.sim.run import Request, run
from prewatt.sim.script import BODIES, OPERATIONS, Operation
from prewatt.sim.weather import WEATHERS
from prewatt.units import next_sequence

# Steps of a run without and with everything converging at its end, which takes some more.
WALK_STEPS, CALM_STEPS = 2_500, 700
METERS = 2
# How often a tale begins after an operation, where a mood has one: operations in a row, those of homes all at one.
TALE_SHARE = 0.3
GAPS_MS = (5, 50, 200, 200, 1_200, 1_200, 5_000, 31_000, 300_000)

HOLES, MOODS = {}, {}
# Holes that another rule covers: alone they do no harm, and a run into one has to stay clean.
ALONE = {}
# Where a hole may be seen by several laws: the words of the one that is its own.
SAYS = {}
# A run known to fall into each.
SEEDS = {
    "sequence_checked_after_the_write": 2,
    "journal_without_crc": 3,
    "answers_before_the_journal_is_written": 1,
    "one_slot_for_the_journal": 1,
    "read_back_missing": 1001,
    "owed_is_ignored": 1,
    "burn_answered_as_if_applied": 1,
    "events_deleted_when_they_were_sent": 3,
    "ring_forgets_the_burns": 1,
    "retries_with_a_new_sequence": 2,
    "receipt_not_bound_to_the_order": 1,
    "done_is_believed_without_a_holder": 1,
    "refunds_a_cancel_at_once": 1,
    "restore_not_recognised": 1,
    "fence_skipped": 12,
    "orders_move_before_payments_are_reconciled": 1,
    "confirms_without_record": 1,
    "book_stored_in_a_later_commit": 1,
    "suspense_posted_twice": 1,
    "commit_answers_before_it_is_durable": 1,
    "alarms_are_booked_but_not_acknowledged_again": 1,
    "counter_moves_before_the_tag_is_checked": 16,
    "ack_before_the_commit": 1,
    "answers_for_another_meter_are_believed": 3,
    "kept_ack_before_booking": 4,
    "spool_dropped_at_restart": 8,
    "station_forgets_what_it_sent": 4,
    "no_host_give_up": 1,
    "bytes_go_out_before_the_book_is_durable": 1,
    "no_tag and restore_not_recognised": 43,
    "record_in_a_later_commit": 1,
    "the_tag_of_a_command_does_not_cover_r3": 3,
    "a_clock_is_set_by_whoever_asks": 1,
    "a_delayed_time_is_believed": 1,
    "a_dropped_key_is_kept": 1,
    "a_key_is_proved_without_a_session": 1,
    "a_return_leaves_the_value": 1,
    "the_m_id_alone_decides": 1,
    "cancelled_after_a_look": 43,
    "area_acknowledges_what_it_could_not_store": 4,
    "any_lower_sequence_is_applied and the_tag_of_a_command_does_not_cover_r3": 2,
    "control_counter_is_not_looked_at and the_tag_of_a_command_does_not_cover_r3": 9,
    "epoch_is_ignored and control_counter_is_not_looked_at and the_tag_of_a_command_does_not_cover_r3": 3,
    "void_on_status_2": 3,
    "ceiling_before_what_is_owed": 3,
    "a_control_answer_is_not_bound_to_its_digest and one_counter_for_two_commands": 1,
    "an_older_report_is_shown_over_a_newer_balance": 46,
}
SEEDS |= {
    "replacement_without_an_epoch_of_its_own": 1,
    "value_follows_before_the_body_is_final": 1,
    "a_lot_is_signed_over_twice": 2,
}
# What a hole needs happens more often where it is hunted; the simulator's own moods take longer, some very much so.
POWER = {"people.power": 8, "people.power_back": 4, "people.load": 3, "people.vend": 2}
OWING = {"people.load": 5, "people.vend": 2, "people.controls": 4, "people.tick_homes": 5, "field.drop_all": 2}
CRASHES = {"trouble.crash": 6, "people.vend": 2, "people.cancel": 2}
RESTORES = {"trouble.backup": 10, "trouble.restore": 14, "people.vend": 3, "people.cancel": 3, "people.refund": 4}
LATE = {"field.weather": 4, "field.drop_all": 5, "field.cut": 4, "field.hold": 3}
CANCELS = {**LATE, "people.cancel": 4, "people.vend": 2}
CODES = {"people.code": 5, "people.type": 4, "people.cancel": 2}
LIARS = {"field.forge": 4, "field.misroute": 5, "field.replay": 4, "people.home": 3}
CONTROLS = {"people.controls": 5, "field.weather": 4, "field.drop_all": 4}
FOREVER = {"trouble.restore": 0, "trouble.backup": 0, "trouble.lose_state": 0, "trouble.skew": 0, "field.erase": 0}
LYING = {**LIARS, **FOREVER, "field.weather": 3, "field.forge": 10, "field.misroute": 12, "people.home": 8}
KEEPING = {**FOREVER, "field.box": 10, "people.home": 10, "people.tick_homes": 4, "field.cut": 3, "field.weather": 4}
# A write of a sale comes to nothing, and the power goes before the next one.
WORN = (
    ((1_200, 5_000), "people.vend"),
    ((5, 50), "people.memory"),
    ((50, 100, 200), "people.power"),
    ((5_000,), "people.power_back"),
)
SILENT = ("people.load", "people.tick_homes", "people.home", "people.type", "people.code", "people.controls")
MEMORY = {**FOREVER, **dict.fromkeys(SILENT, 0.2), "people.memory": 2, "people.power_back": 4, "people.vend": 2}
# Of two sales one is sent and the other waits; what is sent then is under way while the books of before come back.
AGAIN = (
    ((1_200, 5_000), "people.vend"),
    ((5,), "people.vend"),
    ((5,), "trouble.backup"),
    ((50, 100), "field.hold"),
    ((100, 200), "field.cut"),
    ((5,), "trouble.restore"),
    ((5,), "people.cancel"),
)
BOXES = {"field.box": 8, "people.home": 4, "people.tick_homes": 2}


def hole(mood, *, boxes=False, calm=False, steps=WALK_STEPS):
    """``mood``: what happens more often, and perhaps a tale, (milliseconds before it, operation) one after the other;
    ``boxes``: only worlds with area servers and stations have it; ``calm``: it shows when faults stop and everything
    has to converge; ``steps``: after which a run is given up."""

    def planted_hole(function):
        HOLES[function.__name__] = function
        MOODS[function.__name__] = (mood, boxes, CALM_STEPS if calm else steps, calm)
        return function

    return planted_hole


def has_boxes(seed):
    """Whether the world of this seed has area servers and stations; as the world itself draws it."""
    mood = Random(f"world {seed}")
    mood.randrange(1, len(WEATHERS) + 1)
    mood.choice((0, 0, 0))
    return mood.random() < world._REGION_SHARE


def moody(name, seed):
    """The script of a seed in the mood that a hole wants."""
    mood, chance = MOODS[name][0], Random(f"hole {seed}")
    names = [operation for operation, _ in OPERATIONS]
    weights = [weight * mood.get(operation, 0.7) for operation, weight in OPERATIONS]
    # Bodies are left alone where no hole asks for them.
    names += [operation for operation, _ in BODIES if operation in mood]
    weights += [weight * mood[operation] for operation, weight in BODIES if operation in mood]
    at_ms = 1_000
    while True:
        at_ms += chance.choice(mood.get("gaps", GAPS_MS))
        yield Operation(at_ms, chance.choices(names, weights)[0], chance.getrandbits(32))
        if "tale" in mood and chance.random() < TALE_SHARE:
            home = chance.randrange(METERS)
            for gaps, operation in mood["tale"]:
                at_ms += chance.choice(gaps)
                yield Operation(at_ms, operation, _number_for(home, chance))


def _number_for(home, chance):
    """A number with which an operation that asks for some home gets this one."""
    while True:
        number = chance.getrandbits(32)
        if Random(number).choice(range(METERS)) == home:
            return number


def request(name, seed):
    """The run that hunts a hole from a seed."""
    steps, calm = MOODS[name][2:]
    return Request(seed, steps, meters=METERS, calm=calm)


def fall(name, seed):
    """A run in a world with the hole."""
    with planted(name):
        return run(request(name, seed), moody(name, seed))


def clean(name, seed, steps):
    """Whether the very same run without the hole is clean, as far as it went with it and a little further."""
    asked = request(name, seed)
    return run(replace(asked, steps=min(asked.steps, steps + 50)), moody(name, seed)).violation is None


def named(name, outcome):
    """Whether a law of the auditor or of the meter's money was broken, the hole's own; nothing that just fell over."""
    law = not outcome.trace or outcome.violation.startswith(("MoneyError: ", "LedgerFaultError: "))
    return law and SAYS.get(name, "") in outcome.violation


@contextmanager
def planted(name):
    """The hole, as long as the block lasts."""
    changes = (HOLES | ALONE)[name]()
    before = [(place, attribute, place.__dict__[attribute]) for place, attribute, _ in changes]
    for place, attribute, changed in changes:
        setattr(place, attribute, changed)
    try:
        yield
    finally:
        for place, attribute, old in before:
            setattr(place, attribute, old)


# -- the meter


@hole(CRASHES)
def sequence_checked_after_the_write():
    """A sale that was sent again because its answer was lost is credited a second time."""

    def apply_transfer(held, sequence, amount_micro, tag, limits):
        following = next_sequence(held.last_sequence) if held.commissioned else None
        return money.apply_transfer(held, following or sequence, amount_micro, tag, limits)

    return [(commands, "apply_transfer", apply_transfer)]


@hole(POWER)
def journal_without_crc():
    """A power cut in the middle of a write leaves half of an old and half of a new balance, and it is believed."""

    def read_slot(self, region):
        head = self._nvm.read(region, 0, 6)
        length = int.from_bytes(head[:2], "big")
        if length > journal.RECORD_BYTES_MAX:
            return None
        try:
            return int.from_bytes(head[2:], "big"), Record.parse(self._nvm.read(region, 6, length))
        except DecodeError:
            return None

    return [(journal.Journal, "_read_slot", read_slot)]


@hole(POWER)
def answers_before_the_journal_is_written():
    """The meter says that it has the value, loses its power, and has it no longer: a sale shown as done is lost."""

    class Late(journal.Journal):
        __slots__ = ("_late",)

        def store(self, record):
            late, self._late = getattr(self, "_late", None), record
            if late is not None:
                super().store(late)

    return [(core, "Journal", Late)]


@hole(POWER)
def one_slot_for_the_journal():
    """The newest balance is written over the only copy: power gone in the middle, and the meter is dead."""

    def store(self, record):
        self._newest = 1 - self._newest
        return real(self, record)

    real = journal.Journal.store
    return [(journal.Journal, "store", store)]


@hole({**MEMORY, "tale": WORN})
def read_back_missing():
    """A memory that is worn out takes no write and says nothing: what the meter shows is gone after a cut."""
    return [(journal.Journal, "store", unread(journal.Journal.store))]


def unread(write):
    """A method that writes to its memory and sees all of it as written, whatever became of it."""

    def told(self, *given):
        read, self._nvm = self._nvm, _Echo(self._nvm)
        try:
            return write(self, *given)
        finally:
            self._nvm = read

    return told


class _Echo:
    """A memory that answers every read with what was written last."""

    def __init__(self, nvm):
        self._nvm, self._last = nvm, b""

    def write(self, region, offset, data):
        self._last = data
        self._nvm.write(region, offset, data)

    def read(self, region, offset, length):
        return self._last


@hole(OWING)
def owed_is_ignored():
    """A customer who owes gets the whole purchase beside the debt, which nobody ever pays."""

    def receive(held, amount_micro, limits):
        more = {"svm_micro": held.svm_micro + amount_micro, "received_micro": held.received_micro + amount_micro}
        return replace(held, **more)

    return [(money, "_receive", receive)]


@hole(CANCELS)
def burn_answered_as_if_applied():
    """A cancel that came too late is answered as done: the customer has the value and gets the money back as well."""

    def execute(self, order, now):
        plain = real(self, order, now)
        late = order.code == Code.VALUE and order.body is not None and order.sequence <= self._core.money.last_sequence
        body = Transfer.parse(order.body) if late else None
        if body is None or body.amount_micro:
            return plain
        receipt = self._core.receipt(Status.DONE)
        return replace(receipt, last_sequence=order.sequence, last_tag=body.tag, last_amount_micro=0).build()

    real = commands.Commands.execute
    return [(commands.Commands, "execute", execute)]


@hole(LYING, calm=True)
def events_deleted_when_they_were_sent():
    """What the meter told in an answer that was lost is gone: the tamper of last night is in no record."""

    def usage(self, order, now):
        plain = real(self, order, now)
        self._core.control.events_acknowledged = self._core.control.events_sent
        self._core.store()
        return plain

    real = commands.Commands._usage
    return [(commands.Commands, "_usage", usage)]


@hole(CANCELS)
def ring_forgets_the_burns():
    """A cancelled sale cannot be told from one under way: after a restore it is neither delivered nor paid back."""

    def enter(held, entry):
        if entry.amount_micro == 0 and held.ring and entry.sequence == held.last_sequence + 1:
            return replace(held, ring=(*held.ring[:-1], replace(held.ring[-1], sequence=entry.sequence)))
        return real(held, entry)

    real = money._enter
    return [(money, "_enter", enter)]


# -- the host's rules


@hole(CRASHES)
def retries_with_a_new_sequence():
    """A sale whose answer was lost is sent under another number, and credited twice."""
    real = choice.next_work

    def next_work(book, random):
        moved = [
            replace(order, sequence=order.sequence + 1)
            if order.state is OrderState.SENT and order.code is None
            else order
            for order in book.orders
        ]
        return real(replace(book, orders=tuple(moved)), random)

    return [(choice, "next_work", next_work)]


@hole(CANCELS)
def receipt_not_bound_to_the_order():
    """Whatever the meter holds under the number is taken for the sale: shown as delivered, and something else was."""
    real = results.learn

    def learn(book, fact):
        tags = {order.sequence: order.tag for order in book.orders if order.sequence is not None}
        last = fact.receipt.last_sequence
        if last not in tags or not isinstance(fact, ResultFact):
            return real(book, fact)
        order = next(each for each in book.orders if each.sequence == last)
        receipt = replace(fact.receipt, last_tag=order.tag, last_amount_micro=order.amount_micro)
        return real(book, replace(fact, receipt=receipt, ring=None))

    return [(results, "learn", learn)]


@hole(OWING)
def done_is_believed_without_a_holder():
    """A meter that answers at all counts as having taken the sale: a refused one is shown as delivered."""
    real = results.learn

    def learn(book, fact):
        if isinstance(fact, ResultFact) and fact.work.order_id is not None and fact.work.code is Code.VALUE:
            for order in book.orders:
                if order.order_id == fact.work.order_id and order.state is OrderState.SENT:
                    held = {"last_sequence": order.sequence, "last_tag": order.tag}
                    receipt = replace(fact.receipt, **held, last_amount_micro=order.amount_micro)
                    return real(book, replace(fact, receipt=receipt, ring=None))
        return real(book, fact)

    return [(results, "learn", learn)]


@hole(CANCELS)
def refunds_a_cancel_at_once():
    """The money is paid back while the command is still on its way: the customer has both."""

    def ask_cancel(book, order_id):
        order = find_order(book, order_id)
        return without_order(book, order), (Cancelled(replace(order, state=OrderState.CANCELLED, sequence=None)),)

    return [(transfers, "ask_cancel", ask_cancel)]


@hole(RESTORES, steps=4_000)
def restore_not_recognised():
    """After a restore, sales that the meter holds are made again and credited twice."""
    return [(host, "_recognise", lambda context, generation, commits: context.generation.begin(1, commits))]


@hole({**RESTORES, "tale": AGAIN}, steps=4_000)
def fence_skipped():
    """After a restore nothing is fenced: a sale is paid back as never sent, and its command of before lands."""
    # Payments are reconciled all the same; a hole of its own leaves that out.
    return [(restoring, "restored", lambda book, highest: (replace(book, reconciling=True), ()))]


@hole(RESTORES, steps=4_000)
def orders_move_before_payments_are_reconciled():
    """A sale that was paid back in cash before the restore is delivered after it."""
    real = results.settle_step

    def settle_step(context, book, *, bare):
        book, changes = real(context, book, bare=bare)
        if book.synced and book.reconciling:
            book, more = reconciled(book)
            changes = (*changes, *more)
        return book, changes

    return [(results, "settle_step", settle_step)]


# -- the host's books


@hole(CANCELS)
def confirms_without_record():
    """A sale is confirmed and no record says by what: a quarrel at the counter cannot be settled."""
    return [(results, "record_facts", lambda *given, **named: None)]


@hole(CRASHES)
def book_stored_in_a_later_commit():
    """The money has moved, the book does not know it: after a crash the sale is settled again, or never."""
    real, late = booking.put_book, []

    def put_book(writing, meter, book):
        waiting, late[:] = list(late), [(meter, book)]
        for one, older in waiting:
            real(writing, one, older)

    return [(booking, "put_book", put_book)]


@hole(RESTORES)
def suspense_posted_twice():
    """Value that nobody can explain stands in the books twice; whoever explains it makes money out of nothing."""
    real = booking.post_suspense

    def post_suspense(writing, meter, sequence, amount_micro, at_s):
        real(writing, meter, sequence, amount_micro, at_s)
        real(writing, meter, sequence + (1 << 32), amount_micro, at_s)

    return [(booking, "post_suspense", post_suspense)]


@hole(CRASHES)
def commit_answers_before_it_is_durable():
    """The power goes a second after the receipt was printed, and the sale never was."""
    pragmas = tuple("PRAGMA synchronous = OFF" if "synchronous" in each else each for each in store._PRAGMAS)
    return [(store, "_PRAGMAS", pragmas)]


# -- messages that start at the meter


@hole(LIARS, calm=True)
def alarms_are_booked_but_not_acknowledged_again():
    """One lost acknowledgement, and the meter repeats its alarm for ever; no other gets through."""
    real = results.book_alarm

    def book_alarm(writing, context, meter, alarm):
        if not real(writing, context, meter, alarm):
            raise StoreError("planted")
        return True

    return [(inbound, "book_alarm", book_alarm)]


@hole(LYING, calm=True)
def counter_moves_before_the_tag_is_checked():
    """Anybody who can send a byte makes the host deaf to a meter's alarms: their counters are used already."""
    real = inbound.Inbound.take

    def take(self, meter, payload):
        work = real(self, meter, payload)
        try:
            head = Head.parse(payload, MessageType(payload[0]))
        except (DecodeError, ValueError):
            return work
        kind = {MessageType.ALARM: "alarm", MessageType.REPORT: "report", MessageType.WISH: "wish"}[payload[0]]
        if work or meter not in self._suites:
            return work

        def move(writing):
            results._book_counter(writing, meter, kind, head.counter)
            return []

        return [move]

    return [(inbound.Inbound, "take", take)]


@hole({**CRASHES, "people.home": 4}, calm=True)
def ack_before_the_commit():
    """An alarm is acknowledged, the host dies before it is written, and nobody ever hears that the cover was opened."""
    real = inbound.Inbound.take

    def take(self, meter, payload):
        late = self.__dict__.setdefault("late", [])
        work = real(self, meter, payload)
        if not work or payload[0] != MessageType.ALARM:
            return work
        waiting, late[:] = list(late), work
        opened, key, chosen = self._open(meter, payload)
        ack = seal_ack(chosen, key, AlarmAck(opened.head.meter_id, opened.head.counter))

        def first(writing):
            for each in waiting:
                each(writing)
            return [ack]

        return [first]

    return [(inbound.Inbound, "take", take)]


@hole(LYING, calm=True)
def answers_for_another_meter_are_believed():
    """A station says whose alarm it is: the neighbour's house is searched."""
    real = inbound.Inbound._open

    def opens(self, meter, payload):
        head = Head.parse(payload, MessageType(payload[0]))
        other = head.meter_id.hex().upper()
        suites = self._suites
        if other != meter and meter in suites:
            name = "tdes-1998" if head.meter_id[-1] % 2 == 0 else "aes-2026"
            self._suites = suites | {other: name}
            try:
                return real(self, other, payload)
            finally:
                self._suites = suites
        return real(self, meter, payload)

    return [(inbound.Inbound, "_open", opens)]


@hole(BOXES, boxes=True, calm=True)
def kept_ack_before_booking():
    """The host tells the stations to forget what it has not written: a crash, and a day's readings are nowhere."""
    real = marks.KeptMarks.take

    def take(self, station, message):
        fresh = real(self, station, message)
        return () if fresh and message.first % 2 else fresh

    return [(marks.KeptMarks, "take", take)]


# -- boxes


@hole(KEEPING, boxes=True, calm=True)
def spool_dropped_at_restart():
    """A station that lost its power begins with an empty memory: what waited there was the only copy."""
    real = keeping.Keeping.__init__

    def begin(self, spool, address, fresh_id=None):
        spool.drop_through(spool.next - 1)
        real(self, spool, address, fresh_id)

    return [(keeping.Keeping, "__init__", begin)]


@hole(KEEPING, boxes=True, calm=True)
def station_forgets_what_it_sent():
    """A report counts as delivered once it was sent; one lost on the way up is lost."""
    real = keeping.Keeping.pick

    def pick(self, line_ms, retry_ms):
        message = real(self, line_ms, retry_ms)
        if message is not None:
            self._forget(message.first + len(message.items) - 1)
        return message

    return [(keeping.Keeping, "pick", pick)]
