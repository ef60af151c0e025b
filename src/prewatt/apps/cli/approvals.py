"""`prewatt approve`: what one person asked for and a second one does."""

from typing import Annotated, Any

import typer

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import SellerError, in_path, open_seller
from prewatt.apps.cli.show import local_time, print_json, say, table, value
from prewatt.apps.settings import read_settings

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="What needs two persons: list, do, withdraw, and the limit for refunds.")
_Approval = Annotated[str, typer.Argument(metavar="ID", help="Id of what was asked for.")]


@app.command("list")
def list_approvals(data: Data = None, json_out: JsonOut = False) -> None:
    """List what was asked for, newest first, with what became of it."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/approvals")
    _print(found, json_out)


@app.command("do")
def approve(
    approval: _Approval,
    digest: Annotated[
        str | None, typer.Option("--digest", help="Digest of what you read; without it that of what is shown here.")
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Do what somebody else asked for, in your own name (PREWATT_TOKEN)."""
    with open_seller(read_settings(data=data)) as seller:
        wanted = [each for each in seller.get("/approvals") if each["id"] == approval]
        if not wanted:
            raise SellerError(f"approval: {approval!r} is not allowed; see `prewatt approve list`")
        if not json_out:
            _print(wanted, json_out)
        path = f"/approvals/{in_path('approval', approval)}/approve"
        found = seller.post(path, digest=wanted[0]["digest"] if digest is None else digest)
    if json_out:
        print_json(found)
        return
    say(f"{found['approval']['call']}: done, in the name of {found['approval']['decided_by']}")


@app.command("withdraw")
def withdraw(approval: _Approval, data: Data = None, json_out: JsonOut = False) -> None:
    """Say that it shall not be done."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/approvals/{in_path('approval', approval)}/withdraw")
    if json_out:
        print_json(found)
        return
    _print([found], json_out)


@app.command("limit")
def limit(
    refund: Annotated[str, typer.Option("--refund", help="Refunds above this amount need two; 0: every refund.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Change above which amount a refund needs two persons."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/approvals/limit", amount=refund)
    if json_out:
        print_json(found)
        return
    say(f"refunds above {value(found['refund_limit_micro'])} need two persons")


def _print(found: list[Any], json_out: bool) -> None:
    if json_out:
        print_json(found)
        return
    table(
        ("approval", "call", "arguments", "asked by", "asked", "until", "state", "decided by"),
        [
            (
                each["id"],
                each["call"],
                ", ".join(f"{name} {given}" for name, given in each["arguments"].items()),
                each["asked_by"],
                local_time(each["asked_s"]),
                local_time(each["expires_s"]),
                each["state"],
                each["decided_by"] or "-",
            )
            for each in found
        ],
    )
