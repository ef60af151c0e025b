"""A shared half-duplex line as a model: profiles with sources, the medium, and the medium with its modems."""

from prewatt.link.line.medium import Arrival, Line, Transmission
from prewatt.link.line.modemline import Delivered, ModemLine
from prewatt.link.line.predict import answer_within_ms, message_ms, quiet_within_ms
from prewatt.link.line.profile import PROFILES, LineProfile, profile_named

__all__ = [
    "PROFILES",
    "Arrival",
    "Delivered",
    "Line",
    "LineProfile",
    "ModemLine",
    "Transmission",
    "answer_within_ms",
    "message_ms",
    "profile_named",
    "quiet_within_ms",
]
