"""The suites by name and by the byte that names them on the wire."""

from typing import Final

from prewatt.crypto.abstract import Suite
from prewatt.crypto.aes import AES_2026
from prewatt.crypto.tdes import TDES_1998

__all__ = ["SUITES", "suite", "suite_by_id"]

SUITES: Final[tuple[Suite, ...]] = (TDES_1998, AES_2026)
_BY_NAME: Final = {str(each.name): each for each in SUITES}
_BY_ID: Final = {each.id: each for each in SUITES}


def suite(name: str) -> Suite:
    """The suite called `name`; ValueError for another name."""
    found = _BY_NAME.get(name)
    if found is None:
        raise ValueError(f"suite: {name!r} is not allowed; allowed is {' or '.join(_BY_NAME)}")
    return found


def suite_by_id(number: int) -> Suite:
    """The suite whose byte on the wire is `number`; ValueError for another number."""
    found = _BY_ID.get(number)
    if found is None:
        raise ValueError(f"suite: {number!r} is not a suite's byte; allowed is {' or '.join(map(str, _BY_ID))}")
    return found
