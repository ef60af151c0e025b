"""Until when the papers of boxes hold, where an operator looks: beside each area and station, and below the table."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from prewatt.apps.cli.show import say

if TYPE_CHECKING:
    from prewatt.apps.boxes.issued import Standing

__all__ = ["read_standings", "warn_of_papers"]


def read_standings(data: Path, boxes: Iterable[str]) -> "dict[str, Standing]":
    """How each of these boxes stands now, in their order."""
    from prewatt.apps.boxes.issued import read_issued

    issued, now_s = read_issued(data), int(time.time())
    return {box: issued.standing(box, now_s) for box in boxes}


def warn_of_papers(standings: "Mapping[str, Standing]") -> None:
    """A line about those that somebody has to renew, where there are any."""
    ending = [f"{box} ({one.text})" for box, one in standings.items() if one.soon]
    if ending:
        say(f"papers to renew: {', '.join(ending)}; see `prewatt papers list`")
