"""Entries as text for other programs: CSV, JSON, and beancount's plain-text accounting.

CSV and JSON hold every entry as it stands. Beancount (beancount.github.io, "Language Syntax") knows no reservations:
there, what is posted is a transaction of two legs that sum up to zero, a debit positive; what is pending or void is not
there. Its account names are made from ours so that two of ours are never one of theirs.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from prewatt.host.accounting.answers import ExportForm
from prewatt.host.context import Installation
from prewatt.host.ledger import AccountKind, Entry
from prewatt.units import MICRO_DIGITS, format_value

__all__ = ["ROOTS", "Opened", "beancount_account", "export_part"]

# What is the house's own, what it earned (or gave: subsidies, losses), and what it owes to customers and to the state.
ROOTS: Final = {
    AccountKind.CASH: "Assets",
    AccountKind.REFUNDED: "Assets",
    AccountKind.SUSPENSE: "Assets",
    AccountKind.DELIVERED: "Income",
    AccountKind.FEE: "Income",
    AccountKind.STANDING: "Income",
    AccountKind.SUBSIDY: "Income",
    AccountKind.ROUNDING: "Income",
    AccountKind.WRITE_OFF: "Income",
    AccountKind.WALLET: "Liabilities",
    AccountKind.IN_TRANSIT: "Liabilities",
    AccountKind.ON_CARD: "Liabilities",
    AccountKind.OFFLINE_METER: "Liabilities",
    AccountKind.TAX: "Liabilities",
    AccountKind.LEVY: "Liabilities",
    AccountKind.DEBT_REPAID: "Liabilities",
    AccountKind.LOST_BODIES: "Liabilities",
    AccountKind.CARRIED: "Liabilities",
}


class Opened(NamedTuple):
    """An account that a beancount file needs to open, and the second of its earliest entry there."""

    account: str
    kind: AccountKind
    at_s: int


def export_part(
    form: ExportForm,
    part: Sequence[Entry],
    opened: Sequence[Opened],
    installation: Installation,
    zone: ZoneInfo,
    is_first: bool,
    is_last: bool,
) -> str:
    """The text of ``part``; the first one has the head of the document, the last one its end."""
    if form is ExportForm.CSV:
        return _csv(part, is_first)
    if form is ExportForm.JSON:
        return _json(part, is_first, is_last)
    lines = [*(_head(installation) if is_first else ()), *_opens(opened, installation.currency, zone)]
    for entry in part:
        if entry.phase in ("single", "post"):
            lines += _transaction(entry, installation.currency, zone)
    return "".join(f"{line}\n" for line in lines)


def beancount_account(account: str) -> str:
    """Our account's name there: `wallet:000001` is Liabilities:Wallet:000001.

    Characters that are not allowed become a dash and two hex digits for each byte; a name that would not begin with a
    capital letter or a digit begins with ``X--``, which nothing else does.
    """
    kind, colon, owner = account.partition(":")
    root = ROOTS[AccountKind(kind)]
    word = "".join(part.capitalize() for part in kind.split("_"))
    if not colon:
        return f"{root}:{word}"
    name = "".join(each if each.isascii() and each.isalnum() else _escaped(each) for each in owner)
    return f"{root}:{word}:{name if name[:1].isdigit() or name[:1].isupper() else f'X--{name}'}"


def _escaped(character: str) -> str:
    return "".join(f"-{byte:02X}" for byte in character.encode())


def _csv(part: Sequence[Entry], is_first: bool) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if is_first:
        writer.writerow(Entry._fields)
    writer.writerows(part)
    return text.getvalue()


def _json(part: Sequence[Entry], is_first: bool, is_last: bool) -> str:
    rows = ",\n".join(json.dumps(entry._asdict()) for entry in part)
    return f"{'[' if is_first else ','}\n{rows}{chr(10) + ']' + chr(10) if is_last else ''}"


def _head(installation: Installation) -> Iterator[str]:
    yield f"option {_quoted('title')} {_quoted(installation.name)}"
    yield f"option {_quoted('operating_currency')} {_quoted(installation.currency)}"


def _opens(opened: Sequence[Opened], currency: str, zone: ZoneInfo) -> Iterator[str]:
    for each in opened:
        yield f"{_date(each.at_s, zone)} open {beancount_account(each.account)} {currency}"


def _transaction(entry: Entry, currency: str, zone: ZoneInfo) -> Iterator[str]:
    amount = format_value(entry.amount_micro, digits=MICRO_DIGITS)
    yield ""
    yield f"{_date(entry.at_s, zone)} * {_quoted(entry.cause)}"
    yield f"  entry: {_quoted(entry.id)}"
    yield f"  reference: {_quoted(entry.reference)}"
    yield f"  {beancount_account(entry.debit)}  {amount} {currency}"
    yield f"  {beancount_account(entry.credit)}  -{amount} {currency}"


def _date(at_s: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at_s, zone).date()


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'
