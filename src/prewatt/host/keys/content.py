"""What is inside the sealed file: the key sets with their master keys, as JSON, read strictly.

JSON because a set may gain a field in a later version; the bytes are authentic when they are read, so anything odd in
them is a fault of a program and not of a stranger. Master keys show in no repr.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from prewatt.crypto import KEY_SET_MAX, SuiteName, suite
from prewatt.host.keys.errors import (
    DamagedVaultError,
    KeySetExistsError,
    KeySetMissingError,
    VaultFullError,
)
from prewatt.host.keys.vault import KeySet, KeySetState, check_index, refuse_retired
from prewatt.units import UTC_MAX_S, UtcSeconds

__all__ = ["MasterSet", "VaultContent"]

_FIELDS: Final = frozenset({"index", "suite", "created_s", "state", "master"})


@dataclass(frozen=True, slots=True)
class MasterSet:
    """A key set with its master key."""

    shown: KeySet
    master: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VaultContent:
    """All sets, in the order of their indexes; a change gives a new content."""

    sets: tuple[MasterSet, ...] = ()

    def find(self, index: int) -> MasterSet:
        """The set with this index; KeySetMissingError when there is none."""
        for each in self.sets:
            if each.shown.index == index:
                return each
        raise KeySetMissingError(f"key set {index}: not in this vault; list the sets it has")

    def free_index(self) -> int:
        """The lowest index never used; VaultFullError when there is none."""
        used = {each.shown.index for each in self.sets}
        for index in range(KEY_SET_MAX + 1):
            if index not in used:
                return index
        raise VaultFullError(f"key sets: all {KEY_SET_MAX + 1} indexes have been used; none is used twice")

    def added(self, suite_name: SuiteName, index: int, created_s: int, master: bytes) -> "VaultContent":
        """With one more set; KeySetExistsError where the index is or was in use."""
        check_index(index)
        if not 0 <= created_s <= UTC_MAX_S:
            raise ValueError(f"now_s: {created_s} is not allowed; allowed is 0 to {UTC_MAX_S}")
        if any(each.shown.index == index for each in self.sets):
            raise KeySetExistsError(f"key set {index}: in use or retired; an index is never used twice")
        shown = KeySet(index, suite_name, UtcSeconds(created_s), KeySetState.ACTIVE)
        return VaultContent(_in_order((*self.sets, MasterSet(shown, master))))

    def retired(self, index: int) -> "VaultContent":
        """With this set retired; KeySetMissingError, or KeySetRetiredError where it is already."""
        old = self.find(index)
        if old.shown.state is KeySetState.RETIRED:
            raise refuse_retired(index)
        new = replace(old, shown=replace(old.shown, state=KeySetState.RETIRED))
        return VaultContent(tuple(new if each is old else each for each in self.sets))

    def build(self) -> bytes:
        """The JSON."""
        rows = [
            {
                "index": each.shown.index,
                "suite": each.shown.suite.value,
                "created_s": each.shown.created_s,
                "state": each.shown.state.value,
                "master": each.master.hex(),
            }
            for each in self.sets
        ]
        return json.dumps({"sets": rows}, separators=(",", ":")).encode()

    @classmethod
    def parse(cls, data: bytes) -> "VaultContent":
        """The content of `build`; DamagedVaultError for anything else."""
        try:
            document = json.loads(data)
            if not isinstance(document, dict) or document.keys() != {"sets"}:
                raise ValueError("not a list of sets")
            content = cls()
            for row in document["sets"]:
                content = content._with_row(row)
        except (ValueError, TypeError, KeySetExistsError):
            # Not chained: the text of a JSON error shows what it could not read, and that may be a key.
            raise DamagedVaultError("the vault opens, but its content is not one that this release writes") from None
        return content

    def _with_row(self, row: object) -> "VaultContent":
        if not isinstance(row, dict) or row.keys() != _FIELDS:
            raise ValueError("other fields")
        index, created_s, master_text = row["index"], row["created_s"], row["master"]
        if type(index) is not int or type(created_s) is not int or not isinstance(master_text, str):
            raise TypeError("other types")
        name, state = SuiteName(str(row["suite"])), KeySetState(str(row["state"]))
        master = bytes.fromhex(master_text)
        if len(master) != suite(name).master_bytes:
            raise ValueError("other key length")
        content = self.added(name, index, created_s, master)
        return content.retired(index) if state is KeySetState.RETIRED else content


def _in_order(sets: Iterable[MasterSet]) -> tuple[MasterSet, ...]:
    return tuple(sorted(sets, key=lambda each: each.shown.index))
