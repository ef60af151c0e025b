"""`prewatt user`: staff accounts, their roles, passwords and tokens. docs/operating/staff.md explains them."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import local_time, print_json, say, table
from prewatt.apps.settings import read_settings
from prewatt.units import ValueFieldError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Staff: users, roles, passwords, tokens.")
token_app = typer.Typer(no_args_is_help=True, help="A user's tokens: list, add, revoke.")
app.add_typer(token_app, name="token")

_PASSWORD_BYTES_MAX: Final = 4_096
_User = Annotated[str, typer.Argument(metavar="USER", help="Name of the user.")]
_Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="owner, finance, clerk, agent, technician, auditor or api; may be given again."),
]
_Password = Annotated[
    Path | None,
    typer.Option("--password-file", help="A file with the password in its first line; - for stdin.", allow_dash=True),
]


@app.command("add")
def add(
    user: _User, role: _Roles = None, password_file: _Password = None, data: Data = None, json_out: JsonOut = False
) -> None:
    """Add a user; the first one has to be an owner.

    From the first one on the API takes tokens of users alone; this command line, on the data folder, stays the owner.
    """
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/users", name=user, roles=role or [], **_given_password(password_file))
    _print_users([found], json_out)


@app.command("list")
def list_users(data: Data = None, json_out: JsonOut = False) -> None:
    """List the users."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/users")
    if json_out:
        print_json(found)
        return
    _print_users(found, json_out)


@app.command("change")
def change(
    user: _User,
    role: _Roles = None,
    password_file: _Password = None,
    totp: Annotated[str | None, typer.Option("--totp", help="new: another authenticator app; off: none.")] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Change roles, password or authenticator app of a user."""
    given: dict[str, Any] = _given_password(password_file)
    given |= {"roles": role} if role else {}
    given |= {"totp": totp} if totp is not None else {}
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/users/{in_path('user', user)}", **given)
    _print_users([found], json_out)
    if found["totp_uri"] is not None and not json_out:
        say(f"for the authenticator app, shown once: {found['totp_uri']}")


@app.command("disable")
def disable(user: _User, data: Data = None, json_out: JsonOut = False) -> None:
    """Let a user do nothing any more; what was done stays in the log."""
    _print_users([_post(f"/users/{in_path('user', user)}/disable", data)], json_out)


@app.command("enable")
def enable(user: _User, data: Data = None, json_out: JsonOut = False) -> None:
    """Let a disabled user in again."""
    _print_users([_post(f"/users/{in_path('user', user)}/enable", data)], json_out)


@token_app.command("list")
def list_tokens(user: _User, data: Data = None, json_out: JsonOut = False) -> None:
    """List a user's tokens; what opens with them is never shown again."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/users/{in_path('user', user)}/tokens")
    _print_tokens(found, json_out)


@token_app.command("add")
def add_token(
    user: _User,
    label: Annotated[str, typer.Option("--label", help="What it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", help="read, sell, money, field, registry, prices, audit or staff; without one all of them."
        ),
    ] = None,
    days: Annotated[int | None, typer.Option("--days", help="Days until it expires; without them never.")] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Make a token; it is shown this once."""
    with open_seller(read_settings(data=data)) as seller:
        path = f"/users/{in_path('user', user)}/tokens"
        found = seller.post(path, label=label, scopes=scope or [], **({} if days is None else {"days": days}))
    if json_out:
        print_json(found)
        return
    _print_tokens([found], json_out)
    print(found["token"])  # noqa: T201 - whole, to be copied


@token_app.command("revoke")
def revoke_token(
    token: Annotated[str, typer.Argument(metavar="ID", help="Id of the token, not the token itself.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Let a token open nothing any more."""
    _print_tokens([_post(f"/tokens/{in_path('token', token)}/revoke", data)], json_out)


def _post(path: str, data: Path | None) -> Any:  # noqa: ANN401 - JSON of the call
    with open_seller(read_settings(data=data)) as seller:
        return seller.post(path)


def _given_password(path: Path | None) -> dict[str, Any]:
    """The first line of the file; never on a command line, where others of this computer could read it."""
    if path is None:
        return {}
    name = str(path)
    if name == "-":
        content = sys.stdin.buffer.read(_PASSWORD_BYTES_MAX)
    else:
        with path.open("rb") as file:
            content = file.read(_PASSWORD_BYTES_MAX)
    try:
        return {"password": content.decode().partition("\n")[0].rstrip("\r")}
    except UnicodeDecodeError:
        raise ValueFieldError("password", f"the content of {name}", "a line of UTF-8") from None


def _print_users(found: list[Any], json_out: bool) -> None:
    if json_out:
        print_json(found[0])
        return
    table(
        ("user", "roles", "password", "app", "state", "made"),
        [
            (
                each["name"],
                ", ".join(each["roles"]),
                "yes" if each["has_password"] else "-",
                "yes" if each["has_totp"] else "-",
                "disabled" if each["disabled"] else "active",
                local_time(each["made_s"]),
            )
            for each in found
        ],
    )


def _print_tokens(found: list[Any], json_out: bool) -> None:
    if json_out:
        print_json(found)
        return
    table(
        ("token", "user", "label", "scopes", "made", "expires", "revoked"),
        [
            (
                each["id"],
                each["user"],
                each["label"],
                ", ".join(each["scopes"]) or "all",
                local_time(each["made_s"]),
                local_time(each["expires_s"]),
                local_time(each["revoked_s"]),
            )
            for each in found
        ],
    )
