"""Lock-out: after five wrong tries a user, or a place that people come from, waits; each further one doubles the wait.

Rows in the database, so that a restart lets nobody in sooner. A clock that was set back cannot lock anybody out for
longer than the longest wait.
"""

from typing import Final

from sqlalchemy import Connection, delete, select

from prewatt.host.store import Writing, schema
from prewatt.units import DAY_S

__all__ = ["LOCK_FIRST_S", "LOCK_LONGEST_S", "WRONG_FREE", "clear_wrong", "locked_s", "note_wrong"]

WRONG_FREE: Final = 5
LOCK_FIRST_S: Final = 60
LOCK_LONGEST_S: Final = 3_600
# Wrong tries are forgotten a day after the last, and so is who made them.
FORGET_S: Final = DAY_S
_TABLE = schema.lockouts


def locked_s(connection: Connection, who: dict[str, str], now_s: int) -> int:
    """How many seconds those in ``who`` (kind -> name) still wait; 0 where nobody does."""
    longest = 0
    for kind, name in who.items():
        found = select(_TABLE.c.until_s).where(_TABLE.c.kind == kind, _TABLE.c.name == name)
        until_s = connection.execute(found).scalar()
        left_s = 0 if until_s is None else until_s - now_s
        if left_s <= LOCK_LONGEST_S:
            longest = max(longest, left_s)
    return longest


def note_wrong(writing: Writing, who: dict[str, str], now_s: int) -> int:
    """A wrong try; gives how many seconds they wait from now on."""
    writing.connection.execute(delete(_TABLE).where(_TABLE.c.last_s < now_s - FORGET_S))
    longest = 0
    for kind, name in who.items():
        found = select(_TABLE.c.wrong).where(_TABLE.c.kind == kind, _TABLE.c.name == name)
        wrong = (writing.connection.execute(found).scalar() or 0) + 1
        wait_s = wait_after(wrong)
        values = {"wrong": wrong, "until_s": now_s + wait_s, "last_s": now_s}
        put = writing.insert(_TABLE).values(kind=kind, name=name, **values)
        writing.connection.execute(put.on_conflict_do_update(index_elements=["kind", "name"], set_=values))
        longest = max(longest, wait_s)
    return longest


def wait_after(wrong: int) -> int:
    """Seconds to wait after so many wrong tries."""
    if wrong < WRONG_FREE:
        return 0
    return (
        LOCK_LONGEST_S
        if wrong - WRONG_FREE > LOCK_FIRST_S.bit_length()
        else min(LOCK_FIRST_S << (wrong - WRONG_FREE), LOCK_LONGEST_S)
    )


def clear_wrong(writing: Writing, who: dict[str, str]) -> None:
    """A right try: what was wrong before is forgotten."""
    for kind, name in who.items():
        writing.connection.execute(delete(_TABLE).where(_TABLE.c.kind == kind, _TABLE.c.name == name))
