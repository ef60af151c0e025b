"""The one way in which received bytes fail: they are not authentic.

A wrong key, a flipped bit, a cut tail and bad padding all look the same to the caller, so that nobody who sends
forged bytes learns which check they failed. Misuse by our own code (a key of the wrong length) is ValueError instead.
"""

from typing import NoReturn

__all__ = ["AuthenticationError", "refuse_length"]


class AuthenticationError(Exception):
    """What was received was not made under this key, or not for this place; every cause gives the same text."""

    def __init__(self) -> None:
        super().__init__("the data is not authentic: other key, other context, or altered on the way")


def refuse_length(field: str, given: bytes, allowed: str) -> NoReturn:
    """Raises ValueError that names the field, its length (never its bytes) and the lengths allowed."""
    raise ValueError(f"{field}: {len(given)} bytes are not allowed; allowed is {allowed}")
