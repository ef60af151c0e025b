"""`prewatt station`: the local stations, their lines, their health, and how many of their meters were read today."""

from typing import Annotated, Any

import typer

from prewatt.apps.cli.areas import NUMBER_OPTION
from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import fields, local_time, print_json, say, table
from prewatt.apps.cli.standings import read_standings, warn_of_papers
from prewatt.apps.settings import read_settings
from prewatt.units import ValueFieldError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Local stations: list, show, add, coverage, polling, unbooked.")

_Station = Annotated[str, typer.Argument(metavar="STATION", help="Id of the station, such as S1.")]


@app.command("list")
def list_stations(
    area: Annotated[str | None, typer.Option("--area", help="Only those below this area.", show_default=False)] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """List the stations, with how much of each was read today."""
    settings = read_settings(data=data)
    with open_seller(settings) as seller:
        found = seller.get("/stations", area=area)
    standings = read_standings(settings.data, [f"station {each['address']}" for each in found])
    if json_out:
        print_json([each | {"papers": one.as_dict()} for each, one in zip(found, standings.values(), strict=True)])
        return
    table(
        ("station", "address", "area", "name", "coverage", "silent", "waiting", "heard", "papers"),
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
                standings[f"station {each['address']}"].text,
            )
            for each in found
        ],
        right=("silent", "waiting"),
    )
    warn_of_papers(standings)


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
    rating: Annotated[
        str | None, typer.Option("--rating", help="What its transformer may carry, in kVA.", show_default=False)
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Add a local station."""
    with open_seller(read_settings(data=data)) as seller:
        given = {"area": area, "number": number, "name": name, "line": line, "rating_kva": rating}
        found = seller.post("/stations", station=station, **given)
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


@app.command("rating")
def set_rating(
    station: _Station,
    rating: Annotated[str, typer.Argument(metavar="KVA", help="Such as 250 or 37.5; `none` where it is not known.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Say what a station's transformer may carry, in kVA."""
    _change(station, "rating", data, json_out, rating_kva="" if rating == "none" else rating)


@app.command("coverage")
def show_coverage(station: _Station, data: Data = None, json_out: JsonOut = False) -> None:
    """Show how many meters of a station were read today, and which were not."""
    settings = read_settings(data=data)
    with open_seller(settings) as seller:
        found = seller.get(f"/stations/{in_path('station', station)}/coverage")
        address = seller.get(f"/stations/{in_path('station', station)}")["address"]
    if json_out:
        print_json(found)
        return
    say(f"station {found['station']} in area {found['area']}: {found['coverage']['text']}")
    if found["stragglers"]:
        rows = [(each["id"], each["m_id"], local_time(each["since_s"])) for each in found["stragglers"]]
        table(("meter", "M-ID", "last read"), rows, right=("M-ID",))
    warn_of_papers(read_standings(settings.data, [f"station {address}"]))


@app.command("unbooked")
def unbooked(
    station: _Station,
    again: Annotated[bool, typer.Option("--again", help="Try to book each of them once more.")] = False,
    forget: Annotated[
        str | None, typer.Option("--forget", metavar="REASON", help="Throw them away for good.", show_default=False)
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """List Reports, Alarms and Wishes that came through a station and could not be booked.

    They are kept byte for byte until they are booked or thrown away. With --forget it lists what they were.
    """
    if again and forget is not None:
        raise ValueFieldError("--again", "with --forget", "one of the two")
    place = f"/stations/{in_path('station', station)}/unbooked"
    with open_seller(read_settings(data=data)) as seller:
        if forget is not None:
            found = seller.post(f"{place}/forget", reason=forget)
        else:
            found = seller.post(f"{place}/again") if again else seller.get(place)
    if json_out:
        print_json(found)
        return
    if not found:
        say("nothing waits to be booked")
        return
    table(
        ("meter", "kind", "last", "times", "cause"),
        [(each["meter"], each["kind"], local_time(each["last_s"]), each["times"], each["cause"]) for each in found],
        right=("times",),
    )


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
        "rating": f"{found['rating_va'] / 1_000:g} kVA" if found["rating_va"] else "not known",
        "meters": found["meters"],
        "transformer": ", ".join(found["transformers"]) or "not measured",
        "coverage": found["coverage"]["text"],
        "not booked": found["unbooked"] or "nothing",
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
