"""The mode table: what a kilowatt-hour costs at which time, in steps of percent of the unit price.

A day is drawn by quarter hours as a plan; a week is four plans (weekdays, Saturday, Sunday, holiday); a season is a
range of dates with a week of its own, and where no season holds, the ordinary week does. Zone and daylight rule say
what the local quarter hour is; after the last valid year one step holds for ever, so that an old table never bills by
a dead calendar. Bands of the phase angle add a surcharge, and each further source has a price of its own.

Layout, big-endian, at most 256 bytes:

    format(1) = 1 | version(4) | valid from(4) | zone in quarter hours i8 | daylight(0 or 1 + shift(1), 2 x turn(4))
    | last year(2) | step afterwards(1) | steps(1), each percent(2)
    | plans(1), each segments(1), each from quarter(1), step(1)
    | ordinary week(4 x plan) | seasons(1), each first month, day, last month, day, week(4)
    | holidays(1), each year-2000 (127: every year)(7 bits) month(4 bits) day(5 bits)
    | bands(1), each from i16 in hundredths of a degree, surcharge percent(1)
    | sources beyond the first(1), each kind(1), percent(2) or unit price(8)

There is one encoding for each table: build(parse(b)) == b.
"""

from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Final

from prewatt.codec.bodies import DIGEST_BYTES, MODE_TABLE_BYTES_MAX
from prewatt.codec.errors import DecodeError
from prewatt.codec.reader import Reader

__all__ = [
    "BANDS_MAX",
    "EVERY_YEAR",
    "HOLIDAYS_MAX",
    "PERCENT_MAX",
    "PLANS_MAX",
    "QUARTERS",
    "SEASONS_MAX",
    "SOURCES_MAX",
    "STEPS_MAX",
    "AngleBand",
    "DateRange",
    "DayPlan",
    "Daylight",
    "Holiday",
    "ModeTable",
    "Segment",
    "SourcePrice",
    "Turn",
    "Week",
    "flat_table",
    "table_digest",
]

QUARTERS: Final = 96
STEPS_MAX: Final = 16
PLANS_MAX: Final = 16
SEASONS_MAX: Final = 12
HOLIDAYS_MAX: Final = 100
BANDS_MAX: Final = 8
SOURCES_MAX: Final = 3
PERCENT_MAX: Final = 0xFFFF
EVERY_YEAR: Final = 2127
# So that 100 % and the surcharge still fit in a byte beside each stored minute.
SURCHARGE_MAX_PERCENT: Final = 155
_YEAR_FIRST: Final = 2000
_YEAR_LAST: Final = 2106
_FORMAT: Final = 1
_U32: Final = 2**32 - 1
# UTC-12:00 to UTC+14:00.
_ZONE_LOW: Final = -48
_ZONE_HIGH: Final = 56
_HALF_TURN_CDEG: Final = 18_000
_PRICE_MAX_MICRO: Final = 10**15
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LAST_WEEK: Final = 5
_KIND_PERCENT: Final = 0
_KIND_PRICE: Final = 1


def _check(field: str, given: int, low: int, high: int) -> None:
    if not low <= given <= high:
        raise ValueError(f"{field}: {given} is not allowed; allowed is {low} to {high}")


def _check_date(field: str, month: int, day: int) -> None:
    _check(f"{field} month", month, 1, 12)
    _check(f"{field} day", day, 1, _DAYS[month - 1])


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
        _check("segments", len(self.segments), 1, QUARTERS)
        if self.segments[0].from_quarter:
            raise ValueError(f"plan: begins at quarter {self.segments[0].from_quarter}; allowed is 0")
        for segment in self.segments:
            _check("from_quarter", segment.from_quarter, 0, QUARTERS - 1)
            _check("step", segment.step, 0, STEPS_MAX - 1)
        for before, after in pairwise(self.segments):
            if after.from_quarter <= before.from_quarter or after.step == before.step:
                raise ValueError(f"plan: {after} after {before} is not allowed; allowed is later, with another step")


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


