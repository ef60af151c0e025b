"""More holes, rule by rule: what docs/protocol.md says of value, sessions, keys, controls and clocks, left out.

Some rules are covered twice: with one of the two left out the other still holds, and nobody is harmed. For those the
table names both, and the pair has to be found.
"""

from dataclasses import replace

from sim_holes import (
    ALONE,
    CANCELS,
    CONTROLS,
    CRASHES,
    FOREVER,
    HOLES,
    KEEPING,
    MOODS,
    RESTORES,
    SAYS,
    hole,
)

import prewatt.device.area.storing as storing
import prewatt.device.meter.commands as commands
import prewatt.device.meter.modem as modem
import prewatt.device.meter.money as money
import prewatt.host.dispatch.agenda as agenda
import prewatt.host.dispatch.choice as choice
import prewatt.host.dispatch.results as results
import prewatt.host.host as host
import prewatt.protocol.sealing as sealing
import prewatt.protocol.transfer_seen as seen
import prewatt.protocol.transfer_work as work
from prewatt.codec.commands import Code, control_digest
from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.messages import SealedCommand
from prewatt.codec.receipt import NO_TAG, RingEntry, Status
from prewatt.protocol.transfer import Cancelled, OrderState, Refused
from prewatt.protocol.transfer_book import without_order

# Holes that no run is known to fall into: the simulator is blind there, and its page says so.
UNSEEN: frozenset[str] = frozenset()
# Of each pair, what covers the one hole as long as the other is not there.
COVERED = {}
# What is played again sets clocks as well; here they stand, so that it is the other rule that is seen.
ALONE_CLOCK = [(commands, "clamp", lambda own_s, time_s, elapsed_ms, speed: own_s)]
MINUTES = (200, 5_000, 31_000, 300_000, 300_000, 1_200_000)
CUTS = {"field.cut": 3, "field.drop_all": 6, "field.weather": 3}
QUIET = {"field.cut": 0, "field.weather": 0, "field.hold": 0, "field.drop_all": 0, "people.power": 0.2}
HELD = {"field.hold": 15}
RIGHT_CLOCK = {**FOREVER, "people.power": 0.3, "people.vend": 2}
REPLAYS = {**RIGHT_CLOCK, "field.burst_of_replays": 25, "people.controls": 2}
DELAYS = {**RIGHT_CLOCK, **HELD, "people.campaign": 6, "people.vend": 0.5, "people.controls": 0.3}
FULL = {**CUTS, "people.code": 8, "people.controls": 10, "people.type": 10, "people.cancel": 0.2, "people.load": 3}
TYPED = {**CUTS, "people.code": 8, "people.type": 8, "people.cancel": 6, "people.vend": 4}
DROPS = {**FOREVER, "people.campaign": 15, "people.vend": 1, "people.tick_homes": 2, "trouble.crash": 0.3}
FORGETS = {**CUTS, "people.code": 0, "people.vend": 3, "people.cancel": 12, "people.office": 8, **FOREVER}


def covered(others, by, mood, *, says="", **named):
    """A hole of which the rule ``by`` takes the harm; with the holes ``others`` in that rule it is one again."""

    def planted_pair(function):
        name = " and ".join((function.__name__, *others))

        def both():
            more = [change for other in others for change in (HOLES.get(other) or ALONE[other])()]
            return [*function(), *more]

        both.__name__, both.__doc__ = name, function.__doc__
        hole(mood, **named)(both)
        COVERED[name], ALONE[function.__name__], SAYS[name] = by, function, says
        for each in {function.__name__, *others} & set(ALONE):
            MOODS.setdefault(each, MOODS[name])
        return function

    return planted_pair


# -- value


@hole(FULL)
def void_on_status_2():
    """A sale that did not fit under the ceiling is paid back, and the customer types its code the next day."""
    real = results.learn

    def learn(book, fact):
        book, changes = real(book, fact)
        kept = []
        for change in changes:
            if isinstance(change, Refused):
                book = without_order(book, change.order)
                change = Cancelled(replace(change.order, state=OrderState.CANCELLED, sequence=None))
            kept.append(change)
        return book, tuple(kept)

    return [(results, "learn", learn)]


@hole(TYPED)
def cancelled_after_a_look():
    """The meter does not have the sale yet, so it is paid back; its command or its code arrives a moment later."""
    real = results.learn

    def learn(book, fact):
        book, changes = real(book, fact)
        if not book.synced or fact.receipt.last_tag == NO_TAG:
            return book, changes
        for order in book.orders:
            if order.state is OrderState.CANCELLING and (order.sequence or 0) > fact.receipt.last_sequence:
                book = without_order(book, order)
                changes = (*changes, Cancelled(replace(order, state=OrderState.CANCELLED, sequence=None)))
        return book, changes

    return [(results, "learn", learn)]


