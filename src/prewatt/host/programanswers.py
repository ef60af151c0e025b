"""What is said of programs."""

from dataclasses import dataclass

from prewatt.host.answers import Answer

__all__ = ["ProgramAnswer"]


@dataclass(frozen=True, slots=True)
class ProgramAnswer(Answer):
    """A program that meters can be given."""

    version: int
    meters: str
    """The kind of meters it is for: `home`, or `ct` for those at transformers."""
    size_bytes: int
    digest: str
    """SHA-256 of the image, in hex."""
    maker: str
    """The public key under which it is signed, in hex."""
    made_s: int
