"""Energy registers: in all, by price step, by source, and by local day, week, month and year.

The running ones ride in the journalled record together with the money, so energy and money never part. A closed day,
week, month or year is kept in rings in the memory, by its own number: when the clock is set back and a day begins
again, it goes on where it was, and writing one twice writes the same. Order: first the rings, then the record.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import Enum
from typing import Final

from prewatt.codec.reader import Reader
from prewatt.codec.standing import STEPS_MAX
from prewatt.codec.standing import Registers as RegisterReadings
from prewatt.device.meter.calendar import LocalCalendar
from prewatt.device.meter.nvm import Nvm, Region
from prewatt.device.meter.record import SOURCES_MAX

__all__ = ["PERIOD_BYTES_END", "Period", "PeriodRings", "Registers"]

_CELL: Final = struct.Struct(">IQI")
_RUNNING: Final = struct.Struct(">Q16Q4QIqIqIqIq")
_MONTHS: Final = 12
_WEEK_DAYS: Final = 7
# 1970-01-01 was a Thursday: with three days more, weeks begin on Monday.
_THURSDAY: Final = 3


class Period(Enum):
    """A kind of period, how many closed ones are kept, and where their ring begins."""

    DAY = ("day", 64, 0)
    WEEK = ("week", 16, 64)
    MONTH = ("month", 24, 80)
    YEAR = ("year", 16, 104)


# Where the rings end in their region.
PERIOD_BYTES_END: Final = 120 * _CELL.size


class PeriodRings:
    """The closed periods in the memory: number(4), pulses(8), CRC-32(4) in each cell."""

    __slots__ = ("_nvm",)

    def __init__(self, nvm: Nvm) -> None:
        self._nvm = nvm

    def write(self, period: Period, number: int, pulses: int) -> None:
        """Keeps a period's energy."""
        crc = zlib.crc32(_CELL.pack(number, pulses, 0))
        self._nvm.write(Region.REGISTERS, self._place(period, number), _CELL.pack(number, pulses, crc))

    def read(self, period: Period, number: int) -> int | None:
        """The energy of a period; None where the ring does not hold it."""
        held, pulses, crc = _CELL.unpack(self._nvm.read(Region.REGISTERS, self._place(period, number), _CELL.size))
        if held != number or crc != zlib.crc32(_CELL.pack(held, pulses, 0)):
            return None
        return int(pulses)

    @staticmethod
    def _place(period: Period, number: int) -> int:
        _, count, first = period.value
        return (first + number % count) * _CELL.size


@dataclass(slots=True)
class Registers:
    """The running registers. ``begun`` holds, by period, its number and the total at which it began."""

    total_pulses: int
    step_pulses: list[int]
    source_pulses: list[int]
    begun: dict[Period, tuple[int, int]]

    @classmethod
    def new(cls, calendar: LocalCalendar, second: int) -> "Registers":
        """All zero."""
        numbers = period_numbers(calendar, second)
        return cls(0, [0] * STEPS_MAX, [0] * SOURCES_MAX, {period: (number, 0) for period, number in numbers.items()})

    @property
    def day(self) -> int:
        """The local day that runs."""
        return self.begun[Period.DAY][0]

    def read_period(self, period: Period) -> int:
        """The energy of the period that runs."""
        return self.total_pulses - self.begun[period][1]

    def roll(self, rings: PeriodRings, calendar: LocalCalendar, second: int) -> bool:
        """Closes what ended and begins, or goes on with, what holds this second; if True, store a record."""
        rolled = False
        for period, number in period_numbers(calendar, second).items():
            running, began = self.begun[period]
            if running != number:
                rings.write(period, running, self.total_pulses - began)
                self.begun[period] = (number, self.total_pulses - (rings.read(period, number) or 0))
                rolled = True
        return rolled

    def readings(self, steps: int) -> RegisterReadings:
        """As Info carries them, with at least ``steps`` price steps and all that ever counted."""
        used = max((place + 1 for place, pulses in enumerate(self.step_pulses) if pulses), default=0)
        return RegisterReadings(
            total_pulses=self.total_pulses,
            year_pulses=self.read_period(Period.YEAR),
            month_pulses=self.read_period(Period.MONTH),
            week_pulses=self.read_period(Period.WEEK),
            day_pulses=self.read_period(Period.DAY),
            step_pulses=tuple(self.step_pulses[: max(steps, used)]),
        )

    def build(self) -> bytes:
        """total(8), steps(16 x 8), sources(4 x 8), then of day, week, month and year number(4) and total then(8)."""
        # A period that began again after the clock was set back may begin below zero of the total.
        begun = (figure for pair in self.begun.values() for figure in pair)
        return _RUNNING.pack(self.total_pulses, *self.step_pulses, *self.source_pulses, *begun)

    @classmethod
    def read(cls, reader: Reader) -> "Registers":
        """The registers that stand next."""
        return cls(
            total_pulses=reader.u64("total"),
            step_pulses=[reader.u64("step register") for _ in range(STEPS_MAX)],
            source_pulses=[reader.u64("source register") for _ in range(SOURCES_MAX)],
            begun={period: (reader.u32("period"), reader.i64("total at its beginning")) for period in Period},
        )


def period_numbers(calendar: LocalCalendar, second: int) -> dict[Period, int]:
    """The numbers of the local day, week, month and year that hold a second."""
    day = calendar.read_day(second)
    today = calendar.read_date(day)
    return {
        Period.DAY: day,
        Period.WEEK: (day + _THURSDAY) // _WEEK_DAYS,
        Period.MONTH: today.year * _MONTHS + today.month - 1,
        Period.YEAR: today.year,
    }
