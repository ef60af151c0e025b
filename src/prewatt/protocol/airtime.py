"""How long bytes are on a shared half-duplex line, and how long both sides wait for each other.

Five figures of a line decide everything that modems agree on about time: bit rate, what stands before the first byte,
the time a modem takes to turn from listening to sending, the way, and the size of a fragment. Both sides must be set
alike. Times are whole milliseconds, rounded up.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from prewatt.codec.frame import FRAME_OVERHEAD_BYTES
from prewatt.codec.messages import PAYLOAD_BYTES_MAX

__all__ = ["FRAGMENT_BYTES_MAX", "FRAGMENT_BYTES_MIN", "START_HEAD_BYTES", "LineTiming"]

# length(2) | CRC-32(4), before the message's own bytes in the first fragment.
START_HEAD_BYTES: Final = 6
# Numbers are one byte and may not repeat inside a message: 2,600 bytes make at most 163 fragments of 16.
FRAGMENT_BYTES_MIN: Final = 16
FRAGMENT_BYTES_MAX: Final = PAYLOAD_BYTES_MAX
# Nobody's clock is exact, and rounding up happens twice on a way.
_MARGIN_MS: Final = 5
_MS: Final = 1_000
_BIT_RATE_MAX: Final = 1_000_000_000


@dataclass(frozen=True)
class LineTiming:
    """``bit_rate`` bit/s; ``preamble_bits`` before each frame; ``turnaround_ms`` from hearing to sending;
    ``latency_ms`` one way; ``fragment_bytes`` of payload in one fragment's frame. ValueError for what cannot be."""

    bit_rate: int
    preamble_bits: int
    turnaround_ms: int
    latency_ms: int
    fragment_bytes: int

    def __post_init__(self) -> None:
        bounds = {
            "bit_rate": (1, _BIT_RATE_MAX),
            "preamble_bits": (0, 1_000_000),
            "turnaround_ms": (0, 60_000),
            "latency_ms": (0, 60_000),
            "fragment_bytes": (FRAGMENT_BYTES_MIN, FRAGMENT_BYTES_MAX),
        }
        for name, (least, most) in bounds.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name}: {value} is not allowed; allowed is {least} to {most}")

    def air_ms(self, frame_bytes: int) -> int:
        """How long a whole frame of so many bytes is on the line."""
        return -((self.preamble_bits + 8 * frame_bytes) * -_MS // self.bit_rate)

    @cached_property
    def detect_ms(self) -> int:
        """From the first bit on the line until others notice that it is in use: half the preamble."""
        return max(1, -(self.preamble_bits * -_MS // (2 * self.bit_rate)))

    @cached_property
    def ack_ms(self) -> int:
        """An acknowledgement on the line."""
        return self.air_ms(FRAME_OVERHEAD_BYTES)

    @cached_property
    def fragment_ms(self) -> int:
        """The longest fragment on the line."""
        return self.air_ms(FRAME_OVERHEAD_BYTES + self.fragment_bytes)

    @cached_property
    def ack_within_ms(self) -> int:
        """From the last bit of a fragment until its acknowledgement must have come."""
        return self.turnaround_ms + self.ack_ms + 2 * self.latency_ms + _MARGIN_MS

    @cached_property
    def slot_ms(self) -> int:
        """The shortest mini-slot in which a meter that began is noticed by all others before the next begins."""
        return self.turnaround_ms + self.latency_ms + self.detect_ms + 1

    @cached_property
    def notice_ms(self) -> int:
        """From the end of one's own sending until it is noticed that the other has begun to answer at once."""
        return self.turnaround_ms + 2 * self.latency_ms + self.detect_ms + 1

    @cached_property
    def silence_ms(self) -> int:
        """So long one side waits for the other's next fragment before it takes the line: four tries of it."""
        return 4 * (self.turnaround_ms + self.fragment_ms + self.ack_within_ms)

    def fragments(self, message_bytes: int) -> int:
        """How many fragments a message of so many bytes makes."""
        first = self.fragment_bytes - START_HEAD_BYTES
        return 1 + max(0, -((message_bytes - first) // -self.fragment_bytes))

    def message_ms(self, message_bytes: int) -> int:
        """A message of so many bytes on a line that loses nothing, from its first bit to its last acknowledgement."""
        count = self.fragments(message_bytes)
        each = 2 * self.turnaround_ms + 2 * self.latency_ms + self.ack_ms
        rest = message_bytes + START_HEAD_BYTES - (count - 1) * self.fragment_bytes
        return (count - 1) * (self.fragment_ms + each) + self.air_ms(FRAME_OVERHEAD_BYTES + rest) + each
