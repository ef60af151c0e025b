"""The daily list of an acquirer, as a table in text: what it captured on a business day.

Acquirers send their own forms; this one is that of the sandbox and of whoever turns another into it. The first line
names the columns, each other line is one payment: ``rrn,approval,amount_minor,currency,state``. Lines end with a line
feed.
"""

import re
from collections.abc import Iterable
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.host.payment.iso8583.rows import PaymentRow
from prewatt.host.payment.port import StatementRow
from prewatt.host.payment.reconcile import OurPayment

__all__ = ["STATEMENT_HEAD", "STATEMENT_ROWS_MAX", "build_statement", "our_payment", "parse_statement"]

STATEMENT_HEAD: Final = "rrn,approval,amount_minor,currency,state"
# A day of one seller: far above any, far below what memory holds.
STATEMENT_ROWS_MAX: Final = 1_000_000
_LINE_CHARS_MAX: Final = 64
_ROW: Final = re.compile(
    r"(?P<rrn>[0-9A-Za-z ]{12}),(?P<approval>[0-9A-Za-z]{0,6}),(?P<amount>[1-9][0-9]{0,11}),"
    r"(?P<currency>[0-9]{3}),(?P<state>captured|reversed)",
    re.ASCII,
)


def build_statement(rows: Iterable[StatementRow], *, currency: str, minor_micro: int) -> bytes:
    """The table of these rows; ``minor_micro``: micro-units of one minor unit."""
    lines = [STATEMENT_HEAD]
    for row in rows:
        lines.append(
            f"{row.reference},{row.authorization},{row.amount_micro // minor_micro},{currency},{row.state}",
        )
    return ("\n".join(lines) + "\n").encode("ascii")


def parse_statement(data: bytes, *, currency: str, minor_micro: int) -> list[StatementRow]:
    """The rows of a table, in its order; DecodeError names the line that is none, or is in another currency."""
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise DecodeError(error.start, "statement", "not ASCII") from None
    if lines[0] != STATEMENT_HEAD or lines[-1] != "":
        raise DecodeError(0, "statement", f"begins with {STATEMENT_HEAD!r} and ends with a line feed")
    if len(lines) - 2 > STATEMENT_ROWS_MAX:
        raise DecodeError(0, "statement", f"{len(lines) - 2} rows, more than {STATEMENT_ROWS_MAX}")
    rows = []
    for number, line in enumerate(lines[1:-1], 2):
        match = _ROW.fullmatch(line) if len(line) <= _LINE_CHARS_MAX else None
        if match is None or match["currency"] != currency:
            raise DecodeError(0, f"statement line {number}", f"{line[:_LINE_CHARS_MAX]!r} is no row in {currency}")
        amount_micro = int(match["amount"]) * minor_micro
        rows.append(StatementRow(match["rrn"], match["approval"], amount_micro, match["state"]))
    return rows


def our_payment(row: PaymentRow, minor_micro: int) -> OurPayment:
    """A stored payment as `prewatt.host.payment.reconcile` compares it with such a list."""
    amount_micro = row.amount_minor * minor_micro
    return OurPayment(row.payment_id, row.rrn, row.approval, amount_micro, row.state, row.settled_day)
