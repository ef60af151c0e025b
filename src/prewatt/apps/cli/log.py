"""`prewatt log`: who did what to what, when, from where."""

from typing import Annotated, Final

import typer

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import open_seller
from prewatt.apps.cli.show import local_time, print_json, say, table
from prewatt.apps.settings import read_settings
from prewatt.units import ValueFieldError, parse_stamp

__all__ = ["register"]

_STAMP: Final = "a UTC time such as 261101080000 (YYMMDDhhmmss)"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("log")(log)


def log(
    subject: Annotated[str | None, typer.Option("--subject", help="Only this meter, station, user ...")] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="Only what this user did.")] = None,
    from_time: Annotated[str | None, typer.Option("--from", help="From this UTC time on, YYMMDDhhmmss.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Before this UTC time, YYMMDDhhmmss.")] = None,
    below: Annotated[
        int | None, typer.Option("--below", min=0, help="Lines with lower numbers: the next page.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="Lines on a page.")] = 50,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Show the audit log, newest first. `prewatt audit` checks that no line of it was changed."""
    asked = {"subject": subject, "actor": actor, "below": below, "limit": limit}
    period = {"from_s": _second("from", from_time), "until_s": _second("until", until)}
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/log", **asked, **period)
    if json_out:
        print_json(found)
        return
    table(
        ("number", "when", "who", "from", "what", "to what", "detail"),
        [
            (
                each["number"],
                local_time(each["at_s"]),
                each["actor"],
                each["origin"] or "-",
                each["action"],
                each["subject"],
                each["detail"],
            )
            for each in found["lines"]
        ],
        right=("number",),
    )
    if found["next"] is not None:
        say(f"there is more: --below {found['next']}")


def _second(field: str, given: str | None) -> int | None:
    if given is None:
        return None
    try:
        return parse_stamp(given)
    except ValueError:
        raise ValueFieldError(field, given, _STAMP) from None
