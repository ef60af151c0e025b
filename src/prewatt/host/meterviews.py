"""One meter as people see it: what is enrolled, what the books hold for it, and its own last authenticated word.

The meter's balance comes from its newest receipt, its sums from its newest Info. A receipt after a transfer is newer
than any Info; then the sums are carried forward by the law itself (what was received is in the record file, and what
is not left of it was burned), so that what is shown always adds up. Where the host has not read all of that yet, or
forgotten it in a restore, the newest Info stands as it is. The audit uses only what the meter said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from prewatt.host.answers import MeterAnswer, MeterState, RelayState
from prewatt.host.collection import report_is_shown
from prewatt.host.ledger import AccountKind, account_id
from prewatt.host.store import schema
from prewatt.protocol.transfer import BodyState, unpack_book
from prewatt.units import PULSES_PER_CT_PULSE, epoch_of, epoch_start

__all__ = ["read_meter_answers"]

# Armed and welded: marks beside the causes, which open nothing (docs/reference/meter.md, "Relay").
_MARKS: Final = 0xC0
_RECONCILE: Final = "its open orders wait for a person to reconcile them with the payments"
_BODY_STATES: Final = {
    BodyState.LIVE.value: (MeterState.ACTIVE, None),
    BodyState.RETIRING.value: (MeterState.RETIRED, "its body was asked to take no more value"),
    BodyState.RETIRED.value: (MeterState.RETIRED, "its body takes no more value; its balance may follow to another"),
}


@dataclass(frozen=True, slots=True)
class _Sums:
    received_micro: int
    burned_micro: int
    returned_micro: int
    owed_micro: int

    @property
    def left_micro(self) -> int:
        """The balance that they leave."""
        return self.received_micro + self.owed_micro - self.burned_micro - self.returned_micro


def read_meter_answers(connection: Connection, meter: str | None) -> list[MeterAnswer]:
    """One meter (none where it is not enrolled), or all by id."""
    meters, stations, books = schema.meters, schema.stations, schema.books
    standings, reports, tariffs = schema.standings, schema.reports, schema.tariffs
    wanted = (
        select(
            meters,
            stations.c.area,
            books.c.book,
            books.c.synced,
            books.c.frozen,
            books.c.reconciling,
            books.c.epoch_highest,
            books.c.body,
            standings.c.balance_micro,
            standings.c.last_sequence,
            standings.c.at_s,
            reports.c.received_micro,
            reports.c.burned_micro,
            reports.c.returned_micro,
            reports.c.owed_micro,
            reports.c.last_sequence.label("report_sequence"),
            reports.c.relay_causes,
            reports.c.total_pulses,
            reports.c.timer_s,
            reports.c.unit_price_micro,
            reports.c.table_digest,
            tariffs.c.digest,
        )
        .select_from(
            meters.join(stations, stations.c.id == meters.c.station)
            .join(books, books.c.meter == meters.c.id)
            .join(standings, standings.c.meter == meters.c.id)
            .outerjoin(reports, report_is_shown())
            .outerjoin(tariffs, tariffs.c.version == meters.c.tariff)
        )
        .order_by(meters.c.id)
    )
    if meter is not None:
        wanted = wanted.where(meters.c.id == meter)
    rows = connection.execute(wanted).all()
    keys = _keys(connection, meter)
    accounts, alarms = _balances(connection, meter), _alarms(connection, meter)
    return [_answer(connection, row, keys.get(row.id, ()), accounts, alarms.get(row.id, 0)) for row in rows]


def _answer(
    connection: Connection, row: Row[Any], key_sets: Sequence[tuple[int, bool]], accounts: dict[str, int], alarms: int
) -> MeterAnswer:
    sums, (state, reason), reported = _sums(connection, row), _state(row), row.at_s > 0
    causes = row.relay_causes if row.relay_causes is not None else 1
    return MeterAnswer(
        id=row.id,
        state=state,
        state_reason=reason,
        kind=row.kind,
        m_id=row.m_id,
        station=row.station,
        area=row.area,
        suite=row.suite,
        key_sets=tuple(each for each, _ in key_sets),
        key_sets_doubted=tuple(each for each, doubted in key_sets if doubted),
        program=row.program,
        epoch=row.epoch_highest,
        customer=row.customer,
        premises=row.premises,
        balance_micro=sums.left_micro,
        received_micro=sums.received_micro,
        burned_micro=sums.burned_micro,
        returned_micro=sums.returned_micro,
        owed_micro=sums.owed_micro,
        relay=RelayState.OPEN if causes & ~_MARKS else RelayState.CLOSED,
        relay_causes=causes,
        wallet_micro=accounts.get(account_id(AccountKind.WALLET, row.id), 0),
        in_transit_micro=accounts.get(account_id(AccountKind.IN_TRANSIT, row.id), 0),
        delivered_micro=accounts.get(account_id(AccountKind.DELIVERED, row.id), 0),
        suspense_micro=-accounts.get(account_id(AccountKind.SUSPENSE, row.id), 0),
        unit_price_micro=row.unit_price_micro,
        tariff_version=row.tariff,
        tariff_confirmed=row.digest is not None and row.digest == row.table_digest,
        total_pulses=(row.total_pulses or 0) * (PULSES_PER_CT_PULSE if row.kind == "ct" else 1),
        clock_s=row.timer_s,
        reported_s=row.at_s if reported else None,
        last_sequence=row.last_sequence if reported else None,
        alarms=alarms,
    )


def _state(row: Row[Any]) -> tuple[MeterState, str | None]:
    if row.account != "open":
        # A lost body whose orders wait, too: they end with the account, and not before somebody has reconciled.
        waits = f"; {_RECONCILE}" if row.synced and row.reconciling else ""
        return (MeterState.CLOSED if row.account == "closed" else MeterState.BLOCKED), f"{row.reason}{waits}"
    if row.frozen is not None:
        return MeterState.FROZEN, row.frozen
    if not row.synced:
        return MeterState.UNSYNCED, "only fences go out until the meter has shown what it holds"
    if row.reconciling:
        return MeterState.UNSYNCED, _RECONCILE
    return _BODY_STATES.get(row.body, (MeterState.NEW, "not commissioned yet"))


def _sums(connection: Connection, row: Row[Any]) -> _Sums:
    """The newest Info's sums, carried forward to the newest balance where the law alone says how."""
    if row.at_s == 0:
        return _Sums(0, 0, 0, 0)
    if row.report_sequence is None:
        # A body of which only receipts were heard yet: it begins without what the one before it counted.
        said, since = _Sums(0, 0, 0, 0), epoch_start(epoch_of(row.last_sequence)) - 1
    else:
        said = _Sums(row.received_micro, row.burned_micro, row.returned_micro, row.owed_micro)
        since = row.report_sequence
    if said.owed_micro and row.balance_micro == 0 and row.last_sequence == since:
        return said
    if since < row.last_sequence and unpack_book(row.book).settled < row.last_sequence:
        # Something before it is not read yet, or forgotten: what was returned would pass for burned.
        return said if row.report_sequence is not None else _Sums(row.balance_micro, 0, 0, 0)
    records = schema.record_file.c
    moved = connection.execute(
        select(records.amount_micro).where(
            records.meter == row.id, records.sequence > since, records.sequence <= row.last_sequence
        )
    ).scalars()
    amounts = list(moved)
    received = said.received_micro + sum(amount for amount in amounts if amount > 0)
    returned = said.returned_micro - sum(amount for amount in amounts if amount < 0)
    return _carry(said, received, returned, row.balance_micro)


