"""`prewatt init`: a new installation without a street, for real meters to be enrolled in."""

from typing import Annotated

import typer

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.show import fields, print_json
from prewatt.apps.settings import read_settings
from prewatt.host.refusals import FolderExistsError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("init")(init)


_Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="ADDRESS",
        help="A PostgreSQL database, postgresql://user@host:port/name (PREWATT_DATABASE, else a file in the folder).",
        show_default=False,
    ),
]


def init(data: Data = None, database: _Database = None, json_out: JsonOut = False) -> None:
    """Make a new installation without a street.

    It gets a database, and a key vault where there is none yet. The address of a server never holds a password.
    """
    # Imported here, as in every command that needs the host itself: what talks to a running `up` starts without it.
    from prewatt.apps.database import has_installation
    from prewatt.apps.installation import open_installation

    settings = read_settings(data=data, database=database)
    if has_installation(settings):
        hint = "name another folder with --data, or in PREWATT_DATA"
        raise FolderExistsError(f"data folder {settings.data}: there is an installation already; {hint}")
    with open_installation(settings, create=True) as host:
        made = host.installation
    answer = {
        "installation": made.id,
        "currency": made.currency,
        "currency_digits": made.currency_digits,
        "zone": made.zone,
    }
    if json_out:
        print_json(answer)
    else:
        fields(answer)
