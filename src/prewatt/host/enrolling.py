"""The rows of meters that are taken in: one that a person enrols, or a hundred thousand from a file, all in one commit.

Whether they may be taken in was checked before. Each begins with a book of its own, the key sets that were written into
it at production, the tariff of its place, and whatever campaign runs there.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert, select

from prewatt.crypto import SuiteName
from prewatt.host.campaigns.joining import join_running
from prewatt.host.context import HostContext, log_action
from prewatt.host.customers.tenancies import begin_tenancies
from prewatt.host.fields import meter_bytes
from prewatt.host.keys import KeySetState
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema
from prewatt.host.store.books import insert_books
from prewatt.host.tags import TAG_RANDOM_BYTES, make_tag
from prewatt.host.tariffs import newest_tariff, queue_tariff
from prewatt.protocol.transfer import SAFE_EPOCH_FIRST, MeterBook, ask_commission, new_book, restored

__all__ = ["CT", "HOME", "KINDS", "NewMeter", "insert_meters", "key_sets_for"]

HOME: Final = "home"
CT: Final = "ct"
KINDS: Final = (HOME, CT)


@dataclass(frozen=True, slots=True)
class NewMeter:
    """A meter as it goes into the registry; every field is checked and chosen."""

    meter: str
    station: str
    m_id: int
    suite: str
    kind: str
    customer: str | None
    premises: str | None
    key_sets: tuple[int, ...]


def key_sets_for(context: HostContext, suite: str, wanted: tuple[int, ...] | None) -> tuple[int, ...]:
    """The key sets that a meter of this suite has: those wanted, or every active one where none is named."""
    names = [name.value for name in SuiteName]
    if suite not in names:
        raise RefusedError(RefusalOutcome.BAD_FIELD, "suite", suite, " or ".join(names))
    sets = context.vault.sets()
    active = [each.index for each in sets if each.state is KeySetState.ACTIVE and each.suite == suite]
    chosen = tuple(active) if wanted is None else tuple(sorted(set(wanted)))
    if not chosen or not set(chosen) <= set(active):
        listed = ", ".join(map(str, active)) or "none; add one with `prewatt keys add`"
        allowed = f"active key sets of {suite} ({listed})"
        raise RefusedError(RefusalOutcome.NO_KEY_SET, "key_sets", chosen, allowed)
    return chosen


def insert_meters(writing: Writing, context: HostContext, meters: Sequence[NewMeter], now_s: int) -> None:
    """The rows of all of them."""
    connection = writing.connection
    connection.execute(insert(schema.meters), [_meter_row(each, now_s) for each in meters])
    connection.execute(insert(schema.meter_keys), [row for each in meters for row in _key_rows(context, each)])
    connection.execute(insert(schema.standings), [{"meter": each.meter} | _NO_STANDING for each in meters])
    insert_books(writing, [(each.meter, _first_book(context, each.meter)) for each in meters])
    people = [(each.meter, each.customer, each.premises) for each in meters if each.customer is not None]
    begin_tenancies(writing, people, now_s)
    _give_tariffs(writing, meters, now_s)
    campaigns = schema.campaigns
    running = select(campaigns.c.number).where(campaigns.c.state.in_(("running", "paused"))).limit(1)
    joins = connection.execute(running).scalar() is not None
    for each in meters:
        if joins:
            join_running(writing, each.meter, now_s)
        detail = f"station {each.station}, modem address {each.m_id}"
        people_named = (("customer", each.customer), ("premises", each.premises))
        detail += "".join(f", {what} {key}" for what, key in people_named if key is not None)
        log_action(writing, now_s, "meter enrol", each.meter, detail)


def _give_tariffs(writing: Writing, meters: Sequence[NewMeter], now_s: int) -> None:
    homes = defaultdict(list)
    for each in meters:
        if each.kind == HOME:
            homes[each.station].append(each.meter)
    for station, names in homes.items():
        tariff = newest_tariff(writing.connection, station)
        if tariff is not None:
            queue_tariff(writing, names, tariff, now_s)


def _meter_row(each: NewMeter, now_s: int) -> dict[str, Any]:
    return {
        "id": each.meter,
        "station": each.station,
        "m_id": each.m_id,
        "suite": each.suite,
        "account": "open",
        "kind": each.kind,
        "customer": each.customer,
        "premises": each.premises,
        "made_s": now_s,
    }


def _key_rows(context: HostContext, each: NewMeter) -> list[dict[str, Any]]:
    # One that was here before a restore may have lost sets since.
    doubted = context.generation.highest_epoch(each.meter) is not None
    return [
        {"meter": each.meter, "key_set": key_set, "state": "confirmed", "doubted": doubted} for key_set in each.key_sets
    ]


def _first_book(context: HostContext, meter: str) -> MeterBook:
    """A new id is commissioned; one that was enrolled before a restore shows first what it holds (R7)."""
    book, remembered = new_book(meter_bytes(meter)), context.generation.highest_epoch(meter)
    if remembered is not None:
        return restored(book, remembered)[0]
    return ask_commission(book, SAFE_EPOCH_FIRST, make_tag(context.random(TAG_RANDOM_BYTES)))


_NO_STANDING: Final = {
    "balance_micro": 0,
    "last_sequence": -1,
    "at_s": 0,
    "day_next": 0,
    "events_acknowledged": 0,
}