def _carry(said: _Sums, received: int, returned: int, balance: int) -> _Sums:
    """What is certain now: purchases since then paid what was owed first, and nothing that was burned comes back."""
    owed = 0 if balance else max(0, said.burned_micro + returned - received)
    # What a body holds that no record explains yet, it has received.
    received = max(received, said.burned_micro + returned + balance - owed)
    return _Sums(received, received + owed - returned - balance, returned, owed)


def _keys(connection: Connection, meter: str | None) -> dict[str, list[tuple[int, bool]]]:
    keys = schema.meter_keys
    wanted = select(keys).where(keys.c.state == "confirmed").order_by(keys.c.key_set)
    found: dict[str, list[tuple[int, bool]]] = {}
    for row in connection.execute(wanted if meter is None else wanted.where(keys.c.meter == meter)):
        found.setdefault(row.meter, []).append((row.key_set, row.doubted))
    return found


def _balances(connection: Connection, meter: str | None) -> dict[str, int]:
    accounts = schema.accounts
    wanted = select(accounts.c.id, accounts.c.credits_micro - accounts.c.debits_micro)
    if meter is not None:
        wanted = wanted.where(accounts.c.id.in_([account_id(kind, meter) for kind in AccountKind]))
    return {row[0]: row[1] for row in connection.execute(wanted)}


def _alarms(connection: Connection, meter: str | None) -> dict[str, int]:
    alarms = schema.alarms
    wanted = select(alarms.c.meter, func.count()).group_by(alarms.c.meter)
    if meter is not None:
        wanted = wanted.where(alarms.c.meter == meter)
    return {row[0]: row[1] for row in connection.execute(wanted)}
