"""`prewatt order code` and `prewatt suspense match`: an order on paper, and what a restore forgot of one."""

from typing import Annotated

import typer

from prewatt.apps.cli.options import Data, JsonOut, MeterArgument
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import fields, print_json, say, state_text, value
from prewatt.apps.settings import read_settings
from prewatt.codec.valuecode import format_value_code

__all__ = ["orders", "suspense"]

orders = typer.Typer(no_args_is_help=True, help="Orders on paper: value codes.")
suspense = typer.Typer(no_args_is_help=True, help="Value that meters hold and no order explains.")
_OrderArgument = Annotated[str, typer.Argument(metavar="ORDER", help="The order id that `vend` printed.")]


@orders.callback()
def _orders() -> None:
    """Orders on paper: value codes."""


@suspense.callback()
def _suspense() -> None:
    """Value that meters hold and no order explains; `prewatt transfer suspense` lists it."""


@orders.command("code")
def issue_code(order: _OrderArgument, data: Data = None, json_out: JsonOut = False) -> None:
    """Give an order as a value code: twenty digits to type at a meter that no line reaches.

    The same order has the same code. Transfer or code: whichever reaches the meter first is applied, once.
    """
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/transfers/{in_path('order', order)}/code")
    if json_out:
        print_json(found)
        return
    fields(
        {
            "order": found["order"],
            "meter": found["meter"],
            "amount": value(found["amount_micro"]),
            "sequence": found["sequence"],
            "value code": format_value_code(found["digits"]),
        }
    )
    if found["open"] > 1:
        say(f"{found['open']} codes of this meter are open; they have to be typed in the order of their sequences")


@suspense.command("match")
def match_suspense(
    meter: MeterArgument,
    sequence: Annotated[int, typer.Argument(metavar="SEQUENCE", help="As `prewatt transfer suspense` shows it.")],
    order: _OrderArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")] = "asked by the owner",
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Say that value in suspense was this open order, typed as a value code that a restore forgot."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/suspense/match", meter=meter, sequence=sequence, order=order, reason=reason)
    if json_out:
        print_json(found)
        return
    fields({"order": found["order"], "meter": found["meter"], "state": state_text(found["state"])})
