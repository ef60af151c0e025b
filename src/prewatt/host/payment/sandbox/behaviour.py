"""How a sandbox acquirer treats one message, and the test cards that stand for each way.

A card's script tells, for authorization, completion and reversal, how the first tries are treated; what comes after is
treated well. The numbers begin with 999999, which no issuer has, and end with a right check digit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

__all__ = ["GOOD", "TEST_CARDS", "Behaviour", "Chaos", "Script", "find_script"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one message is treated. ``code``: what is answered, "" as its books say. ``books``: whether it gets there
    at all. ``answers``: how often it is answered. ``breaks``: the connection is lost in the middle of the answer."""

    code: str = ""
    books: bool = True
    answers: int = 1
    delay_ms: int = 0
    breaks: bool = False
    part: bool = False
    """Approves half of the amount."""
    without_number: bool = False
    """Approves without an approval code."""


GOOD: Final = Behaviour()
_LATE_MS: Final = 60_000
_SLOW_MS: Final = 1_500


@dataclass(frozen=True, slots=True)
class Script:
    """What a test card does; each list is for the first tries, in their order."""

    what: str
    authorization: tuple[Behaviour, ...] = ()
    completion: tuple[Behaviour, ...] = ()
    reversal: tuple[Behaviour, ...] = ()

    def behaviour(self, kind: str, attempt: int) -> Behaviour:
        """The treatment of the ``attempt``-th (from 0) message of a kind."""
        listed: tuple[Behaviour, ...] = getattr(self, kind)
        return listed[attempt] if attempt < len(listed) else GOOD


TEST_CARDS: Final[Mapping[str, Script]] = {
    "9999990000000006": Script("approves"),
    "9999990000000014": Script("declines: not enough funds", (Behaviour("51"),)),
    "9999990000000022": Script("declines: do not honour", (Behaviour("05"),)),
    "9999990000000030": Script("declines: card expired", (Behaviour("54"),)),
    "9999990000000048": Script("declines: card lost", (Behaviour("41"),)),
    "9999990000000055": Script("approves after 1.5 seconds", (Behaviour(delay_ms=_SLOW_MS),)),
    "9999990000000063": Script("approves after a minute: too late", (Behaviour(delay_ms=_LATE_MS),)),
    "9999990000000071": Script("holds the money and does not answer", (Behaviour(answers=0),)),
    "9999990000000089": Script("the question never gets there", (Behaviour(books=False, answers=0),)),
    "9999990000000097": Script("answers everything twice", *(((Behaviour(answers=2),) * 3,) * 3)),
    "9999990000000105": Script("loses the connection in the middle of its approval", (Behaviour(breaks=True),)),
    "9999990000000113": Script("approves half of the amount", (Behaviour(part=True),)),
    "9999990000000121": Script("approves without an approval code", (Behaviour(without_number=True),)),
    "9999990000000139": Script("holds the money and says: malfunction", (Behaviour("96"),)),
    "9999990000000147": Script(
        "approves; does not answer the first completion", completion=(Behaviour(answers=0),)
    ),
    "9999990000000154": Script("approves; refuses the completion", completion=(Behaviour("12", books=False),)),
    "9999990000000162": Script(
        "does not answer, and confirms its reversal at the third try only",
        (Behaviour(answers=0),),
        reversal=(Behaviour("96", books=False), Behaviour(answers=0)),
    ),
    "9999990000000170": Script(
        "approves; loses the connection in the middle of confirming the completion",
        completion=(Behaviour(breaks=True),) ), }  # fmt: skip


def find_script(pan: str) -> Script:
    """The script of a card; every other card is treated well."""
    return TEST_CARDS.get(pan, TEST_CARDS["9999990000000006"])


@dataclass(frozen=True, slots=True)
class Chaos:
    """Any message may be treated badly: chances in a thousand, and the longest delay."""

    random: Random = field(repr=False)
    swallow: int = 0
    unanswered: int = 0
    twice: int = 0
    breaks: int = 0
    delayed: int = 0
    delay_ms_max: int = 0

    def behaviour(self) -> Behaviour | None:
        """The treatment of the next message; None: as its card says."""
        drawn = self.random.randrange(1_000)
        for chance, behaviour in (
            (self.swallow, Behaviour(books=False, answers=0)),
            (self.unanswered, Behaviour(answers=0)),
            (self.twice, Behaviour(answers=2)),
            (self.breaks, Behaviour(breaks=True)),
            (self.delayed, Behaviour(delay_ms=self.random.randint(0, self.delay_ms_max))),
        ):
            if drawn < chance:
                return behaviour
            drawn -= chance
        return None
