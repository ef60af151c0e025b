"""A sandbox acquirer on a free port, and a channel to it with a journal on disk."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from tests.host.payment.sqlite_journal import SqliteJournal
from tests.host.payment.world import KEY, PROFILE, patient

from prewatt.host.payment.acquirer.channel import AcquirerChannel
from prewatt.host.payment.sandbox.acquirer import start_sandbox

# The waits of a test: long enough for a machine that is busy, where the test waits for an answer at all.
SLOW = patient(
    PROFILE, signs_on=True, answer_wait_ms=20_000, advice_wait_ms=20_000, repeat_first_ms=20, repeat_longest_ms=100,
    travel_ms=500, dial_first_ms=10, dial_longest_ms=50,
)  # fmt: skip
# Repeats soon; and gives an authorization up soon.
EAGER = patient(SLOW, advice_wait_ms=300)
QUICK = patient(EAGER, answer_wait_ms=400)


@dataclass
class Shop:
    """One seller: a journal, and a channel that may be ended and started again."""

    journal: SqliteJournal
    place: object
    profile: object
    notes: list = field(default_factory=list)
    channel: AcquirerChannel | None = None
    task: asyncio.Task | None = None

    async def start(self):
        self.channel = AcquirerChannel(self.place, self.profile, KEY, self.journal, notes=self.note)
        self.task = asyncio.create_task(self.channel.run())
        return self.channel

    def note(self, note):
        assert "99999900" not in repr(note)
        self.notes.append(note.what)

    async def ready(self):
        async with asyncio.timeout(20):
            await self.channel.ready.wait()

    async def end(self):
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def ended(self, payment_id):
        async with asyncio.timeout(30):
            return await self.channel.wait_ended(payment_id)


@pytest.fixture
def opened(tmp_path):
    """``async with opened(profile) as (sandbox, shop)``: both run, and the line is open."""

    @asynccontextmanager
    async def opening(profile=SLOW, *, tls=None, client_tls=None, framing=None):
        sandbox = await start_sandbox(framing=framing, dialect=profile.dialect, tls=tls)
        place = sandbox.place
        if client_tls is not None:
            place = type(place)("127.0.0.1", place.port, place.framing, client_tls, "localhost")
        shop = Shop(SqliteJournal(tmp_path / "payments.db"), place, profile)
        try:
            await shop.start()
            await shop.ready()
            yield sandbox, shop
        finally:
            await shop.end()
            await sandbox.close()

    return opening
