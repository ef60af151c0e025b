"""The parts of a mode table: plans of a day, weeks, seasons, holidays, the daylight rule, bands, prices of sources.

Each refuses with ValueError what it cannot mean, and is read from its bytes as `prewatt.codec.modetable` lays them
out.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from prewatt.codec.reader import Reader

__all__ = [
    "EVERY_YEAR",
    "PERCENT_MAX",
    "QUARTERS",
    "STEPS_MAX",
    "YEAR_FIRST",
    "YEAR_LAST",
    "AngleBand",
    "DateRange",
    "DayPlan",
    "Daylight",
    "Holiday",
    "Segment",
    "SourcePrice",
    "Turn",
    "Week",
    "check_range",
]

QUARTERS: Final = 96
STEPS_MAX: Final = 16
PERCENT_MAX: Final = 0xFFFF
EVERY_YEAR: Final = 2127
YEAR_FIRST: Final = 2000
YEAR_LAST: Final = 2106
# So that 100 % and the surcharge still fit in a byte beside each stored minute.
SURCHARGE_MAX_PERCENT: Final = 155
_HALF_TURN_CDEG: Final = 18_000
_PRICE_MAX_MICRO: Final = 10**15
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LAST_WEEK: Final = 5
_KIND_PERCENT: Final = 0
_KIND_PRICE: Final = 1


def check_range(field: str, given: int, low: int, high: int) -> None:
    """ValueError that names the field, unless ``given`` is within."""
    if not low <= given <= high:
        raise ValueError(f"{field}: {given} is not allowed; allowed is {low} to {high}")


def _check_date(field: str, month: int, day: int) -> None:
    check_range(f"{field} month", month, 1, 12)
    check_range(f"{field} day", day, 1, _DAYS[month - 1])


@dataclass(frozen=True, slots=True)
class Segment:
    """From this local quarter hour of the day (0-95) the step with this place in the table's list holds."""

    from_quarter: int
    step: int


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A day: the first segment begins at quarter 0, each later one after the one before and with another step."""

    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        check_range("segments", len(self.segments), 1, QUARTERS)
        if self.segments[0].from_quarter:
            raise ValueError(f"plan: begins at quarter {self.segments[0].from_quarter}; allowed is 0")
        for segment in self.segments:
            check_range("from_quarter", segment.from_quarter, 0, QUARTERS - 1)
            check_range("step", segment.step, 0, STEPS_MAX - 1)
        for before, after in pairwise(self.segments):
            if after.from_quarter <= before.from_quarter or after.step == before.step:
                raise ValueError(f"plan: {after} after {before} is not allowed; allowed is later, with another step")

    def build(self) -> bytes:
        """segments(1), each from quarter(1), step(1)."""
        pairs = bytes(number for segment in self.segments for number in (segment.from_quarter, segment.step))
        return bytes((len(self.segments),)) + pairs

    @classmethod
    def read(cls, reader: Reader) -> "DayPlan":
        """The plan that stands next."""
        return cls(tuple(Segment(reader.u8("quarter"), reader.u8("step")) for _ in range(reader.u8("segments"))))


@dataclass(frozen=True, slots=True)
class Week:
    """Which plan holds on Monday to Friday, Saturday, Sunday and holidays (places in the table's list)."""

    weekday: int
    saturday: int
    sunday: int
    holiday: int

    @property
    def plans(self) -> tuple[int, int, int, int]:
        """The four, in the order of the wire."""
        return (self.weekday, self.saturday, self.sunday, self.holiday)

    @classmethod
    def read(cls, reader: Reader) -> "Week":
        """The week that stands next."""
        return cls(*reader.take(4, "week"))


@dataclass(frozen=True, slots=True)
class DateRange:
    """A season: from the first to the last (month, day), both included, maybe over the year's end. The first holds."""

    first: tuple[int, int]
    last: tuple[int, int]
    week: Week

    def __post_init__(self) -> None:
        _check_date("season", *self.first)
        _check_date("season", *self.last)

    def build(self) -> bytes:
        """First month, day, last month, day, week(4)."""
        return bytes((*self.first, *self.last, *self.week.plans))

    @classmethod
    def read(cls, reader: Reader) -> "DateRange":
        """The season that stands next."""
        first_month, first_day, last_month, last_day = reader.take(4, "season")
        return cls((first_month, first_day), (last_month, last_day), Week.read(reader))


@dataclass(frozen=True, slots=True)
class Holiday:
    """A date with the holiday plan: of one year (2000-2106), or of EVERY_YEAR."""

    year: int
    month: int
    day: int

    def __post_init__(self) -> None:
        _check_date("holiday", self.month, self.day)
        if self.year != EVERY_YEAR:
            check_range("holiday year", self.year, YEAR_FIRST, YEAR_LAST)

    def build_number(self) -> int:
        """The 16 bits."""
        return (self.year - YEAR_FIRST) << 9 | self.month << 5 | self.day

    @classmethod
    def read(cls, reader: Reader) -> "Holiday":
        """The holiday that stands next."""
        number = reader.u16("holiday")
        return cls(YEAR_FIRST + (number >> 9), number >> 5 & 0x0F, number & 0x1F)


@dataclass(frozen=True, slots=True)
class Turn:
    """When clocks turn: the n-th (5: last) weekday (0 = Monday) of a month, at a quarter hour of standard time."""

    month: int
    week: int
    weekday: int
    quarter: int

    def __post_init__(self) -> None:
        check_range("turn month", self.month, 1, 12)
        check_range("turn week", self.week, 1, _LAST_WEEK)
        check_range("turn weekday", self.weekday, 0, 6)
        check_range("turn quarter", self.quarter, 0, QUARTERS - 1)

    def build(self) -> bytes:
        """month(1), week(1), weekday(1), quarter(1)."""
        return bytes((self.month, self.week, self.weekday, self.quarter))

    @classmethod
    def read(cls, reader: Reader) -> "Turn":
        """The turn that stands next."""
        return cls(*reader.take(4, "turn"))


@dataclass(frozen=True, slots=True)
class Daylight:
    """From ``begins`` to ``ends`` clocks are ``shift_quarters`` ahead; in the south that is over the year's end."""

    begins: Turn
    ends: Turn
    shift_quarters: int = 4

    def __post_init__(self) -> None:
        check_range("shift", self.shift_quarters, 1, 12)
        if self.begins.month == self.ends.month:
            raise ValueError(f"daylight: begins and ends in month {self.ends.month}; allowed is two months")
        # A clock that falls back over midnight would begin a day twice.
        check_range("end of daylight, by the clock of then", self.ends.quarter + self.shift_quarters, 1, QUARTERS)

    def build(self) -> bytes:
        """shift(1), begins(4), ends(4)."""
        return bytes((self.shift_quarters,)) + self.begins.build() + self.ends.build()

    @classmethod
    def read(cls, reader: Reader) -> "Daylight":
        """The rule that stands next."""
        shift = reader.u8("shift")
        return cls(Turn.read(reader), Turn.read(reader), shift)


@dataclass(frozen=True, slots=True)
class AngleBand:
    """Mean phase angles from here (hundredths of a degree, above zero inductive) to the next band cost more."""

    from_cdeg: int
    surcharge_percent: int

    def __post_init__(self) -> None:
        check_range("from_cdeg", self.from_cdeg, -_HALF_TURN_CDEG, _HALF_TURN_CDEG)
        check_range("surcharge_percent", self.surcharge_percent, 0, SURCHARGE_MAX_PERCENT)

    def build(self) -> bytes:
        """from i16, surcharge(1)."""
        return self.from_cdeg.to_bytes(2, "big", signed=True) + bytes((self.surcharge_percent,))

    @classmethod
    def read(cls, reader: Reader) -> "AngleBand":
        """The band that stands next."""
        return cls(int.from_bytes(reader.take(2, "from"), "big", signed=True), reader.u8("surcharge"))


@dataclass(frozen=True, slots=True)
class SourcePrice:
    """The price of a source beyond the first: a percentage of the unit price, or a unit price of its own."""

    percent: int | None = None
    unit_price_micro: int | None = None

    def __post_init__(self) -> None:
        if (self.percent is None) == (self.unit_price_micro is None):
            raise ValueError("source price: allowed is a percent or a unit price, one of the two")
        if self.percent is not None:
            check_range("source percent", self.percent, 0, PERCENT_MAX)
        if self.unit_price_micro is not None:
            check_range("source unit price", self.unit_price_micro, 0, _PRICE_MAX_MICRO)

    def price_micro(self, unit_price_micro: int) -> int:
        """Micro-units per kWh, where the first source costs ``unit_price_micro``."""
        if self.unit_price_micro is not None:
            return self.unit_price_micro
        return unit_price_micro * (self.percent or 0) // 100

    def build(self) -> bytes:
        """kind(1), percent(2) or unit price(8)."""
        if self.unit_price_micro is not None:
            return bytes((_KIND_PRICE,)) + self.unit_price_micro.to_bytes(8, "big")
        return bytes((_KIND_PERCENT,)) + (self.percent or 0).to_bytes(2, "big")

    @classmethod
    def read(cls, reader: Reader) -> "SourcePrice":
        """The price that stands next; DecodeError for an unknown kind."""
        kind = reader.u8("source kind")
        if kind == _KIND_PERCENT:
            return cls(percent=reader.u16("source percent"))
        if kind == _KIND_PRICE:
            return cls(unit_price_micro=reader.u64("source unit price"))
        raise reader.fail("source kind", f"{kind} is not 0 or 1", back=1)
