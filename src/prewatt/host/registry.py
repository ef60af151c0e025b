"""The registry: which meters there are, whose they are, and which accounts are open.

A meter is enrolled by command: its id, the station and modem address it stands at, its suite, and the key sets that
were written into it at production. Nothing here talks to a meter; a new one waits to be commissioned by dispatch.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from prewatt.crypto import SuiteName
from prewatt.host.answers import MeterAnswer
from prewatt.host.booking import book_changes
from prewatt.host.context import HostContext, log_action
from prewatt.host.customers.records import add_people
from prewatt.host.enrolling import CT, HOME, KINDS, NewMeter, insert_meters, key_sets_for
from prewatt.host.fields import check_id, check_meter, check_text
from prewatt.host.meterviews import read_meter_answers
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Hot, Writing, schema
from prewatt.host.store.books import take_book
from prewatt.host.topology import AREA_DEFAULT, STATION_DEFAULT, add_station, free_m_id, has_station
from prewatt.protocol.transfer import BodyState, Change, MeterBook, TransferRuleError, reconciled, thaw

__all__ = ["CT", "HOME", "KINDS", "Enrolment", "Registry", "check_account", "unknown_meter"]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What is known of a meter when it is enrolled. None: chosen by the host (the lowest free modem address, every
    active key set of the suite)."""

    meter: str
    station: str = STATION_DEFAULT
    m_id: int | None = None
    suite: str = SuiteName.AES_2026.value
    key_sets: tuple[int, ...] | None = None
    customer: str | None = None
    customer_name: str | None = None
    premises: str | None = None
    address: str | None = None
    kind: str = HOME
    """`home`, or `ct`: the current transformer of the station itself, to which nothing is sold."""
    makes_station: bool = False
    """A station that is not there yet is added, in the same commit."""


