"""Which papers the installation gave to its boxes, until when they hold, and whose were revoked.

    DATA/issued.json   written whole, under a lock, before the papers leave the host

So no papers are about that nobody knows of. The list of revoked papers that boxes go by is the authority's and signed
(`prewatt.apps.boxes.revoking`); this is what an operator reads. Times are UTC seconds, given by the caller.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from prewatt.host.refusals import StoreError
from prewatt.link.validity import PAPERS_WARN_DAYS
from prewatt.units import DAY_S

__all__ = ["ISSUED_NAME", "Issued", "IssuedPapers", "RevokedBox", "Standing", "read_issued"]

ISSUED_NAME: Final = "issued.json"
# Papers that ended are remembered for as long as somebody may ask what became of a box.
_KEPT_AFTER_END_S: Final = 2 * 365 * DAY_S


@dataclass(frozen=True, slots=True)
class IssuedPapers:
    """One certificate that was given out. ``box`` as people write it: area 0, station 0.1, server 2, host."""

    box: str
    edition: int
    serial: str
    made_s: int
    until_s: int


@dataclass(frozen=True, slots=True)
class RevokedBox:
    """All papers of one edition of a box, revoked at once."""

    box: str
    edition: int
    papers: int
    at_s: int
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a box stands: until when its newest papers hold (None: it has none), and whether the last were revoked."""

    until_s: int | None
    revoked: bool
    now_s: int

    @property
    def soon(self) -> bool:
        """Whether somebody has to do something about it: its papers have ended or soon will."""
        return self.until_s is not None and self.until_s - self.now_s < PAPERS_WARN_DAYS * DAY_S

    @property
    def text(self) -> str:
        """For a table."""
        if self.until_s is None:
            return "revoked" if self.revoked else "-"
        day = datetime.fromtimestamp(self.until_s, UTC).strftime("%Y-%m-%d")
        if self.until_s <= self.now_s:
            return f"ended {day}"
        return f"{day}, renew" if self.soon else day

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"valid_until_s": self.until_s, "revoked": self.revoked, "renew": self.soon}


@dataclass(frozen=True, slots=True)
class Issued:
    """The whole record."""

    papers: tuple[IssuedPapers, ...] = ()
    revoked: tuple[RevokedBox, ...] = field(default=())

    def build(self) -> bytes:
        """The file."""
        content = {"papers": [asdict(each) for each in self.papers], "revoked": [asdict(each) for each in self.revoked]}
        return json.dumps(content, indent=1).encode()

    def adding(self, papers: IssuedPapers) -> "Issued":
        """With these papers, and without those that ended long ago."""
        since_s = papers.made_s - _KEPT_AFTER_END_S
        return replace(self, papers=(*(each for each in self.papers if each.until_s > since_s), papers))

    def revoking(self, revoked: RevokedBox) -> "Issued":
        """With this revocation."""
        return replace(self, revoked=(*self.revoked, revoked))

    def revoked_below(self, box: str) -> int:
        """Papers of this box hold from this edition on."""
        return max((each.edition + 1 for each in self.revoked if each.box == box), default=0)

    def holding(self, box: str) -> list[IssuedPapers]:
        """The papers of this box that are not revoked."""
        below = self.revoked_below(box)
        return [each for each in self.papers if each.box == box and each.edition >= below]

    def edition_of(self, box: str) -> int:
        """The edition in which this box gets papers, as far as this record knows."""
        return max([self.revoked_below(box), *(each.edition for each in self.holding(box))])

    def standing(self, box: str, now_s: int) -> Standing:
        """How a box stands."""
        until_s = max((each.until_s for each in self.holding(box)), default=None)
        return Standing(until_s, self.revoked_below(box) > 0, now_s)

    def boxes(self) -> list[str]:
        """Every box that ever got papers, the host first, then by number."""
        return sorted({each.box for each in self.papers} | {each.box for each in self.revoked}, key=_order)

    def ending(self, now_s: int) -> list[tuple[str, Standing]]:
        """The boxes whose papers have ended or soon will."""
        standings = ((box, self.standing(box, now_s)) for box in self.boxes())
        return [(box, standing) for box, standing in standings if standing.soon]


def read_issued(data: Path) -> Issued:
    """The record in a data folder, empty where there is none yet; StoreError where it is damaged."""
    path = data / ISSUED_NAME
    try:
        found = json.loads(path.read_bytes())
        return Issued(
            tuple(IssuedPapers(**each) for each in found["papers"]),
            tuple(RevokedBox(**each) for each in found["revoked"]),
        )
    except FileNotFoundError:
        return Issued()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); put back the newest copy of it") from None


def _order(box: str) -> tuple[str, list[int]]:
    role, _, numbers = box.partition(" ")
    return role.replace("host", ""), [int(number) for number in numbers.split(".") if number.isdigit()]
