"""`prewatt rate`: rate plans, from a document to the counter: check, import, add, assign, quote, preview."""

from pathlib import Path
from typing import Annotated, Any

import typer

from prewatt.apps.cli import quotes
from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import open_seller
from prewatt.apps.cli.show import local_time, print_json, say, table, value
from prewatt.apps.settings import read_settings
from prewatt.units import ValueFieldError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Rate plans: blocks, standing charge, taxes; what a purchase becomes.")
quotes.register(app)

_TOML = ".toml"
_File = Annotated[Path, typer.Argument(metavar="FILE", help="A plan, in JSON or (name.toml) in TOML.")]
_Name = Annotated[str | None, typer.Option("--name", help="Another name for the plan.", show_default=False)]
_LeaveOut = Annotated[
    list[str] | None,
    typer.Option("--leave-out", help="urdb: pass this field over; may be given again.", show_default=False),
]
_Voltage = Annotated[str | None, typer.Option("--voltage", help="kepco-residential: low or high.", show_default=False)]
_Month = Annotated[str | None, typer.Option("--month", help="kepco-residential: such as 2026-03.", show_default=False)]
_Contract = Annotated[str | None, typer.Option("--contract", help="kepco-general: such as F1-low.", show_default=False)]
_Power = Annotated[
    int | None,
    typer.Option("--kw", min=1, max=1_000_000, help="kepco-general: the contract's power.", show_default=False),
]
_Day = Annotated[
    str | None, typer.Option("--day", help="kepco-general: the day whose prices count.", show_default=False)
]
_Plan = Annotated[str, typer.Argument(metavar="PLAN", help="The name of a plan.")]


@app.command("check")
def check_rate(file: _File, data: Data = None, json_out: JsonOut = False) -> int:
    """Say what a document comes to, and everything that no meter can follow; store nothing.

    Exit 1 where it would not be taken.
    """
    document = _read(file)
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/rates/check", document=document)
    return _show_check(found, json_out)


@app.command("import")
def import_rate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The record, in JSON.")],
    form: Annotated[str, typer.Option("--format", help="urdb, kepco-residential or kepco-general.")],
    name: _Name = None,
    leave_out: _LeaveOut = None,
    voltage: _Voltage = None,
    month: _Month = None,
    contract: _Contract = None,
    power_kw: _Power = None,
    day: _Day = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what cannot be said; store nothing.")] = False,
    data: Data = None,
    json_out: JsonOut = False,
) -> int:
    """Make a plan of a published record.

    What a plan or a meter cannot say is listed, all of it, and then nothing is stored (exit 1).
    """
    asked = {"voltage": voltage, "month": month, "contract": contract, "kw": power_kw, "day": day, "name": name}
    options: dict[str, Any] = {key: given for key, given in asked.items() if given is not None}
    if leave_out:
        options["leave_out"] = leave_out
    record = _read(file)
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/rates/import", format=form, record=record, **options)
        if dry_run or found["problems"] or found["misfits"]:
            return _show_check(found, json_out)
        made = seller.post("/rates", document=found["document"])
    for note in () if json_out else found["notes"]:
        say(f"note: {note}")
    _show_plan(made, json_out)
    return 0


@app.command("add")
def add_rate(file: _File, data: Data = None, json_out: JsonOut = False) -> None:
    """Add a version of a plan; where its plan holds, meters get it.

    A document without a version gets the next one of its name.
    """
    document = _read(file)
    with open_seller(read_settings(data=data)) as seller:
        made = seller.post("/rates", document=document)
    _show_plan(made, json_out)


@app.command("list")
def list_rates(
    assignments: Annotated[bool, typer.Option("--assignments", help="For whom they hold instead.")] = False,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """List every version of every plan, or for whom which plan holds."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/rates/assignments" if assignments else "/rates")
    if json_out:
        print_json(found)
    elif assignments:
        _show_assignments(found)
    else:
        _show_versions(found)


@app.command("show")
def show_rate(
    plan: _Plan,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="A version; else the highest.", show_default=False)
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Say what a plan says."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/rates/plan", plan=plan, version=version)
    _show_plan(found, json_out)


@app.command("assign")
def assign_rate(
    plan: Annotated[
        str | None, typer.Argument(metavar="[PLAN]", help="The name of a plan.", show_default=False)
    ] = None,
    meter: Annotated[
        str | None, typer.Option("--meter", help="For this meter; else for all.", show_default=False)
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Take it back: no plan of its own from then on.")] = False,
    from_day: Annotated[
        str | None, typer.Option("--from", help="The first local day, 2026-03-01; else today.", show_default=False)
    ] = None,
    lifeline: Annotated[bool, typer.Option("--lifeline", help="With the plan's lifeline allowance.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")] = "asked by the owner",
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Say from which day on a plan holds for a meter, or for all; meters get its prices."""
    if (plan is None) != none:
        raise ValueFieldError("plan", plan, "a plan's name, or --none, and not both")
    asked = {"plan": plan, "meter": meter, "from_day": from_day}
    with open_seller(read_settings(data=data)) as seller:
        given = {key: each for key, each in asked.items() if each is not None}
        made = seller.post("/rates/assignments", lifeline=lifeline, reason=reason, **given)
    if json_out:
        print_json(made)
        return
    whom = f"meter {made['meter']}" if made["meter"] else "all meters without a plan of their own"
    flag = ", with lifeline" if made["lifeline"] else ""
    say(f"{made['plan'] or 'no plan of its own'} from {made['from_day']} for {whom}{flag}")


def _read(path: Path) -> Any:  # noqa: ANN401 - parsed JSON
    from prewatt.host.rates.section import parse_text

    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise ValueFieldError("file", str(path), f"a text in UTF-8 ({error.reason})") from None
    document = parse_text(text, toml=path.suffix == _TOML)
    if not isinstance(document, dict):
        raise ValueFieldError("file", str(path), "a document with named fields")
    return document


def _show_check(found: dict[str, Any], json_out: bool) -> int:
    bad = [("plan", each) for each in found["problems"]] + [("meter", each) for each in found["misfits"]]
    if json_out:
        print_json(found)
        return 1 if bad else 0
    for line in found["text"]:
        say(line)
    for note in found["notes"]:
        say(f"note: {note}")
    if not bad:
        say("[green]it can be added; nothing was stored[/green]")
        return 0
    rows = [(whom, each["where"], each["given"], each["why"]) for whom, each in bad]
    table(("no way for a", "where", "given", "why, or what is allowed"), rows)
    return 1


def _show_plan(found: dict[str, Any], json_out: bool) -> None:
    if json_out:
        print_json(found)
        return
    for line in found["text"]:
        say(line)
    if found["existed"]:
        say("this plan was there before; nothing new was made")


def _show_assignments(found: list[dict[str, Any]]) -> None:
    table(
        ("meter", "plan", "from", "lifeline", "reason"),
        [
            (
                each["meter"] or "all",
                each["plan"] or "none of its own",
                each["from_day"],
                "yes" if each["lifeline"] else "-",
                each["reason"],
            )
            for each in found
        ],
    )


def _show_versions(found: list[dict[str, Any]]) -> None:
    table(
        ("name", "version", "from", "to", "price per kWh", "meters", "added"),
        [
            (
                each["name"],
                each["version"],
                each["valid_from"],
                each["valid_to"] or "-",
                value(each["unit_price_micro"]),
                each["meters"],
                local_time(each["made_s"]),
            )
            for each in found
        ],
        right=("version", "price per kWh", "meters"),
    )
