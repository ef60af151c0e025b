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

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Final

from prewatt.codec.bodies import DIGEST_BYTES, MODE_TABLE_BYTES_MAX
from prewatt.codec.errors import DecodeError
from prewatt.codec.modeparts import (
    EVERY_YEAR,
    PERCENT_MAX,
    QUARTERS,
    STEPS_MAX,
    YEAR_FIRST,
    YEAR_LAST,
    AngleBand,
    DateRange,
    Daylight,
    DayPlan,
    Holiday,
    Segment,
    SourcePrice,
    Turn,
    Week,
    check_range,
)
from prewatt.codec.reader import Reader

__all__ = [
    "EVERY_YEAR",
    "QUARTERS",
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

PLANS_MAX: Final = 16
SEASONS_MAX: Final = 12
HOLIDAYS_MAX: Final = 100
BANDS_MAX: Final = 8
SOURCES_MAX: Final = 3
_FORMAT: Final = 1
_U32: Final = 2**32 - 1
# UTC-12:00 to UTC+14:00.
_ZONE_LOW: Final = -48
_ZONE_HIGH: Final = 56


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
    last_year: int = YEAR_LAST
    after_step: int = 0
    seasons: tuple[DateRange, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    bands: tuple[AngleBand, ...] = ()
    sources: tuple[SourcePrice, ...] = ()

    def __post_init__(self) -> None:
        check_range("version", self.version, 0, _U32)
        check_range("valid_from_s", self.valid_from_s, 0, _U32)
        check_range("zone_quarters", self.zone_quarters, _ZONE_LOW, _ZONE_HIGH)
        check_range("last_year", self.last_year, YEAR_FIRST, YEAR_LAST)
        for field, given, low, high in (
            ("percents", self.percents, 1, STEPS_MAX),
            ("plans", self.plans, 1, PLANS_MAX),
            ("seasons", self.seasons, 0, SEASONS_MAX),
            ("holidays", self.holidays, 0, HOLIDAYS_MAX),
            ("bands", self.bands, 0, BANDS_MAX),
            ("sources", self.sources, 0, SOURCES_MAX),
        ):
            check_range(f"number of {field}", len(given), low, high)
        self._check_references()
        self._check_orders()

    def _check_references(self) -> None:
        check_range("after_step", self.after_step, 0, len(self.percents) - 1)
        for percent in self.percents:
            check_range("percent", percent, 0, PERCENT_MAX)
        for segment in (segment for plan in self.plans for segment in plan.segments):
            check_range("step", segment.step, 0, len(self.percents) - 1)
        for week in (self.week, *(season.week for season in self.seasons)):
            for plan in week.plans:
                check_range("plan", plan, 0, len(self.plans) - 1)

    def _check_orders(self) -> None:
        numbers = [holiday.build_number() for holiday in self.holidays]
        angles = [band.from_cdeg for band in self.bands]
        for field, given in (("holidays", numbers), ("bands", angles)):
            if any(after <= before for before, after in pairwise(given)):
                raise ValueError(f"{field}: the order is not allowed; allowed is rising, each once")

    def build(self) -> bytes:
        """The bytes; ValueError where they would be more than 256."""
        data = self._build_head() + self._build_lists()
        if len(data) > MODE_TABLE_BYTES_MAX:
            raise ValueError(f"mode table: {len(data)} bytes are not allowed; allowed is {MODE_TABLE_BYTES_MAX}")
        return data

    def _build_head(self) -> bytes:
        return b"".join(
            (
                bytes((_FORMAT,)),
                self.version.to_bytes(4, "big"),
                self.valid_from_s.to_bytes(4, "big"),
                self.zone_quarters.to_bytes(1, "big", signed=True),
                b"\0" if self.daylight is None else b"\1" + self.daylight.build(),
                self.last_year.to_bytes(2, "big"),
                bytes((self.after_step,)),
            )
        )

    def _build_lists(self) -> bytes:
        return b"".join(
            (
                _build_list(percent.to_bytes(2, "big") for percent in self.percents),
                _build_list(plan.build() for plan in self.plans),
                bytes(self.week.plans),
                _build_list(season.build() for season in self.seasons),
                _build_list(holiday.build_number().to_bytes(2, "big") for holiday in self.holidays),
                _build_list(band.build() for band in self.bands),
                _build_list(price.build() for price in self.sources),
            )
        )

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


def _build_list(entries: Iterable[bytes]) -> bytes:
    built = tuple(entries)
    return bytes((len(built),)) + b"".join(built)


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
        plans=tuple(DayPlan.read(reader) for _ in range(reader.u8("plans"))),
        week=Week.read(reader),
        seasons=tuple(DateRange.read(reader) for _ in range(reader.u8("seasons"))),
        holidays=tuple(Holiday.read(reader) for _ in range(reader.u8("holidays"))),
        bands=tuple(AngleBand.read(reader) for _ in range(reader.u8("bands"))),
        sources=tuple(SourcePrice.read(reader) for _ in range(reader.u8("sources"))),
    )


def _read_daylight(reader: Reader) -> Daylight | None:
    present = reader.u8("daylight")
    if present > 1:
        raise reader.fail("daylight", f"{present} is not 0 or 1", back=1)
    return Daylight.read(reader) if present else None


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
