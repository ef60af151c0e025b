"""The fields of the routes on areas, stations, polling and the places of meters."""

from pydantic import BaseModel, ConfigDict

__all__ = ["AreaIn", "LineIn", "MoveIn", "NameIn", "NothingIn", "PollingIn", "RatingIn", "StationIn"]


class _Body(BaseModel):
    """A request body: exactly these fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class AreaIn(_Body):
    """An area server; without a number it gets the lowest free one."""

    area: str
    number: int | None = None
    name: str | None = None


class StationIn(_Body):
    """A local station, below area A1 where none is named.

    ``line``: the profile of its line; ``rating_kva``: what its transformer may carry, a decimal.
    """

    station: str
    area: str | None = None
    number: int | None = None
    name: str | None = None
    line: str | None = None
    rating_kva: str | None = None


class NameIn(_Body):
    """A name for people."""

    name: str


class LineIn(_Body):
    """The profile of a station's line; empty: a line that costs no time."""

    line: str


class RatingIn(_Body):
    """What a station's transformer may carry, in kVA as a decimal such as 37.5; empty: not known."""

    rating_kva: str


class PollingIn(_Body):
    """`every 6h` or `at 02:00,14:00`; local hours such as `22-06`; meters a minute, 0 for as many as the line takes."""

    schedule: str | None = None
    hours: str | None = None
    per_minute: int | None = None


class NothingIn(_Body):
    """No fields."""


class MoveIn(_Body):
    """The station that a meter now stands below, its modem address there (none: the lowest free), and why."""

    station: str
    m_id: int | None = None
    reason: str = "asked by the owner"