@dataclass(frozen=True, slots=True)
class DateRange:
    """A season: from the first to the last (month, day), both included, maybe over the year's end. The first holds."""

    first: tuple[int, int]
    last: tuple[int, int]
    week: Week

    def __post_init__(self) -> None:
        _check_date("season", *self.first)
        _check_date("season", *self.last)


@dataclass(frozen=True, slots=True)
class Holiday:
    """A date with the holiday plan: of one year (2000-2106), or of EVERY_YEAR."""

    year: int
    month: int
    day: int

    def __post_init__(self) -> None:
        _check_date("holiday", self.month, self.day)
        if self.year != EVERY_YEAR:
            _check("holiday year", self.year, _YEAR_FIRST, _YEAR_LAST)

    def build_number(self) -> int:
        """The 16 bits."""
        return (self.year - _YEAR_FIRST) << 9 | self.month << 5 | self.day


@dataclass(frozen=True, slots=True)
class Turn:
    """When clocks turn: the n-th (5: last) weekday (0 = Monday) of a month, at a quarter hour of standard time."""

    month: int
    week: int
    weekday: int
    quarter: int

    def __post_init__(self) -> None:
        _check("turn month", self.month, 1, 12)
        _check("turn week", self.week, 1, _LAST_WEEK)
        _check("turn weekday", self.weekday, 0, 6)
        _check("turn quarter", self.quarter, 0, QUARTERS - 1)


@dataclass(frozen=True, slots=True)
class Daylight:
    """From ``begins`` to ``ends`` clocks are ``shift_quarters`` ahead; in the south that is over the year's end."""

    begins: Turn
    ends: Turn
    shift_quarters: int = 4

    def __post_init__(self) -> None:
        _check("shift", self.shift_quarters, 1, 12)
        if self.begins.month == self.ends.month:
            raise ValueError(f"daylight: begins and ends in month {self.ends.month}; allowed is two months")
        # A clock that falls back over midnight would begin a day twice.
        _check("end of daylight, by the clock of then", self.ends.quarter + self.shift_quarters, 1, QUARTERS)


@dataclass(frozen=True, slots=True)
class AngleBand:
    """Mean phase angles from here (hundredths of a degree, above zero inductive) to the next band cost more."""

    from_cdeg: int
    surcharge_percent: int


@dataclass(frozen=True, slots=True)
class SourcePrice:
    """The price of a source beyond the first: a percentage of the unit price, or a unit price of its own."""

    percent: int | None = None
    unit_price_micro: int | None = None

    def __post_init__(self) -> None:
        if (self.percent is None) == (self.unit_price_micro is None):
            raise ValueError("source price: allowed is a percent or a unit price, one of the two")
        if self.percent is not None:
            _check("source percent", self.percent, 0, PERCENT_MAX)
        if self.unit_price_micro is not None:
            _check("source unit price", self.unit_price_micro, 0, _PRICE_MAX_MICRO)

    def price_micro(self, unit_price_micro: int) -> int:
        """Micro-units per kWh, where the first source costs ``unit_price_micro``."""
        if self.unit_price_micro is not None:
            return self.unit_price_micro
        return unit_price_micro * (self.percent or 0) // 100


