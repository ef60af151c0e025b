"""What the engine is set to, and what it gives out."""

from dataclasses import dataclass

from prewatt.units import MeterId

__all__ = ["DispatchSettings", "Post"]


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    """Times of the line are milliseconds of wall time; ``poll_s`` is installation time."""

    session_ms: int = 30_000
    """A prompt session's life."""
    backoff_first_ms: int = 1_000
    backoff_most_ms: int = 60_000
    sessions_per_station_max: int = 12
    """Sessions at once below one station: about a second of line each, less than half of a session's life."""
    poll_s: int = 6 * 3_600
    """How often each meter's clock is checked and its usage collected."""
    poll_floor_ms: int = 2_000
    """The least wall time between two polls of a meter, however fast installation time runs."""
    refresh_after_value: bool = True
    """Ask for the registers right after a transfer, so that relay and sums are shown as they are."""


@dataclass(frozen=True, slots=True)
class Post:
    """Payloads for the meters below one station, at most one a meter."""

    station: str
    messages: tuple[tuple[MeterId, bytes], ...]
