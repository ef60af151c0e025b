"""`prewatt meter`: the meters the host knows, and the faces of those that run in this street."""

import time
from typing import Annotated, Any, Final

import typer
from rich.live import Live

from prewatt.apps.cli import bodies, customers, orders
from prewatt.apps.cli.options import Data, JsonOut, MeterArgument
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import console, fields, kwh, local_time, print_json, state_text, table, value
from prewatt.apps.settings import read_settings

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Meters: list, show, enrol, watch, press keys, order.")

_LOOK_EVERY_S: Final = 0.2


@app.command("list")
def list_meters(data: Data = None, json_out: JsonOut = False) -> None:
    """List the meters."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/meters")
    if json_out:
        print_json(found)
        return
    table(
        ("meter", "state", "relay", "balance", "in transit", "burned", "energy", "reported"),
        [
            (
                each["id"],
                state_text(each["state"]),
                each["relay"],
                value(each["balance_micro"]),
                value(each["in_transit_micro"]),
                value(each["burned_micro"]),
                kwh(each["total_pulses"]),
                local_time(each["reported_s"]),
            )
            for each in found
        ],
        right=("balance", "in transit", "burned", "energy"),
    )


@app.command("show")
def show_meter(meter: MeterArgument, data: Data = None, json_out: JsonOut = False) -> None:
    """Show one meter: what the books hold, and its own last word."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/meters/{in_path('meter', meter)}")
    if json_out:
        print_json(found)
        return
    _print(found)


@app.command("enrol")
def enrol_meter(
    meter: MeterArgument,
    m_id: Annotated[
        int | None,
        typer.Option(
            "--m-id", min=0, max=255, help="Modem address 0-255; without it the lowest free one.", show_default=False
        ),
    ] = None,
    station: Annotated[
        str | None, typer.Option("--station", help="The local station above it (S1).", show_default=False)
    ] = None,
    suite: Annotated[str, typer.Option("--suite", help="aes-2026, or tdes-1998 for old fleets.")] = "aes-2026",
    customer: Annotated[
        str | None,
        typer.Option("--customer", help="Id of the customer: letters, digits and . _ : -", show_default=False),
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", help="home, or ct for the station's own current transformer: not sold to.")
    ] = "home",
    premises: Annotated[
        str | None,
        typer.Option("--premises", help="Id of the place where it hangs, written likewise.", show_default=False),
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Enrol a meter so that value can be sold to it."""
    place = {"m_id": m_id, "station": station, "customer": customer, "premises": premises}
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/meters", meter=meter, suite=suite, kind=kind, **place)
    if json_out:
        print_json(found)
        return
    _print(found)


@app.command("move")
def move_meter(
    meter: MeterArgument,
    station: Annotated[str, typer.Option("--station", help="The station it stands below from now on.")],
    m_id: Annotated[
        int | None,
        typer.Option("--m-id", min=0, max=255, help="Its modem address there; without it the lowest free one."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")] = "asked by the owner",
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Move a meter below another station, or to another modem address.

    Its money, its orders and its keys stay as they are.
    """
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/meters/{in_path('meter', meter)}/move", station=station, m_id=m_id, reason=reason)
    if json_out:
        print_json(found)
        return
    _print(found)


@app.command("close")
def close_meter(
    meter: MeterArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")] = "asked by the owner",
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Close a meter's account; nothing more is sold to it."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/meters/{in_path('meter', meter)}/close", reason=reason)
    if json_out:
        print_json(found)
        return
    _print(found)


@app.command("watch")
def watch_meter(meter: MeterArgument, data: Data = None) -> None:
    """Watch the face of a meter of the running street until Ctrl-C."""
    from prewatt.apps.street.screen import face

    with open_seller(read_settings(data=data)) as seller, Live(console=console(), refresh_per_second=10) as live:
        while True:
            live.update(face(seller.get(f"/street/{in_path('meter', meter)}")))
            time.sleep(_LOOK_EVERY_S)


@app.command("press")
def press_keys(
    meter: MeterArgument,
    keys: Annotated[
        str,
        typer.Argument(
            metavar="KEYS", help="Keys in order: digits, * clear, # enter, A value request, B code, C page, D call."
        ),
    ],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Press keys on a meter of the running street.

    `!` is the button beside the relay. The face is shown as it is after the last key.
    """
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/street/{in_path('meter', meter)}/keys", keys=keys)
    if json_out:
        print_json(found)
        return
    from prewatt.apps.street.screen import face

    console().print(face(found))


def _print(found: dict[str, Any]) -> None:
    causes = f" ({_causes(found['relay_causes'])})" if found["relay_causes"] else ""
    fields(
        {
            "meter": found["id"] if found["kind"] == "home" else f"{found['id']}, current transformer",
            "state": state_text(found["state"]),
            "reason": found["state_reason"] or "-",
            "customer": found["customer"] or "-",
            "premises": found["premises"] or "-",
            "station": f"{found['station']} in area {found['area']}, M-ID {found['m_id']}",
            "suite": f"{found['suite']}, key sets {', '.join(map(str, found['key_sets']))}",
            "program": "-" if found["program"] is None else found["program"],
            "balance": value(found["balance_micro"]),
            "received": value(found["received_micro"]),
            "burned": value(found["burned_micro"]),
            "returned": value(found["returned_micro"]),
            "owed": value(found["owed_micro"]),
            "in transit": value(found["in_transit_micro"]),
            "wallet": value(found["wallet_micro"]),
            "relay": f"{found['relay']}{causes}",
            "price per kWh": value(found["unit_price_micro"]),
            "energy": kwh(found["total_pulses"]),
            "meter clock": local_time(found["clock_s"]),
            "reported": local_time(found["reported_s"]),
        }
    )


def _causes(bits: int) -> str:
    # Imported here: it brings the whole meter, and a meter with light needs no words for why it has none.
    from prewatt.device.meter.relay import Cause

    return ", ".join((cause.name or "").lower().replace("_", " ") for cause in Cause(bits))


orders.register(app)
bodies.register(app)
customers.register(app)
