"""What the engine is set to, and what it gives out."""

from dataclasses import dataclass

from prewatt.units import MeterId

__all__ = ["DispatchSettings", "Post"]


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    """Times of the line are milliseconds of wall time; ``poll_s`` is installation time."""

    session_ms: int = 30_000
    """A prompt session's life; on a slow line, what is predicted to go before it comes on top."""
    session_most_ms: int = 1_200_000
    """The longest a session is waited for: a terminal's own session life."""
    round_ms: int = 30_000
    """Line time that a station is given to work through at once; the rest goes in the next round, Hello included. At
    most a quarter of the session life, so that urgent, ordinary and doubtful calls together stay below half of it."""
    backoff_first_ms: int = 1_000
    backoff_most_ms: int = 60_000
    poll_s: int | None = None
    """How often each meter is polled, in place of the schedules in the database; None: those."""
    poll_floor_ms: int = 2_000
    """The least wall time between two polls of a meter, however fast installation time runs."""
    refresh_after_value: bool = True
    """Ask for the registers right after a transfer, so that relay and sums are shown as they are."""


@dataclass(frozen=True, slots=True)
class Post:
    """A round: payloads for the meters below one station, at most one a meter. ``urgent``: before other rounds."""

    station: str
    number: int
    urgent: bool
    messages: tuple[tuple[MeterId, bytes], ...]