class Registry:
    """Meters, customers and premises."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def enrol(self, enrolment: Enrolment) -> MeterAnswer:
        """Takes a meter in. RefusedError names the first field that is not allowed; then nothing was changed."""
        meter = check_meter(enrolment.meter)
        check_id(enrolment.station, field="station")
        if enrolment.kind not in KINDS:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "kind", enrolment.kind, " or ".join(KINDS))
        key_sets = key_sets_for(self._context, enrolment.suite, enrolment.key_sets)
        self._context.store.write(lambda writing: self._enrol(writing, meter, enrolment, key_sets))
        self._context.note_place(enrolment.station)
        self._context.wake(meter)
        return self.read_meter(meter)

    def read_meter(self, meter: str) -> MeterAnswer:
        """One meter; RefusedError (unknown_meter) where none has this id."""
        meter = check_meter(meter)
        with self._context.store.reading() as connection:
            found = read_meter_answers(connection, meter)
        if not found:
            raise unknown_meter(meter)
        return found[0]

    def read_meters(self, *, station: str | None = None) -> list[MeterAnswer]:
        """Every meter, by id; those of one station where it is given."""
        with self._context.store.reading() as connection:
            found = read_meter_answers(connection, None)
        return [each for each in found if station is None or each.station == station]

    def close(self, meter: str, reason: str) -> MeterAnswer:
        """Closes an account: it takes no new value. Refused while transfers are open or the wallet holds money."""
        return self._set_account(meter, "closed", reason)

    def block(self, meter: str, reason: str) -> MeterAnswer:
        """Blocks a meter's account until it is opened again; what is under way goes on."""
        return self._set_account(meter, "blocked", reason)

    def reopen(self, meter: str, reason: str) -> MeterAnswer:
        """Opens a blocked or closed account again."""
        return self._set_account(meter, "open", reason)

    def reconcile(self, meter: str, note: str) -> MeterAnswer:
        """A person has compared the meter's open orders with the payments after a restore: they may go on.

        Cancel first what was paid back meanwhile. RefusedError where there is nothing to reconcile yet.
        """
        return self._decide(meter, note, "reconcile", _reconcile)

    def thaw(self, meter: str, note: str, *, back: bool = False) -> MeterAnswer:
        """A person has looked into a frozen meter: it is fenced like one after a restore, and goes on.

        ``back``: a body without an epoch answered too early, and the one before it hangs there again.
        """
        return self._decide(meter, note, "thaw", lambda book: thaw(book, back=back))

    def _decide(
        self, meter: str, note: str, action: str, rule: Callable[[MeterBook], tuple[MeterBook, tuple[Change, ...]]]
    ) -> MeterAnswer:
        meter, note = check_meter(meter), check_text(note, field="note")

        def work(writing: Writing) -> None:
            if not read_meter_answers(writing.connection, meter):
                raise unknown_meter(meter)
            before, now_s = take_book(writing, meter), self._context.now()
            try:
                after, changes = rule(before)
            except TransferRuleError as error:
                allowed = f"a meter for which this can be decided now ({error})"
                raise RefusedError(RefusalOutcome.METER_BLOCKED, "meter", meter, allowed) from None
            book_changes(writing, meter, before, after, changes, at_s=now_s)
            log_action(writing, now_s, f"meter {action}", meter, note)

        self._context.store.write(work)
        self._context.wake(meter)
        return self.read_meter(meter)

    def _set_account(self, meter: str, account: str, reason: str) -> MeterAnswer:
        meter, reason = check_meter(meter), check_text(reason, field="reason")
        self._context.store.write(lambda writing: self._change_account(writing, meter, account, reason))
        return self.read_meter(meter)

    def _change_account(self, writing: Writing, meter: str, account: str, reason: str) -> None:
        found = read_meter_answers(writing.connection, meter)
        if not found:
            raise unknown_meter(meter)
        held = found[0].wallet_micro + found[0].in_transit_micro
        if account == "closed" and (held or take_book(writing, meter).orders):
            allowed = "a meter without open transfers and with an empty wallet; cancel or refund first"
            raise RefusedError(RefusalOutcome.NOT_EMPTY, "meter", meter, allowed)
        if account == "open" and take_book(writing, meter).body is BodyState.LOST:
            allowed = "a meter whose body was not lost; what hangs there now needs an id of its own"
            raise RefusedError(RefusalOutcome.METER_BLOCKED, "meter", meter, allowed)
        changed = update(schema.meters).where(schema.meters.c.id == meter)
        writing.connection.execute(changed.values(account=account, reason=None if account == "open" else reason))
        log_action(writing, self._context.now(), f"meter {account}", meter, reason)

    def _enrol(self, writing: Writing, meter: str, enrolment: Enrolment, key_sets: tuple[int, ...]) -> None:
        connection, now_s = writing.connection, self._context.now()
        if enrolment.makes_station and not has_station(connection, enrolment.station):
            add_station(writing, now_s, enrolment.station, AREA_DEFAULT)
        m_id = self._check_place(connection, meter, enrolment)
        who = (enrolment.customer, enrolment.customer_name)
        add_people(writing, now_s, who, (enrolment.premises, enrolment.address))
        fields = (enrolment.station, m_id, enrolment.suite, enrolment.kind, enrolment.customer, enrolment.premises)
        insert_meters(writing, self._context, [NewMeter(meter, *fields, key_sets)], now_s)

    def _check_place(self, connection: Connection, meter: str, enrolment: Enrolment) -> int:
        """The modem address the meter gets, where id, station and ceiling allow it at all."""
        meters, station = schema.meters, enrolment.station
        count = connection.execute(select(func.count()).select_from(meters)).scalar_one()
        ceiling = self._context.installation.meters_ceiling
        if connection.execute(select(meters.c.id).where(meters.c.id == meter)).scalar():
            raise RefusedError(RefusalOutcome.METER_EXISTS, "meter", meter, "an id that is not enrolled yet")
        if count >= ceiling:
            raise RefusedError(RefusalOutcome.METERS_CEILING, "meter", meter, f"at most {ceiling} meters")
        return free_m_id(connection, station, enrolment.m_id)


def _reconcile(book: MeterBook) -> tuple[MeterBook, tuple[Change, ...]]:
    if book.synced and not book.reconciling:
        raise TransferRuleError("its orders wait for nobody; only a restore makes them wait")
    return reconciled(book)


def unknown_meter(meter: str) -> RefusedError:
    """The refusal of an id that is not enrolled."""
    allowed = "a meter that is enrolled; see `prewatt meter list`"
    return RefusedError(RefusalOutcome.UNKNOWN_METER, "meter", meter, allowed)


def check_account(writing: Writing, meter: str) -> None:
    """RefusedError unless the meter is enrolled and its account takes new value."""
    row = writing.run(Hot.METER_ACCOUNT, (meter,)).fetchone()
    if row is None:
        raise unknown_meter(meter)
    account, reason, kind = row
    if kind == CT:
        allowed = "a home's meter; this is the current transformer of a station, to which nothing is sold"
        raise RefusedError(RefusalOutcome.NOT_SOLD_TO, "meter", meter, allowed)
    if account != "open":
        outcome = RefusalOutcome.METER_CLOSED if account == "closed" else RefusalOutcome.METER_BLOCKED
        raise RefusedError(outcome, "meter", meter, f"an open account; this one is {account} ({reason})")
