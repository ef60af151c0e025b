"""`prewatt campaign`: one wish for many meters, and how far it has come."""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import Seller, in_path, open_seller
from prewatt.apps.cli.show import console, fields, local_time, print_json, state_text, table
from prewatt.apps.settings import read_settings
from prewatt.units import ValueFieldError

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Campaigns: a tariff, a key, the clock, a text or a program for many meters."
)

_LOOK_EVERY_S: Final = 1.0
_ENDS: Final = ("done", "cancelled", "ended")
_Campaign = Annotated[str, typer.Argument(metavar="ID", help="Id of the campaign.")]
_Watch = Annotated[bool, typer.Option("--watch", help="Stay and draw the progress until it has ended or Ctrl-C.")]
_Time = "local time such as '2026-12-01 00:00'"


def _option(name: str, text: str) -> Any:  # noqa: ANN401 - what typer takes
    return typer.Option(name, help=text, show_default=False)


@app.command("start")
def start_campaign(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="tariff, key, clock, text or program.")],
    meter: Annotated[str | None, _option("--meter", "For this meter only.")] = None,
    station: Annotated[str | None, _option("--station", "For the meters below this station.")] = None,
    area: Annotated[str | None, _option("--area", "For the meters of this area; else for all.")] = None,
    price: Annotated[str | None, _option("--price", "tariff: currency units per kWh of a new version.")] = None,
    mode_table: Annotated[str | None, _option("--table", "tariff: flat, example, or a JSON file.")] = None,
    valid_from: Annotated[str | None, _option("--valid-from", f"tariff: when it holds; {_Time}.")] = None,
    tariff: Annotated[int | None, _option("--tariff", "tariff: a version that was set before.")] = None,
    key_set: Annotated[int | None, _option("--set", "key: the set that the meters shall get.")] = None,
    replaces: Annotated[int | None, _option("--replaces", "key: the set they forget then.")] = None,
    text: Annotated[str | None, _option("--text", "text: the message, at most 160 bytes.")] = None,
    program: Annotated[int | None, _option("--program", "program: the version.")] = None,
    activate: Annotated[str | None, _option("--activate", f"program: when it starts (at once); {_Time}.")] = None,
    start: Annotated[str | None, _option("--start", f"When it begins (at once); {_Time}.")] = None,
    until: Annotated[str | None, _option("--until", f"When it ends (never); {_Time}.")] = None,
    hours: Annotated[str, typer.Option("--hours", help="Local hours to send in, such as 22-6.")] = "0-24",
    per_minute: Annotated[int, typer.Option("--per-minute", help="Meters let go in a minute.")] = 60,
    per_station: Annotated[int, typer.Option("--per-station", help="Meters under way at once below a station.")] = 4,
    campaign: Annotated[str | None, _option("--id", "An id of your own; the same again starts nothing twice.")] = None,
    watch: _Watch = False,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Start a campaign.

    What it brings is said by the options of its kind; --meter, --station or --area say for whom, else it is for all.
    """
    _start(context.params)


@app.command("list")
def list_campaigns(data: Data = None, json_out: JsonOut = False) -> None:
    """List the campaigns, newest first."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/campaigns")
    if json_out:
        print_json(found)
        return
    table(
        ("id", "kind", "for", "state", "confirmed", "waiting", "sent", "refused", "dropped", "begun"),
        [
            (
                each["id"],
                each["kind"],
                _place(each),
                state_text(each["state"]),
                f"{each['confirmed']} of {each['meters']}",
                each["waiting"],
                each["sent"],
                each["refused"],
                each["dropped"],
                local_time(each["begun_s"]),
            )
            for each in found
        ],
        right=("confirmed", "waiting", "sent", "refused", "dropped"),
    )


