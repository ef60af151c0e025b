"""`prewatt up`: everything in one process, and a street to sell to."""

from typing import Annotated

import typer

from prewatt.apps.cli.options import Data
from prewatt.apps.settings import PORT_MAX, SPEED_MAX, STREET_METERS_MAX, read_settings

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("up")(up)


def up(
    speed: Annotated[
        int | None,
        typer.Option("--speed", min=1, max=SPEED_MAX, help="World seconds a second (600).", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=0,
            max=PORT_MAX,
            help="Port of page and API (8400); 0 takes a free one.",
            show_default=False,
        ),
    ] = None,
    meters: Annotated[
        int | None,
        typer.Option("--meters", min=1, max=STREET_METERS_MAX, help="Virtual meters (8).", show_default=False),
    ] = None,
    data: Data = None,
) -> None:
    """Start everything in one process: host, station, street, page.

    The street's virtual meters feed homes with real measured loads. Ctrl-C stops; the next start goes on from there.
    """
    settings = read_settings(data=data, speed=speed, port=port, meters=meters)
    # Imported here: only `up` needs the web server.
    from prewatt.apps.up import run_up

    run_up(settings)
