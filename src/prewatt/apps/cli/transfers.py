"""`prewatt transfer`: what is on its way to meters, what arrived, what was cancelled."""

from typing import Annotated, Any, Final

import typer

from prewatt.apps.cli.options import Data, JsonOut, MeterArgument
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import fields, local_time, print_json, say, state_text, table, value
from prewatt.apps.settings import read_settings

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Transfers of value: pending, confirmed, cancelled, refused.")

# As `prewatt.host.transfers.LISTED_MAX`.
_LISTED_MAX: Final = 1_000
_OrderArgument = Annotated[str, typer.Argument(metavar="ORDER", help="The order id that `vend` printed.")]


@app.command("list")
def list_transfers(
    meter: Annotated[str | None, typer.Option("--meter", help="Only those of this meter.", show_default=False)] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", help="pending, confirmed, cancelled or refused.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_LISTED_MAX, help="At most so many, newest first.")] = 50,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """List transfers, newest first."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/transfers", meter=meter, state=state, limit=limit)
    if json_out:
        print_json(found)
        return
    table(
        ("order", "meter", "amount", "state", "step", "made", "settled"),
        [
            (
                each["order"],
                each["meter"],
                value(each["amount_micro"]),
                state_text(each["state"]),
                each["step"],
                local_time(each["made_s"]),
                local_time(each["settled_s"]),
            )
            for each in found
        ],
        right=("amount",),
    )


@app.command("show")
def show_transfer(order: _OrderArgument, data: Data = None, json_out: JsonOut = False) -> None:
    """Show one transfer."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/transfers/{in_path('order', order)}")
    _print(found, json_out)


@app.command("cancel")
def cancel_transfer(order: _OrderArgument, data: Data = None, json_out: JsonOut = False) -> None:
    """Cancel a transfer that the meter does not hold yet.

    What was sent already is taken back by a burn of its number; whichever reaches the meter first decides.
    """
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/transfers/{in_path('order', order)}/cancel")
    _print(found, json_out)
    if not json_out and found["state"] == "pending":
        say("cancel asked; the meter's answer decides")


@app.command("refund")
def refund_transfer(order: _OrderArgument, data: Data = None, json_out: JsonOut = False) -> None:
    """Pay a cancelled transfer back."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/transfers/{in_path('order', order)}/refund")
    _print(found, json_out)


@app.command("suspense")
def list_suspense(data: Data = None, json_out: JsonOut = False) -> None:
    """List value that meters hold and no order explains.

    There is some after a database was restored: its sales came after the backup.
    """
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/suspense")
    _print_suspense(found, json_out)


@app.command("explain")
def explain_suspense(
    meter: MeterArgument,
    sequence: Annotated[int, typer.Argument(metavar="SEQUENCE", help="As `transfer suspense` shows it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")] = "asked by the owner",
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Explain suspense: it was sold for cash whose record was lost."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/suspense", meter=meter, sequence=sequence, reason=reason)
    _print_suspense(found, json_out)


def _print_suspense(found: list[dict[str, Any]], json_out: bool) -> None:
    if json_out:
        print_json(found)
        return
    rows = [(each["meter"], each["sequence"], value(each["amount_micro"])) for each in found]
    table(("meter", "sequence", "amount"), rows, right=("sequence", "amount"))


def _print(found: dict[str, Any], json_out: bool) -> None:
    if json_out:
        print_json(found)
        return
    fields(
        {
            "order": found["order"],
            "transfer": found["transfer"],
            "meter": found["meter"],
            "amount": value(found["amount_micro"]),
            "paid": value(found["paid_micro"]),
            "state": state_text(found["state"]),
            "step": found["step"],
            "sequence": "-" if found["sequence"] is None else found["sequence"],
            "authorization": found["authorization"] or "-",
            "refunded": "yes" if found["refunded"] else "no",
            "made": local_time(found["made_s"]),
            "settled": local_time(found["settled_s"]),
        }
    )
