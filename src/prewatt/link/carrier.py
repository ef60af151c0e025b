"""What every carrier is, and how one is found: whole messages in, whole messages out, until one end closes.

A carrier may lose, double, delay or reorder messages, since every law above it survives that; what it does promise it
says in its `Promise`, and one test suite (tests/link/conformance) holds each to it. It never hands out a part of a
message, and receive never waits for a peer that has closed.

A carrier is an entry point of the group `prewatt.carriers`: its name is the scheme of addresses (`tcp://HOST:PORT`,
`powerline:STREET`), its object has `listen` and `dial`. Anybody's package can add one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from prewatt.codec.hop import HOP_BYTES_MAX
from prewatt.link.names import BoxName
from prewatt.units import ValueFieldError

__all__ = [
    "CARRIERS_GROUP",
    "MESSAGE_BYTES_MAX",
    "Accept",
    "Carrier",
    "CarrierClosedError",
    "CarrierScheme",
    "End",
    "Listener",
    "Promise",
    "dial",
    "find_scheme",
    "installed_carriers",
    "listen",
]

CARRIERS_GROUP: Final = "prewatt.carriers"
# The largest box message; what else travels is smaller.
MESSAGE_BYTES_MAX: Final = HOP_BYTES_MAX


class CarrierClosedError(ConnectionError):
    """One of the two ends has closed; nothing more will come or go."""


class Carrier(Protocol):
    """One end of a carrier."""

    async def send(self, data: bytes) -> None:
        """Hands one message over; waits while the carrier is full.

        CarrierClosedError when this end has closed, or the other where that can be seen; ValueError for a message that
        the carrier's `Promise` does not allow.
        """
        ...

    async def receive(self) -> bytes:
        """The next message, in the order of arrival; CarrierClosedError when none can come any more.

        A receive that is cancelled loses no message.
        """
        ...

    def close(self) -> None:
        """Closes this end; whoever waits in receive on either end is woken with CarrierClosedError. Twice is once."""
        ...


@dataclass(frozen=True, slots=True)
class Promise:
    """What a carrier promises as long as both ends are open.

    ``lossless``: every message arrives. ``ordered``: in the order they were sent. ``shared``: many ends hear one; then
    an end that closes does not close the others, except the one that listened. ``turns``: an end that dialled speaks
    when it was spoken to; what it says while it is being called anew may be lost. ``frames_only``: messages are link
    frames (`prewatt.codec.frame`), one way each.
    """

    message_bytes_max: int = MESSAGE_BYTES_MAX
    lossless: bool = True
    ordered: bool = True
    shared: bool = False
    turns: bool = False
    frames_only: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """Who this end is, where a carrier asks for it: the box's name, and the folder with its papers."""

    name: BoxName | None = None
    papers: Path | None = None


Accept = Callable[[Carrier, BoxName | None], None]
"""Is given each end that a peer has opened, with the peer's name where the carrier proves it."""


class Listener(Protocol):
    """A place where peers are let in."""

    @property
    def place(self) -> str:
        """Where peers reach it: what was asked for, with a port that was chosen filled in."""
        ...

    def close(self) -> None:
        """Lets nobody in any more, and closes whom it has let in."""
        ...


@runtime_checkable
class CarrierScheme(Protocol):
    """What an entry point of `prewatt.carriers` names."""

    @property
    def promise(self) -> Promise:
        """What its carriers promise."""
        ...

    async def listen(self, place: str, own: End, accept: Accept) -> Listener:
        """Opens a place; OSError where it cannot be had, ValueFieldError for a place that cannot be one."""
        ...

    async def dial(self, place: str, own: End, peer: BoxName | None) -> Carrier:
        """An open end to whoever listens at ``place`` (``peer``, where given); CarrierClosedError where nobody does."""
        ...


def installed_carriers() -> Mapping[str, EntryPoint]:
    """The carriers that are installed, by scheme, in alphabetical order."""
    found = {point.name: point for point in entry_points(group=CARRIERS_GROUP)}
    return dict(sorted(found.items()))


def find_scheme(address: str) -> tuple[CarrierScheme, str]:
    """The carrier of ``scheme:place`` or ``scheme://place``, and its place; ValueFieldError names all there are."""
    scheme, colon, place = address.partition(":")
    points = installed_carriers()
    if not colon or scheme not in points:
        raise ValueFieldError("carrier", address, f"an address that begins with {', '.join(f'{n}:' for n in points)}")
    return _load(points[scheme]), place.removeprefix("//")


async def listen(address: str, own: End, accept: Accept) -> Listener:
    """Opens a place of any installed carrier; errors of `find_scheme` and of the carrier."""
    carrier, place = find_scheme(address)
    return await carrier.listen(place, own, accept)


async def dial(address: str, own: End, peer: BoxName | None = None) -> Carrier:
    """An end of any installed carrier; errors of `find_scheme` and of the carrier."""
    carrier, place = find_scheme(address)
    return await carrier.dial(place, own, peer)


@cache
def _load(point: EntryPoint) -> CarrierScheme:
    try:
        carrier = point.load()
    except Exception as error:
        allowed = f"a carrier that loads; {point.value} does not: {error}"
        raise ValueFieldError("carrier", point.name, allowed) from error
    if not isinstance(carrier, CarrierScheme):
        raise ValueFieldError("carrier", point.name, f"an object with promise, listen and dial; {point.value} is none")
    return carrier
