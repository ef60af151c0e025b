"""The street on a terminal: the title says how many meters were read today."""

import asyncio
import io
from contextlib import suppress

from rich.console import Console

from prewatt.apps.street.screen import Screen, street_table


class Shown:
    """No homes; their world stands still."""

    class clock:  # noqa: N801 - an object like any other
        speed = 60

        @staticmethod
        def now_s():
            return 1_800_000_000

    def faces(self):
        return []


def shown(console, coverage, looks):
    """What stands on the console after so many looks at the street."""

    class Looked(Shown):
        left = looks

        def faces(self):
            self.left -= 1
            if self.left < 0:
                raise EOFError
            return []

    with suppress(EOFError):
        asyncio.run(Screen(console).show(Looked(), coverage))
    return console.file.getvalue()


def test_the_title_says_how_many_were_read_today():
    assert street_table([], 1_800_000_000, 60, "8 of 9 read today").title.endswith(
        "UTC, 60 times as fast, 8 of 9 read today"
    )
    assert street_table([], 1_800_000_000, 60).title.endswith("UTC, 60 times as fast")


def test_a_terminal_shows_it_and_asks_the_store_at_every_fourth_look():
    asked = []
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    assert "3 of 9 read" in shown(console, lambda: asked.append(1) or "3 of 9 read today", 5)
    assert len(asked) == 2


def test_into_a_file_nobody_asks():
    assert shown(Console(file=io.StringIO()), lambda: 1 / 0, 2) == ""
