"""Boxes as processes: `prewatt host run`, `area run`, `station run`, `meter run`, and what each of them needs."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prewatt.apps.cli import areas, meters, stations
from prewatt.apps.cli.options import Data, JsonOut, MeterArgument
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import print_json, say
from prewatt.apps.settings import PORT_MAX, read_settings
from prewatt.units import Address, ValueFieldError

if TYPE_CHECKING:
    from prewatt.link.names import BoxName

__all__ = ["host_app", "installation_in", "name_of_area", "name_of_station"]

host_app = typer.Typer(no_args_is_help=True, help="The host as a process of its own, and its message servers.")

_AREA_LISTENS: Final = "tcp://127.0.0.1:8501"
_STATION_LISTENS: Final = "tcp://127.0.0.1:8502"
_METERS_COME_TO: Final = "tcp://127.0.0.1:8503"
# As `prewatt.link.validity.BOX_DAYS`, which would bring the carriers into every command.
_DAYS: Final = 730
_DAYS_MAX: Final = 7_300
_HOMES_MAX: Final = 1_000

_Box = Annotated[Path, typer.Argument(metavar="DIR", help="The box's folder: its papers, and what it must not forget.")]
_Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write the papers to.")]
_Days = Annotated[int, typer.Option("--days", min=1, max=_DAYS_MAX, help="How long they are valid.")]
_At = Annotated[
    list[str] | None,
    typer.Option("--at", metavar="ADDRESS", help="Name or IP address under which it is called; may be repeated."),
]
_Program = Annotated[
    str | None,
    typer.Option(
        "--nats-server",
        metavar="PATH|URL",
        help="The message server to start (else nats-server), or nats://HOST:PORT of a running one.",
        show_default=False,
    ),
]


@host_app.command("run")
def run_host(
    areas_at: Annotated[
        list[str] | None,
        typer.Option(
            "--areas",
            metavar="ADDRESS",
            help=f"Where areas come: tcp://HOST:PORT or nats://HOST:PORT,...; may be repeated ({_AREA_LISTENS}).",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=PORT_MAX, help="Port of the API (8400); 0: a free one.", show_default=False),
    ] = None,
    data: Data = None,
) -> None:
    """Run the host alone: its API, and the field's area servers as other processes or computers.

    Ctrl-C stops; the next start goes on from there. The installation is made with `prewatt init`.
    """
    settings = read_settings(data=data, port=port)
    # Imported here, as everywhere below: what a command does not need, it does not load.
    from prewatt.apps.boxes.hostrun import run_host as run

    run(settings, areas_at or [_AREA_LISTENS])


@host_app.command("server")
def make_server(
    number: Annotated[int, typer.Argument(metavar="N", min=0, max=255, help="Its number among the message servers.")],
    out: _Out,
    clients: Annotated[str, typer.Option("--clients", metavar="HOST:PORT", help="Where the host reaches it.")],
    leaves: Annotated[str, typer.Option("--leaves", metavar="HOST:PORT", help="Where area servers' leaf nodes do.")],
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="HOST:PORT", help="Where its sisters do.", show_default=False)
    ] = None,
    routes: Annotated[
        list[str] | None,
        typer.Option("--route", metavar="HOST:PORT", help="A sister's --cluster; may be repeated.", show_default=False),
    ] = None,
    at: _At = None,
    days: _Days = _DAYS,
    data: Data = None,
) -> None:
    """Write papers and configuration of a NATS message server; start it with `nats-server -c DIR/server.conf`."""
    from prewatt.link.names import parse_place, server_name
    from prewatt.link.natsconfig import ServerPlaces, build_hub_config
    from prewatt.link.papers import Papers

    given = {"clients": clients, "leaves": leaves, **({"cluster": cluster} if cluster else {})}
    hosts = [parse_place(place, field=field)[0] for field, place in given.items()]
    for route in routes or ():
        parse_place(route, field="route")
    name = server_name(installation_in(data), number)
    until = _certify(data, name, out, days, [*dict.fromkeys([*hosts, *(at or ())])])
    places = ServerPlaces(clients, leaves, cluster, routes or ())
    config = out / "server.conf"
    config.write_text(build_hub_config(f"server-{number}", Papers(out), places, out / "streams"))
    say(f"message server {number}: {config}, valid until {until}")


@areas.app.command("certify")
def certify_area(
    area: Annotated[str, typer.Argument(metavar="AREA", help="Id of the area, such as A1.")],
    out: _Out,
    days: _Days = _DAYS,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Write papers for an area server; again with the same folder renews them.

    They hold a private key: bring the folder to its computer by a safe way.
    """
    name = name_of_area(data, area)
    until = _certify(data, name, out, days, ())
    _tell(json_out, {"area": area, "number": name.numbers[0], "folder": str(out), "valid_until": until})


