"""`prewatt area`: the area servers below the host."""

from typing import Annotated

import typer

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import local_time, print_json, say, table
from prewatt.apps.cli.standings import read_standings, warn_of_papers
from prewatt.apps.settings import read_settings

__all__ = ["NUMBER_OPTION", "app"]

app = typer.Typer(no_args_is_help=True, help="Area servers: list, add, rename.")

NUMBER_OPTION = typer.Option(
    "--number", min=0, max=255, help="Its number in the field; without it the lowest free one.", show_default=False
)
_Area = Annotated[str, typer.Argument(metavar="AREA", help="Id of the area, such as A1.")]


@app.command("list")
def list_areas(data: Data = None, json_out: JsonOut = False) -> None:
    """List the areas, with how much of each was read today."""
    settings = read_settings(data=data)
    with open_seller(settings) as seller:
        found, total = seller.get("/areas"), seller.get("/coverage")
    standings = read_standings(settings.data, [f"area {each['number']}" for each in found])
    if json_out:
        print_json([each | {"papers": one.as_dict()} for each, one in zip(found, standings.values(), strict=True)])
        return
    table(
        ("area", "number", "name", "stations", "away", "coverage", "waiting", "heard", "papers"),
        [
            (
                each["area"],
                each["number"],
                each["name"] or "-",
                each["stations"],
                len(each["stations_away"]),
                each["coverage"]["text"],
                "-" if each["kept"] is None else each["kept"],
                local_time(each["heard_s"]),
                standings[f"area {each['number']}"].text,
            )
            for each in found
        ],
        right=("number", "stations", "away", "waiting"),
    )
    say(f"all areas: {total['text']}")
    warn_of_papers(standings)


@app.command("add")
def add_area(
    area: _Area,
    number: Annotated[int | None, NUMBER_OPTION] = None,
    name: Annotated[str | None, typer.Option("--name", help="A name for people.", show_default=False)] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Add an area server."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/areas", area=area, number=number, name=name)
    if json_out:
        print_json(found)
        return
    say(f"area {found['area']} is there, number {found['number']}")


@app.command("rename")
def rename_area(
    area: _Area,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name; the id stays.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Give an area another name."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/areas/{in_path('area', area)}/name", name=name)
    if json_out:
        print_json(found)
        return
    say(f"area {found['area']}: {found['name']}")
