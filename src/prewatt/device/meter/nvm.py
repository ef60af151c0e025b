"""Non-volatile memory: the one thing in a meter that outlives its power.

A memory is a set of named regions of bytes. Power may go after any byte of any write, and the byte being written then
may keep its old value, take the new one or be left as anything; whatever a meter must not lose is laid out so that
each of these leaves the old state or the new one. ``Nvm`` is all that the meter knows of its memory; ``MemoryNvm``
keeps it in RAM, for the simulator and the tests, cuts the power where it is told to, and counts wear.
"""

from enum import Enum
from typing import Final, Protocol

__all__ = ["ERASED_BYTE", "WEAR_BLOCK_BYTES", "MemoryNvm", "Nvm", "NvmRangeError", "PowerCut", "Region", "Torn"]

# What a cell holds that was never written, as in EEPROM and flash.
ERASED_BYTE: Final = 0xFF
# Wear is counted in blocks of this many bytes: the smallest common EEPROM page, the unit that really ages.
WEAR_BLOCK_BYTES: Final = 32

_MINUTE_CELL_BYTES: Final = 8
_MINUTE_CELLS: Final = 35 * 1440
# A manifest in its frame, then an image of 64 KiB.
_PROGRAM_BYTES: Final = 256 + 65_536


class Region(Enum):
    """A named part of the memory and its size in bytes. Bulk data has pairs or triples of slots: written to the one
    that is not in use, then pointed to by the journalled record."""

    JOURNAL_A = ("journal A", 4096)
    JOURNAL_B = ("journal B", 4096)
    MINUTES = ("minutes of source 0", _MINUTE_CELLS * _MINUTE_CELL_BYTES)
    MINUTES_1 = ("minutes of source 1", _MINUTE_CELLS * _MINUTE_CELL_BYTES)
    MINUTES_2 = ("minutes of source 2", _MINUTE_CELLS * _MINUTE_CELL_BYTES)
    MINUTES_3 = ("minutes of source 3", _MINUTE_CELLS * _MINUTE_CELL_BYTES)
    BIRTH = ("birth certificate", 512)
    MODE_TABLE_A = ("mode table A", 512)
    MODE_TABLE_B = ("mode table B", 512)
    MODE_TABLE_C = ("mode table C", 512)
    SETTINGS_A = ("settings A", 1024)
    SETTINGS_B = ("settings B", 1024)
    KEYS_A = ("key sets A", 1024)
    KEYS_B = ("key sets B", 1024)
    TEXT_A = ("text A", 512)
    TEXT_B = ("text B", 512)
    EVENTS = ("event log", 32_768)
    REGISTERS = ("registers of closed days, months and years", 32_768)
    # New regions stand behind all others: a memory file keeps its offsets, and only grows.
    PROGRAM_A = ("program A", _PROGRAM_BYTES)
    PROGRAM_B = ("program B", _PROGRAM_BYTES)

    @property
    def size(self) -> int:
        """How many bytes the region has."""
        return self.value[1]


class NvmRangeError(ValueError):
    """An access outside its region: a fault of the program, never of the data."""


class PowerCut(BaseException):
    """Power went. Not an Exception, so that no handler of the device can live through it."""


class Torn(Enum):
    """What the byte that was being written is left as."""

    OLD = "old"
    NEW = "new"
    GARBAGE = "garbage"


class Nvm(Protocol):
    """Reads and writes; a write that returned is durable, one that did not may have ended after any of its bytes."""

    def read(self, region: Region, offset: int, length: int) -> bytes:
        """The ``length`` bytes from ``offset``; NvmRangeError outside the region."""
        ...

    def write(self, region: Region, offset: int, data: bytes) -> None:
        """Writes ``data`` byte after byte in ascending order; NvmRangeError outside the region."""
        ...


class MemoryNvm:
    """A memory in RAM whose power can be cut after a given number of bytes, and that counts its wear."""

    __slots__ = ("_cells", "_cut_in", "_garbage", "_powered", "_torn", "_wear", "written_bytes")

    def __init__(self) -> None:
        self._cells: dict[Region, bytearray] = {}
        self._wear: dict[Region, list[int]] = {}
        self._powered = True
        self._cut_in: int | None = None
        self._torn = Torn.OLD
        self._garbage = 0
        self.written_bytes = 0

    def read(self, region: Region, offset: int, length: int) -> bytes:
        """See Nvm; PowerCut while there is no power."""
        self._check(region, offset, length)
        cells = self._cells.get(region)
        if cells is None:
            return bytes((ERASED_BYTE,)) * length
        return bytes(cells[offset : offset + length])

    def write(self, region: Region, offset: int, data: bytes) -> None:
        """See Nvm; PowerCut where ``cut_after`` ordered it, or while there is no power."""
        self._check(region, offset, len(data))
        if self._cut_in is not None and self._cut_in <= len(data):
            self._write_torn(region, offset, data, self._cut_in)
            raise PowerCut
        if self._cut_in is not None:
            self._cut_in -= len(data)
        self._put(region, offset, data)

    def cut_after(self, written_bytes: int, torn: Torn = Torn.OLD, garbage: int = 0xA5) -> None:
        """Cuts the power when that many more bytes are written, tearing the byte after them if a write goes on."""
        if written_bytes < 0 or not 0 <= garbage <= 0xFF:
            raise ValueError(f"cut: {written_bytes} bytes, garbage {garbage}; allowed is 0 or more and a byte")
        self._cut_in, self._torn, self._garbage = written_bytes, torn, garbage

    def power_off(self) -> None:
        """Cuts the power now."""
        self._powered = False

    def restore_power(self) -> None:
        """Brings power back and takes any ordered cut away."""
        self._powered, self._cut_in = True, None

    def copy(self) -> "MemoryNvm":
        """The same contents, with power, no cut ordered and new wear counts."""
        twin = MemoryNvm()
        twin._cells = {region: bytearray(cells) for region, cells in self._cells.items()}
        return twin

    def read_wear(self) -> dict[Region, int]:
        """For each region written to, the writes of its most written block of WEAR_BLOCK_BYTES."""
        return {region: max(counts) for region, counts in self._wear.items()}

    def _check(self, region: Region, offset: int, length: int) -> None:
        if not self._powered:
            raise PowerCut
        if offset < 0 or length < 0 or offset + length > region.size:
            raise NvmRangeError(f"{region.value[0]}: {length} bytes at {offset} are not inside its {region.size} bytes")

    def _write_torn(self, region: Region, offset: int, data: bytes, whole_bytes: int) -> None:
        self._powered = False
        self._put(region, offset, data[:whole_bytes])
        if whole_bytes < len(data) and self._torn is not Torn.OLD:
            byte = data[whole_bytes] if self._torn is Torn.NEW else self._garbage
            self._put(region, offset + whole_bytes, bytes((byte,)))

    def _put(self, region: Region, offset: int, data: bytes) -> None:
        if not data:
            return
        cells = self._cells.get(region)
        if cells is None:
            cells = self._cells[region] = bytearray((ERASED_BYTE,)) * region.size
            self._wear[region] = [0] * -(-region.size // WEAR_BLOCK_BYTES)
        cells[offset : offset + len(data)] = data
        self.written_bytes += len(data)
        counts = self._wear.get(region)
        if counts is None:
            counts = self._wear[region] = [0] * -(-region.size // WEAR_BLOCK_BYTES)
        for block in range(offset // WEAR_BLOCK_BYTES, (offset + len(data) - 1) // WEAR_BLOCK_BYTES + 1):
            counts[block] += 1
