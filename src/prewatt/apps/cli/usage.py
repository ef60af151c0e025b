"""`prewatt usage`: energy by hour or day, as the meters reported it."""

from typing import Annotated

import typer

from prewatt.apps.cli.options import Data, JsonOut, MeterArgument
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import bar_chart, kwh, print_json, say
from prewatt.apps.settings import read_settings

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Energy used, from the meters' authenticated logs.")


@app.command("show")
def show_usage(
    meter: MeterArgument,
    by: Annotated[str, typer.Option("--by", help="hour or day.")] = "hour",
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="So many of the newest collected days.")] = 1,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Show what a meter's home used, with a small chart."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/meters/{in_path('meter', meter)}/usage", by=by, days=days)
    if json_out:
        print_json(found)
        return
    if not found["rows"]:
        say(f"nothing collected from {found['meter']} yet; a day is collected after its midnight")
        return
    bar_chart([(row["label"], row["pulses"]) for row in found["rows"]], "kWh")
    say(f"meter {found['meter']}: {kwh(found['total_pulses'])} in {len(found['rows'])} {found['by']}s")
