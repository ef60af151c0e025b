"""`prewatt audit`: the law of conservation, recomputed."""

import typer

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import open_seller
from prewatt.apps.cli.show import fields, print_json, say, table, value
from prewatt.apps.settings import read_settings

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("audit")(audit)


def audit(data: Data = None, json_out: JsonOut = False) -> int:
    """Recompute where every paid micro-unit is.

    Entries, orders and the meters' authenticated reports are compared, and the audit log's chain is followed. Exit 1
    where the law is broken, and the first meter, order or line of the log that breaks it is named.
    """
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/audit")
    if json_out:
        print_json(found)
        return 0 if found["ok"] else 1
    fields(
        {
            "checked": f"{found['checked']} facts: {found['meters']} meters, {found['orders']} orders, "
            f"{found['entries']} entries",
            "cash": value(found["cash_micro"]),
            "in wallets": value(found["in_wallets_micro"]),
            "in transit": value(found["in_transit_micro"]),
            "delivered": value(found["delivered_micro"]),
            "refunded": value(found["refunded_micro"]),
            "taxes, charges": value(found["charges_micro"]),
            "lost bodies": value(found["lost_bodies_micro"]),
            "written off": value(found["written_off_micro"]),
            "suspense": value(found["suspense_micro"]),
            "audit log": f"{found['log_lines']} lines, to {found['log_hash']}",
        }
    )
    if found["ok"]:
        say("[green]the books balance, and every paid micro-unit is in exactly one place[/green]")
        return 0
    say("[red]the law of conservation is broken, first at:[/red]")
    table(
        ("entity", "id", "law", "expected", "found"),
        [(each["entity"], each["id"], each["law"], each["expected"], each["found"]) for each in found["violations"]],
    )
    return 1
