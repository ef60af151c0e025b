"""`prewatt rate quote`, `preview` and `lines`: what an amount buys, what a month would have cost, what was paid for."""

from typing import Annotated, Any

import typer

from prewatt.apps.cli.options import Data, JsonOut, MeterArgument
from prewatt.apps.cli.seller import SellerError, in_path, open_seller
from prewatt.apps.cli.show import fields, kwh, print_json, table, value
from prewatt.apps.settings import read_settings

__all__ = ["register"]

_DAY_S = 86_400
_Order = Annotated[str, typer.Argument(metavar="ORDER", help="The order's id, or its transfer's number.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for name, command in (("quote", quote), ("preview", preview), ("lines", show_lines)):
        app.command(name)(command)


def quote(
    meter: MeterArgument,
    amount: Annotated[
        str | None, typer.Argument(metavar="[AMOUNT]", help="Currency units, such as 10.00.", show_default=False)
    ] = None,
    energy: Annotated[
        str | None, typer.Option("--kwh", help="So many kWh at the unit price instead.", show_default=False)
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Show what an amount buys now, line by line; sell nothing."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/meters/{in_path('meter', meter)}/quote", amount=amount, kwh=energy)
    if json_out:
        print_json(found)
        return
    _show_lines(found["lines"], found["amount_micro"])
    fields(
        {
            "plan": f"{found['plan']}, version {found['version']}",
            "energy": f"{kwh(found['energy_pulses'])} at the unit price",
            "this month before": kwh(found["bought_pulses"]),
            "one purchase": f"{value(found['smallest_micro'])} to {value(found['largest_micro'])}",
        }
    )


def preview(
    meter: MeterArgument,
    plan: Annotated[
        str | None, typer.Option("--plan", help="A plan; else the one that holds.", show_default=False)
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="A version; else the highest.", show_default=False)
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", help="2026-03; else the last one.", show_default=False)
    ] = None,
    purchases: Annotated[
        int | None,
        typer.Option("--purchases", min=0, max=1_000, help="How often; else as it was.", show_default=False),
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Show what a month that was measured would have cost under a plan."""
    asked = {"plan": plan, "version": version, "month": month, "purchases": purchases}
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/meters/{in_path('meter', meter)}/preview", **asked)
    if json_out:
        print_json(found)
        return
    _show_lines(found["lines"], found["total_micro"])
    prices = ", ".join(f"{kwh(each['pulses'])} at {value(each['price_micro'])}" for each in found["energy"])
    fields(
        {
            "plan": f"{found['plan']}, version {found['version']}",
            "month": found["month"],
            "energy": prices or "none was collected",
            "purchases": found["purchases"],
            "not collected": f"{found['missing_s'] / _DAY_S:.1f} days",
        }
    )


def show_lines(order: _Order, data: Data = None, json_out: JsonOut = False) -> None:
    """Show what was paid for with a sale, line by line."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/transfers/{in_path('order', order)}/charges")
    if json_out:
        print_json(found)
        return
    if not found:
        raise SellerError(f"order {order}: it was sold without a rate plan; its amount went to the meter")
    _show_lines(found, sum(each["amount_micro"] for each in found))


def _show_lines(lines: list[dict[str, Any]], whole_micro: int) -> None:
    rows = [(each["name"], value(each["amount_micro"])) for each in lines]
    table(("line", "amount"), [*rows, ("in all", value(whole_micro))], right=("amount",))
