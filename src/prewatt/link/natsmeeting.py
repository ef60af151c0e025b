"""One box at the message servers: its connection, its stream, and the carriers to the boxes it talks to."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError

from prewatt.link.carrier import CarrierClosedError
from prewatt.link.certificates import CertificateError
from prewatt.link.names import BoxName, Role
from prewatt.link.natscarrier import ALIVE, BYE, DATA, HEAD_BYTES, HELLO, WELCOME, NatsCarrier
from prewatt.link.papers import Papers
from prewatt.link.renewal import LivePapers
from prewatt.link.tcpcarrier import OPENS_WITHIN_S

__all__ = ["Lasting", "Meeting", "token"]

_PUBLISH_WITHIN_S: Final = 2.0
_PUBLISH_TRIES: Final = 3
_RETRY_PAUSE_S: Final = 0.5
_REDELIVER_AFTER_S: Final = 5.0
# A week without uplink, and many times what waits for an area in it; boxes keep what matters themselves.
_STREAM_AGE_S: Final = 7 * 86_400
_STREAM_MESSAGES_MAX: Final = 65_536
_STREAM_BYTES_MAX: Final = 256 * 1024 * 1024
_REPLICAS_MAX: Final = 3
_RECONNECT_PAUSE_S: Final = 1
_DOMAIN_HUB: Final = "hub"
_STREAMS: Final = {Role.HOST: "DOWN", Role.AREA: "UP"}

Lasting = Callable[[bytes], bool]
Admits = Callable[[BoxName], bool]


def token(name: BoxName) -> str:
    """A box as one step of a subject: host, area-1, station-1-2."""
    return "-".join((name.role, *map(str, name.numbers)))


def _box_of(step: str, installation: str) -> BoxName | None:
    role, *numbers = step.split("-")
    try:
        name = BoxName(installation, Role(role), tuple(map(int, numbers)))
    except ValueError:
        return None
    return name if token(name) == step else None


class Meeting:
    """One box at the servers: what it hears goes to the carrier of its sender."""

    def __init__(
        self, own: BoxName, admits: Admits, accept: Callable[[NatsCarrier], None] | None, lasting: Lasting | None
    ) -> None:
        self.own = own
        self.lasting = lasting
        self._admits, self._accept = admits, accept
        self._client = Client()
        self._carriers: dict[BoxName, NatsCarrier] = {}
        self._saying: set[asyncio.Task[None]] = set()
        self._leaving: asyncio.Task[None] | None = None
        self._last_error = ""
        self._replicas = 1
        self._subscriptions: dict[BoxName, JetStreamContext.PullSubscription] = {}

    async def join(self, places: Sequence[str], papers: Papers | LivePapers, peer: BoxName | None = None) -> None:
        """Connects and listens to ``peer`` or, without one, to everybody; a box may be there more than once, as an area
        server is for its host and for its stations. CarrierClosedError says in one line why it cannot."""
        try:
            async with asyncio.timeout(OPENS_WITHIN_S):
                await self._client.connect(
                    [f"tls://{place}" for place in places],
                    name=str(self.own),
                    inbox_prefix=f"_INBOX.{token(self.own)}".encode(),
                    tls=papers.caller_tls(self.own.meets_at),
                    error_cb=self._on_error,
                    disconnected_cb=self._on_disconnected,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RECONNECT_PAUSE_S,
                    allow_reconnect=True,
                    connect_timeout=2,
                )
                self._replicas = _REPLICAS_MAX if len(places) >= _REPLICAS_MAX else 1
                if self.lasting is not None:
                    await self._make_stream()
                sender = "*" if peer is None else token(peer)
                await self._client.subscribe(f"prewatt.{token(self.own)}.{sender}", cb=self._on_message)
                await self._client.flush()
        except (NatsError, APIError, OSError, TimeoutError, CertificateError) as error:
            why = str(error) or self._last_error or "no answer"
            await self.leave()
            raise CarrierClosedError(f"message server {', '.join(places)}: {why}") from None

    async def leave(self) -> None:
        """Ends every carrier and the connection."""
        for carrier in tuple(self._carriers.values()):
            carrier.close()
        await asyncio.gather(*self._saying, return_exceptions=True)
        with suppress(NatsError, OSError, asyncio.TimeoutError):
            await self._client.close()

    def leave_soon(self) -> None:
        """`leave` from where nobody can wait."""
        if self._leaving is None:
            self._leaving = asyncio.get_running_loop().create_task(self.leave())

    def open(self, peer: BoxName, session: bytes) -> NatsCarrier:
        """A carrier to ``peer``; an older one to it ends."""
        older = self._carriers.pop(peer, None)
        if older is not None:
            older.end("the other end has begun anew")
        self._carriers[peer] = carrier = NatsCarrier(self, peer, session)
        return carrier

    def forget(self, carrier: NatsCarrier) -> None:
        """Of a carrier that has ended; a box that dialled for it alone leaves."""
        if self._carriers.get(carrier.peer) is carrier:
            del self._carriers[carrier.peer]
        if self._accept is None:
            self.leave_soon()

    async def publish(self, peer: BoxName, data: bytes) -> None:
        """Core NATS: there at once, or lost."""
        try:
            await self._client.publish(f"prewatt.{token(peer)}.{token(self.own)}", data)
        except (NatsError, OSError) as error:
            raise CarrierClosedError(f"message server: {error}") from None

    def say(self, peer: BoxName, data: bytes) -> None:
        """`publish` from where nobody can wait."""

        async def publish() -> None:
            with suppress(CarrierClosedError):
                await self.publish(peer, data)

        task = asyncio.get_running_loop().create_task(publish())
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    async def publish_lasting(self, peer: BoxName, data: bytes) -> None:
        """Into the stream; tried again under the same id, and lost like a frame where the stream cannot be reached."""
        stream = self._client.jetstream(domain=self._domain(self.own))
        subject, headers = f"prewatt.keep.{token(peer)}.{token(self.own)}", {"Nats-Msg-Id": os.urandom(16).hex()}
        for _ in range(_PUBLISH_TRIES):
            with suppress(NatsError, APIError, OSError):
                await stream.publish(subject, data, timeout=_PUBLISH_WITHIN_S, headers=headers)
                return

    def forget_lasting(self, peer: BoxName) -> None:
        """Of a stream that could not be read from: the next look begins anew."""
        self._subscriptions.pop(peer, None)

    async def consume_lasting(self, peer: BoxName) -> JetStreamContext.PullSubscription:
        """What ``peer`` puts into its stream for this box. One subscription for as long as this box is there."""
        known = self._subscriptions.get(peer)
        if known is None:
            # With its name in the request the filter stands in the subject too, and there the servers can limit it.
            config = ConsumerConfig(name=token(self.own), ack_wait=_REDELIVER_AFTER_S)
            known = await self._client.jetstream(domain=self._domain(peer)).pull_subscribe(
                f"prewatt.keep.{token(self.own)}.{token(peer)}",
                durable=token(self.own),
                stream=_STREAMS[peer.role],
                config=config,
            )
            self._subscriptions[peer] = known
        return known

    def _domain(self, box: BoxName) -> str:
        return _DOMAIN_HUB if box.role is Role.HOST else token(box)

    async def _make_stream(self) -> None:
        config = StreamConfig(
            name=_STREAMS[self.own.role],
            subjects=[f"prewatt.keep.*.{token(self.own)}"],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
            num_replicas=self._replicas,
            max_age=_STREAM_AGE_S,
            max_msgs=_STREAM_MESSAGES_MAX,
            max_bytes=_STREAM_BYTES_MAX,
        )
        while True:
            try:
                await self._client.jetstream(domain=self._domain(self.own), timeout=2).add_stream(config)
                return
            except (NatsError, APIError) as error:
                # A cluster that has just been started has no leader yet.
                self._last_error = f"stream {config.name}: {error}"
                await asyncio.sleep(_RETRY_PAUSE_S)

    async def _on_error(self, error: Exception) -> None:
        self._last_error = str(error)

    async def _on_disconnected(self) -> None:
        for carrier in tuple(self._carriers.values()):
            carrier.end("the message server has gone")

    async def _on_message(self, message: Msg) -> None:
        sender = _box_of(message.subject.rpartition(".")[2], self.own.installation)
        data = message.data
        if sender is None or len(data) < HEAD_BYTES:
            return
        sign, session = data[:1], data[1:HEAD_BYTES]
        carrier = self._carriers.get(sender)
        if carrier is not None and carrier.session == session:
            if sign == HELLO:
                self.say(sender, WELCOME + session)
            carrier.hear(sign, data[HEAD_BYTES:])
        elif sign == HELLO and self._accept is not None and self._admits(sender):
            self.say(sender, WELCOME + session)
            self._accept(self.open(sender, session))
        elif sign in (DATA, ALIVE) and self._admits(sender):
            # Of a session that this box knows nothing of any more: the other end is to begin anew.
            self.say(sender, BYE + session)
