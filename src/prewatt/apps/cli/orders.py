"""`prewatt meter relay|text|setting|key|orders|events`: what a person orders of a meter; and decisions on its account.

An order waits until the meter can be reached; `prewatt meter orders` shows what became of it. Where a kind is ordered
anew, the older wish is dropped, texts and settings aside.
"""

from typing import Annotated, Any

import typer

from prewatt.apps.cli.options import Data, JsonOut, MeterArgument
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import fields, local_time, print_json, say, state_text, table, value
from prewatt.apps.settings import read_settings
from prewatt.units import ValueFieldError

__all__ = ["register"]

_Reason = Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")]
_ASKED = "asked by the owner"


def register(app: typer.Typer) -> None:
    """Adds the commands to `prewatt meter`."""
    for name, command in (
        ("relay", order_relay),
        ("text", send_text),
        ("setting", change_settings),
        ("key", change_key),
        ("orders", list_orders),
        ("events", list_events),
        ("block", block_meter),
        ("reopen", reopen_meter),
        ("reconcile", reconcile_meter),
        ("thaw", thaw_meter),
    ):
        app.command(name)(command)


def order_relay(
    meter: MeterArgument,
    order: Annotated[str, typer.Argument(metavar="ORDER", help="open, arm (the customer's button closes) or close.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Open, arm or close the relay from afar."""
    _order(meter, "relay", data, json_out, order=order)


def send_text(
    meter: MeterArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="At most 160 bytes.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Send a message to the meter's display."""
    _order(meter, "text", data, json_out, text=text)


def change_settings(
    meter: MeterArgument,
    settings: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="Such as low_balance_micro=2000000.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Change settings of the meter.

    docs/reference/meter.md lists them with what is allowed.
    """
    _order(meter, "settings", data, json_out, settings=dict(_setting(each) for each in settings))


def change_key(
    meter: MeterArgument,
    key_set: Annotated[int, typer.Argument(metavar="SET", min=0, max=255, help="An active set of the vault.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Give the meter its key of another key set.

    The keys it has stay. The new one is used once the meter has proved that it holds it.
    """
    _order(meter, "key", data, json_out, key_set=key_set)


def list_orders(meter: MeterArgument, data: Data = None, json_out: JsonOut = False) -> None:
    """List what was ordered of a meter, newest first."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/meters/{in_path('meter', meter)}/orders")
    if json_out:
        print_json(found)
        return
    table(
        ("number", "kind", "what", "state", "made", "settled"),
        [
            (
                each["number"],
                each["kind"],
                each["what"],
                state_text(each["state"]),
                local_time(each["made_s"]),
                local_time(each["settled_s"]),
            )
            for each in found
        ],
        right=("number",),
    )


def list_events(
    meter: MeterArgument,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many, newest first.")] = 50,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """List what a meter told: events, alarms, wishes for value."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/meters/{in_path('meter', meter)}/events", limit=limit)
    if json_out:
        print_json(found)
        return
    table(
        ("kind", "what", "detail", "happened", "booked"),
        [
            (
                each["kind"],
                each["what"],
                value(int(each["detail"])) if each["kind"] == "wish" else each["detail"],
                local_time(each["time_s"]),
                local_time(each["booked_s"]),
            )
            for each in found
        ],
    )


def block_meter(meter: MeterArgument, reason: _Reason = _ASKED, data: Data = None, json_out: JsonOut = False) -> None:
    """Block a meter's account until it is reopened; nothing is sold.

    What is under way goes on.
    """
    _decide(meter, "block", reason, data, json_out)


def reopen_meter(meter: MeterArgument, reason: _Reason = _ASKED, data: Data = None, json_out: JsonOut = False) -> None:
    """Reopen a blocked or closed account."""
    _decide(meter, "reopen", reason, data, json_out)


def reconcile_meter(
    meter: MeterArgument, reason: _Reason = _ASKED, data: Data = None, json_out: JsonOut = False
) -> None:
    """After a restore, let the open orders go on.

    Compare them with the payments first, and cancel what was paid back meanwhile.
    """
    _decide(meter, "reconcile", reason, data, json_out)


def thaw_meter(
    meter: MeterArgument,
    reason: _Reason = _ASKED,
    back: Annotated[bool, typer.Option("--back", help="A body hung too early; the old one is back.")] = False,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Let a frozen meter go on after a person has looked into it."""
    _decide(meter, "thaw", reason, data, json_out, back=back)


def _order(meter: str, kind: str, data: Data, json_out: bool, **body: object) -> None:
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/meters/{in_path('meter', meter)}/{kind}", **body)
    if json_out:
        print_json(found)
        return
    fields({"meter": found["meter"], "order": found["number"], "kind": found["kind"], "what": found["what"]})
    say(f"it waits for the meter; see `prewatt meter orders {found['meter']}`")


def _decide(meter: str, decision: str, reason: str, data: Data, json_out: bool, **more: object) -> None:
    with open_seller(read_settings(data=data)) as seller:
        found: dict[str, Any] = seller.post(f"/meters/{in_path('meter', meter)}/{decision}", reason=reason, **more)
    if json_out:
        print_json(found)
        return
    fields({"meter": found["id"], "state": state_text(found["state"]), "reason": found["state_reason"] or "-"})


def _setting(text: str) -> tuple[str, int]:
    name, found, number = text.partition("=")
    if not found or not number.isdecimal() or not number.isascii():
        raise ValueFieldError("setting", text, "NAME=VALUE with a whole number")
    return name, int(number)
