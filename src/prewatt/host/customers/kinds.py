"""The kinds of rows that are a key and some texts: customers, premises, suppliers, agents; each column with its check.

The same columns, in the same order, are the header of its CSV file; the first is the key, under the kind's own word.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table

from prewatt.host.customers.checks import (
    check_email,
    check_id_of,
    check_locale,
    check_notices,
    check_phone,
    check_text_of,
)
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import schema

__all__ = ["AGENTS", "CUSTOMERS", "PREMISES", "RECORD_KINDS", "SUPPLIERS", "RecordKind", "Row", "check_row"]

Row = dict[str, str]
Check = Callable[[str, str], str]


@dataclass(frozen=True)
class RecordKind:
    """One kind. ``checks``: column and what may stand in it; ``sought``: columns it is found by, besides the
    key; the first is what it is shown by."""

    name: str
    word: str
    table: Table
    checks: Mapping[str, Check]
    unknown: RefusalOutcome
    sought: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, the key first."""
        return (self.word, *self.checks)

    def unknown_key(self, key: str) -> RefusedError:
        """The refusal of a key that nobody added."""
        return RefusedError(self.unknown, self.word, key, f"the id of one of the {self.name}, which was added before")


_CONTACT: Final[Mapping[str, Check]] = {"name": check_text_of, "phone": check_phone, "email": check_email}
CUSTOMERS: Final = RecordKind(
    "customers",
    "customer",
    schema.customers,
    {
        "name": check_text_of,
        "locale": check_locale,
        "phone": check_phone,
        "email": check_email,
        "notices": check_notices,
    },
    RefusalOutcome.UNKNOWN_CUSTOMER,
    ("name", "phone"),
)
PREMISES: Final = RecordKind(
    "premises",
    "premises",
    schema.premises,
    {"address": check_text_of},
    RefusalOutcome.UNKNOWN_PREMISES,
    ("address",),
)
SUPPLIERS: Final = RecordKind(
    "suppliers", "supplier", schema.suppliers, _CONTACT, RefusalOutcome.UNKNOWN_SUPPLIER, ("name", "phone")
)
AGENTS: Final = RecordKind("agents", "agent", schema.agents, _CONTACT, RefusalOutcome.UNKNOWN_AGENT, ("name", "phone"))
RECORD_KINDS: Final = {each.name: each for each in (CUSTOMERS, PREMISES, SUPPLIERS, AGENTS)}
# Which field a way of notices needs.
_REACHED_BY: Final = {"sms": "phone", "email": "email"}


def check_row(kind: RecordKind, key: str, given: Mapping[str, str]) -> tuple[Row, list[RefusedError]]:
    """The row as it is kept, without its key, and all that is wrong with it."""
    row: Row = {}
    wrong: list[RefusedError] = []
    try:
        check_id_of(key, kind.word)
    except RefusedError as error:
        wrong.append(error)
    for column, check in kind.checks.items():
        try:
            row[column] = check(given.get(column, ""), column)
        except RefusedError as error:
            wrong.append(error)
    for way in row.get("notices", "").split():
        if row.get(_REACHED_BY[way]) == "":
            allowed = f"a way for which there is an address; {way} needs the field {_REACHED_BY[way]}"
            wrong.append(RefusedError(RefusalOutcome.BAD_FIELD, "notices", way, allowed))
    return row, wrong
