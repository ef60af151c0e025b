"""Tariffs: versions of unit price and mode table, which meters should have which, and which have shown that they do.

A version is made once and never changed, and meters take none below the one they have. `set` marks meters for it and
queues a mode change (code 02) for each; the newest wish wins, so that older ones still waiting for a dead link are
dropped. A meter confirms by the digest of table and price, which it shows in every Info.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Row, func, insert, select, update

from prewatt.codec.bodies import ModeChange
from prewatt.codec.commands import Code, control_digest
from prewatt.codec.modetable import ModeTable, flat_table, table_digest
from prewatt.host.answers import TariffAnswer, TariffMeter
from prewatt.host.campaigns.joining import campaign_tariff
from prewatt.host.campaigns.progress import tariff_shown
from prewatt.host.collection import report_is_shown
from prewatt.host.context import HostContext, log_action
from prewatt.host.controls import queue_control
from prewatt.host.fields import check_meter
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema
from prewatt.units import UTC_MAX_S, parse_value

__all__ = [
    "FORGOTTEN_MAX",
    "WAITING_SHOWN_MAX",
    "Tariff",
    "Tariffs",
    "check_shown",
    "make_tariff",
    "newest_tariff",
    "next_version",
    "queue_tariff",
    "read_tariff",
]

# Meters that have not confirmed, in one answer.
WAITING_SHOWN_MAX = 100
# Versions that may have been made and forgotten between a backup and its restore.
FORGOTTEN_MAX = 1_000
# A price is written more finely than money that changes hands.
_PRICE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Tariff:
    """One version: what a mode change sends."""

    version: int
    unit_price_micro: int
    table: bytes
    digest: bytes

    def build_body(self) -> bytes:
        """The plain body of code 02."""
        return ModeChange(self.table, self.unit_price_micro).build()


class Tariffs:
    """Price versions and how far they have come."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def set(
        self,
        unit_price: str,
        *,
        table: ModeTable | None = None,
        valid_from_s: int | None = None,
        meters: Sequence[str] | None = None,
    ) -> TariffAnswer:
        """A new version for ``meters`` (None: all). ``unit_price`` is a decimal, currency units per kWh.

        ``table`` gives steps, plans and seasons; the host sets its version and valid-from (None: now). Without one,
        the price is the same at all times. RefusedError or ValueFieldError for what is not allowed.
        """
        price = parse_value(unit_price, digits=_PRICE_DIGITS, field="unit_price")
        wanted = None if meters is None else [check_meter(meter) for meter in meters]
        now_s = self._context.now()
        from_s = now_s if valid_from_s is None else valid_from_s
        if not 0 <= from_s <= UTC_MAX_S:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "valid_from_s", from_s, f"0 to {UTC_MAX_S}")
        given = table if table is not None else self._flat()
        version, chosen = self._context.store.write(
            lambda writing: _set_tariff(writing, given, price, from_s, wanted, now_s)
        )
        for meter in chosen:
            self._context.wake(meter)
        return self.read(version)

    def read(self, version: int | None = None) -> TariffAnswer:
        """One version (None: the newest); RefusedError (no_tariff) where there is none."""
        with self._context.store.reading() as connection:
            newest = select(func.max(schema.tariffs.c.version)).scalar_subquery()
            wanted = newest if version is None else version
            row = connection.execute(select(schema.tariffs).where(schema.tariffs.c.version == wanted)).one_or_none()
            if row is None:
                hint = "set a price first with `prewatt tariff set`"
                allowed = f"one that was set before; {hint}" if version is None else "a version that was set before"
                raise RefusedError(RefusalOutcome.NO_TARIFF, "tariff", version, allowed)
            return _answer(connection, row)

    def read_all(self) -> list[TariffAnswer]:
        """Every version, oldest first."""
        with self._context.store.reading() as connection:
            rows = connection.execute(select(schema.tariffs).order_by(schema.tariffs.c.version)).all()
            return [_answer(connection, row) for row in rows]

    def read_meters(self, version: int) -> list[TariffMeter]:
        """Every meter that should have this version, and whether it showed that it does."""
        with self._context.store.reading() as connection:
            return _meters_of(connection, version)

    def read_table(self, version: int) -> ModeTable:
        """The mode table of a version."""
        with self._context.store.reading() as connection:
            tariff = read_tariff(connection, version)
        if tariff is None:
            raise RefusedError(RefusalOutcome.NO_TARIFF, "tariff", version, "a version that was set before")
        return ModeTable.parse(tariff.table)

    def _flat(self) -> ModeTable:
        return flat_table(zone_quarters=self._context.zone_quarters)


def newest_tariff(connection: Connection, station: str) -> Tariff | None:
    """The newest version that a meter enrolled below ``station`` gets: one for all, or one that a campaign has brought
    there; None before the first."""
    tariffs = schema.tariffs
    for_all = connection.execute(select(func.max(tariffs.c.version)).where(tariffs.c.everywhere)).scalar()
    version = max((each for each in (for_all, campaign_tariff(connection, station)) if each is not None), default=None)
    return read_tariff(connection, version) if version is not None else None


def read_tariff(connection: Connection, version: int) -> Tariff | None:
    """One version."""
    row = connection.execute(select(schema.tariffs).where(schema.tariffs.c.version == version)).one_or_none()
    return None if row is None else Tariff(row.version, row.unit_price_micro, row.mode_table, row.digest)


