"""Mode tables as documents: what the guide shows is understood, everything else is named."""

import copy
import json
from zoneinfo import ZoneInfo

import pytest

from prewatt.apps.tables import named_table, table_from_document
from prewatt.apps.zones import ZoneRule, zone_rule
from prewatt.codec.modetable import EVERY_YEAR, Holiday, ModeTable
from prewatt.units import ValueFieldError

UTC = ZoneRule(0, None)
PARIS = zone_rule(ZoneInfo("Europe/Paris"), 2026)

DOCUMENT = {
    "zone": "+01:00",
    "daylight": {"begins": "3 last sunday 02:00", "ends": "10 last sunday 02:00"},
    "plans": {"work": {"00:00": 50, "06:00": 100, "18:15": 200}, "free": {"00:00": 75}},
    "week": {"weekday": "work", "saturday": "free", "sunday": "free", "holiday": "free"},
    "seasons": [
        {
            "from": "06-01",
            "to": "08-31",
            "week": {"weekday": "free", "saturday": "free", "sunday": "free", "holiday": "free"},
        }
    ],
    "holidays": ["12-25", "2027-02-06"],
    "surcharges": [{"from_degrees": 26, "percent": 5}],
    "last_year": 2036,
    "afterwards": 100,
}


def test_a_document_becomes_the_table_it_says() -> None:
    table = table_from_document(DOCUMENT, UTC)
    assert table.percents == (50, 75, 100, 200)
    assert table.zone_quarters == 4
    work = table.plans[table.week.weekday]
    assert [(segment.from_quarter, table.percents[segment.step]) for segment in work.segments] == [
        (0, 50),
        (24, 100),
        (73, 200),
    ]
    assert set(table.holidays) == {Holiday(EVERY_YEAR, 12, 25), Holiday(2027, 2, 6)}
    assert table.daylight is not None
    assert (table.daylight.begins.month, table.daylight.begins.week, table.daylight.begins.weekday) == (3, 5, 6)
    assert table.percents[table.after_step] == 100
    assert ModeTable.parse(table.build()) == table


def test_the_least_document_has_plans_and_a_week() -> None:
    table = table_from_document({"plans": DOCUMENT["plans"], "week": DOCUMENT["week"]}, ZoneRule(-14, None))
    assert table.zone_quarters == -14
    assert not table.holidays


def test_a_document_without_zone_and_daylight_has_the_installations() -> None:
    least = {"plans": DOCUMENT["plans"], "week": DOCUMENT["week"]}
    assert table_from_document(least, PARIS).daylight == PARIS.daylight
    assert table_from_document(least | {"zone": "+02:00"}, PARIS).daylight is None
    assert table_from_document(least | {"daylight": None}, PARIS).daylight is None


@pytest.mark.parametrize("name", ["flat", "example"])
def test_named_tables_stand_in_the_installations_zone(name: str) -> None:
    table = named_table(name, PARIS)
    assert (table.zone_quarters, table.daylight) == PARIS
    assert len(table.build()) <= 256


@pytest.mark.parametrize(
    ("part", "given", "named"),
    [
        (("zone",), "1:00", "zone"),
        (("plans", "work"), {"06:00": 100}, "plan work"),
        (("plans", "work"), {}, "plan work"),
        (("plans", "work"), {"00:00": 100, "06:10": 50}, "plan work"),
        (("plans", "work"), {"00:00": "x"}, "table"),
        (("plans", "work"), {"00:00": -5}, "table"),
        (("plans",), [], "table"),
        (("week", "saturday"), "nowhere", "week saturday"),
        (("week",), {"weekday": "work"}, "week"),
        (("holidays",), ["25.12."], "holiday"),
        (("holidays",), ["13-01"], "table"),
        (("daylight",), {"begins": "3 last sunday 02:00"}, "daylight"),
        (("daylight", "begins"), "march, last sunday", "daylight"),
        (("seasons",), [{"from": "06-01"}], "table"),
        (("surcharges",), [{"from_degrees": 500, "percent": 5}], "table"),
        (("last_year",), 1900, "table"),
        (("colour",), "red", "table"),
    ],
)
def test_what_is_not_allowed_is_named(part: tuple[str, ...], given: object, named: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    place = document
    for step in part[:-1]:
        place = place[step]
    place[part[-1]] = given
    with pytest.raises(ValueFieldError) as error:
        table_from_document(json.loads(json.dumps(document)), UTC)
    assert error.value.field.startswith(named)


@pytest.mark.parametrize("document", [None, [], "flat", 5, {}, {"plans": {}}])
def test_what_is_no_table_at_all_is_refused(document: object) -> None:
    with pytest.raises(ValueFieldError, match="table"):
        table_from_document(document, UTC)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueFieldError, match="flat, example"):
        named_table("winter", UTC)
