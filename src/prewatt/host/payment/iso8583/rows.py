"""The durable state of card payments: a row for each payment, and the number of the last message.

The owner stores rows and gives those that have not ended back after a start. A row is durable *before* any byte that
rests on it leaves and before anybody is told: what asks, decides or ends is a `Save`, and the `Send` or `Tell` behind
it waits for it. So after a crash the rows say at least as much as the other side can know. A row holds no card
number.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from prewatt.codec.errors import DecodeError
from prewatt.host.payment.iso8583.fields import FIELDS, De
from prewatt.host.payment.iso8583.profile import AMOUNT_MAX_MINOR
from prewatt.host.payment.port import (
    ENDED_STATES,
    Asked,
    Captured,
    Capturing,
    Declined,
    Guaranteed,
    PaymentOutcome,
    PaymentState,
    Reversed,
    Unknown,
)
from prewatt.units import UTC_MAX_S, format_stamp

__all__ = [
    "ROW_BYTES_MAX",
    "STANS_PER_HOUR_MAX",
    "STANS_PER_SECOND",
    "STAN_MAX",
    "PaymentRow",
    "Trace",
    "card_authorization",
    "hour_of",
    "make_rrn",
    "outcome_of",
    "parse_row",
    "parse_trace",
    "resolve_day",
    "transmitted",
]

STAN_MAX: Final = 999_999
# Message numbers of an hour: a number that came back within one would make two payments with one RRN.
STANS_PER_HOUR_MAX: Final = 900_000
# Numbers of a day, spread over it: at a start they go on from where so many a second would have come to.
STANS_PER_SECOND: Final = 11
ROW_BYTES_MAX: Final = 2_048

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)
_STAN: Final = re.compile(r"[0-9]{6}", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_APPROVAL: Final = re.compile(r"[0-9A-Za-z]{1,6}", re.ASCII)
_WORD: Final = re.compile(r"[a-z_]{1,64}", re.ASCII)
_CODE: Final = re.compile(r"[0-9A-Za-z ]{2}", re.ASCII)
_LAST4: Final = re.compile(r"[0-9]{4}", re.ASCII)
_HOUR: Final = re.compile(r"[0-9]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One payment. ``terminal``, ``merchant``, ``acquirer_id`` and ``currency`` are those it was asked under, so that
    what undoes it names them also after the settings have changed. Times are UTC seconds, 0 where it has not
    happened."""

    payment_id: str
    state: PaymentState
    amount_minor: int
    currency: str
    terminal: str
    merchant: str
    acquirer_id: str
    rrn: str
    stan: str
    asked_s: int
    token: str = field(repr=False)
    last4: str
    approval: str = ""
    reason: str = ""
    code: str = ""
    completion_stan: str = ""
    completion_s: int = 0
    reversal_stan: str = ""
    reversal_s: int = 0
    settled_day: str = ""
    """The business day of theirs on which it was captured, ``YYYY-MM-DD``."""
    ended_s: int = 0

    @property
    def authorization(self) -> str:
        """Its authorization number in the books."""
        return card_authorization(self.approval, self.rrn)

    @property
    def has_ended(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state in ENDED_STATES

    def build(self) -> bytes:
        """As JSON, one spelling for one row."""
        return _build(asdict(self))


@dataclass(frozen=True, slots=True)
class Trace:
    """The number of the last message (STAN), and how many were given out in its hour (``YDDDHH``)."""

    stan: int = 0
    hour: str = "000000"
    used: int = 0

    def build(self) -> bytes:
        """As JSON, one spelling for one trace."""
        return _build(asdict(self))


def card_authorization(approval: str, rrn: str) -> str:
    """The authorization number of a card payment: A, the acquirer's approval code, and the number of the payment,
    since an approval code alone comes back within days."""
    return f"A{approval}-{rrn}"


def make_rrn(stan: str, utc_s: int) -> str:
    """The number of a payment (data element 37): last digit of the year, day of the year, hour, message number."""
    return hour_of(utc_s) + stan


def hour_of(utc_s: int) -> str:
    """``YDDDHH`` of a UTC second."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=utc_s)).strftime("%Y%j%H")[3:]


def transmitted(utc_s: int) -> str:
    """``MMDDhhmmss`` of a UTC second (data element 7)."""
    return format_stamp(utc_s)[2:]


def resolve_day(month_day: str, utc_s: int) -> str:
    """The day ``MMDD`` that is nearest to a UTC second; the second's own day where it is no day at all."""
    here = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=utc_s)
    found = []
    for year in (here.year - 1, here.year, here.year + 1):
        try:
            found.append(datetime(year, int(month_day[:2]), int(month_day[2:]), tzinfo=UTC))
        except ValueError:
            continue
    nearest = min(found, key=lambda day: abs(day - here), default=here)
    return nearest.strftime("%Y-%m-%d")


