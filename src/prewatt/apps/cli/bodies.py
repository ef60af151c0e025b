"""`prewatt meter retire|replace|lost|sign-over|bodies`: a body goes, and its value follows or waits for a person."""

from typing import Annotated, Any

import typer

from prewatt.apps.cli.options import Data, JsonOut, MeterArgument
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import fields, local_time, print_json, say, table, value
from prewatt.apps.settings import read_settings

__all__ = ["register"]

_Reason = Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")]
_Told = Annotated[
    str, typer.Option("--reason", help="Why; it goes into the audit log. Must be given.", show_default=False)
]
_ASKED = "asked by the owner"


def register(app: typer.Typer) -> None:
    """Adds the commands to `prewatt meter`."""
    for name, command in (
        ("bodies", list_bodies),
        ("retire", retire_meter),
        ("replace", replace_meter),
        ("lost", lose_meter),
        ("sign-over", sign_over),
    ):
        app.command(name)(command)


def list_bodies(meter: MeterArgument, data: Data = None, json_out: JsonOut = False) -> None:
    """List the bodies of a meter that retired or were lost, and where their value is."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/meters/{in_path('meter', meter)}/bodies")
    if json_out:
        print_json(found)
        return
    table(
        ("epoch", "state", "left", "moved", "to", "lost", "lost orders", "unreported", "asked", "why"),
        [
            (
                each["epoch"],
                each["state"],
                value(each["balance_micro"]),
                value(each["moved_micro"]),
                each["to_meter"] or "-",
                value(each["lost_micro"]),
                ", ".join(each["lost_orders"]) or "-",
                value(each["unreported_micro"]),
                local_time(each["made_s"]),
                each["reason"],
            )
            for each in found
        ],
        right=("epoch", "left", "moved", "lost", "unreported"),
    )


def retire_meter(meter: MeterArgument, reason: _Reason = _ASKED, data: Data = None, json_out: JsonOut = False) -> None:
    """Ask the meter's body to take no more value, so that another can follow it.

    Then take it off the wall and let its value follow with `prewatt meter replace`.
    """
    found = _post(meter, "retire", data, json_out, reason=reason)
    if found is not None and found["state"] == "retiring":
        say(f"it waits for the meter; see `prewatt meter bodies {found['meter']}`")


def replace_meter(
    meter: MeterArgument,
    to_meter: Annotated[
        str | None,
        typer.Option(
            "--with", metavar="METER", help="The meter that follows; without it the next body of the same id."
        ),
    ] = None,
    reason: _Reason = _ASKED,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Let the value of a retired body follow to the body that hangs there now.

    The old one has to be retired, read since, and in step. With another id the old id is blocked.
    """
    found = _post(meter, "replace", data, json_out, to_meter=to_meter, reason=reason)
    if found is not None and found["order"]:
        say(f"its balance follows as an order; see `prewatt transfer show {found['order']}`")


def lose_meter(meter: MeterArgument, reason: _Told, data: Data = None, json_out: JsonOut = False) -> None:
    """Say that a meter's body can never be read again: burnt, stolen, crushed.

    The id is blocked for ever. What may be in the body waits until `prewatt meter sign-over` says where it goes.
    """
    _post(meter, "lost", data, json_out, reason=reason)


def sign_over(
    meter: MeterArgument,
    lot: Annotated[str, typer.Argument(metavar="LOT", help="`balance`, or the id of an order lost with the body.")],
    reason: _Told,
    to_meter: Annotated[
        str | None, typer.Option("--to-meter", metavar="METER", help="It becomes an order of this meter.")
    ] = None,
    refund: Annotated[bool, typer.Option("--refund", help="It was paid back to the customer.")] = False,
    write_off: Annotated[
        str | None, typer.Option("--write-off", metavar="ACCOUNT", help="A loss, on the account of this name.")
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Say where value of a lost body goes: to a meter, back to the customer, or off as a loss."""
    body = {"lot": lot, "reason": reason, "to_meter": to_meter, "refund": refund, "write_off": write_off}
    with open_seller(read_settings(data=data)) as seller:
        found: dict[str, Any] = seller.post(f"/meters/{in_path('meter', meter)}/sign-over", **body)
    if json_out:
        print_json(found)
        return
    fields(
        {
            "lot": found["lot"],
            "amount": value(found["amount_micro"]),
            "target": f"{found['target']} {found['name']}".rstrip(),
            "order": found["order"] or "-",
            "at": local_time(found["at_s"]),
        }
    )


def _post(meter: str, step: str, data: Data, json_out: bool, **body: object) -> dict[str, Any] | None:
    """The answer where it is shown to a person; None where it was printed for a program."""
    with open_seller(read_settings(data=data)) as seller:
        found: dict[str, Any] = seller.post(f"/meters/{in_path('meter', meter)}/{step}", **body)
    if json_out:
        print_json(found)
        return None
    fields(
        {
            "meter": found["meter"],
            "epoch": found["epoch"],
            "state": found["state"],
            "left in it": value(found["balance_micro"]),
            "moved": value(found["moved_micro"]),
            "to meter": found["to_meter"] or "-",
            "order": found["order"] or "-",
            "lost": value(found["lost_micro"]),
            "lost orders": ", ".join(found["lost_orders"]) or "-",
            "reason": found["reason"],
        }
    )
    return found
