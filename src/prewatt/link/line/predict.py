"""How long messages will take on a line, for whoever has to plan: the size of a round, how long to wait for an answer.

A fragment and its acknowledgement are one cycle, and a cycle that fails is repeated after a silence. At the loss that
the profile has on average the mean time of a message follows in closed form; the limit for an answer leaves room for
the longest payloads and for several failures in a row. Tests compare both with the model.
"""

from math import exp
from typing import Final

from prewatt.codec.frame import FRAME_OVERHEAD_BYTES
from prewatt.codec.messages import PAYLOAD_BYTES_MAX
from prewatt.link.line.profile import LineProfile
from prewatt.protocol.airtime import START_HEAD_BYTES

__all__ = ["WITHIN_FACTOR", "answer_within_ms", "message_ms", "quiet_within_ms", "read_cycle_loss"]

# How far above the mean the limit for an answer lies: a line that is four decibels worse still makes it.
WITHIN_FACTOR: Final = 2
# A device's own time, from a frame to its answer.
_DEVICE_MS: Final = 300
_MS: Final = 1_000


def read_cycle_loss(profile: LineProfile, frame_bytes: int) -> float:
    """How often a frame of so many bytes or its acknowledgement is lost: impulses and the least bit errors alone."""
    timing = profile.timing
    exposed_s = (timing.air_ms(frame_bytes) + timing.ack_ms + 2 * profile.impulse_ms) / _MS
    bits = 8 * (frame_bytes + FRAME_OVERHEAD_BYTES)
    return 1 - exp(-profile.impulses_s * exposed_s - profile.bit_errors_least * bits)


def message_ms(profile: LineProfile, message_bytes: int) -> int:
    """The mean time that a message of so many bytes occupies the line, repeats included, to its last acknowledgement.

    ValueError for more than a frame's payload.
    """
    if not 0 <= message_bytes <= PAYLOAD_BYTES_MAX:
        raise ValueError(f"message_bytes: {message_bytes} is not allowed; allowed is 0 to {PAYLOAD_BYTES_MAX}")
    timing = profile.timing
    count = timing.fragments(message_bytes)
    last_bytes = message_bytes + START_HEAD_BYTES - (count - 1) * timing.fragment_bytes
    repeats_ms = (count - 1) * _repeats_ms(profile, timing.fragment_bytes) + _repeats_ms(profile, last_bytes)
    return round(timing.message_ms(message_bytes) + repeats_ms)


def _repeats_ms(profile: LineProfile, fragment_bytes: int) -> float:
    """What the repeats of one fragment take on average."""
    timing, frame_bytes = profile.timing, FRAME_OVERHEAD_BYTES + fragment_bytes
    loss = read_cycle_loss(profile, frame_bytes)
    return loss / (1 - loss) * (timing.air_ms(frame_bytes) + timing.ack_within_ms + 2 * timing.notice_ms)


def answer_within_ms(
    profile: LineProfile, call_bytes: int = PAYLOAD_BYTES_MAX, answer_bytes: int = PAYLOAD_BYTES_MAX
) -> int:
    """How long a station should wait from a call of ``call_bytes`` to an answer of ``answer_bytes`` (the longest)."""
    return WITHIN_FACTOR * (message_ms(profile, call_bytes) + message_ms(profile, answer_bytes)) + _DEVICE_MS


def quiet_within_ms(profile: LineProfile) -> int:
    """How long a station that is told what its modem is in the middle of (LineHeld) should wait for an answer.

    Then only the time on a quiet line counts: the meter's own, and that of three first fragments that did not come
    through.
    """
    timing = profile.timing
    return _DEVICE_MS + 3 * (timing.fragment_ms + timing.ack_within_ms + 2 * timing.notice_ms)
