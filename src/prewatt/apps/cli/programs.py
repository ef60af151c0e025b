"""`prewatt program`: programs for meters, from the maker's key to the installation that brings them out."""

import base64
import json
from pathlib import Path
from typing import Annotated

import typer

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import open_seller
from prewatt.apps.cli.show import local_time, print_json, say, table
from prewatt.apps.settings import read_settings
from prewatt.units import ValueFieldError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Programs for meters: pack, sign, add, list.")

_Image = Annotated[Path, typer.Argument(metavar="IMAGE", help="A file made by `prewatt program pack`.")]


@app.command("key")
def make_key(
    out: Annotated[Path, typer.Option("--out", help="Where the key goes; its public half goes to the same name.pub.")],
) -> None:
    """Make a maker's key: it signs programs, and only meters born with its public half take them."""
    from prewatt.apps.maker import create_key

    public = create_key(out)
    say(f"key {out} (keep it apart from every installation), public half {public}")


@app.command("pack")
def pack_program(
    body: Annotated[Path, typer.Argument(metavar="FILE", help="The bytes of the program, at most 65,489.")],
    version: Annotated[int, typer.Option("--version", min=1, help="Its number; meters take greater ones only.")],
    out: Annotated[Path, typer.Option("--out", help="Where the image goes.")],
    kind: Annotated[
        str, typer.Option("--kind", help="The meters it is for: home, or ct for those at transformers.")
    ] = "home",
) -> None:
    """Pack bytes into an image for meters of this release."""
    from prewatt.codec.program import ProgramKind, build_image
    from prewatt.device.meter.program import MEMORY_FORMAT

    kinds = {"home": ProgramKind.HOME, "ct": ProgramKind.TRANSFORMER}
    if kind not in kinds:
        raise ValueFieldError("kind", kind, " or ".join(kinds))
    out.write_bytes(build_image(version, MEMORY_FORMAT, body.read_bytes(), kinds[kind]))
    say(f"image {out}, version {version}, {out.stat().st_size} bytes")


@app.command("sign")
def sign_program(
    image: _Image,
    key: Annotated[Path, typer.Option("--key", help="The maker's key file, made by `prewatt program key`.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the signature goes (IMAGE.sig).", show_default=False)
    ] = None,
) -> None:
    """Sign an image with the maker's key."""
    from prewatt.apps.maker import sign_image

    target = out or image.with_name(image.name + ".sig")
    target.write_text(json.dumps(sign_image(image, key)) + "\n")
    say(f"signature {target}")


@app.command("add")
def add_program(
    image: _Image,
    signature: Annotated[Path, typer.Option("--signature", help="The file that `prewatt program sign` wrote.")],
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Add a signed program to the installation; `prewatt campaign start program` brings it to meters."""
    from prewatt.apps.maker import read_image, read_signature

    whole, _ = read_image(image)
    signed = read_signature(signature)
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/programs", image=base64.b64encode(whole).decode(), **signed)
    _print([found], json_out)


@app.command("list")
def list_programs(data: Data = None, json_out: JsonOut = False) -> None:
    """List the programs of the installation."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/programs")
    _print(found, json_out)


def _print(found: list[dict[str, object]], json_out: bool) -> None:
    if json_out:
        print_json(found)
        return
    table(
        ("version", "meters", "bytes", "SHA-256", "maker", "added"),
        [
            (
                each["version"],
                each["meters"],
                each["size_bytes"],
                str(each["digest"])[:16],
                str(each["maker"])[:16],
                local_time(int(str(each["made_s"]))),
            )
            for each in found
        ],
        right=("version", "bytes"),
    )
