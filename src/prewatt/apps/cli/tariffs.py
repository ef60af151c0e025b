"""`prewatt tariff`: the price of a kilowatt-hour, and how far the newest one has come."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import open_seller
from prewatt.apps.cli.show import fields, local_time, print_json, value
from prewatt.apps.settings import read_settings
from prewatt.units import ValueFieldError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Prices: unit price and mode table, sent to the meters.")


# A negative price must reach the check of prices and not be taken for an option.
@app.command("set", context_settings={"ignore_unknown_options": True})
def set_tariff(
    unit_price: Annotated[str, typer.Argument(metavar="PRICE", help="Currency units per kWh, such as 0.25.")],
    table: Annotated[str, typer.Option("--table", help="flat, example, or a JSON file of your own.")] = "flat",
    meters: Annotated[
        list[str] | None,
        typer.Option("--meter", help="Only for this meter; may be given several times.", show_default=False),
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Set a new tariff; every meter gets it by a mode change."""
    chosen: Any = _document(Path(table)) if table.endswith(".json") else table
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/tariffs", unit_price=unit_price, table=chosen, meters=meters or None)
    _print(found, json_out)


@app.command("show")
def show_tariff(data: Data = None, json_out: JsonOut = False) -> None:
    """Show the newest tariff and which meters have confirmed it."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/tariff")
    _print(found, json_out)


def _document(path: Path) -> Any:  # noqa: ANN401 - parsed JSON
    try:
        document = json.loads(path.read_text())
    except ValueError as error:
        raise ValueFieldError("table", str(path), f"a JSON document ({error})") from None
    if not isinstance(document, dict):
        raise ValueFieldError("table", str(path), "a JSON object (docs/reference/cli.md shows one)")
    return document


def _print(found: dict[str, Any], json_out: bool) -> None:
    if json_out:
        print_json(found)
        return
    waiting = ", ".join(found["waiting"])
    fields(
        {
            "version": found["version"],
            "price per kWh": value(found["unit_price_micro"]),
            "valid from": local_time(found["valid_from_s"]),
            "digest": found["digest"],
            "confirmed": f"{found['confirmed']} of {found['meters']} meters"
            + (f"; waiting: {waiting}" if waiting else ""),
        }
    )
