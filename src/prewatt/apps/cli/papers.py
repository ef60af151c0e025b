"""`prewatt papers`: whose papers hold until when, and revoking those of a box that was stolen or lost."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prewatt.apps.cli import areas, boxes, stations
from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.show import local_time, print_json, say, table
from prewatt.apps.settings import read_settings

if TYPE_CHECKING:
    from prewatt.link.names import BoxName

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Papers of boxes: until when they hold, and the list of those revoked.")

_Reason = Annotated[
    str, typer.Option("--reason", help="Why, for whoever reads the list. Must be given.", show_default=False)
]
_Unrecorded = Annotated[
    bool, typer.Option("--unrecorded", help="Also where none are on record, because the record was lost.")
]


@app.command("list")
def list_papers(data: Data = None, json_out: JsonOut = False) -> None:
    """List the boxes that have papers, until when these hold, and what was revoked."""
    from prewatt.apps.boxes.issued import read_issued

    record, now_s = read_issued(read_settings(data=data).data), int(time.time())
    standings = {box: record.standing(box, now_s) for box in record.boxes()}
    if json_out:
        print_json(
            {
                "boxes": [
                    {"box": box, "edition": record.edition_of(box)} | one.as_dict() for box, one in standings.items()
                ],
                "revoked": [
                    {
                        "box": each.box,
                        "edition": each.edition,
                        "papers": each.papers,
                        "at_s": each.at_s,
                        "reason": each.reason,
                    }
                    for each in record.revoked
                ],
            }
        )
        return
    table(
        ("box", "edition", "papers until"),
        [(box, record.edition_of(box), one.text) for box, one in standings.items()],
        right=("edition",),
    )
    if record.revoked:
        say("revoked:")
        table(
            ("box", "edition", "papers", "at", "reason"),
            [(each.box, each.edition, each.papers, local_time(each.at_s), each.reason) for each in record.revoked],
            right=("edition", "papers"),
        )


@app.command("bring")
def bring(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of boxes or of message servers.")],
    data: Data = None,
) -> None:
    """Bring the list of revoked papers into the folders of boxes.

    A running box takes it up within seconds. In the folder of a message server the configuration is written by it,
    too: start the server anew.
    """
    from prewatt.apps.boxes.revoking import bring_list

    settings = read_settings(data=data)
    for folder in folders:
        say(f"{bring_list(settings.data, folder)}: {folder} has the list")


@areas.app.command("revoke")
def revoke_area(
    area: Annotated[str, typer.Argument(metavar="AREA", help="Id of the area, such as A1.")],
    reason: _Reason,
    unrecorded: _Unrecorded = False,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Revoke all papers of an area server that was stolen or lost.

    It cannot be undone; the next `area certify` makes papers that are let in again. Bring the list to whoever else
    would still believe it: `prewatt papers bring`.
    """
    _revoke(data, boxes.name_of_area(data, area), reason, unrecorded, json_out)


@stations.app.command("revoke")
def revoke_station(
    station: Annotated[str, typer.Argument(metavar="STATION", help="Id of the station, such as S1.")],
    reason: _Reason,
    unrecorded: _Unrecorded = False,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Revoke all papers of a local station that was stolen or lost.

    It cannot be undone; the next `station certify` makes papers that are let in again. Its area server has to get the
    list: `prewatt papers bring`.
    """
    _revoke(data, boxes.name_of_station(data, station), reason, unrecorded, json_out)


@boxes.host_app.command("revoke")
def revoke_host(
    reason: _Reason,
    unrecorded: _Unrecorded = False,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Revoke all papers of this host: somebody has copied the folder they lie in.

    It cannot be undone. The host makes new ones for itself as it starts, and within an hour where it runs. Area servers
    and message servers have to get the list: `prewatt papers bring`.
    """
    from prewatt.link.names import host_name

    _revoke(data, host_name(boxes.installation_in(data)), reason, unrecorded, json_out)


@boxes.host_app.command("revoke-server")
def revoke_server(
    number: Annotated[int, typer.Argument(metavar="N", min=0, max=255, help="Its number among the message servers.")],
    reason: _Reason,
    unrecorded: _Unrecorded = False,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Revoke all papers of a message server that was stolen or lost.

    It cannot be undone. Its sisters in a cluster need new papers then: `prewatt host server` for each of them.
    """
    from prewatt.link.names import server_name

    _revoke(data, server_name(boxes.installation_in(data), number), reason, unrecorded, json_out)


def _revoke(data: Path | None, name: "BoxName", reason: str, unrecorded: bool, json_out: bool) -> None:
    from prewatt.apps.boxes.revoking import revoke

    done = revoke(read_settings(data=data), name, reason, int(time.time()), unrecorded=unrecorded)
    if json_out:
        print_json({"box": done.box, "edition": done.edition, "papers": done.papers, "list": str(done.path)})
        return
    say(f"{done.box}: {done.papers} paper{'s' if done.papers > 1 else ''} of edition {done.edition} revoked")
    say(f"list: {done.path}; other boxes go by it when `prewatt papers bring` brought it")
