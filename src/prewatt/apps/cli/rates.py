"""`prewatt rate`: rate plans, from a document to the counter: check, import, add, assign, quote, preview."""

from pathlib import Path
from typing import Annotated, Any

import typer

from prewatt.apps.cli.options import Data, JsonOut, MeterArgument
from prewatt.apps.cli.seller import SellerError, in_path, open_seller
from prewatt.apps.cli.show import fields, kwh, local_time, print_json, say, table, value
from prewatt.apps.settings import read_settings
from prewatt.units import ValueFieldError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Rate plans: blocks, standing charge, taxes; what a purchase becomes.")

_TOML = ".toml"
_DAY_S = 86_400
_File = Annotated[Path, typer.Argument(metavar="FILE", help="A plan, in JSON or (name.toml) in TOML.")]
_Plan = Annotated[str, typer.Argument(metavar="PLAN", help="The name of a plan.")]
_Order = Annotated[str, typer.Argument(metavar="ORDER", help="The order's id, or its transfer's number.")]


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
    name: Annotated[str | None, typer.Option("--name", help="Another name for the plan.", show_default=False)] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option("--leave-out", help="urdb: pass this field over; may be given again.", show_default=False),
    ] = None,
    voltage: Annotated[
        str | None, typer.Option("--voltage", help="kepco-residential: low or high.", show_default=False)
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", help="kepco-residential: such as 2026-03.", show_default=False)
    ] = None,
    contract: Annotated[
        str | None, typer.Option("--contract", help="kepco-general: such as F1-low.", show_default=False)
    ] = None,
    power_kw: Annotated[
        int | None,
        typer.Option("--kw", min=1, max=1_000_000, help="kepco-general: the contract's power.", show_default=False),
    ] = None,
    day: Annotated[
        str | None, typer.Option("--day", help="kepco-general: the day whose prices count.", show_default=False)
    ] = None,
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
        rows = [
            (each["meter"] or "all", each["plan"] or "none of its own", each["from_day"], _flag(each), each["reason"])
            for each in found
        ]
        table(("meter", "plan", "from", "lifeline", "reason"), rows)
    else:
        columns = ("name", "version", "from", "to", "price per kWh", "meters", "added")
        rows = [
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
        ]
        table(columns, rows, right=("version", "price per kWh", "meters"))


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


@app.command("quote")
def quote(
    meter: MeterArgument,
    amount: Annotated[
        str | None, typer.Argument(metavar="[AMOUNT]", help="Currency units, such as 10.00.", show_default=False)
    ] = None,
    energy: Annotated[
        str | None, typer.Option("--kwh", help="So many kWh at the unit price instead.", show_default=False)
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Show what an amount buys now, line by line; sell nothing."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/meters/{in_path('meter', meter)}/quote", amount=amount, kwh=energy)
    if json_out:
        print_json(found)
        return
    _show_lines(found["lines"], found["amount_micro"])
    fields(
        {
            "plan": f"{found['plan']}, version {found['version']}",
            "energy": f"{kwh(found['energy_pulses'])} at the unit price",
            "this month before": kwh(found["bought_pulses"]),
            "one purchase": f"{value(found['smallest_micro'])} to {value(found['largest_micro'])}",
        }
    )


@app.command("preview")
def preview(
    meter: MeterArgument,
    plan: Annotated[
        str | None, typer.Option("--plan", help="A plan; else the one that holds.", show_default=False)
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="A version; else the highest.", show_default=False)
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", help="2026-03; else the last one.", show_default=False)
    ] = None,
    purchases: Annotated[
        int | None,
        typer.Option("--purchases", min=0, max=1_000, help="How often; else as it was.", show_default=False),
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Show what a month that was measured would have cost under a plan."""
    asked = {"plan": plan, "version": version, "month": month, "purchases": purchases}
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/meters/{in_path('meter', meter)}/preview", **asked)
    if json_out:
        print_json(found)
        return
    _show_lines(found["lines"], found["total_micro"])
    prices = ", ".join(f"{kwh(each['pulses'])} at {value(each['price_micro'])}" for each in found["energy"])
    fields(
        {
            "plan": f"{found['plan']}, version {found['version']}",
            "month": found["month"],
            "energy": prices or "none was collected",
            "purchases": found["purchases"],
            "not collected": f"{found['missing_s'] / _DAY_S:.1f} days",
        }
    )


@app.command("lines")
def show_lines(order: _Order, data: Data = None, json_out: JsonOut = False) -> None:
    """Show what was paid for with a sale, line by line."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/transfers/{in_path('order', order)}/charges")
    if json_out:
        print_json(found)
        return
    if not found:
        raise SellerError(f"order {order}: it was sold without a rate plan; its amount went to the meter")
    _show_lines(found, sum(each["amount_micro"] for each in found))


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


def _show_lines(lines: list[dict[str, Any]], whole_micro: int) -> None:
    rows = [(each["name"], value(each["amount_micro"])) for each in lines]
    table(("line", "amount"), [*rows, ("in all", value(whole_micro))], right=("amount",))


def _flag(each: dict[str, Any]) -> str:
    return "yes" if each["lifeline"] else "-"
