"""The key sets of each meter as the books have them: given, proved, gone; and which proof may be out of date.

A set is `confirmed` once a session under it has succeeded. It may be gone since without anybody here knowing: a command
that drops it went out and its answer is lost, the books are an older copy that has forgotten that, or another body
answers to the id. Such a set is in doubt. It may still carry a session, which proves it anew; nothing that cannot be
taken back rests on it: no value code, which would be useless digits on paper, and no retirement of the meter's other
sets.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from prewatt.host.store import Writing, schema

__all__ = ["HeldSets", "doubt_all", "doubt_others", "doubt_set", "note_gone", "note_proved", "note_sent", "read_held"]


@dataclass(frozen=True, slots=True)
class HeldSets:
    """A meter's sets by what is known of them; a set stands in one of the three."""

    sure: frozenset[int] = frozenset()
    doubted: frozenset[int] = frozenset()
    sent: frozenset[int] = frozenset()

    @property
    def proved(self) -> frozenset[int]:
        """Those under which a session has succeeded at some time."""
        return self.sure | self.doubted


# Asked for every session: made once.
_KEYS = select(schema.meter_keys.c.key_set, schema.meter_keys.c.state, schema.meter_keys.c.doubted).where(
    schema.meter_keys.c.meter == bindparam("meter_id")
)


def read_held(connection: Connection, meter: str) -> HeldSets:
    """What the books say of a meter's sets."""
    found: dict[str, set[int]] = {"sure": set(), "doubted": set(), "sent": set()}
    for row in connection.execute(_KEYS, {"meter_id": meter}):
        if row.state == "sent":
            found["sent"].add(row.key_set)
        elif row.state == "confirmed":
            found["doubted" if row.doubted else "sure"].add(row.key_set)
    return HeldSets(**{name: frozenset(sets) for name, sets in found.items()})


def note_sent(writing: Writing, meter: str, key_set: int) -> None:
    """The meter has taken a set; it has not proved it yet. One that it proved before stays proved."""
    _put(writing, meter, key_set, "sent", unless="confirmed")


def note_proved(writing: Writing, meter: str, key_set: int) -> None:
    """A session under this set has succeeded: the meter has it, whatever the books said."""
    _put(writing, meter, key_set, "confirmed")


def note_gone(writing: Writing, meter: str, key_set: int) -> None:
    """The meter has said that it has this set no more."""
    _put(writing, meter, key_set, "gone")


def doubt_set(writing: Writing, meter: str, key_set: int) -> None:
    """From this commit on a command that drops the set may be under way."""
    keys = schema.meter_keys
    mine = (keys.c.meter == meter, keys.c.key_set == key_set, keys.c.doubted.is_(False))
    writing.connection.execute(update(keys).where(*mine).values(doubted=True))


def doubt_others(writing: Writing, meter: str, but: int) -> None:
    """Another body answers to this id, under the one set ``but``."""
    keys = schema.meter_keys
    others = (keys.c.meter == meter, keys.c.key_set != but, keys.c.doubted.is_(False))
    writing.connection.execute(update(keys).where(*others).values(doubted=True))


def doubt_all(writing: Writing) -> None:
    """The books are an older copy of themselves: what was proved in them may be gone."""
    writing.connection.execute(update(schema.meter_keys).values(doubted=True))


def _put(writing: Writing, meter: str, key_set: int, state: str, *, unless: str | None = None) -> None:
    keys = schema.meter_keys
    put = writing.insert(keys).values(meter=meter, key_set=key_set, state=state, doubted=False)
    kept = None if unless is None else keys.c.state != unless
    changed = {"state": state, "doubted": False}
    put = put.on_conflict_do_update(index_elements=["meter", "key_set"], set_=changed, where=kept)
    writing.connection.execute(put)
