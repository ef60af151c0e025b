"""The minute memory: what each of the last 35 days' minutes took, and what load quality it is burned with.

A ring of cells per source, one cell a minute, found by the minute's number (UTC second by the meter's clock, divided by
60). A cell says itself which minute it holds, so a minute without power needs no write at all: whatever cell is not of
that minute reads as NO_POWER, never as zero, and a clock that was far off and comes back finds the old cells untouched.

    reading(2), in pulses, at most 65,534 | surcharge percent(1) | era(1)
    | CRC-16(2) over the four bytes before, begun with the minute's low 16 bits | lap(2) = minute // 50,400

The lap is written last: until its last byte stands, the cell is not of the new minute. Rewriting a minute in the same
lap happens only in a later era of the clock (record.py), and only cells of the present era are ever burned.

The order of writes makes every pulse count once. Pulses are burned as they come, and a journal record written inside a
minute says how many. When the minute ends, its cell is written first; only then may a record say that a later minute
has begun. After a hard cut ``plan_resume`` finds the cells that are whole and not older than the record's position:
their pulses beyond it are still to be burned. Pulses of the unfinished minute after the last record are lost in energy
and money alike. With several sources the cell of source 0 is written last and makes the minute whole.

A cell is read back. Where something else stands there it is written again, and a record is due: nothing that was burned
hangs then on that cell, nor on those that a write astray may have hit.

What a reading cannot hold carries on into the next minute: it is part of the position that ``close_minute`` returns,
because it was burned already. A cut before that position is stored finds it again as the difference of both.
"""

import struct
from binascii import crc_hqx
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from prewatt.device.meter.nvm import Nvm, Region
from prewatt.device.meter.record import EnergyPosition

__all__ = [
    "MINUTE_CELLS",
    "MINUTE_REGIONS",
    "NO_POWER",
    "READING_MAX",
    "ClosedMinute",
    "MinuteMemory",
    "Replay",
    "Resumption",
    "StoredMinute",
    "close_minute",
    "plan_resume",
    "turn_back",
]

# The source's mark for a minute without power, and so the one value that no reading may have.
NO_POWER: Final = 0xFFFF
READING_MAX: Final = NO_POWER - 1
SURCHARGE_MAX_PERCENT: Final = 0xFF
MINUTE_CELLS: Final = 35 * 1440
MINUTE_REGIONS: Final = (Region.MINUTES, Region.MINUTES_1, Region.MINUTES_2, Region.MINUTES_3)
_CELL: Final = struct.Struct(">HBBHH")
_HEAD_BYTES: Final = 4
# Writes of one cell before its minute is given up: it reads as one without power, and was burned all the same.
_TRIES_MAX: Final = 3


class StoredMinute(NamedTuple):
    """A whole cell: pulses, the surcharge percent they are burned with (quality is 100 more), and the clock's era."""

    reading: int
    surcharge_percent: int
    era: int


class MinuteMemory:
    """The ring of one source in a memory region."""

    __slots__ = ("_cells", "_nvm", "_region")

    def __init__(self, nvm: Nvm, region: Region = Region.MINUTES, cells: int = MINUTE_CELLS) -> None:
        """``cells`` is how many minutes are kept: 35 days; fewer only to try the ring's edges out."""
        if not 1 <= cells <= region.size // _CELL.size:
            raise ValueError(f"cells: {cells} is not allowed; allowed is 1 to {region.size // _CELL.size}")
        self._nvm, self._region, self._cells = nvm, region, cells

    @property
    def cells(self) -> int:
        """How many minutes are kept."""
        return self._cells

    def write(self, minute: int, reading: int, surcharge_percent: int, era: int) -> bool:
        """Stores a minute that has ended; False where it did not stand there at once, or does not at all.

        Call ``close_minute``, which keeps the order of writes.
        """
        if not 0 <= reading <= READING_MAX or not 0 <= surcharge_percent <= SURCHARGE_MAX_PERCENT:
            raise ValueError(f"minute {minute}: reading {reading}, surcharge {surcharge_percent} do not fit the cell")
        lap, place = self._find(minute)
        head = _CELL.pack(reading, surcharge_percent, era, 0, 0)[:_HEAD_BYTES]
        crc = crc_hqx(head, minute & 0xFFFF)
        cell = _CELL.pack(reading, surcharge_percent, era, crc, lap)
        for tries in range(_TRIES_MAX):
            self._nvm.write(self._region, place * _CELL.size, cell)
            if self._nvm.read(self._region, place * _CELL.size, _CELL.size) == cell:
                return tries == 0
        return False

    def erase(self, minute: int) -> None:
        """Makes the cell of that minute one without power."""
        self._nvm.write(self._region, self._find(minute)[1] * _CELL.size, NO_POWER.to_bytes(2, "big"))

    def read_minute(self, minute: int) -> StoredMinute | None:
        """The whole cell of that minute; None where there is none (no power, torn, overwritten, never reached)."""
        lap, place = self._find(minute)
        cell = self._nvm.read(self._region, place * _CELL.size, _CELL.size)
        return _parse_cell(cell, minute, lap)

    def read(self, minute_from: int, count: int) -> list[int]:
        """The readings of ``count`` minutes (at most ``cells``) from ``minute_from``; NO_POWER where there is none."""
        if not 0 <= count <= self._cells:
            raise ValueError(f"count: {count} is not allowed; allowed is 0 to {self._cells} minutes")
        readings: list[int] = []
        minute, end = minute_from, minute_from + count
        while minute < end:
            lap, place = self._find(minute)
            run = min(end - minute, self._cells - place)
            data = self._nvm.read(self._region, place * _CELL.size, run * _CELL.size)
            for index in range(run):
                start = index * _CELL.size
                stored = _parse_cell(data[start : start + _CELL.size], minute + index, lap)
                readings.append(NO_POWER if stored is None else stored.reading)
            minute += run
        return readings

    def _find(self, minute: int) -> tuple[int, int]:
        """The lap that the minute's cell has to show, and its place. 2^16 laps of 35 days are 6,280 years."""
        lap, place = divmod(minute, self._cells)
        return lap & 0xFFFF, place


