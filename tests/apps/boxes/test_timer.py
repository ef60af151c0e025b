"""A device's alarm rings at the last time that was asked for, once."""

import asyncio
import time

import pytest

from prewatt.apps.boxes.timer import LineTimer


def ms():
    return int(time.monotonic() * 1000)


@pytest.mark.parametrize(
    ("asked", "rings_at"),
    [([40], [40]), ([40, 10], [10]), ([10, 60], [60]), ([10, 60, 30], [30]), ([10, None], []), ([10, 60, None], [])],
)
def test_the_last_time_asked_for_counts(asked, rings_at):
    async def live():
        rang = []
        timer = LineTimer(ms, lambda: rang.append(ms()))
        began = ms()
        for wait in asked:
            timer.set(None if wait is None else began + wait)
        await asyncio.sleep(0.2)
        assert len(rang) == len(rings_at)
        assert all(at >= began + wait for at, wait in zip(rang, rings_at, strict=True))
        timer.set(None)

    asyncio.run(live())