@dataclass(frozen=True, slots=True)
class ModeTable:
    """See the module. ``version`` only grows; ``zone_quarters`` is local standard time less UTC."""

    version: int
    valid_from_s: int
    percents: tuple[int, ...]
    plans: tuple[DayPlan, ...]
    week: Week
    zone_quarters: int = 0
    daylight: Daylight | None = None
    last_year: int = _YEAR_LAST
    after_step: int = 0
    seasons: tuple[DateRange, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    bands: tuple[AngleBand, ...] = ()
    sources: tuple[SourcePrice, ...] = ()

    def __post_init__(self) -> None:
        _check("version", self.version, 0, _U32)
        _check("valid_from_s", self.valid_from_s, 0, _U32)
        _check("zone_quarters", self.zone_quarters, _ZONE_LOW, _ZONE_HIGH)
        _check("last_year", self.last_year, _YEAR_FIRST, _YEAR_LAST)
        for field, given, low, high in (
            ("percents", self.percents, 1, STEPS_MAX),
            ("plans", self.plans, 1, PLANS_MAX),
            ("seasons", self.seasons, 0, SEASONS_MAX),
            ("holidays", self.holidays, 0, HOLIDAYS_MAX),
            ("bands", self.bands, 0, BANDS_MAX),
            ("sources", self.sources, 0, SOURCES_MAX),
        ):
            _check(f"number of {field}", len(given), low, high)
        self._check_references()
        self._check_orders()

    def _check_references(self) -> None:
        _check("after_step", self.after_step, 0, len(self.percents) - 1)
        for percent in self.percents:
            _check("percent", percent, 0, PERCENT_MAX)
        for segment in (segment for plan in self.plans for segment in plan.segments):
            _check("step", segment.step, 0, len(self.percents) - 1)
        for week in (self.week, *(season.week for season in self.seasons)):
            for plan in week.plans:
                _check("plan", plan, 0, len(self.plans) - 1)
        for band in self.bands:
            _check("from_cdeg", band.from_cdeg, -_HALF_TURN_CDEG, _HALF_TURN_CDEG)
            _check("surcharge_percent", band.surcharge_percent, 0, SURCHARGE_MAX_PERCENT)

    def _check_orders(self) -> None:
        numbers = [holiday.build_number() for holiday in self.holidays]
        angles = [band.from_cdeg for band in self.bands]
        for field, given in (("holidays", numbers), ("bands", angles)):
            if any(after <= before for before, after in pairwise(given)):
                raise ValueError(f"{field}: the order is not allowed; allowed is rising, each once")

    def build(self) -> bytes:
        """The bytes; ValueError where they would be more than 256."""
        data = b"".join((self._build_head(), self._build_days(), self._build_extras()))
        if len(data) > MODE_TABLE_BYTES_MAX:
            raise ValueError(f"mode table: {len(data)} bytes are not allowed; allowed is {MODE_TABLE_BYTES_MAX}")
        return data

    def _build_head(self) -> bytes:
        daylight = self.daylight
        turns = b"\0"
        if daylight is not None:
            turns = bytes((1, daylight.shift_quarters)) + _build_turn(daylight.begins) + _build_turn(daylight.ends)
        return b"".join(
            (
                bytes((_FORMAT,)),
                self.version.to_bytes(4, "big"),
                self.valid_from_s.to_bytes(4, "big"),
                self.zone_quarters.to_bytes(1, "big", signed=True),
                turns,
                self.last_year.to_bytes(2, "big"),
                bytes((self.after_step, len(self.percents))),
                *(percent.to_bytes(2, "big") for percent in self.percents),
            )
        )

    def _build_days(self) -> bytes:
        days = bytearray((len(self.plans),))
        for plan in self.plans:
            days.append(len(plan.segments))
            for segment in plan.segments:
                days += bytes((segment.from_quarter, segment.step))
        days += bytes((*self.week.plans, len(self.seasons)))
        for season in self.seasons:
            days += bytes((*season.first, *season.last, *season.week.plans))
        return bytes(days)

    def _build_extras(self) -> bytes:
        extras = bytearray((len(self.holidays),))
        for holiday in self.holidays:
            extras += holiday.build_number().to_bytes(2, "big")
        extras.append(len(self.bands))
        for band in self.bands:
            extras += band.from_cdeg.to_bytes(2, "big", signed=True) + bytes((band.surcharge_percent,))
        extras.append(len(self.sources))
        for price in self.sources:
            if price.percent is not None:
                extras += bytes((_KIND_PERCENT,)) + price.percent.to_bytes(2, "big")
            if price.unit_price_micro is not None:
                extras += bytes((_KIND_PRICE,)) + price.unit_price_micro.to_bytes(8, "big")
        return bytes(extras)

    @classmethod
    def parse(cls, data: bytes) -> "ModeTable":
        """The table of exactly these bytes; DecodeError for whatever ``build`` does not give."""
        if len(data) > MODE_TABLE_BYTES_MAX:
            raise DecodeError(MODE_TABLE_BYTES_MAX, "mode table", f"{len(data)} bytes are too many")
        reader = Reader(data)
        try:
            table = _read_table(reader)
        except DecodeError:
            raise
        except ValueError as error:
            raise DecodeError(reader.offset, "mode table", str(error)) from None
        reader.end()
        return table


def _build_turn(turn: Turn) -> bytes:
    return bytes((turn.month, turn.week, turn.weekday, turn.quarter))


def _read_table(reader: Reader) -> ModeTable:
    if (form := reader.u8("format")) != _FORMAT:
        raise reader.fail("format", f"{form} is not {_FORMAT}", back=1)
    return ModeTable(
        version=reader.u32("version"),
        valid_from_s=reader.u32("valid from"),
        zone_quarters=int.from_bytes(reader.take(1, "zone"), "big", signed=True),
        daylight=_read_daylight(reader),
        last_year=reader.u16("last year"),
        after_step=reader.u8("step afterwards"),
        percents=tuple(reader.u16("percent") for _ in range(reader.u8("steps"))),
        plans=tuple(_read_plan(reader) for _ in range(reader.u8("plans"))),
        week=_read_week(reader),
        seasons=tuple(_read_season(reader) for _ in range(reader.u8("seasons"))),
        holidays=tuple(_read_holiday(reader) for _ in range(reader.u8("holidays"))),
        bands=tuple(_read_band(reader) for _ in range(reader.u8("bands"))),
        sources=tuple(_read_source(reader) for _ in range(reader.u8("sources"))),
    )


def _read_daylight(reader: Reader) -> Daylight | None:
    present = reader.u8("daylight")
    if present > 1:
        raise reader.fail("daylight", f"{present} is not 0 or 1", back=1)
    if not present:
        return None
    shift = reader.u8("shift")
    return Daylight(_read_turn(reader), _read_turn(reader), shift)


def _read_turn(reader: Reader) -> Turn:
    return Turn(reader.u8("month"), reader.u8("week"), reader.u8("weekday"), reader.u8("quarter"))


def _read_plan(reader: Reader) -> DayPlan:
    return DayPlan(tuple(Segment(reader.u8("quarter"), reader.u8("step")) for _ in range(reader.u8("segments"))))


def _read_week(reader: Reader) -> Week:
    return Week(*reader.take(4, "week"))


def _read_season(reader: Reader) -> DateRange:
    first_month, first_day, last_month, last_day = reader.take(4, "season")
    return DateRange((first_month, first_day), (last_month, last_day), _read_week(reader))


def _read_holiday(reader: Reader) -> Holiday:
    number = reader.u16("holiday")
    return Holiday(_YEAR_FIRST + (number >> 9), number >> 5 & 0x0F, number & 0x1F)


def _read_band(reader: Reader) -> AngleBand:
    return AngleBand(int.from_bytes(reader.take(2, "from"), "big", signed=True), reader.u8("surcharge"))


def _read_source(reader: Reader) -> SourcePrice:
    kind = reader.u8("source kind")
    if kind == _KIND_PERCENT:
        return SourcePrice(percent=reader.u16("source percent"))
    if kind == _KIND_PRICE:
        return SourcePrice(unit_price_micro=reader.u64("source unit price"))
    raise reader.fail("source kind", f"{kind} is not 0 or 1", back=1)


def table_digest(table: bytes, unit_price_micro: int) -> bytes:
    """By which host and meter know a table: SHA-256(table filled with zeros to 256 | unit price(8))[0:8]."""
    filled = table.ljust(MODE_TABLE_BYTES_MAX, b"\0")
    return sha256(filled + unit_price_micro.to_bytes(8, "big")).digest()[:DIGEST_BYTES]


def flat_table(*, version: int = 0, zone_quarters: int = 0, percent: int = 100) -> ModeTable:
    """One price at all times."""
    return ModeTable(
        version=version,
        valid_from_s=0,
        percents=(percent,),
        plans=(DayPlan((Segment(0, 0),)),),
        week=Week(0, 0, 0, 0),
        zone_quarters=zone_quarters,
    )
