"""What a vault is sealed under: a passphrase that a person types, or a key file that a machine reads.

Both are only material for argon2id. They are kept apart by a prefix, so that a key file holding the text of a
passphrase does not open what the passphrase sealed. A secret never shows in a repr, an error or a log.
"""

import os
import stat
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from prewatt.host.keys.errors import VaultSecretError

__all__ = [
    "KEY_FILE_BYTES",
    "KEY_FILE_MAX_BYTES",
    "KEY_FILE_MIN_BYTES",
    "PASSPHRASE_MAX_CHARS",
    "PASSPHRASE_MIN_CHARS",
    "VaultSecret",
]

# Shorter ones fall to guessing whatever argon2id costs; longer ones are a mistake (a file given as a passphrase).
PASSPHRASE_MIN_CHARS: Final = 8
PASSPHRASE_MAX_CHARS: Final = 1_024
# 16 bytes is the least that is not worth guessing; a file of more than 64 KiB is not a key file.
KEY_FILE_MIN_BYTES: Final = 16
KEY_FILE_MAX_BYTES: Final = 65_536
# What `create_file` writes.
KEY_FILE_BYTES: Final = 32
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class VaultSecret:
    """Made by `from_passphrase`, `from_file` or `create_file`."""

    __slots__ = ("_kind", "_material")

    def __init__(self, kind: str, material: bytes) -> None:
        self._kind = kind
        self._material = kind.encode() + b"\x00" + material

    def __repr__(self) -> str:
        return f"<vault secret from a {self._kind}, not shown>"

    def __reduce__(self) -> str:
        raise TypeError("a vault secret is not copied or stored")

    @property
    def material(self) -> bytes:
        """What goes into argon2id."""
        return self._material

    @property
    def kind(self) -> str:
        """`passphrase` or `key file`."""
        return self._kind

    @classmethod
    def from_passphrase(cls, text: str) -> "VaultSecret":
        """From typed text, 8 to 1,024 characters; composed and decomposed accents are the same (Unicode NFC)."""
        text = unicodedata.normalize("NFC", text)
        if not PASSPHRASE_MIN_CHARS <= len(text) <= PASSPHRASE_MAX_CHARS:
            raise VaultSecretError(
                f"passphrase: {len(text)} characters are not allowed; "
                f"allowed is {PASSPHRASE_MIN_CHARS} to {PASSPHRASE_MAX_CHARS}"
            )
        return cls("passphrase", text.encode())

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> "VaultSecret":
        """From every byte of a file of 16 bytes to 64 KiB that nobody but its owner can touch (mode 0600 or less)."""
        try:
            with Path(path).open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                if not stat.S_ISREG(mode):
                    raise VaultSecretError(f"key file {path}: not a regular file")
                if mode & _OTHERS:
                    raise VaultSecretError(
                        f"key file {path}: mode {stat.S_IMODE(mode):04o} lets others in; do `chmod 600` on it"
                    )
                material = file.read(KEY_FILE_MAX_BYTES + 1)
        except OSError as error:
            hint = "set PREWATT_KEY_FILE, or PREWATT_PASSPHRASE where the vault has one"
            raise VaultSecretError(f"key file {path}: cannot be read ({error.strerror}); {hint}") from error
        if not KEY_FILE_MIN_BYTES <= len(material) <= KEY_FILE_MAX_BYTES:
            held = f"more than {KEY_FILE_MAX_BYTES}" if len(material) > KEY_FILE_MAX_BYTES else f"{len(material)}"
            raise VaultSecretError(
                f"key file {path}: {held} bytes; allowed is {KEY_FILE_MIN_BYTES} to {KEY_FILE_MAX_BYTES}"
            )
        return cls("key file", material)

    @classmethod
    def create_file(cls, path: str | os.PathLike[str], *, random: Callable[[int], bytes] = os.urandom) -> "VaultSecret":
        """Writes a new key file (32 random bytes, mode 0600, never over another file) and gives its secret."""
        fresh = f"{os.fspath(path)}.new"
        try:
            # Whole or not at all: a start that is killed in here must not leave half a key behind.
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(random(KEY_FILE_BYTES))
                file.flush()
                os.fsync(file.fileno())
            os.link(fresh, path)
        except OSError as error:
            raise VaultSecretError(f"key file {path}: cannot be created ({error.strerror})") from error
        finally:
            with suppress(OSError):
                os.unlink(fresh)
        return cls.from_file(path)
