"""`prewatt keys`: the sealed master key sets from which every meter's keys are derived."""

import os
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import open_seller
from prewatt.apps.cli.show import local_time, print_json, say, state_text, table
from prewatt.apps.database import has_installation
from prewatt.apps.settings import read_settings
from prewatt.units import DAY_S, ValueFieldError

if TYPE_CHECKING:
    from prewatt.host.keys import FileVault, KeySet

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Master key sets in the sealed vault of the data folder.")

# A year, as `prewatt.host.keys.ROTATION_PERIOD_S`, which would bring the ciphers into every command.
_ROTATION_DAYS: Final = 365
_SuiteOption = Annotated[str, typer.Option("--suite", help="aes-2026, or tdes-1998 for old fleets.")]


@app.command("init")
def init_keys(
    suite: _SuiteOption = "aes-2026",
    sets: Annotated[int, typer.Option("--sets", min=2, max=16, help="How many sets; at least two.")] = 2,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Create the vault with fresh random key sets.

    It is sealed under PREWATT_PASSPHRASE where that is set, else under a key file (PREWATT_KEY_FILE).
    """
    from prewatt.apps.vault import create_vault

    suites = [_checked(suite)] * sets
    settings = read_settings(data=data)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _print(create_vault(settings, suites), json_out)


@app.command("list")
def list_keys(data: Data = None, json_out: JsonOut = False) -> None:
    """List the key sets; keys themselves are never shown."""
    _print(_vault(data), json_out)


@app.command("add")
def add_keys(
    suite: _SuiteOption = "aes-2026",
    index: Annotated[int | None, typer.Option("--index", min=0, max=255, help="Number; else the next free.")] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Add a fresh key set."""
    vault = _vault(data)
    vault.add(_checked(suite), index, now_s=int(time.time()))
    _print(vault, json_out)


@app.command("retire")
def retire_keys(
    index: Annotated[int, typer.Argument(metavar="SET", min=0, max=255, help="Number of the set.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Retire a key set for good: nothing is derived from it any more.

    It cannot be undone. Refused while a meter would be left without a key set that it has proved: give it another one
    first with `prewatt meter key`.
    """
    settings = read_settings(data=data)
    if has_installation(settings):
        # Its meters and campaigns say whether they can spare the set, and its log says who ended it.
        with open_seller(settings) as seller:
            seller.post(f"/keys/{index}/retire")
        _print(_vault(data), json_out)
        return
    vault = _vault(data)
    vault.retire(index)
    _print(vault, json_out)


@app.command("due")
def due_keys(
    days: Annotated[int, typer.Option("--days", min=1, max=36_500, help="Rotation period in days.")] = _ROTATION_DAYS,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """List the sets that are older than the rotation period."""
    due = _vault(data).due(int(time.time()), days * DAY_S)
    if not due and not json_out:
        say("no key set is due")
        return
    _print_sets(due, json_out)


def _checked(suite: str) -> str:
    from prewatt.crypto import SuiteName

    if suite not in set(SuiteName):
        raise ValueFieldError("suite", suite, " or ".join(SuiteName))
    return suite


def _vault(data: os.PathLike[str] | None) -> "FileVault":
    # Imported here: only these commands need the ciphers.
    from prewatt.apps.vault import open_vault

    return open_vault(read_settings(data=data))


def _print(vault: "FileVault", json_out: bool) -> None:
    _print_sets(vault.sets(), json_out)


def _print_sets(sets: Any, json_out: bool) -> None:  # noqa: ANN401 - any sequence of KeySet
    found: list[KeySet] = list(sets)
    if json_out:
        print_json(
            [
                {"set": each.index, "suite": each.suite, "state": str(each.state), "made_s": each.created_s}
                for each in found
            ]
        )
        return
    table(
        ("set", "suite", "state", "made"),
        [(each.index, each.suite, state_text(str(each.state)), local_time(each.created_s)) for each in found],
        right=("set",),
    )
