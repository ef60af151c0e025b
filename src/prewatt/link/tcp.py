"""The tcp carrier: whole messages over TCP, as a rule inside TLS 1.3 with certificates on both sides.

Without papers there is no TLS: that is for the meters of a line, which prove themselves in every message. The bytes on
the wire are told in `prewatt.link.tcpcarrier`.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from prewatt.link.carrier import Accept, CarrierClosedError, End, Promise
from prewatt.link.names import BoxName, parse_place
from prewatt.link.renewal import LivePapers, read_for_dialling
from prewatt.link.tcpcarrier import OPENS_WITHIN_S, Admits, Refuses, TcpCarrier, reason_of, refuses_none

__all__ = ["TCP", "TcpCarrier", "TcpListener", "dial_tcp", "listen_tcp"]


class TcpListener:
    """A place where peers are let in; ``port`` is the one that was taken."""

    def __init__(self, server: asyncio.Server, carriers: set[TcpCarrier], address: str) -> None:
        self._server = server
        self._carriers = carriers
        self.port = int(server.sockets[0].getsockname()[1])
        self.place = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"

    def close(self) -> None:
        """Lets nobody in any more, and closes whom it has let in."""
        self._server.close()
        for carrier in tuple(self._carriers):
            carrier.close()


async def listen_tcp(
    address: str,
    port: int,
    tls: ssl.SSLContext | None,
    admits: Admits,
    accept: Callable[[TcpCarrier], None],
    *,
    refuses: Refuses = refuses_none,
) -> TcpListener:
    """Lets peers in; ``accept`` gets each that ``admits`` has let in, and that stays until ``refuses`` says otherwise.
    OSError where the port cannot be had."""
    carriers: set[TcpCarrier] = set()

    def opened(carrier: TcpCarrier) -> None:
        for gone in [each for each in carriers if each.closed]:
            carriers.discard(gone)
        carriers.add(carrier)
        accept(carrier)

    within_s = None if tls is None else OPENS_WITHIN_S
    server = await asyncio.get_running_loop().create_server(
        lambda: TcpCarrier(admits, opened, refuses), address, port, ssl=tls, ssl_handshake_timeout=within_s
    )
    return TcpListener(server, carriers, address)


async def dial_tcp(
    address: str, port: int, tls: ssl.SSLContext | None, admits: Admits, *, refuses: Refuses = refuses_none
) -> TcpCarrier:
    """A connection to a peer that let this end in; CarrierClosedError says in one line why there is none."""
    place = f"{address} port {port}"
    carrier = TcpCarrier(admits, refuses=refuses)
    try:
        async with asyncio.timeout(OPENS_WITHIN_S):
            # The name asked for in the handshake binds nobody: a peer is known by the box that its certificate names.
            await asyncio.get_running_loop().create_connection(
                lambda: carrier, address, port, ssl=tls, server_hostname=None if tls is None else address
            )
            await carrier.wait_welcome()
    except TimeoutError:
        carrier.close()
        raise CarrierClosedError(f"{place}: no answer within {OPENS_WITHIN_S:.0f} s") from None
    except CarrierClosedError as error:
        raise CarrierClosedError(f"{place}: {error}") from None
    except OSError as error:
        raise CarrierClosedError(f"{place}: {reason_of(error)}") from None
    return carrier


class TcpScheme:
    """`tcp://HOST:PORT`: with papers TLS, without them none, as between the meters of a line."""

    promise = Promise()

    async def listen(self, place: str, own: End, accept: Accept) -> TcpListener:
        """See CarrierScheme; only the boxes that call this one are let in."""
        address, port = parse_place(place, field="address")
        if own.papers is None:
            return await listen_tcp(address, port, None, lambda peer: True, lambda carrier: accept(carrier, None))
        papers = LivePapers(own.papers)

        def admits(peer: BoxName | None) -> bool:
            return peer is not None and papers.name.stands_above(peer)

        def accepted(carrier: TcpCarrier) -> None:
            papers.warn_of(carrier.certificate)
            accept(carrier, carrier.peer)

        return await listen_tcp(address, port, papers.listener_tls(), admits, accepted, refuses=papers.refuses)

    async def dial(self, place: str, own: End, peer: BoxName | None) -> TcpCarrier:
        """See CarrierScheme."""
        address, port = parse_place(place, field="address")
        if own.papers is None:
            return await dial_tcp(address, port, None, lambda name: peer is None or name == peer)
        papers, tls = read_for_dialling(own.papers)
        return await dial_tcp(address, port, tls, lambda name: peer is None or name == peer, refuses=papers.refuses)


TCP: Final = TcpScheme()