@app.command("show")
def show_campaign(campaign: _Campaign, watch: _Watch = False, data: Data = None, json_out: JsonOut = False) -> None:
    """Show a campaign, its stragglers, and the meters that did not confirm."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/campaigns/{in_path('campaign', campaign)}")
        _print(_watched(seller, found) if watch else found, json_out)


@app.command("pause")
def pause_campaign(campaign: _Campaign, data: Data = None, json_out: JsonOut = False) -> None:
    """Hold a campaign: what still waits for its meters is taken back."""
    _post(campaign, "pause", data, json_out)


@app.command("resume")
def resume_campaign(campaign: _Campaign, data: Data = None, json_out: JsonOut = False) -> None:
    """Let a paused campaign go on."""
    _post(campaign, "resume", data, json_out)


@app.command("cancel")
def cancel_campaign(campaign: _Campaign, data: Data = None, json_out: JsonOut = False) -> None:
    """End a campaign for good; what its meters have confirmed stays."""
    _post(campaign, "cancel", data, json_out)


def _start(given: dict[str, Any]) -> None:
    """Sends what the options say; what is left out is left to the other side."""
    scope, place = _scope(given["meter"], given["station"], given["area"])
    asked = {
        "unit_price": given["price"],
        "table": _table(given["mode_table"]),
        "id": given["campaign"],
        "activate_s": _second("activate", given["activate"]),
    }
    asked |= {f"{name}_s": _second(name, given[name]) for name in ("valid_from", "start", "until")}
    same = ("kind", "tariff", "key_set", "replaces", "text", "program", "hours", "per_minute", "per_station")
    asked |= {name: given[name] for name in same}
    wish = {name: value for name, value in asked.items() if value is not None}
    with open_seller(read_settings(data=given["data"])) as seller:
        found = seller.post("/campaigns", scope=scope, place=place, **wish)
        _print(_watched(seller, found) if given["watch"] else found, given["json_out"])


def _post(campaign: str, action: str, data: Path | None, json_out: bool) -> None:
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/campaigns/{in_path('campaign', campaign)}/{action}")
    _print(found, json_out)


def _scope(meter: str | None, station: str | None, area: str | None) -> tuple[str, str]:
    given = (("meter", meter), ("station", station), ("area", area))
    # An option that is empty (a variable of a script that was never set) must not mean all.
    named = [(scope, place) for scope, place in given if place is not None]
    if len(named) > 1:
        raise ValueFieldError("place", " and ".join(scope for scope, _ in named), "one of --meter, --station, --area")
    return named[0] if named else ("all", "")


def _second(field: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(datetime.fromisoformat(text).astimezone().timestamp())
    except (ValueError, OverflowError):
        raise ValueFieldError(field, text, _Time) from None


def _table(given: str | None) -> str | dict[str, Any] | None:
    if given is None or not given.endswith(".json"):
        return given
    try:
        document = json.loads(Path(given).read_text())
    except ValueError as error:
        raise ValueFieldError("table", given, f"a JSON document ({error})") from None
    if not isinstance(document, dict):
        raise ValueFieldError("table", given, "a JSON object")
    return document


def _watched(seller: Seller, found: dict[str, Any]) -> dict[str, Any]:
    """Draws a bar until the campaign has ended; gives its last answer."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total} confirmed, {task.fields[rest]}"),
    )
    with Progress(*columns, console=console()) as progress:
        task = progress.add_task(found["outline"]["id"], total=None, rest="")
        while True:
            shown = found["outline"]
            rest = f"{shown['sent']} sent, {shown['waiting']} waiting, {shown['straggling']} straggling"
            lost = shown["refused"] + shown["dropped"]
            rest += f", {lost} not" if lost else ""
            progress.update(task, total=shown["meters"] or None, completed=shown["confirmed"], rest=rest)
            if shown["state"] in _ENDS:
                return found
            time.sleep(_LOOK_EVERY_S)
            found = seller.get(f"/campaigns/{in_path('campaign', shown['id'])}")


def _place(shown: dict[str, Any]) -> str:
    return f"{shown['scope']} {shown['place']}".strip()


def _print(found: dict[str, Any], json_out: bool) -> None:
    if json_out:
        print_json(found)
        return
    shown = found["outline"]
    fields(
        {
            "campaign": shown["id"],
            "brings": f"{shown['kind']} {shown['what']}",
            "for": _place(shown),
            "state": state_text(shown["state"]),
            "begins": local_time(shown["start_s"]),
            "ends": local_time(shown["until_s"]),
            "rate": f"{shown['per_minute']} a minute, {shown['per_station']} at once below a station",
            "local hours": shown["hours"],
            "confirmed": f"{shown['confirmed']} of {shown['meters']} meters",
            "open": f"{shown['waiting']} waiting, {shown['sent']} sent, {shown['straggling']} of these straggling",
            "not confirmed": f"{shown['refused']} refused, {shown['dropped']} dropped",
        }
    )
    times = ("sent_s", "heard_s")
    for title in ("stragglers", "failed"):
        if found[title]:
            rows = [
                (
                    *(each[name] for name in ("id", "state", "step")),
                    *(local_time(each[at]) for at in times),
                    each["reason"],
                )
                for each in found[title]
            ]
            table((title, "state", "at", "sent", "last heard", "why"), rows)
