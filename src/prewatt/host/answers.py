"""What the host answers: frozen values whose `as_dict()` is the JSON of command line and HTTP API alike.

Names end in their unit: `_micro` are micro-units of the currency, `_s` UTC seconds, `_pulses` 0.1 Wh. Ids of meters are
six upper-case hex digits. A field that is not known yet is null.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = [
    "Answer",
    "AuditAnswer",
    "ChargeAnswer",
    "ControlAnswer",
    "HappeningAnswer",
    "MeterAnswer",
    "MeterState",
    "RelayState",
    "SuspenseAnswer",
    "TariffAnswer",
    "TariffMeter",
    "TransferAnswer",
    "TransferState",
    "UsageAnswer",
    "UsageRow",
    "VendAnswer",
    "Violation",
]


class MeterState(StrEnum):
    """Where a meter stands with the host. A new one is not commissioned yet; a retired one takes no more value."""

    NEW = "new"
    ACTIVE = "active"
    UNSYNCED = "unsynced"
    FROZEN = "frozen"
    RETIRED = "retired"
    BLOCKED = "blocked"
    CLOSED = "closed"


class RelayState(StrEnum):
    """Whether the home has supply."""

    CLOSED = "closed"
    OPEN = "open"


class TransferState(StrEnum):
    """What became of a transfer. Pending ones are retried for ever and can be cancelled."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    REFUSED = "refused"


class Answer:
    """Base of all answers."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values: dicts, lists, strings, integers, booleans, None."""
        return _plain(asdict(self))  # type: ignore[call-overload,no-any-return]


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON is any of six types
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, StrEnum) else value


@dataclass(frozen=True, slots=True)
class MeterAnswer(Answer):
    """One meter: what is enrolled, what the books hold for it, and its last authenticated word on itself."""

    id: str
    state: MeterState
    state_reason: str | None
    kind: str
    """`home`, or `ct` for the current transformer of a station, to which nothing is sold."""
    m_id: int
    station: str
    area: str
    suite: str
    key_sets: tuple[int, ...]
    """Those that it has proved."""
    key_sets_doubted: tuple[int, ...]
    """Those that may be gone since: told to go without an answer yet, proved before a restore, or by another body."""
    program: int | None
    """The program in force, as the meter last told; null: it has not told yet."""
    epoch: int
    customer: str | None
    premises: str | None
    balance_micro: int
    received_micro: int
    burned_micro: int
    returned_micro: int
    owed_micro: int
    relay: RelayState
    relay_causes: int
    wallet_micro: int
    in_transit_micro: int
    delivered_micro: int
    suspense_micro: int
    unit_price_micro: int | None
    tariff_version: int | None
    tariff_confirmed: bool
    total_pulses: int
    clock_s: int | None
    reported_s: int | None
    """When the host booked the last authenticated receipt; null before the first."""
    last_sequence: int | None
    alarms: int
    """Alarms of this meter booked so far."""


@dataclass(frozen=True, slots=True)
class ChargeAnswer(Answer):
    """One line of what was paid; a discount or a subsidy is below 0."""

    kind: str
    name: str
    amount_micro: int


