"""What the factory writes into a meter: identity, keys, first price, and how the body is built."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from prewatt.codec.modetable import ModeTable, flat_table
from prewatt.codec.settings import Settings
from prewatt.units import MeterId

__all__ = ["TOKEN_MICRO_DEFAULT", "Birth"]

# One unit token, the smallest grant of the exchanger: a thousandth of a currency unit.
TOKEN_MICRO_DEFAULT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Birth:
    """Written once. ``keys`` maps key-set numbers to terminal keys of the one ``suite`` the body is enrolled with."""

    meter_id: MeterId
    m_id: int
    suite: str
    keys: Mapping[int, bytes] = field(repr=False)
    unit_price_micro: int
    table: ModeTable = field(default_factory=flat_table)
    settings: Settings = field(default_factory=Settings)
    token_micro: int = TOKEN_MICRO_DEFAULT
    sources: int = 1
    drift_ppm: int = 0
