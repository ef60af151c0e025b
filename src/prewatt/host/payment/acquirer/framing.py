"""Messages in a stream: a length in front of each, as most acquirers have it, and after it a fixed prefix where they
want one.

The usual length is two bytes, most significant first, that count what follows. Some count themselves as well, and
some put a header of five bytes (TPDU) before the message; both are settings. A stream that announces more than a
message can have is broken, and so is the connection.
"""

from dataclasses import dataclass
from typing import Final

from prewatt.host.payment.iso8583.messages import MESSAGE_BYTES_MAX, Wire
from prewatt.units import ValueFieldError

__all__ = ["PREFIX_BYTES_MAX", "Deframer", "Framing", "FramingError"]

PREFIX_BYTES_MAX: Final = 32
_LENGTHS: Final = (2, 4)


class FramingError(ConnectionError):
    """The stream announced what cannot be; nothing after it can be told apart."""


@dataclass(frozen=True, slots=True)
class Framing:
    """``length_bytes``: 2 or 4. ``counts_itself``: the length includes its own bytes. ``prefix``: sent before each
    message, and as many bytes are taken off each that comes."""

    length_bytes: int = 2
    counts_itself: bool = False
    prefix: bytes = b""

    def __post_init__(self) -> None:
        if self.length_bytes not in _LENGTHS:
            raise ValueFieldError("length bytes", self.length_bytes, "2 or 4")
        if len(self.prefix) > PREFIX_BYTES_MAX:
            raise ValueFieldError("prefix", self.prefix.hex(), f"up to {PREFIX_BYTES_MAX} bytes")

    def build(self, message: bytes) -> Wire:
        """The message as it goes into the stream; ValueError for an empty or too long one."""
        if not 0 < len(message) <= MESSAGE_BYTES_MAX:
            raise ValueError(f"message: {len(message)} bytes are not allowed; allowed is 1 to {MESSAGE_BYTES_MAX}")
        body = self.prefix + message
        length = len(body) + (self.length_bytes if self.counts_itself else 0)
        return Wire(length.to_bytes(self.length_bytes, "big") + body)


class Deframer:
    """Takes messages out of a stream, in pieces of any size."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Wire]:
        """The messages that are complete now; FramingError ends the stream. A length of 0 is a sign of life."""
        held, framing = self._held, self._framing
        held += data
        messages, at = [], 0
        head, own = framing.length_bytes, framing.length_bytes if framing.counts_itself else 0
        most = MESSAGE_BYTES_MAX + len(framing.prefix)
        while len(held) - at >= head:
            length = int.from_bytes(held[at : at + head], "big")
            body = length - own if length else 0
            if body > most or body < 0 or 0 < body <= len(framing.prefix):
                raise FramingError(f"the other end announced a message of {length} bytes")
            end = at + head + body
            if end > len(held):
                break
            if body:
                messages.append(Wire(held[at + head + len(framing.prefix) : end]))
            at = end
        del held[:at]
        return messages
