"""A card acquirer on a TCP port of this machine, with books of its own: the embedded default, and what tests speak to.

It treats each message as its card says (`TEST_CARDS`), or as it was told by `tell`, or as chance has it (`chaos`): it
can decline, delay, drop, answer twice, answer late, and lose the connection in the middle of a message. No money
moves, and no number of a real card belongs here.
"""

import asyncio
import ssl
import time
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from prewatt.codec.errors import DecodeError
from prewatt.host.payment.acquirer.connection import AcquirerPlace
from prewatt.host.payment.acquirer.framing import Deframer, Framing, FramingError
from prewatt.host.payment.iso8583.fields import De, Dialect
from prewatt.host.payment.iso8583.messages import Message, parse_message
from prewatt.host.payment.iso8583.statement import build_statement
from prewatt.host.payment.sandbox.behaviour import GOOD, Behaviour, Chaos
from prewatt.host.payment.sandbox.books import SandboxBooks, kind_of

__all__ = ["ANSWERS_WAITING_MAX", "CONNECTIONS_MAX", "SandboxAcquirer", "start_sandbox"]

_log = structlog.get_logger("prewatt.payment.sandbox")
CONNECTIONS_MAX: Final = 64
# Answers that are held back: beyond, they are dropped, as an acquirer in trouble does.
ANSWERS_WAITING_MAX: Final = 10_000
_READ_BYTES: Final = 65_536
_MS_PER_S: Final = 1_000


class SandboxAcquirer:
    """The acquirer; made by `start_sandbox`, of the loop it was made in."""

    def __init__(
        self, framing: Framing, dialect: Dialect, books: SandboxBooks, file: Path | None, clock: Callable[[], int]
    ) -> None:
        self._framing, self._dialect, self._file, self._clock = framing, dialect, file, clock
        self.books = books
        self.chaos: Chaos | None = None
        self.received: defaultdict[str, int] = defaultdict(int)
        """How many messages of each type came."""
        self._told: defaultdict[str, deque[Behaviour]] = defaultdict(deque)
        self._writers: set[asyncio.StreamWriter] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.place = AcquirerPlace("", 0, framing)

    def tell(self, kind: str, behaviour: Behaviour, times: int = 1) -> None:
        """Treats the next messages of a kind (authorization, completion, reversal, network) so."""
        self._told[kind].extend([behaviour] * times)

    def statement(self, day: str, *, currency: str, minor_micro: int) -> bytes:
        """The list of a day (``YYYY-MM-DD``), as `iso8583.statement` has it."""
        rows = self.books.statement(day, minor_micro)
        return build_statement(rows, currency=currency, minor_micro=minor_micro)

    def lose_connections(self) -> None:
        """All connections are lost."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    def send_to_all(self, message: Message) -> None:
        """Says something by itself, such as an echo test (0800)."""
        for writer in tuple(self._writers):
            writer.write(self._framing.build(message.build(self._dialect)))

    async def close(self) -> None:
        """Ends; answers that wait are dropped."""
        if self._server is not None:
            self._server.close()
        self.lose_connections()
        for task in tuple(self._waiting):
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def listen(self, address: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Opens its port; OSError where it cannot be had."""
        self._server = await asyncio.start_server(self._serve, address, port, ssl=tls)
        taken = int(self._server.sockets[0].getsockname()[1])
        self.place = AcquirerPlace(address, taken, self._framing)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        deframer = Deframer(self._framing)
        if len(self._writers) >= CONNECTIONS_MAX:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            while data := await reader.read(_READ_BYTES):
                for message in deframer.feed(data):
                    self._receive(parse_message(message, self._dialect), writer)
        except (DecodeError, FramingError) as error:
            # What cannot be read is said without what it holds.
            _log.warning("not a message", why=type(error).__name__)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    def _receive(self, message: Message, writer: asyncio.StreamWriter) -> None:
        self.received[message.mti] += 1
        kind = kind_of(message)
        if not kind:
            return
        behaviour = self._behaviour(message, kind)
        if behaviour.books:
            answer = self.books.receive(message, behaviour, self._clock())
        else:
            answer = self.books.refuse(message, behaviour.code or "96")
        self._keep(message.get(De.RRN))
        if behaviour.delay_ms and behaviour.answers:
            if len(self._waiting) < ANSWERS_WAITING_MAX:
                task = asyncio.create_task(self._answer_later(answer, behaviour, writer))
                self._waiting.add(task)
                task.add_done_callback(self._waiting.discard)
        else:
            self._answer(answer, behaviour, writer)

    def _behaviour(self, message: Message, kind: str) -> Behaviour:
        """By command, by chance, or by card."""
        if self._told[kind]:
            return self._told[kind].popleft()
        by_chance = self.chaos.behaviour() if self.chaos is not None else None
        if by_chance is not None or kind == "network":
            return by_chance or GOOD
        return self.books.script(message).behaviour(kind, self.books.attempt(message))

    async def _answer_later(self, answer: Message, behaviour: Behaviour, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(behaviour.delay_ms / _MS_PER_S)
        self._answer(answer, behaviour, writer)

    def _answer(self, answer: Message, behaviour: Behaviour, writer: asyncio.StreamWriter) -> None:
        if writer.is_closing():
            return
        frame = self._framing.build(answer.build(self._dialect))
        if behaviour.breaks:
            writer.write(frame[: len(frame) // 2])
            # The half is written at once where the socket takes it; then the plug is pulled.
            writer.transport.abort()
            return
        for _ in range(behaviour.answers):
            writer.write(frame)

    def _keep(self, rrn: str) -> None:
        """What its books say now outlives this process."""
        if self._file is not None and rrn in self.books.accounts:
            with self._file.open("a", encoding="ascii") as file:
                file.write(self.books.dump(rrn) + "\n")


async def start_sandbox(
    address: str = "127.0.0.1",
    port: int = 0,
    *,
    framing: Framing | None = None,
    dialect: Dialect = Dialect.BINARY,
    tls: ssl.SSLContext | None = None,
    file: Path | None = None,
    clock: Callable[[], int] = lambda: int(time.time()),
) -> SandboxAcquirer:
    """A sandbox that listens (``port`` 0: on a free one). ``file``: where its books are kept; None: they end with
    it."""
    lines = _read_lines(file) if file is not None else []
    sandbox = SandboxAcquirer(framing or Framing(), dialect, SandboxBooks(lines), file, clock)
    await sandbox.listen(address, port, tls)
    return sandbox


def _read_lines(file: Path) -> list[str]:
    """The accounts that were kept; a line that was cut short by a crash is closed, and is no account."""
    with suppress(FileNotFoundError):
        text = file.read_text(encoding="ascii")
        if text and not text.endswith("\n"):
            with file.open("a", encoding="ascii") as end:
                end.write("\n")
        return [line for line in text.splitlines() if line.startswith("{") and line.endswith("}}")]
    return []