@hole(FORGETS)
def bytes_go_out_before_the_book_is_durable():
    """The host sends a sale and has no note of its number: it is cancelled as never sent, and credited."""
    real = choice.book_changes

    def forget(writing, meter, before, after, changes, *, at_s):
        real(writing, meter, before, replace(after, orders=before.orders), changes, at_s=at_s)

    return [(choice, "book_changes", forget)]


@hole(CRASHES)
def record_in_a_later_commit():
    """The ledger says delivered, the record of what the meter showed comes later: a crash, and it never does."""
    real, recognise, late = results.record_facts, host._recognise, []

    def record_facts(writing, before, receipt, ring, *, at_s):
        waiting, late[:] = list(late), [(before, receipt, ring, at_s)]
        for one in waiting:
            real(writing, *one[:3], at_s=one[3])

    def begin(*given):
        late.clear()
        return recognise(*given)

    return [(results, "record_facts", record_facts), (host, "_recognise", begin)]


@hole({**FOREVER, **QUIET, "people.load": 12, "people.vend": 6, "gaps": MINUTES})
def ceiling_before_what_is_owed():
    """Whoever owes is refused a purchase that fits once the debt is paid, and stays in the dark."""
    real = money._receive

    def receive(held, amount_micro, limits):
        return None if held.balance_micro + amount_micro > limits.ceiling_micro else real(held, amount_micro, limits)

    return [(money, "_receive", receive)]


EVENING = (200, 5_000, 31_000, 61_000, 61_000, 300_000)


@hole(
    {**QUIET, "field.hold": 25, "people.load": 8, "people.tick_homes": 3, "people.vend": 8, "gaps": EVENING},
    steps=2_000,
)
def an_older_report_is_shown_over_a_newer_balance():
    """A report that was long under way shows last week's balance: the customer is told to buy, or not to."""
    return [(seen, "_balance_newer", lambda seen, fact: True)]


@hole({**CANCELS, "field.weather": 8, **FOREVER}, calm=True)
def no_host_give_up():
    """A command that was lost is waited for, for ever: nothing else ever reaches that meter."""
    real = agenda.Agenda.pop_overdue

    def pop_overdue(self, line_ms, lines):
        real(self, line_ms, lines)
        return []

    return [(agenda.Agenda, "pop_overdue", pop_overdue)]


@covered(
    ("restore_not_recognised",),
    "a number is given once (R6), and a host that forgot some fences them (R7)",
    {**RESTORES, "people.vend": 8, "people.code": 0, "people.cancel": 0.2},
    says="is confirmed, and no meter holds it",
)
def no_tag():
    """Two equal sales under one number confirm each other: one was paid and never delivered."""
    real = results.learn

    def learn(book, fact):
        tags = {(order.sequence, order.amount_micro): order.tag for order in book.orders}

        def own(entry):
            return replace(entry, tag=tags.get((entry.sequence, entry.amount_micro), entry.tag))

        ring = None if fact.ring is None else tuple(own(entry) for entry in fact.ring)
        last = RingEntry(fact.receipt.last_sequence, fact.receipt.last_tag, fact.receipt.last_amount_micro)
        receipt = replace(fact.receipt, last_tag=own(last).tag)
        return real(book, replace(fact, ring=ring, receipt=receipt))

    return [(results, "learn", learn)]


# -- sessions and clocks


@hole(REPLAYS)
def the_tag_of_a_command_does_not_cover_r3():
    """A station that recorded a session plays it again: the clock goes back to that day, and cheap hours with it."""

    def command_tag(self, proof, head, body):
        return self._suite.sign(head + body, self._key)

    return [(sealing._TdesSealing, "_command_tag", command_tag)]


@hole({**DELAYS, "field.weather": 10, "field.forge": 20, "field.drop_all": 4})
def a_clock_is_set_by_whoever_asks():
    """A bent or forged time is taken before anybody looked at its tag: the tariff of another hour, or another year."""
    real = sealing.SessionSealing.check_command

    def check_command(self, proof, command):
        parsed = SealedCommand.parse(command, self._layout)
        return parsed if parsed.code == Code.USAGE else real(self, proof, command)

    return [(sealing.SessionSealing, "check_command", check_command)]


@hole(DELAYS)
def a_delayed_time_is_believed():
    """A station holds the time back for a minute before it hands it on: a right clock is wrong then."""
    return [(commands, "clamp", lambda own_s, time_s, elapsed_ms, speed: time_s)]