def _parse_cell(cell: bytes, minute: int, lap: int) -> StoredMinute | None:
    reading, surcharge_percent, era, crc, cell_lap = _CELL.unpack(cell)
    if cell_lap != lap or crc != crc_hqx(cell[:_HEAD_BYTES], minute & 0xFFFF) or reading > READING_MAX:
        return None
    return StoredMinute(reading, surcharge_percent, era)


@dataclass(frozen=True, slots=True)
class ClosedMinute:
    """``position`` is where the next minute begins (what did not fit is already in it); with ``write_due`` the minutes
    are not consecutive or a cell did not read back, and the record has to be stored before any later minute is closed.
    """

    position: EnergyPosition
    write_due: bool


def close_minute(
    memories: Sequence[MinuteMemory],
    position: EnergyPosition,
    surcharge_percent: int,
    next_minute: int,
    *,
    cut_short: bool = False,
) -> ClosedMinute:
    """Ends the position's minute: stores its readings, one memory a source, and begins ``next_minute``.

    With ``cut_short`` it ends the unfinished minute that ``plan_resume`` found, when power comes back in a later one:
    what was journalled of it becomes its reading; where that is nothing, it stays a minute without power.
    """
    if next_minute <= position.minute:
        raise ValueError(f"minute {next_minute} does not follow {position.minute}; see turn_back")
    readings, stood = [min(pulses, READING_MAX) for pulses in position.pulses], True
    if cut_short and not any(readings):
        _forget(memories, position)
    else:
        for memory, reading in reversed(list(zip(memories, readings, strict=True))):
            stood &= memory.write(position.minute, reading, surcharge_percent, position.era)
    carried = tuple(pulses - reading for pulses, reading in zip(position.pulses, readings, strict=True))
    gap = next_minute != position.minute + 1
    return ClosedMinute(EnergyPosition(next_minute, carried, position.era), write_due=gap or not stood)


def _forget(memories: Sequence[MinuteMemory], position: EnergyPosition) -> None:
    """Erases what a cut between the cells of several sources left of a minute that never became whole."""
    for memory in memories:
        stored = memory.read_minute(position.minute)
        if stored is not None and stored.era == position.era:
            memory.erase(position.minute)


def turn_back(position: EnergyPosition, minute: int) -> EnergyPosition:
    """The position when the clock was set back and ``minute`` begins again; store it in a record at once.

    Close the minute that was running first (into one later minute of the old time); what is carried goes along. The
    readings of the minutes that come again are replaced as they end. A clock set back by a minute or two need not turn
    back: let the minute that is running last until the clock has passed it.
    """
    return EnergyPosition(minute, position.pulses, (position.era + 1) % 256)


@dataclass(frozen=True, slots=True)
class Replay:
    """Pulses ``first`` .. ``total`` - 1 of a stored minute that are still to be burned.

    Pulse k of the minute stands at its second floor(60 k / ``total``), where its price is looked up; the quality is
    100 + ``surcharge_percent``.
    """

    minute: int
    source: int
    first: int
    total: int
    surcharge_percent: int


@dataclass(frozen=True, slots=True)
class Resumption:
    """What to burn after a hard cut, in order, and the energy position that is reached when it is burned.

    Store the record with both before anything else; power that goes before only makes the plan be made again.
    """

    replays: tuple[Replay, ...]
    position: EnergyPosition


def plan_resume(position: EnergyPosition, memories: Sequence[MinuteMemory]) -> Resumption:
    """The whole stored minutes not older than the record's position, and what of each is not burned yet."""
    replays: list[Replay] = []
    minute, pulses = position.minute, position.pulses
    while minute - position.minute < memories[0].cells:
        stored = [memory.read_minute(minute) for memory in memories]
        whole = [cell for cell in stored if cell is not None and cell.era == position.era]
        if len(whole) != len(stored):
            break
        left = []
        for source, (cell, burned) in enumerate(zip(whole, pulses, strict=True)):
            if cell.reading > burned:
                replays.append(Replay(minute, source, burned, cell.reading, cell.surcharge_percent))
            left.append(max(0, burned - cell.reading))
        minute, pulses = minute + 1, tuple(left)
    return Resumption(tuple(replays), EnergyPosition(minute, pulses, position.era))