@stations.app.command("certify")
def certify_station(
    station: Annotated[str, typer.Argument(metavar="STATION", help="Id of the station, such as S1.")],
    out: _Out,
    days: _Days = _DAYS,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Write papers for a local station; again with the same folder renews them.

    They hold a private key: bring the folder to its computer by a safe way.
    """
    name = name_of_station(data, station)
    until = _certify(data, name, out, days, ())
    _tell(
        json_out,
        {"station": station, "address": ".".join(map(str, name.numbers)), "folder": str(out), "valid_until": until},
    )


@areas.app.command("run")
def run_area(
    box: _Box,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="The host's --areas, or nats:// with a server's --leaves.")
    ] = _AREA_LISTENS,
    stations_at: Annotated[
        list[str] | None,
        typer.Option(
            "--stations",
            metavar="ADDRESS",
            help=f"Where stations come; may be repeated ({_STATION_LISTENS}).",
            show_default=False,
        ),
    ] = None,
    nats_server: _Program = None,
) -> None:
    """Run an area server with the papers in DIR. Ctrl-C stops; the next start goes on from there."""
    from prewatt.apps.boxes.running import run_area as run

    run(box, host, stations_at or [_STATION_LISTENS], nats_server, read_settings().log_level)


@stations.app.command("run")
def run_station(
    box: _Box,
    area: Annotated[str, typer.Option("--area", metavar="ADDRESS", help="One of the area's --stations.")] = (
        _STATION_LISTENS
    ),
    meters_at: Annotated[
        list[str] | None,
        typer.Option(
            "--meters",
            metavar="ADDRESS",
            help=f"Where meters come onto the line; may be repeated ({_METERS_COME_TO}).",
            show_default=False,
        ),
    ] = None,
    line: Annotated[
        str | None,
        typer.Option(
            "--line",
            metavar="PROFILE",
            help="Shape the line like a real one, such as powerline-9600.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run a local station with the papers in DIR. Ctrl-C stops; the next start goes on from there."""
    from prewatt.apps.boxes.running import run_station as run

    run(box, area, meters_at or [_METERS_COME_TO], line, read_settings().log_level)


@meters.app.command("make")
def make_meter(
    meter: MeterArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file that becomes its memory.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Make the memory of an enrolled meter, its keys inside, for `prewatt meter run`.

    It is the meter's only one: who has the file is the meter. A file that is there is never written over.
    """
    from prewatt.apps.boxes.factory import make_memory

    settings = read_settings(data=data)
    with open_seller(settings) as seller:
        found, tariff = seller.get(f"/meters/{in_path('meter', meter)}"), seller.get("/tariff")
    make_memory(settings, found, tariff["unit_price_micro"], out)
    _tell(json_out, {"meter": found["id"], "m_id": found["m_id"], "file": str(out)})


@meters.app.command("run")
def run_meters(
    memories: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Memories made by `prewatt meter make`.")],
    line: Annotated[str, typer.Option("--line", metavar="ADDRESS", help="One of the station's --meters.")] = (
        _METERS_COME_TO
    ),
    home: Annotated[
        int, typer.Option("--home", min=0, max=_HOMES_MAX, help="Number of the home whose load the first one feeds.")
    ] = 0,
) -> None:
    """Run virtual meters on a station's line. Ctrl-C takes their power in good order; kill -9 takes it at once."""
    from prewatt.apps.boxes.running import run_meters as run

    run(memories, line, home, read_settings().log_level)


def installation_in(data: Path | None) -> str:
    """The id of the installation whose papers these commands make."""
    from prewatt.apps.database import read_installation_id

    return read_installation_id(read_settings(data=data))


def name_of_area(data: Path | None, area: str) -> "BoxName":
    """The area server of this id, as papers name it; ValueFieldError where there is none."""
    from prewatt.link.names import area_name

    with open_seller(read_settings(data=data)) as seller:
        numbers = {each["area"]: each["number"] for each in seller.get("/areas")}
    if area not in numbers:
        raise ValueFieldError("area", area, f"one of {', '.join(numbers)}")
    return area_name(installation_in(data), numbers[area])


def name_of_station(data: Path | None, station: str) -> "BoxName":
    """The local station of this id, as papers name it; RefusedError where there is none."""
    from prewatt.link.names import station_name

    with open_seller(read_settings(data=data)) as seller:
        address = seller.get(f"/stations/{in_path('station', station)}")["address"]
    return station_name(installation_in(data), Address(*map(int, address.split("."))))


def _certify(data: Path | None, name: "BoxName", out: Path, days: int, at: Sequence[str]) -> str:
    """Writes the papers of a box; gives the day on which they end."""
    from prewatt.apps.boxes.authority import certify, write_box_papers
    from prewatt.link.certificates import read_expiry_s

    settings = read_settings(data=data)
    papers = certify(settings, name, int(time.time()), days=days, at=at)
    write_box_papers(settings, out, papers)
    return datetime.fromtimestamp(read_expiry_s(papers.certificate), UTC).strftime("%Y-%m-%d")


def _tell(json_out: bool, answer: dict[str, object]) -> None:
    if json_out:
        print_json(answer)
    else:
        say(", ".join(f"{name.replace('_', ' ')} {given}" for name, given in answer.items()))
