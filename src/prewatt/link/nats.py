"""The nats carrier: boxes that meet at message servers instead of calling each other.

A box listens on `prewatt.ME.*`, the last step of a subject names the sender, and the servers let each certificate
publish under its own name alone (`prewatt.link.natsconfig`). A box speaks through no server whose certificate does not
name one. Subjects know no connections, so an end opens one by
HELLO and WELCOME with a random session, says ALIVE while it has nothing else to say, and BYE when it closes; what
belongs to an older session is dropped. What must not wait for a dead link (rounds, answers) goes over core NATS and is
lost where nobody listens. What ``lasting`` picks goes through JetStream: the host's messages into the stream DOWN of
the domain `hub`, an area server's into the stream UP of a domain of its own, on a leaf node beside it; each message has
an id, so that a repeated publish counts once, and is acknowledged when the receiver comes for the next one. Streams
lie on the way and never in the books: whoever sent something repeats it until the other end says it is durable there.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from prewatt.codec.hop import HOP_VERSION, HopKind
from prewatt.link.carrier import Accept, CarrierClosedError, End, Promise
from prewatt.link.names import BoxName, Role, parse_place
from prewatt.link.natscarrier import SESSION_BYTES, NatsCarrier
from prewatt.link.natsmeeting import Lasting, Meeting
from prewatt.link.papers import Papers
from prewatt.link.renewal import LivePapers, read_for_dialling
from prewatt.link.tcpcarrier import OPENS_WITHIN_S
from prewatt.units import ValueFieldError

__all__ = ["NATS", "NatsCarrier", "NatsListener", "dial_nats", "lasts", "listen_nats"]

_LASTING_KINDS: Final = frozenset((HopKind.MEMBERS, HopKind.PLAN, HopKind.KEPT_ACK, HopKind.KEPT, HopKind.REFUSED))


def lasts(data: bytes) -> bool:
    """Whether a box message is worth something also when its receiver is away just now; rounds and answers are not."""
    return len(data) > 1 and data[0] == HOP_VERSION and data[1] in _LASTING_KINDS


class NatsListener:
    """A box that others open carriers to."""

    def __init__(self, meeting: Meeting, places: Sequence[str]) -> None:
        self._meeting = meeting
        self.place = ",".join(places)

    def close(self) -> None:
        """Lets nobody in any more, and closes whom it has let in."""
        self._meeting.leave_soon()


async def listen_nats(
    places: Sequence[str],
    papers: Papers | LivePapers,
    admits: Callable[[BoxName], bool],
    accept: Callable[[NatsCarrier], None],
    *,
    lasting: Lasting | None = None,
) -> NatsListener:
    """Lets boxes in that meet this one at the servers in ``places`` (host:port); three or more are a cluster."""
    meeting = Meeting(papers.name, admits, accept, lasting)
    await meeting.join(places, papers)
    return NatsListener(meeting, places)


async def dial_nats(
    places: Sequence[str], papers: Papers | LivePapers, peer: BoxName, *, lasting: Lasting | None = None
) -> NatsCarrier:
    """A carrier to ``peer``; CarrierClosedError says in one line why there is none."""
    meeting = Meeting(papers.name, lambda name: name == peer, None, lasting)
    await meeting.join(places, papers, peer)
    carrier = meeting.open(peer, os.urandom(SESSION_BYTES))
    try:
        async with asyncio.timeout(OPENS_WITHIN_S):
            await carrier.wait_welcome()
    except (TimeoutError, CarrierClosedError):
        await meeting.leave()
        raise CarrierClosedError(f"{peer} does not answer at message server {', '.join(places)}") from None
    return carrier


class NatsScheme:
    """`nats://HOST:PORT[,HOST:PORT...]`: boxes with papers that meet at message servers."""

    # Nothing makes a sender wait, and what lasts may overtake what does not.
    promise = Promise(lossless=False, ordered=False)

    async def listen(self, place: str, own: End, accept: Accept) -> NatsListener:
        """See CarrierScheme; only the boxes that call this one are let in."""
        papers = LivePapers(_folder(own))
        lasting = lasts if papers.name.role is Role.HOST else None
        return await listen_nats(
            _places(place),
            papers,
            papers.name.stands_above,
            lambda carrier: accept(carrier, carrier.peer),
            lasting=lasting,
        )

    async def dial(self, place: str, own: End, peer: BoxName | None) -> NatsCarrier:
        """See CarrierScheme."""
        if peer is None:
            raise ValueFieldError("peer", peer, "the name of the box to be met at the message servers")
        lasting = lasts if peer.role is Role.HOST else None
        papers, _ = read_for_dialling(_folder(own))
        return await dial_nats(_places(place), papers, peer, lasting=lasting)


def _folder(own: End) -> Path:
    if own.papers is None:
        raise ValueFieldError("papers", own.papers, "a folder of `prewatt area certify` or `prewatt station certify`")
    return own.papers


def _places(place: str) -> list[str]:
    places = place.split(",")
    for each in places:
        parse_place(each, field="message server")
    return places


NATS: Final = NatsScheme()
