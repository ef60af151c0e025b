"""The options that many commands share, each written once."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Data", "JsonOut", "MeterArgument"]

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="The data folder (PREWATT_DATA, else ./prewatt-data).", show_default=False
    ),
]
JsonOut = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
MeterArgument = Annotated[str, typer.Argument(metavar="METER", help="Meter id: six hex digits, such as 000001.")]