@covered(
    ("the_tag_of_a_command_does_not_cover_r3",),
    "a command is good for one session (R3 in its tag): none is heard twice",
    REPLAYS,
)
def any_lower_sequence_is_applied():
    """A sale that was recorded and played again is credited again, and again."""

    def apply_transfer(held, sequence, amount_micro, tag, limits):
        if amount_micro > 0 and held.commissioned and sequence < held.last_sequence:
            moved = money._receive(held, amount_micro, limits)
            return (held, Status.IMPOSSIBLE) if moved is None else (moved, Status.DONE)
        return money.apply_transfer(held, sequence, amount_micro, tag, limits)

    return [(commands, "apply_transfer", apply_transfer), *ALONE_CLOCK]


# -- controls and keys


@covered(
    ("the_tag_of_a_command_does_not_cover_r3",),
    "a command is good for one session (R3 in its tag): none is heard twice",
    {**REPLAYS, "people.controls": 8},
)
def control_counter_is_not_looked_at():
    """An old command to open the relay, played again by whoever recorded it, is carried out again."""

    def control(held, counter, code, body):
        return money.control(replace(held, last_control=0), counter, code, body)

    return [(commands, "control", control), *ALONE_CLOCK]


@covered(
    ("control_counter_is_not_looked_at", "the_tag_of_a_command_does_not_cover_r3"),
    "a commission that comes again is known by its counter (R10), and is good for one session (R9)",
    {**REPLAYS, "people.controls": 0, "people.campaign": 0, "people.tariff": 0, "people.take_back": 0},
)
def epoch_is_ignored():
    """A commission that comes again begins the numbers anew: old sales fit once more."""

    def commission(held, epoch, tag, *, after=0):
        return money._enter(held, RingEntry(epoch << 24, tag, 0)), Status.DONE

    return [(commands, "commission", commission)]


def one_counter_for_two_commands():
    """What was ordered later has the number of what is under way: one of the two is never done."""
    real = work._control_work

    def control_work(book, kind, code, body):
        same = tuple(each for each in book.controls if each.digest == control_digest(code, body))
        return real(replace(book, controls=same), kind, code, body)

    return [(work, "_control_work", control_work)]


ALONE["one_counter_for_two_commands"] = one_counter_for_two_commands


@covered(
    ("one_counter_for_two_commands",),
    "the host never gives one counter to two commands (R10)",
    {**CONTROLS, **FOREVER, **CUTS, "people.controls": 15},
)
def a_control_answer_is_not_bound_to_its_digest():
    """ "Open the relay" counts as done because a text under the same number was: the house stays live."""

    def control(held, counter, code, body):
        verdict = money.control(held, counter, code, body)
        if counter == held.last_control and verdict.outcome is money.ControlOutcome.STALE:
            return money.ControlVerdict(money.ControlOutcome.ALREADY, held)
        return verdict

    return [(commands, "control", control)]


@hole(DROPS)
def a_dropped_key_is_kept():
    """A key that was stolen and dropped still opens every meter."""
    return [(commands.Commands, "_key_drop", lambda self, body, order: (Status.DONE, b""))]


@hole({**DROPS, "people.controls": 6})
def a_key_is_proved_without_a_session():
    """The books say that a meter has a key that it never got: the old one is dropped, and nobody reaches the meter."""
    real = choice._key_set

    def key_set(writing, context, row, work, failures):
        if work.code is Code.KEY:
            results.note_proved(writing, row.id, work.body[0])
        return real(writing, context, row, work, failures)

    return [(choice, "_key_set", key_set)]


# -- boxes


@hole({**KEEPING, "field.box": 50, "people.home": 30}, boxes=True, calm=True)
def area_acknowledges_what_it_could_not_store():
    """A full area server tells its stations to forget: the alarms of a week without an uplink are gone."""
    real = storing.Storing.take

    def take(self, message):
        try:
            return real(self, message)
        except storing.NotTakenError:
            return message.first + len(message.items) - 1

    return [(storing.Storing, "take", take)]


@hole({"people.take_back": 20, "people.vend": 2})
def a_return_leaves_the_value():
    """What the customer got back in money is still in the meter, to be used as well."""

    def give_back(held, amount_micro):
        return None if held.owed_micro or amount_micro > held.balance_micro else held

    return [(money, "_give_back", give_back)]


@hole({"field.crosstalk": 30, "people.vend": 2})
def the_m_id_alone_decides():
    """The neighbour transformer has a meter of the same number: both answer at once, and neither is understood."""

    def receive(self, data):
        try:
            frame = Frame.parse(data)
        except DecodeError:
            return None
        return frame.payload if frame.m_id == self._m_id and frame.flags == FrameFlags.NONE else None

    return [(modem.Modem, "receive", receive)]
