"""The command line: `prewatt COMMAND`. docs/reference/cli.md names every command with its options."""

from collections.abc import Sequence
from typing import Annotated

import typer

from prewatt.apps.cli import (
    approvals,
    areas,
    audit,
    boxes,
    campaigns,
    clock,
    codes,
    contacts,
    customers,
    init,
    keys,
    ledger,
    log,
    meters,
    papers,
    programs,
    rates,
    registry,
    sim,
    staff,
    stations,
    tariffs,
    transfers,
    up,
    usage,
    vending,
)
from prewatt.apps.cli.shell import run

__all__ = ["app", "main"]

app = typer.Typer(
    name="prewatt",
    help="Sell electricity before it is used.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"prewatt {version('prewatt')}")
        raise typer.Exit


@app.callback()
def prewatt(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Sell electricity before it is used."""


up.register(app)
init.register(app)
vending.register(app)
app.add_typer(areas.app, name="area")
app.add_typer(stations.app, name="station")
app.add_typer(boxes.host_app, name="host")
app.add_typer(papers.app, name="papers")
app.add_typer(meters.app, name="meter")
app.add_typer(customers.customers, name="customer")
app.add_typer(customers.premises_app, name="premises")
app.add_typer(contacts.suppliers, name="supplier")
app.add_typer(contacts.agents, name="agent")
app.add_typer(registry.app, name="registry")
app.add_typer(transfers.app, name="transfer")
app.add_typer(codes.orders, name="order")
app.add_typer(codes.suspense, name="suspense")
app.add_typer(tariffs.app, name="tariff")
app.add_typer(rates.app, name="rate")
app.add_typer(usage.app, name="usage")
app.add_typer(keys.app, name="keys")
app.add_typer(campaigns.app, name="campaign")
app.add_typer(programs.app, name="program")
app.add_typer(ledger.app, name="ledger")
app.add_typer(staff.app, name="user")
app.add_typer(approvals.app, name="approve")
audit.register(app)
log.register(app)
sim.register(app)
clock.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point; leaves with the exit code."""
    raise SystemExit(run(app, arguments))
