"""Finding customers, premises, suppliers, agents, stations and meters by a part of an id, a name, a phone number, an
address.

Texts are compared normalised (`search_text`). What begins with the words asked for comes first, and is found through an
index however many there are; then, as far as the limit is not reached, what holds them anywhere, by looking at all.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select

from prewatt.host.context import HostContext
from prewatt.host.customers.answers import FoundAnswer
from prewatt.host.customers.kinds import RECORD_KINDS
from prewatt.host.customers.records import read_rows
from prewatt.host.customers.words import search_text
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import schema

__all__ = ["ASKED_CHARS_MAX", "FOUND_MAX", "Finding"]

FOUND_MAX: Final = 200
ASKED_CHARS_MAX: Final = 200
# Behind every text that begins with another one, in the order of the bytes.
_LAST: Final = "\U0010ffff"
_METER_DIGITS: Final = 6


class Finding:
    """Search over the registry."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def find(self, asked: str, *, limit: int = 20) -> list[FoundAnswer]:
        """At most ``limit`` hits, those that begin with what was asked first; one row may be hit in several fields."""
        text = search_text(asked) if len(asked) <= ASKED_CHARS_MAX else ""
        if not text:
            allowed = f"1 to {ASKED_CHARS_MAX} characters with a letter or digit among them"
            raise RefusedError(RefusalOutcome.BAD_FIELD, "text", asked, allowed)
        if not 1 <= limit <= FOUND_MAX:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "limit", limit, f"1 to {FOUND_MAX}")
        with self._context.store.reading() as connection:
            hits = _begins(connection, text, limit)
            if len(hits) < limit:
                hits += _holds(connection, text, limit - len(hits))
            return _answers(connection, hits)


Hit = tuple[str, str, str]


def _begins(connection: Connection, text: str, limit: int) -> list[Hit]:
    """What begins with the text: through indexes."""
    sought, meter = schema.sought, text.upper()
    hits = _texts(connection, (sought.c.text >= text) & (sought.c.text < text + _LAST), limit)
    if len(meter) <= _METER_DIGITS:
        # Ids are hex digits in capitals: whatever order the database has, none of them comes after F.
        first, last = meter.ljust(_METER_DIGITS, "0"), meter.ljust(_METER_DIGITS, "F")
        ids = schema.meters.c.id
        hits += _meters(connection, ids.between(first, last) & ids.startswith(meter, autoescape=True), limit)
    return hits[:limit]


def _holds(connection: Connection, text: str, limit: int) -> list[Hit]:
    """What holds the text, but does not begin with it: looks at every row until there are enough."""
    sought, meter = schema.sought, text.upper()
    within = sought.c.text.contains(text, autoescape=True) & ~sought.c.text.startswith(text, autoescape=True)
    hits = _texts(connection, within, limit)
    if len(meter) < _METER_DIGITS and len(hits) < limit:
        ids = schema.meters.c.id
        inside = ids.contains(meter, autoescape=True) & ~ids.startswith(meter, autoescape=True)
        hits += _meters(connection, inside, limit - len(hits))
    return hits


def _texts(connection: Connection, where: ColumnElement[bool], limit: int) -> list[Hit]:
    sought = schema.sought
    query = select(sought.c.kind, sought.c.id, sought.c.field).where(where)
    ordered = query.order_by(sought.c.text, sought.c.kind, sought.c.id, sought.c.field).limit(limit)
    return [(row.kind, row.id, row.field) for row in connection.execute(ordered)]


def _meters(connection: Connection, where: ColumnElement[bool], limit: int) -> list[Hit]:
    ids = schema.meters.c.id
    found = connection.execute(select(ids).where(where).order_by(ids).limit(limit)).scalars()
    return [("meters", each, "id") for each in found]


def _answers(connection: Connection, hits: Sequence[Hit]) -> list[FoundAnswer]:
    def keys(kind: str) -> list[str]:
        return [key for each, key, _ in hits if each == kind]

    stations = schema.stations
    named = select(stations.c.id, stations.c.name).where(stations.c.id.in_(keys("stations")))
    texts = {
        "meters": _places(connection, keys("meters")),
        "stations": {row.id: row.name for row in connection.execute(named)},
    }
    for name, kind in RECORD_KINDS.items():
        shown = kind.sought[0]
        texts[name] = {key: row[shown] for key, row in read_rows(connection, kind, keys(name)).items()}
    return [FoundAnswer(kind, key, field, texts[kind][key]) for kind, key, field in hits]


def _places(connection: Connection, ids: list[str]) -> dict[str, str]:
    meters, customers, premises = schema.meters, schema.customers, schema.premises
    joined: Any = meters.outerjoin(customers, customers.c.id == meters.c.customer)
    joined = joined.outerjoin(premises, premises.c.id == meters.c.premises)
    query = select(meters.c.id, premises.c.address, customers.c.name).select_from(joined).where(meters.c.id.in_(ids))
    return {row.id: ", ".join(each for each in (row.address, row.name) if each) for row in connection.execute(query)}