@dataclass(frozen=True, slots=True)
class VendAnswer(Answer):
    """What became of a sale: the order (the caller's id), its transfer's number, and its state now.

    `amount_micro` goes to the meter; `paid_micro` is more where a rate plan holds, and `lines` say what it was for."""

    order: str
    transfer: str
    state: TransferState
    meter: str
    amount_micro: int
    authorization: str
    at_s: int
    existed: bool = False
    """The same order was given before; this is what became of it."""
    code: str | None = None
    """Its value code, twenty digits, where it was sold as one."""
    paid_micro: int = 0
    lines: tuple[ChargeAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class TransferAnswer(Answer):
    """One transfer of value to a meter."""

    order: str
    transfer: str
    state: TransferState
    step: str
    """Finer than `state`: waiting, sent, cancelling, refused by meter, confirmed, cancelled."""
    meter: str
    amount_micro: int
    paid_micro: int
    """What the customer paid for it; more or less than the amount where a rate plan holds."""
    sequence: int | None
    authorization: str | None
    place: str
    """Where its money lies: wallet, transit, delivered, lost, refunded, carried (by another order), written (off)."""
    refunded: bool
    made_s: int
    settled_s: int | None


@dataclass(frozen=True, slots=True)
class SuspenseAnswer(Answer):
    """Value that a meter proves to hold under a sequence and no order explains."""

    meter: str
    sequence: int
    amount_micro: int


@dataclass(frozen=True, slots=True)
class ControlAnswer(Answer):
    """A control command (relay, text, settings, key, mode) and what became of it: waiting, done, refused, dropped."""

    number: int
    meter: str
    kind: str
    what: str
    state: str
    made_s: int
    settled_s: int | None


@dataclass(frozen=True, slots=True)
class TariffMeter(Answer):
    """Whether one meter has shown the digest of the tariff it should have."""

    id: str
    version: int
    confirmed: bool


@dataclass(frozen=True, slots=True)
class TariffAnswer(Answer):
    """One version of price and mode table, and how far it has come."""

    version: int
    unit_price_micro: int
    valid_from_s: int
    digest: str
    made_s: int
    meters: int
    confirmed: int
    waiting: tuple[str, ...]
    """Ids of the meters that have not confirmed it, at most a hundred."""


@dataclass(frozen=True, slots=True)
class HappeningAnswer(Answer):
    """Something a meter told: an event of its log, an alarm, or a customer's wish for value; or that it told more in a
    day than a meter does, which is not believed."""

    meter: str
    kind: str
    """`event`, `alarm`, `wish` or `beyond`."""
    what: str
    time_s: int | None
    """When it happened, by the meter's clock; null where it carries no time."""
    booked_s: int
    detail: str
    """What the code defines, in hex; the amount in micro-units for a wish; how many were beyond since the start."""


@dataclass(frozen=True, slots=True)
class UsageRow(Answer):
    """Energy of one hour or one day of the meter's local calendar."""

    start_s: int
    label: str
    """`2026-03-01` for a day, `2026-03-01 14:00` for an hour."""
    pulses: int | None
    """Null where nothing was collected."""
    minutes: int
    """Minutes with a reading; the rest had no power or was not collected."""


@dataclass(frozen=True, slots=True)
class UsageAnswer(Answer):
    """Energy of one meter over time, oldest first."""

    meter: str
    by: str
    rows: tuple[UsageRow, ...]
    total_pulses: int
    days_collected: int


@dataclass(frozen=True, slots=True)
class Violation(Answer):
    """One entity that breaks the law of conservation: what stands there and what should."""

    entity: str
    """meter, card or order, in this order of search; then book (the ledger as a whole), then log (a line of it)."""
    id: str
    law: str
    expected: int | str
    found: int | str
    text: str


@dataclass(frozen=True, slots=True)
class AuditAnswer(Answer):
    """The books and the meters' words, recomputed. `violations` begins with the first entity that breaks the law."""

    ok: bool
    checked: int
    violations: tuple[Violation, ...]
    meters: int
    orders: int
    entries: int
    cash_micro: int
    in_wallets_micro: int
    in_transit_micro: int
    delivered_micro: int
    refunded_micro: int
    charges_micro: int
    """Taxes, levies, fees, standing charges and debt that came with sales, less what subsidies gave."""
    suspense_micro: int
    lost_bodies_micro: int
    """Value of bodies that nobody can read; it waits for a person to sign it over."""
    written_off_micro: int
    log_lines: int
    """Number of the newest line of the audit log."""
    log_hash: str
    """Its hash, in hex: who notes it elsewhere can tell later whether all of the log was written anew."""
