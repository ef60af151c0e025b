"""Addresses: the number of an area server below the host, and of a local station below its area server.

Two bytes name a station everywhere in the field, as the modem address names a meter below it; at most 256 of each stand
below one above. People use the ids of areas and stations; boxes use these numbers.
"""

from dataclasses import dataclass
from typing import Final

from prewatt.units.ids import MeterId
from prewatt.units.value import ValueFieldError

__all__ = ["ADDRESS_BYTES", "BELOW_MAX", "BROADCAST_ID", "Address", "check_number"]

# Areas below a host, stations below an area, meters below a station: each has a number of one byte.
BELOW_MAX: Final = 256
ADDRESS_BYTES: Final = 2
# Reserved on every line: a frame with it is meant for all that hear it, never for a meter by that name.
BROADCAST_ID: Final = MeterId(b"\xff\xff\xff")


def check_number(number: int, *, field: str) -> int:
    """The number of an area, station or modem, 0 to 255; ValueFieldError for any other."""
    if isinstance(number, bool) or not 0 <= number < BELOW_MAX:
        raise ValueFieldError(field, number, f"0 to {BELOW_MAX - 1}")
    return number


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A station: the number of its area, and its own below it. ValueFieldError where one does not fit in a byte."""

    area: int
    station: int

    def __post_init__(self) -> None:
        check_number(self.area, field="area")
        check_number(self.station, field="station")

    def build(self) -> bytes:
        """The two bytes, area first."""
        return bytes((self.area, self.station))

    @classmethod
    def parse(cls, data: bytes) -> "Address":
        """The address in exactly two bytes; ValueFieldError for another length."""
        if len(data) != ADDRESS_BYTES:
            raise ValueFieldError("address", data.hex(), f"{ADDRESS_BYTES} bytes")
        return cls(data[0], data[1])

    def __str__(self) -> str:
        return f"{self.area}.{self.station}"