def queue_tariff(writing: Writing, meters: Sequence[str], tariff: Tariff, now_s: int) -> None:
    """Marks meters for a version and queues the mode change for each; a current transformer has no price."""
    digest = control_digest(Code.MODE, tariff.build_body())
    what = json.dumps({"tariff": tariff.version})
    for meter in meters:
        if writing.connection.execute(select(schema.meters.c.kind).where(schema.meters.c.id == meter)).scalar() == "ct":
            continue
        marked = update(schema.meters).where(schema.meters.c.id == meter).values(tariff=tariff.version)
        writing.connection.execute(marked)
        queue_control(writing, meter, Code.MODE, what, digest, now_s)


def check_shown(writing: Writing, meter: str, shown: bytes, now_s: int) -> None:
    """A meter has shown the digest of its newest table: queues the one it should have where that is another.

    One that it refused is not sent again: its own is newer, and a person sets a higher version.
    """
    meters, controls, connection = schema.meters, schema.controls, writing.connection
    version = connection.execute(select(meters.c.tariff).where(meters.c.id == meter)).scalar()
    tariff = read_tariff(connection, version) if version is not None else None
    if tariff_shown(writing, meter, shown, now_s) or tariff is None or tariff.digest == shown:
        return
    digest = control_digest(Code.MODE, tariff.build_body())
    waits = select(controls.c.number).where(
        controls.c.meter == meter, controls.c.digest == digest, controls.c.state.in_(("waiting", "refused"))
    )
    if connection.execute(waits.limit(1)).scalar() is None:
        queue_tariff(writing, [meter], tariff, now_s)


def _set_tariff(
    writing: Writing, given: ModeTable, price: int, from_s: int, wanted: list[str] | None, now_s: int
) -> tuple[int, list[str]]:
    connection, meters = writing.connection, schema.meters
    named = select(meters.c.id).where(meters.c.account != "closed").order_by(meters.c.id)
    known = list(connection.execute(named).scalars())
    missing = sorted(set(wanted or ()) - set(known))
    if missing:
        allowed = "meters that are enrolled and not closed; see `prewatt meter list`"
        raise RefusedError(RefusalOutcome.UNKNOWN_METER, "meters", missing[0], allowed)
    tariff = make_tariff(writing, given, price, from_s, now_s, everywhere=wanted is None)
    chosen = known if wanted is None else sorted(set(wanted))
    queue_tariff(writing, chosen, tariff, now_s)
    log_action(writing, now_s, "tariff set", str(tariff.version), f"{price} micro per kWh, {len(chosen)} meters")
    return tariff.version, chosen


def make_tariff(writing: Writing, given: ModeTable, price: int, from_s: int, now_s: int, *, everywhere: bool) -> Tariff:
    """A new version; ``everywhere``: also for meters that are enrolled later. RefusedError for a table that does not
    fit."""
    connection = writing.connection
    version = next_version(connection)
    try:
        table = replace(given, version=version, valid_from_s=from_s).build()
    except ValueError as error:
        raise RefusedError(RefusalOutcome.BAD_FIELD, "table", "mode table", str(error)) from None
    tariff = Tariff(version, price, table, table_digest(table, price))
    connection.execute(
        insert(schema.tariffs).values(
            version=version,
            unit_price_micro=price,
            mode_table=table,
            digest=tariff.digest,
            valid_from_s=from_s,
            made_s=now_s,
            everywhere=everywhere,
        )
    )
    return tariff


def next_version(connection: Connection) -> int:
    """Above every version that meters may have: after a restore also above those that the backup has forgotten, or
    meters would refuse what they take for an older table."""
    newest = connection.execute(select(func.max(schema.tariffs.c.version))).scalar() or 0
    restores = connection.execute(select(schema.mark.c.generation)).scalar_one() - 1
    return int(max(newest, restores * FORGOTTEN_MAX) + 1)


def _meters_of(connection: Connection, version: int) -> list[TariffMeter]:
    meters, standings, reports, tariffs = schema.meters, schema.standings, schema.reports, schema.tariffs
    shown = (
        select(meters.c.id, tariffs.c.digest, reports.c.table_digest)
        .select_from(
            meters.join(tariffs, tariffs.c.version == meters.c.tariff)
            .join(standings, standings.c.meter == meters.c.id)
            .outerjoin(reports, report_is_shown())
        )
        .where(meters.c.tariff == version, meters.c.account != "closed")
        .order_by(meters.c.id)
    )
    return [TariffMeter(row.id, version, row.digest == row.table_digest) for row in connection.execute(shown)]


def _answer(connection: Connection, row: Row[tuple[object, ...]]) -> TariffAnswer:
    meters = _meters_of(connection, row.version)
    waiting = [each.id for each in meters if not each.confirmed]
    return TariffAnswer(
        version=row.version,
        unit_price_micro=row.unit_price_micro,
        valid_from_s=row.valid_from_s,
        digest=row.digest.hex(),
        made_s=row.made_s,
        meters=len(meters),
        confirmed=len(meters) - len(waiting),
        waiting=tuple(waiting[:WAITING_SHOWN_MAX]),
    )
