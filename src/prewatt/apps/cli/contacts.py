"""`prewatt supplier` and `prewatt agent`: who sells energy to the seller, and who sells it for the seller.

Both are an id, a name and where they are reached, so the same commands are made for each.
"""

from typing import Annotated

import typer

from prewatt.apps.cli.customers import list_rows, show_row
from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.settings import read_settings

__all__ = ["agents", "suppliers"]

_Key = Annotated[str, typer.Argument(metavar="ID", help="Letters, digits and . _ : -")]
_Name = Annotated[str, typer.Option("--name", help="Name, in one line.")]
_NewName = Annotated[str | None, typer.Option("--name", help="Name, in one line.", show_default=False)]
_Phone = Annotated[
    str | None, typer.Option("--phone", help="With the country: +33612345678; empty for none.", show_default=False)
]
_Email = Annotated[str | None, typer.Option("--email", help="E-mail address; empty for none.", show_default=False)]
_After = Annotated[str, typer.Option("--after", help="Only those whose id comes after this one.", show_default=False)]
_Limit = Annotated[int, typer.Option("--limit", help="How many at most, 1 to 1000.")]


def _commands(word: str, about: str) -> typer.Typer:
    """The commands of one kind; ``word`` is what one of them is called."""
    app = typer.Typer(no_args_is_help=True, help=about)
    _changing(app, word, f"/{word}s")
    _asking(app, word, f"/{word}s")
    return app


def _changing(app: typer.Typer, word: str, place: str) -> None:
    @app.command("add", help="Add one; the same again changes nothing.")
    def add(
        key: _Key,
        name: _Name,
        phone: _Phone = None,
        email: _Email = None,
        data: Data = None,
        json_out: JsonOut = False,
    ) -> None:
        with open_seller(read_settings(data=data)) as seller:
            found = seller.post(place, **{word: key}, name=name, phone=phone, email=email)
        show_row(found, json_out)

    @app.command("change", help="Change one; what is not given stays.")
    def change(
        key: _Key,
        name: _NewName = None,
        phone: _Phone = None,
        email: _Email = None,
        data: Data = None,
        json_out: JsonOut = False,
    ) -> None:
        with open_seller(read_settings(data=data)) as seller:
            found = seller.post(f"{place}/{in_path(word, key)}", name=name, phone=phone, email=email)
        show_row(found, json_out)


def _asking(app: typer.Typer, word: str, place: str) -> None:
    @app.command("list", help="List them by id.")
    def list_all(after: _After = "", limit: _Limit = 50, data: Data = None, json_out: JsonOut = False) -> None:
        with open_seller(read_settings(data=data)) as seller:
            found = seller.get(place, after=after, limit=limit)
        list_rows(found, ("id", "name", "phone", "email"), json_out)

    @app.command("show", help="Show one.")
    def show(key: _Key, data: Data = None, json_out: JsonOut = False) -> None:
        with open_seller(read_settings(data=data)) as seller:
            found = seller.get(f"{place}/{in_path(word, key)}")
        show_row(found, json_out)


suppliers = _commands("supplier", "Who sells energy to you: add, change, list, show.")
agents = _commands("agent", "Who sells energy for you: add, change, list, show.")
