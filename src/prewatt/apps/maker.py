"""The maker's files: the key under which programs are signed, its public half, and the signatures.

A key file is 64 hex digits, readable by its owner alone; there is no default key. The public half goes into the birth
certificate of every meter that shall take programs of this maker; a signature names the maker beside it.
"""

import json
import os
import stat
from pathlib import Path
from typing import Final

from prewatt.apps.settings import Settings
from prewatt.codec.errors import DecodeError
from prewatt.codec.program import Manifest
from prewatt.crypto.program import MAKER_KEY_BYTES, MAKER_SEED_BYTES, maker_key, sign_program
from prewatt.units import ValueFieldError

__all__ = ["create_key", "maker_of", "read_image", "read_public", "read_signature", "sign_image"]

_OWNER_ONLY: Final = 0o600
_IMAGE_FILE_MAX: Final = 1_000_000


def create_key(path: Path) -> Path:
    """A new key in ``path``, which must not exist, and its public half in the file of the same name with .pub, which
    is given back."""
    seed = os.urandom(MAKER_SEED_BYTES)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(file, "w") as out:
        out.write(seed.hex() + "\n")
        out.flush()
        os.fsync(out.fileno())
    public = path.with_name(path.name + ".pub")
    public.write_text(maker_key(seed).hex() + "\n")
    return public


def maker_of(settings: Settings) -> bytes | None:
    """What the meters that are made here know their maker by; None where no maker is set."""
    return None if settings.maker_key is None else read_public(settings.maker_key)


def read_public(path: Path) -> bytes:
    """The public half in a file that `create_key` wrote; ValueFieldError for anything else."""
    return _read_hex(path, MAKER_KEY_BYTES, "maker_key")


def read_image(path: Path) -> tuple[bytes, Manifest]:
    """An image and its manifest; ValueFieldError for a file that is none."""
    if path.stat().st_size > _IMAGE_FILE_MAX:
        raise ValueFieldError("program", str(path), "an image of at most 64 KiB")
    image = path.read_bytes()
    try:
        return image, Manifest.of(image)
    except (DecodeError, ValueError) as error:
        raise ValueFieldError("program", str(path), f"an image as `prewatt program pack` makes it ({error})") from None


def sign_image(image: Path, key: Path) -> dict[str, str]:
    """Maker and signature of an image, in hex."""
    if stat.S_IMODE(key.stat().st_mode) & 0o077:
        raise ValueFieldError("key", str(key), "a file that only its owner may read (chmod 600)")
    seed = _read_hex(key, MAKER_SEED_BYTES, "key")
    _, manifest = read_image(image)
    return {"maker": maker_key(seed).hex(), "signature": sign_program(manifest.signed_bytes(), seed).hex()}


def read_signature(path: Path) -> dict[str, str]:
    """Maker and signature in a file that `prewatt program sign` wrote."""
    allowed = "a file that `prewatt program sign` wrote"
    try:
        found = json.loads(path.read_text())
        return {"maker": str(found["maker"]), "signature": str(found["signature"])}
    except (ValueError, KeyError, TypeError):
        raise ValueFieldError("signature", str(path), allowed) from None


def _read_hex(path: Path, length: int, field: str) -> bytes:
    try:
        found = bytes.fromhex(path.read_text().strip())
    except ValueError:
        found = b""
    if len(found) != length:
        # What stands there is not shown: it may be a key, of whatever length.
        raise ValueFieldError(field, str(path), f"a file with {2 * length} hex digits")
    return found
