"""Tokens of staff and programs: `pw_<id>_<secret>`, where the id may be shown and the secret is 256 random bits.

Only the SHA-256 of the whole stands in the database. That needs no dear hash: nobody guesses 256 bits.
"""

import hmac
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Final

__all__ = ["Token"]

_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_FORM: Final = re.compile(r"pw_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)


class Token:
    """One token; neither its text nor its secret is in its repr."""

    __slots__ = ("_text", "id")

    def __init__(self, text: str, token_id: str) -> None:
        self._text, self.id = text, token_id

    @classmethod
    def make(cls, random: Callable[[int], bytes]) -> "Token":
        """A fresh one."""
        token_id = random(_ID_BYTES).hex()
        return cls(f"pw_{token_id}_{random(_SECRET_BYTES).hex()}", token_id)

    @classmethod
    def parse(cls, text: str) -> "Token | None":
        """The token that ``text`` is; None for whatever else."""
        found = _FORM.fullmatch(text)
        return None if found is None else cls(text, found[1])

    def __repr__(self) -> str:
        return f"<token {self.id}, not shown>"

    @property
    def digest(self) -> bytes:
        """What is stored of it."""
        return sha256(self._text.encode()).digest()

    def matches(self, digest: bytes) -> bool:
        """Whether this is the token of ``digest``; takes the same time for every wrong one."""
        return hmac.compare_digest(self.digest, digest)

    def reveal(self) -> str:
        """Its text, for the one answer that gives it to its holder."""
        return self._text
