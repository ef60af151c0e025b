"""`prewatt clock`: the clock of the running street, and how fast it goes."""

from typing import Annotated

import typer

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import SellerError, open_seller
from prewatt.apps.cli.show import fields, local_time, print_json
from prewatt.apps.settings import SPEED_MAX, read_settings

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("clock")(clock)


def clock(
    speed: Annotated[
        int | None, typer.Option("--speed", min=1, max=SPEED_MAX, help="New speed: world seconds a second.")
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Show the clock of the running street, or change its speed."""
    with open_seller(read_settings(data=data)) as seller:
        if not seller.running:
            raise SellerError("no prewatt is up on this data folder; start one with `prewatt up`")
        found = seller.get("/clock") if speed is None else seller.post("/clock", speed=speed)
    if json_out:
        print_json(found)
        return
    fields({"clock": local_time(found["now_s"]), "speed": f"{found['speed']} world seconds a second"})
