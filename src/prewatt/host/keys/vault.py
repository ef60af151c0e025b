"""The key vault as the host sees it: key sets by number, and terminal keys on demand. Master keys never leave it.

`FileVault` is the embedded implementation. One over PKCS#11 needs nothing else than this: the token keeps KH, makes
it (C_GenerateKey) and derives with it; the host only ever names a set and a meter. A set is `active` from the moment
it is added until it is retired; its index is never used again, because terminals may still hold keys made from it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prewatt.crypto import KEY_SET_MAX, SuiteName
from prewatt.host.keys.errors import KeySetMissingError, KeySetRetiredError
from prewatt.units import DAY_S, UtcSeconds

__all__ = ["CHOICE_RANDOM_BYTES", "ROTATION_PERIOD_S", "KeySet", "KeySetState", "KeyVault"]

# A key set is due to be replaced after a year unless the installation says otherwise (NIST SP 800-57 part 1, 5.3.6).
ROTATION_PERIOD_S: Final = 365 * DAY_S
# Eight bytes make the bias of choosing among at most 256 sets smaller than 2^-56.
CHOICE_RANDOM_BYTES: Final = 8


class KeySetState(StrEnum):
    """`active` derives keys; `retired` is kept on record and derives nothing."""

    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class KeySet:
    """One master key set, without its key: what `prewatt keys list` shows."""

    index: int
    suite: SuiteName
    created_s: UtcSeconds
    state: KeySetState


class KeyVault(ABC):
    """Key sets by index 0-255. Safe to use from several threads. Errors are those of `prewatt.host.keys.errors`."""

    __slots__ = ()

    @abstractmethod
    def sets(self) -> list[KeySet]:
        """Every set, active and retired, by index; sees what other processes added or retired."""

    @abstractmethod
    def terminal_key(self, index: int, meter_id: bytes) -> bytes:
        """KT of one meter (3 bytes) under set `index`, derived on demand.

        KeySetMissingError for an unknown index, KeySetRetiredError for a retired one, ValueError for a bad meter id.
        """

    @abstractmethod
    def add(self, suite: str, index: int | None = None, *, now_s: int) -> KeySet:
        """Makes a new master key set, durable on return; `now_s` becomes its `created_s`.

        Without `index` the lowest one never used. KeySetExistsError where the index is or was in use, VaultFullError
        when none is left, ValueError for an unknown suite or an index outside 0-255.
        """

    @abstractmethod
    def retire(self, index: int) -> KeySet:
        """Ends a set for good, durable on return; it cannot be undone, so ask first.

        Retire a set only when no meter is left without another confirmed one. KeySetMissingError or
        KeySetRetiredError where there is nothing to retire.
        """

    def find(self, index: int) -> KeySet:
        """The set with this index, active or retired; KeySetMissingError when there is none."""
        for each in self.sets():
            if each.index == index:
                return each
        raise KeySetMissingError(f"key set {index}: not in this vault; list the sets it has")

    def choose(self, confirmed: Sequence[int], random: bytes) -> int:
        """The index for the next session, drawn among those of `confirmed` that are active.

        `confirmed` are the sets this meter has shown to hold; `random` is 8 fresh bytes or more. Indexes that are
        retired or missing here are passed over; KeySetMissingError when none is left.
        """
        if len(random) < CHOICE_RANDOM_BYTES:
            raise ValueError(f"random: {len(random)} bytes are not allowed; allowed is {CHOICE_RANDOM_BYTES} or more")
        active = {each.index for each in self.sets() if each.state is KeySetState.ACTIVE}
        usable = sorted(active.intersection(confirmed))
        if not usable:
            listed = ", ".join(map(str, sorted(set(confirmed)))) or "none"
            raise KeySetMissingError(f"key sets confirmed by the meter: {listed}; not one of them is active here")
        return usable[int.from_bytes(random[:CHOICE_RANDOM_BYTES], "big") % len(usable)]

    def due(self, now_s: int, period_s: int = ROTATION_PERIOD_S) -> list[KeySet]:
        """Active sets that are `period_s` old or older at `now_s`, oldest first."""
        if period_s < 1:
            raise ValueError(f"period_s: {period_s} is not allowed; allowed is 1 or more")
        due = [each for each in self.sets() if each.state is KeySetState.ACTIVE and each.created_s + period_s <= now_s]
        return sorted(due, key=lambda each: (each.created_s, each.index))


def check_index(index: int) -> None:
    """ValueError unless 0-255."""
    if not 0 <= index <= KEY_SET_MAX:
        raise ValueError(f"index: {index} is not allowed; allowed is 0 to {KEY_SET_MAX}")


def refuse_retired(index: int) -> KeySetRetiredError:
    """The error of a set that exists but was retired."""
    return KeySetRetiredError(f"key set {index}: retired, it derives no keys any more; choose an active set")
