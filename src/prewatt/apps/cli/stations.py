"""`prewatt station`: the local stations, their lines, their health, and how many of their meters were read today."""

from typing import Annotated, Any

import typer

from prewatt.apps.cli.areas import NUMBER_OPTION
from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import fields, local_time, print_json, say, table
from prewatt.apps.settings import read_settings
from prewatt.units import ValueFieldError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Local stations: list, show, add, coverage, polling.")

_Station = Annotated[str, typer.Argument(metavar="STATION", help="Id of the station, such as S1.")]


@app.command("list")
def list_stations(
    area: Annotated[str | None, typer.Option("--area", help="Only those below this area.", show_default=False)] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """List the stations, with how much of each was read today."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/stations", area=area)
    if json_out:
        print_json(found)
        return
    table(
        ("station", "address", "area", "name", "coverage", "silent", "waiting", "heard"),
        [
            (
                each["station"],
                each["address"],
                each["area"],
                each["name"] or "-",
                each["coverage"]["text"],
                "-" if each["box"] is None else len(each["box"]["silent"]),
                "-" if each["box"] is None else each["box"]["waiting"],
                local_time(each["box"]["heard_s"] if each["box"] else None),
            )
            for each in found
        ],
        right=("silent", "waiting"),
    )


@app.command("show")
def show_station(station: _Station, data: Data = None, json_out: JsonOut = False) -> None:
    """Show one station: where it stands, its line, and what it told of itself."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/stations/{in_path('station', station)}")
    if json_out:
        print_json(found)
        return
    _print(found)


@app.command("add")
def add_station(
    station: _Station,
    area: Annotated[str, typer.Option("--area", help="The area it stands below; added where it is new.")] = "A1",
    number: Annotated[int | None, NUMBER_OPTION] = None,
    name: Annotated[str | None, typer.Option("--name", help="A name for people.", show_default=False)] = None,
    line: Annotated[
        str | None, typer.Option("--line", help="Profile of its line, such as powerline-2400.", show_default=False)
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Add a local station."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/stations", station=station, area=area, number=number, name=name, line=line)
    if json_out:
        print_json(found)
        return
    say(f"station {found['station']} is there, address {found['address']}")


@app.command("rename")
def rename_station(
    station: _Station,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name; the id stays.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Give a station another name."""
    _change(station, "name", data, json_out, name=name)


@app.command("line")
def set_line(
    station: _Station,
    line: Annotated[str, typer.Argument(metavar="PROFILE", help="Such as powerline-2400; `none` for a free line.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Say what kind of line a station has.

    The host sizes its rounds by it, and tells the station how long to wait.
    """
    _change(station, "line", data, json_out, line="" if line == "none" else line)


@app.command("coverage")
def show_coverage(station: _Station, data: Data = None, json_out: JsonOut = False) -> None:
    """Show how many meters of a station were read today, and which were not."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/stations/{in_path('station', station)}/coverage")
    if json_out:
        print_json(found)
        return
    say(f"station {found['station']} in area {found['area']}: {found['coverage']['text']}")
    if found["stragglers"]:
        rows = [(each["id"], each["m_id"], local_time(each["since_s"])) for each in found["stragglers"]]
        table(("meter", "M-ID", "last read"), rows, right=("M-ID",))


@app.command("polling")
def polling(
    station: Annotated[
        str | None, typer.Argument(metavar="[STATION]", help="A station; without it the installation.")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option("--schedule", help="`every 6h`, `every 30m`, or `at 02:00,14:00`.", show_default=False),
    ] = None,
    hours: Annotated[
        str | None, typer.Option("--hours", help="Local hours such as 22-06; 00-24: always.", show_default=False)
    ] = None,
    per_minute: Annotated[
        int | None,
        typer.Option("--per-minute", min=0, help="Meters a minute; 0: as many as the line takes.", show_default=False),
    ] = None,
    inherit: Annotated[bool, typer.Option("--inherit", help="Go by the installation's settings again.")] = False,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Show or change when meters are polled.

    What is not given stays as it is. A station without settings of its own goes by the installation's.
    """
    if inherit and station is None:
        raise ValueFieldError("--inherit", "without a station", "with a station; the installation has nothing above it")
    place = "/polling" if station is None else f"/stations/{in_path('station', station)}/polling"
    changes = {"schedule": schedule, "hours": hours, "per_minute": per_minute}
    with open_seller(read_settings(data=data)) as seller:
        if inherit:
            seller.post(f"{place}/inherit")
        given = any(value is not None for value in changes.values())
        found = seller.post(place, **changes) if given else seller.get(place)
    if json_out:
        print_json(found)
        return
    _print_polling(found, of_station=station is not None)


def _print_polling(found: dict[str, Any], *, of_station: bool) -> None:
    own = ", ".join(found["own"]) or "none"
    fields(
        {
            "schedule": found["schedule"],
            "hours": found["hours"],
            "meters a minute": found["per_minute"] or "as many as the line takes",
        }
        | ({"of its own": own} if of_station else {})
    )


def _change(station: str, what: str, data: Data, json_out: bool, **body: object) -> None:
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/stations/{in_path('station', station)}/{what}", **body)
    if json_out:
        print_json(found)
        return
    _print(found)


def _print(found: dict[str, Any]) -> None:
    shown = {
        "station": found["station"],
        "name": found["name"] or "-",
        "area": f"{found['area']}, address {found['address']}",
        "line": found["line"] or "free",
        "meters": found["meters"],
        "transformer": ", ".join(found["transformers"]) or "not measured",
        "coverage": found["coverage"]["text"],
    }
    box = found["box"]
    if box is None:
        fields(shown | {"heard": "never"})
        return
    fields(
        shown
        | {
            "heard": local_time(box["heard_s"]),
            "starts": box["boots"],
            "waiting": box["waiting"],
            "dropped": box["dropped"],
            "overtaken": box["overtaken"],
            "strange frames": box["strange"],
            "silent meters": ", ".join(box["silent"]) or "none",
            "knows its meters": "yes" if box["members_current"] else "not yet",
            "knows its settings": "yes" if box["plan_current"] else "not yet",
            "refused": box["refused"] or "nothing",
        }
    )
