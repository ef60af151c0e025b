"""What every carrier is: whole messages in, whole messages out, until one end closes.

A carrier may lose, double, delay or reorder messages, since every law above it survives that; it never hands out a
part of a message, and receive never waits for a peer that has closed.
"""

from typing import Protocol

__all__ = ["Carrier", "CarrierClosedError"]


class CarrierClosedError(ConnectionError):
    """One of the two ends has closed; nothing more will come or go."""


class Carrier(Protocol):
    """One end of a carrier."""

    async def send(self, data: bytes) -> None:
        """Hands one message over; CarrierClosedError when either end has closed."""
        ...

    async def receive(self) -> bytes:
        """The next message, in the order of arrival; CarrierClosedError when none can come any more."""
        ...

    def close(self) -> None:
        """Closes this end; whoever waits in receive on either end is woken with CarrierClosedError."""
        ...
