"""Looks after papers while a box runs: says in time that they end, and at the host signs its own anew.

A box takes up new papers by itself (`prewatt.link.renewal`); what it cannot do is make them. So its log says every day
that they end soon, and so does the host's, of every box that it gave papers to.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from prewatt.apps.boxes.authority import write_host_papers
from prewatt.apps.boxes.issued import read_issued
from prewatt.apps.settings import Settings
from prewatt.host.keys import VaultError
from prewatt.host.refusals import StoreError
from prewatt.link.certificates import CertificateError
from prewatt.link.renewal import LivePapers
from prewatt.link.validity import PAPERS_WARN_DAYS
from prewatt.units import DAY_S

__all__ = ["watching_box", "watching_host"]

_log = structlog.get_logger("prewatt.boxes")
_BOX_LOOKS_EVERY_S: Final = 5.0
_HOST_LOOKS_EVERY_S: Final = 3_600.0
_SAYS_EVERY_S: Final = DAY_S


@asynccontextmanager
async def watching_box(folder: Path, now: Callable[[], float] = time.time) -> AsyncIterator[None]:
    """An area server's or a station's papers."""
    async with _running(_watch_box(LivePapers(folder, tells=True), now)):
        yield


@asynccontextmanager
async def watching_host(
    settings: Settings, installation: str, now: Callable[[], float] = time.time
) -> AsyncIterator[None]:
    """The host's own papers, and those that it gave to others."""
    async with _running(_watch_host(settings, installation, now)):
        yield


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _watch_box(live: LivePapers, now: Callable[[], float]) -> None:
    said_s = 0.0
    while True:
        papers = live.now
        left_s = papers.expires_s - now()
        if left_s < PAPERS_WARN_DAYS * DAY_S and now() - said_s >= _SAYS_EVERY_S:
            said_s = now()
            certify = f"`prewatt {papers.name.role} certify`"
            _log.warning(
                "papers end soon", box=str(papers.name), valid_until=_day(papers.expires_s), renew_with=certify
            )
        await asyncio.sleep(_BOX_LOOKS_EVERY_S)


async def _watch_host(settings: Settings, installation: str, now: Callable[[], float]) -> None:
    said_s = 0.0
    while True:
        try:
            # Opening the authority takes a moment on purpose: its key is sealed under a passphrase.
            await asyncio.to_thread(write_host_papers, settings, installation, int(now()))
            if now() - said_s >= _SAYS_EVERY_S:
                said_s = now()
                for box, standing in read_issued(settings.data).ending(int(now())):
                    if box != "host":
                        _log.warning("papers of a box end soon", box=box, valid_until=_day(standing.until_s or 0))
        except (VaultError, StoreError, CertificateError, OSError) as error:
            _log.error("papers cannot be looked after", cause=str(error))
        await asyncio.sleep(_HOST_LOOKS_EVERY_S)


def _day(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d")
