"""The SVM's journal: two slots, of which one always holds a whole record.

A store writes the older slot with the next generation and a CRC-32 over all of it, then reads it back. It writes again
where something else stands there: a write that went astray may have destroyed the newer slot, and as long as it has
power the meter alone knows what that held. Whatever byte the power goes at, the other slot is untouched, and the torn
one is either whole or refused by its CRC: a load finds the old record or the new one. Slot layout: length(2) |
generation(4) | record | CRC-32(4) of everything before it.

Generations are compared as serial numbers (RFC 1982), since two slots never stand more than one apart. In practice they
do not wrap: with a store every second, far more than any load causes, 2^32 of them take 136 years.

Two slots that are both refused are a dead SVM, and an error: money is never invented, not even as zero. So is a slot
whose CRC is right but whose record cannot be read: an older state in its place would give burned value back.
"""

import zlib
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.device.meter.nvm import Nvm, Region
from prewatt.device.meter.record import RECORD_BYTES_MAX, Record

__all__ = ["Journal", "JournalError"]

_SLOTS: Final = (Region.JOURNAL_A, Region.JOURNAL_B)
_HEAD_BYTES: Final = 6
_CRC_BYTES: Final = 4
_GENERATIONS: Final = 2**32
# Writes of one record before the memory is given up.
_TRIES_MAX: Final = 3


class JournalError(Exception):
    """The SVM holds no whole record, or a write did not read back; nothing may be shown or burned on its word."""


class Journal:
    """The two slots in a memory. ``load`` (or ``create``, in the factory) comes before the first ``store``."""

    __slots__ = ("_generation", "_newest", "_nvm")

    def __init__(self, nvm: Nvm) -> None:
        self._nvm = nvm
        self._newest: int | None = None
        self._generation = 0

    def create(self, record: Record) -> None:
        """Writes the first record of a new body to both slots, over whatever they held."""
        self._newest, self._generation = 1, 0
        self.store(record)
        self.store(record)

    def load(self) -> Record:
        """The newest whole record; JournalError where both slots are refused, or one holds what cannot be read."""
        found = [(slot, *held) for slot, region in enumerate(_SLOTS) if (held := self._read_slot(region)) is not None]
        if not found:
            raise JournalError("journal: neither slot holds a whole record; the SVM is refused, send the meter in")
        newest = found[0]
        if len(found) > 1 and (found[1][1] - newest[1]) % _GENERATIONS < _GENERATIONS // 2:
            newest = found[1]
        self._newest, self._generation, record = newest
        return record

    def store(self, record: Record) -> None:
        """Makes ``record`` the newest; returns only when it stands in the memory and was read back.

        JournalError means that the old or the new record is the durable one: load before anything is answered.
        """
        if self._newest is None:
            raise JournalError("journal: store before load")
        target = 1 - self._newest
        generation = (self._generation + 1) % _GENERATIONS
        body = record.build()
        data = len(body).to_bytes(2, "big") + generation.to_bytes(4, "big") + body
        data += zlib.crc32(data).to_bytes(_CRC_BYTES, "big")
        for _ in range(_TRIES_MAX):
            self._nvm.write(_SLOTS[target], 0, data)
            if self._nvm.read(_SLOTS[target], 0, len(data)) == data:
                self._newest, self._generation = target, generation
                return
        self._newest = None
        raise JournalError(f"journal: {_SLOTS[target].value[0]} does not read back what was written")

    def _read_slot(self, region: Region) -> tuple[int, Record] | None:
        head = self._nvm.read(region, 0, _HEAD_BYTES)
        length = int.from_bytes(head[:2], "big")
        if length > RECORD_BYTES_MAX:
            return None
        tail = self._nvm.read(region, _HEAD_BYTES, length + _CRC_BYTES)
        body, crc = tail[:length], int.from_bytes(tail[length:], "big")
        if zlib.crc32(head + body) != crc:
            return None
        try:
            return int.from_bytes(head[2:], "big"), Record.parse(body)
        except DecodeError as error:
            raise JournalError(f"journal: {region.value[0]} is whole but cannot be read: {error}") from None