def outcome_of(row: PaymentRow) -> PaymentOutcome:
    """What a caller is told of a payment that stands so."""
    made: Mapping[PaymentState, Callable[[], PaymentOutcome]] = {
        PaymentState.ASKED: Asked,
        PaymentState.GUARANTEED: lambda: Guaranteed(row.authorization),
        PaymentState.CAPTURING: lambda: Capturing(row.authorization),
        PaymentState.CAPTURED: lambda: Captured(row.authorization),
        PaymentState.REVERSING: lambda: Unknown(row.reason),
        PaymentState.REVERSED: lambda: Reversed(row.reason),
        PaymentState.DECLINED: lambda: Declined(row.reason, row.code),
    }
    return made[row.state]()


def parse_row(data: bytes) -> PaymentRow:
    """The row of ``data``; DecodeError for anything that `PaymentRow.build` does not make."""
    read = _parse(data, {each.name for each in fields(PaymentRow)})
    for name, fits in _ROW_RULES.items():
        if not fits(read[name]):
            raise DecodeError(0, name, f"{str(read[name])[:80]!r} is not allowed")
    row = PaymentRow(**{**read, "state": PaymentState(read["state"])})
    if not _is_coherent(row):
        raise DecodeError(0, "row", f"its fields are not those of a payment that is {row.state}")
    if row.build() != data:
        raise DecodeError(0, "row", "not in its one spelling")
    return row


def parse_trace(data: bytes) -> Trace:
    """The trace of ``data``; DecodeError for anything that `Trace.build` does not make."""
    read = _parse(data, {each.name for each in fields(Trace)})
    if not (_is_count(read["stan"], STAN_MAX) and _is_count(read["used"], STAN_MAX) and _matches(_HOUR)(read["hour"])):
        raise DecodeError(0, "trace", "its numbers are not allowed")
    trace = Trace(**read)
    if trace.build() != data:
        raise DecodeError(0, "trace", "not in its one spelling")
    return trace


def _is_coherent(row: PaymentRow) -> bool:
    """Whether the fields are those that the state needs."""
    needs_approval = row.state in (PaymentState.GUARANTEED, PaymentState.CAPTURING, PaymentState.CAPTURED)
    needs_completion = row.state in (PaymentState.CAPTURING, PaymentState.CAPTURED)
    needs_reversal = row.state in (PaymentState.REVERSING, PaymentState.REVERSED)
    return (
        (bool(row.approval) or not needs_approval)
        and (bool(row.completion_stan) or not needs_completion)
        and bool(row.reversal_stan) == needs_reversal
        and (bool(row.reason) or not needs_reversal)
        and bool(row.ended_s) == row.has_ended
        and bool(row.settled_day) == (row.state is PaymentState.CAPTURED)
    )


def _build(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode("ascii")


def _parse(data: bytes, names: set[str]) -> dict[str, Any]:
    if len(data) > ROW_BYTES_MAX:
        raise DecodeError(0, "row", f"{len(data)} bytes, more than {ROW_BYTES_MAX}")
    try:
        read = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError):
        raise DecodeError(0, "row", "no JSON in ASCII") from None
    if not isinstance(read, dict) or set(read) != names:
        raise DecodeError(0, "row", f"an object with exactly {', '.join(sorted(names))}")
    return read


def _is_count(value: object, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _matches(pattern: re.Pattern[str], *, empty: bool = False) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        return isinstance(value, str) and ((empty and not value) or pattern.fullmatch(value) is not None)

    return fits


def _is_element(number: De, *, trimmed: bool = False) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        return isinstance(value, str) and FIELDS[number].allows(
            value.ljust(FIELDS[number].length) if trimmed and value else value
        )

    return fits


_ROW_RULES: Final[Mapping[str, Callable[[object], bool]]] = {
    "payment_id": _matches(_ID),
    "state": lambda value: isinstance(value, str) and value in set(PaymentState) - {PaymentState.PENDING},
    "amount_minor": lambda value: _is_count(value, AMOUNT_MAX_MINOR) and value != 0,
    "currency": _is_element(De.CURRENCY),
    "terminal": _is_element(De.TERMINAL, trimmed=True),
    "merchant": _is_element(De.MERCHANT, trimmed=True),
    "acquirer_id": _is_element(De.ACQUIRER_ID),
    "rrn": _is_element(De.RRN),
    "stan": _matches(_STAN),
    "asked_s": lambda value: _is_count(value, UTC_MAX_S),
    "token": _is_element(De.TOKEN),
    "last4": _matches(_LAST4),
    "approval": _matches(_APPROVAL, empty=True),
    "reason": _matches(_WORD, empty=True),
    "code": _matches(_CODE, empty=True),
    "completion_stan": _matches(_STAN, empty=True),
    "completion_s": lambda value: _is_count(value, UTC_MAX_S),
    "reversal_stan": _matches(_STAN, empty=True),
    "reversal_s": lambda value: _is_count(value, UTC_MAX_S),
    "settled_day": _matches(_DAY, empty=True),
    "ended_s": lambda value: _is_count(value, UTC_MAX_S),
}
