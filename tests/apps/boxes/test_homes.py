"""A process with meters says on its screen whether it reaches its station."""

import asyncio
import io

from rich.console import Console

from prewatt.apps.boxes.clock import WallClock
from prewatt.apps.boxes.homes import Homes
from prewatt.apps.street.screen import Screen
from prewatt.link.carrier import End, listen

LINE = "memory:the line of these homes"


async def until(look):
    async with asyncio.timeout(30):
        while not look():
            await asyncio.sleep(0.01)


def test_it_says_that_there_is_no_way_up_yet_that_there_is_one_and_that_it_is_gone():
    async def talk():
        homes = Homes(WallClock(), tick_s=1)
        screen = Console(file=io.StringIO(), force_terminal=True, width=120)
        running = [asyncio.create_task(homes.run(LINE)), asyncio.create_task(Screen(screen).show(homes, homes.way))]
        await until(lambda: "no way up yet" in screen.file.getvalue())
        listener = await listen(LINE, End(), lambda carrier, peer: None)
        await until(lambda: homes.way() == "")
        screen.file.truncate(0)
        await until(lambda: "times as fast" in screen.file.getvalue().split("no way up yet")[-1])
        listener.close()
        await until(lambda: "the way up is gone" in screen.file.getvalue())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    asyncio.run(talk())
