"""Bulk data in shadow slots: what is written lies unused until the journalled record points to it.

A mode table, the settings, the key sets and the text are each too long to ride in every record. A new one is written
to a slot that is not in use and read back; only then the record that names the slot is stored. Power that goes before
leaves the old one in force, untouched.
"""

import zlib
from enum import Enum
from typing import Final

from prewatt.device.meter.nvm import Nvm, Region

__all__ = ["NO_SLOT", "SlotError", "Slots", "Store"]

NO_SLOT: Final = 0xFF
_LENGTH_BYTES: Final = 2
_CRC_BYTES: Final = 4


class Store(Enum):
    """What is kept in slots, and where."""

    BIRTH = (Region.BIRTH,)
    TABLES = (Region.MODE_TABLE_A, Region.MODE_TABLE_B, Region.MODE_TABLE_C)
    SETTINGS = (Region.SETTINGS_A, Region.SETTINGS_B)
    KEYS = (Region.KEYS_A, Region.KEYS_B)
    TEXT = (Region.TEXT_A, Region.TEXT_B)
    PROGRAMS = (Region.PROGRAM_A, Region.PROGRAM_B)


class SlotError(Exception):
    """A slot that the record points to is damaged, or a write did not read back."""


class Slots:
    """The slots of one memory."""

    __slots__ = ("_nvm",)

    def __init__(self, nvm: Nvm) -> None:
        self._nvm = nvm

    def write(self, store: Store, data: bytes, in_use: tuple[int, ...] = ()) -> int:
        """Writes ``data`` to the first slot not in use and gives its place; SlotError where it does not read back."""
        place = next(place for place in range(len(store.value)) if place not in in_use)
        region = store.value[place]
        framed = len(data).to_bytes(_LENGTH_BYTES, "big") + data
        framed += zlib.crc32(framed).to_bytes(_CRC_BYTES, "big")
        self._nvm.write(region, 0, framed)
        if self._nvm.read(region, 0, len(framed)) != framed:
            raise SlotError(f"{region.value[0]}: does not read back what was written")
        return place

    def read(self, store: Store, place: int) -> bytes:
        """What stands in a slot; SlotError where it is damaged."""
        region = store.value[place]
        head = self._nvm.read(region, 0, _LENGTH_BYTES)
        length = int.from_bytes(head, "big")
        if length > region.size - _LENGTH_BYTES - _CRC_BYTES:
            raise SlotError(f"{region.value[0]}: {length} bytes do not fit")
        tail = self._nvm.read(region, _LENGTH_BYTES, length + _CRC_BYTES)
        if zlib.crc32(head + tail[:length]) != int.from_bytes(tail[length:], "big"):
            raise SlotError(f"{region.value[0]}: is damaged")
        return tail[:length]

    def put(self, store: Store, place: int, offset: int, data: bytes) -> None:
        """Writes behind what stands framed in a slot; SlotError where it does not read back."""
        region = store.value[place]
        self._nvm.write(region, offset, data)
        if self._nvm.read(region, offset, len(data)) != data:
            raise SlotError(f"{region.value[0]}: does not read back what was written")

    def take(self, store: Store, place: int, offset: int, length: int) -> bytes:
        """The bytes of a slot, framed or not."""
        return self._nvm.read(store.value[place], offset, length)

    def erase(self, store: Store) -> None:
        """Overwrites every slot of a store, so that nothing of what it held is left."""
        for region in store.value:
            self._nvm.write(region, 0, bytes(region.size))
