"""`prewatt ledger`: the books, for whoever keeps or checks the accounts."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import Seller, open_seller
from prewatt.apps.cli.show import local_time, print_json, say, table, value
from prewatt.apps.settings import read_settings
from prewatt.units import ValueFieldError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The books: trial balance, statements, closed periods, exports.")

_First = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="First day, such as 2026-10-01.", show_default=False)
]
_Last = Annotated[
    str | None, typer.Option("--to", metavar="DAY", help="Last day, which is included.", show_default=False)
]


@app.command("balance")
def balance(
    last_day: _Last = None,
    accounts: Annotated[bool, typer.Option("--accounts", help="Account by account, not by kind.")] = False,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Show the trial balance."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/ledger/balance", last_day=last_day, by="account" if accounts else "kind")
    if json_out:
        print_json(found)
        return
    columns = ("debits_micro", "credits_micro", "balance_micro")
    rows = [(each["account"], *(value(each[name]) for name in columns)) for each in found["rows"]]
    table(("account", "debits", "credits", "balance"), rows, right=("debits", "credits", "balance"))
    say(f"debits {value(found['debits_micro'])}, credits {value(found['credits_micro'])} {found['currency']}")


@app.command("statement")
def statement(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="An account, such as wallet:000001, or a meter.")],
    first_day: _First = None,
    last_day: _Last = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Show what went into an account and out of it, with opening and closing balance."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/ledger/statement", account=account, first_day=first_day, last_day=last_day)
    if json_out:
        print_json(found)
        return
    for each in found:
        say(f"{each['account']}: opening balance {value(each['opening_micro'])} {each['currency']}")
        table(
            ("entry", "when", "amount", "balance", "other account", "cause", "reference"),
            [_statement_row(row) for row in each["rows"]],
            right=("amount", "balance"),
        )
        say(f"{each['account']}: closing balance {value(each['closing_micro'])} {each['currency']}")


def _statement_row(row: dict[str, Any]) -> tuple[Any, ...]:
    amounts = value(row["amount_micro"]), value(row["balance_micro"])
    return row["entry"], local_time(row["at_s"]), *amounts, row["other"], row["cause"], row["reference"]


@app.command("close")
def close(
    last_day: Annotated[
        str | None, typer.Argument(metavar="[DAY]", help="Last day of the period; without it, closes are listed.")
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Close a period: nothing is dated into it any more. This cannot be taken back."""
    with open_seller(read_settings(data=data)) as seller:
        if last_day is None:
            found = seller.get("/ledger/periods")
        else:
            found = [seller.post("/ledger/periods", last_day=last_day)]
    if json_out:
        print_json(found if last_day is None else found[0])
        return
    if last_day is not None:
        say(f"closed until the end of {found[0]['last_day']}, with entries to number {found[0]['last_entry']}")
        return
    columns = ("number", "last_day", "last_entry", "actor")
    rows = [(*(each[name] for name in columns), local_time(each["at_s"]), each["head"]) for each in found]
    table(("close", "last day", "last entry", "by", "when", "chain"), rows, right=("close", "last entry"))


@app.command("export")
def export(
    form: Annotated[str, typer.Option("--form", help="csv, beancount or json.")] = "csv",
    first_day: _First = None,
    last_day: _Last = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a new file.", show_default=False)
    ] = None,
    data: Data = None,
) -> None:
    """Write the entries of a period as CSV, beancount or JSON, on stdout or into a file."""
    with ExitStack() as stack:
        seller = stack.enter_context(open_seller(read_settings(data=data)))
        parts = _parts(seller, form=form, first_day=first_day, last_day=last_day)
        # Refused before a file is made.
        first = next(parts)
        try:
            file = sys.stdout if out is None else stack.enter_context(out.open("x", encoding="utf-8", newline=""))
        except OSError as error:
            raise ValueFieldError("out", str(out), f"a new file ({error.strerror})") from None
        file.write(first)
        file.writelines(parts)


def _parts(seller: Seller, **asked: object) -> Iterator[str]:
    after = 0
    while True:
        part = seller.get("/ledger/export", **asked, after=after)
        yield part["text"]
        if part["after"] is None:
            return
        after = part["after"]
