"""`prewatt vend`: a cash payment becomes value on its way to a meter."""

import time
from typing import Annotated, Any, Final

import typer

from prewatt.apps.cli.options import Data, JsonOut, MeterArgument
from prewatt.apps.cli.seller import Seller, SellerError, in_path, open_seller
from prewatt.apps.cli.show import fields, print_json, say, state_text, value
from prewatt.apps.settings import read_settings
from prewatt.codec.valuecode import format_value_code

__all__ = ["register"]

_PENDING: Final = "pending"
_LOOK_EVERY_S: Final = 0.05


def register(app: typer.Typer) -> None:
    """Adds the command."""
    # A negative amount must reach the check of amounts and not be taken for an option.
    app.command("vend", context_settings={"ignore_unknown_options": True})(vend)


def vend(
    meter: MeterArgument,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Decimal amount of the currency, such as 10.00.")],
    order: Annotated[
        str | None,
        typer.Option(
            "--order", help="Your own id of the sale; the same id again sells nothing twice.", show_default=False
        ),
    ] = None,
    code: Annotated[
        bool, typer.Option("--code", help="As a value code, twenty digits to type; or nothing is sold.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the meter holds the value.")] = False,
    timeout: Annotated[int, typer.Option("--timeout", min=1, max=86_400, help="Seconds that --wait waits.")] = 60,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Sell value to a meter for cash."""
    settings = read_settings(data=data)
    with open_seller(settings) as seller:
        sale = seller.post("/vends", meter=meter, amount=amount, order=order, code=code)
        if wait and seller.running:
            sale["state"] = _wait(seller, sale["order"], timeout)
    if json_out:
        print_json(sale)
    else:
        _show(sale)
    if wait and sale["state"] == _PENDING:
        why = f"after {timeout} s" if seller.running else "until `prewatt up` or `prewatt host run` carries it"
        raise SellerError(f"order {sale['order']}: still pending {why}; nothing is lost, see `prewatt transfer show`")


def _wait(seller: Seller, order: str, timeout_s: int) -> str:
    """The state of the transfer when it is no longer pending, or when the time is over."""
    until = time.monotonic() + timeout_s
    while True:
        state = str(seller.get(f"/transfers/{in_path('order', order)}")["state"])
        if state != _PENDING or time.monotonic() >= until:
            return state
        time.sleep(_LOOK_EVERY_S)


def _show(sale: dict[str, Any]) -> None:
    fields(
        {
            "meter": sale["meter"],
            "paid": value(sale["paid_micro"]),
            "amount": value(sale["amount_micro"]),
            "order": sale["order"],
            "transfer": sale["transfer"],
            "authorization": sale["authorization"],
            "state": state_text(sale["state"]),
        }
        | ({"value code": format_value_code(sale["code"])} if sale["code"] else {})
    )
    if sale["existed"]:
        say("this order was given before; nothing new was sold")
    if sale["code"]:
        say("to be typed at the meter: B, the digits, #; codes of one meter in the order in which they were sold")
    elif sale["state"] == _PENDING:
        say(f"the value is on its way; see `prewatt transfer show {sale['order']}`")
