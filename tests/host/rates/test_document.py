"""Plans as documents: read, written, refused; what they must not be together; in plain lines."""

import json
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.host.rates.making import FIRST, KWH, UNIT, any_plan, levy, make_plan

from prewatt.codec.modeparts import AngleBand, Daylight, Holiday, Turn
from prewatt.codec.modetable import EVERY_YEAR
from prewatt.host.rates.document import build_document, parse_plan, parse_plan_text, plan_digest
from prewatt.host.rates.explain import explain
from prewatt.host.rates.hours import DAYS_MAX, HOLIDAYS_MAX, SEASONS_MAX, SURCHARGES_MAX, DayHours, Hours, Season
from prewatt.host.rates.parts import (
    BLOCKS_MAX,
    ENERGY_MAX_PULSES,
    FRIENDLY_MAX,
    LINES_MAX,
    LOAD_LIMIT_MAX_W,
    NAME_CHARS_MAX,
    PERCENT_PPM_MAX,
    PERIODS_MOST,
    Block,
    Friendly,
    LineKind,
    RateLine,
)
from prewatt.host.rates.plan import VERSION_MAX, choose_plan
from prewatt.host.rates.section import DOCUMENT_CHARS_MAX, parse_text
from prewatt.units import VALUE_MAX_MICRO, ValueFieldError

TOML = """
name = "Homes"
version = 3
valid_from = 2026-01-01
valid_to = "2026-12-31"
digits = 2
rounding = "down"

[price]
unit = 0.30
zone = "+01:00"
daylight = {begins = "3 last sunday 02:00", ends = "10 last sunday 02:00"}
last_year = 2036
afterwards = "100%"
holidays = ["12-25", "2026-04-06"]
surcharges = [{from_degrees = "-30", percent = 10}, {from_degrees = 26.5, percent = 5}]

[price.days]
work = {"00:00" = "50%", "06:00" = "0.30", "17:00" = "200%", "21:00" = "100%"}
free = {"00:00" = "75%"}

[price.week]
weekday = "work"
saturday = "free"
sunday = "free"
holiday = "free"

[[price.seasons]]
from = "11-15"
to = "02-15"
week = {weekday = "free", friday = "work", saturday = "free", sunday = "free", holiday = "free"}

[[blocks]]
until_kwh = 50
price = "0.20"

[[blocks]]
until_kwh = "200.5"
price = 0.30
entry = "0.690001"

[[blocks]]
price = "0.50"

[standing]
price = "1.50"
per = "month"
periods_most = 3

[lifeline]
kwh = 20
price = "0.10"

[[lines]]
name = "levy"
kind = "levy"
percent = "0.0125"
of = ["energy"]

[[lines]]
name = "VAT"
kind = "tax"
percent = 20
of = ["energy", "standing", "levy"]

[[lines]]
name = "solar"
kind = "discount"
per_kwh = "0.05"

[[lines]]
name = "counter"
kind = "fee"
fixed = "0.50"

[purchase]
smallest = 5
largest = "500.00"

[debt]
share = "30"
month = "5.00"

[meter]
emergency_credit = "2.00"
low_balance = "1.00"
load_limit_w = 3000
friendly = [{day = "weekday", from = "22:00", to = "24:00"}, {day = "holiday", from = "00:00", to = "24:00"}]
"""
SMALL = {"name": "a", "valid_from": "2026-01-01", "price": {"unit": "0.30"}}
MONTHLY = {"price": "1.50", "per": "month"}
LAST = {"price": "0.30"}
BAND = {"percent": 1}
FRIENDLY = {"day": "sunday", "from": "00:00", "to": "01:00"}


def small(**changed) -> dict:
    return {**SMALL, **changed}


def priced(**changed) -> dict:
    return small(price={"unit": "0.30", **changed})


def lined(**changed) -> dict:
    return small(lines=[{"name": "VAT", "kind": "tax", **changed}])


def dayed(changes: object, **week) -> dict:
    whole = {"weekday": "a", "saturday": "a", "sunday": "a", "holiday": "a", **week}
    return priced(days={"a": changes}, week={kind: name for kind, name in whole.items() if name})


def test_a_document_says_every_part_of_a_plan():
    plan = parse_plan_text(TOML, toml=True)
    assert (plan.name, plan.version, plan.valid_to, plan.rounding) == ("Homes", 3, date(2026, 12, 31), "down")
    assert plan.hours.days[0].changes == ((0, 150_000), (360, 300_000), (1020, 600_000), (1260, 300_000))
    assert plan.hours.week == (0, 0, 0, 0, 0, 1, 1, 1)
    assert plan.hours.seasons == (Season((11, 15), (2, 15), (1, 1, 1, 1, 0, 1, 1, 1)),)
    assert plan.hours.holidays == (Holiday(2026, 4, 6), Holiday(EVERY_YEAR, 12, 25))
    assert plan.hours.surcharges == (AngleBand(-3000, 10), AngleBand(2650, 5))
    assert plan.blocks == (Block(50 * KWH, 200_000), Block(2_005_000, 300_000, 690_001), Block(None, 500_000))
    assert plan.lines[0] == levy("levy", 125)
    assert plan.terms.friendly[0] == Friendly("monday", 1320, 1440)
    assert len(plan.terms.friendly) == 6


def test_json_and_toml_say_the_same():
    plan = parse_plan_text(TOML, toml=True)
    assert parse_plan_text(json.dumps(build_document(plan))) == plan


@given(any_plan())
@settings(deadline=None, max_examples=100)
def test_the_canonical_document_reads_back_as_the_plan(plan):
    document = build_document(plan)
    assert parse_plan(document) == plan
    assert build_document(parse_plan(document)) == document
    assert parse_plan_text(json.dumps(document)) == plan


def test_the_digest_is_that_of_the_meaning_and_not_of_the_spelling():
    plain = parse_plan(small(version=1, digits=2, rounding="half_up"))
    spelled = parse_plan(priced(unit="0.300", zone="+00:00", afterwards="100%", days={"x": {"00:00": "0.3"}}, week={
        "weekday": "x", "saturday": "x", "sunday": "x", "holiday": "x"
    }))  # fmt: skip
    assert plan_digest(plain) == plan_digest(parse_plan(SMALL))
    assert plan_digest(replace(spelled, hours=plain.hours)) == plan_digest(plain)
    assert len(plan_digest(plain)) == 32


@given(any_plan(), any_plan())
@settings(deadline=None, max_examples=50)
def test_plans_that_differ_have_other_digests(one, other):
    assert (plan_digest(one) == plan_digest(other)) == (one == other)


def test_zone_and_daylight_of_the_installation_hold_where_the_document_has_none():
    rule = Daylight(Turn(3, 5, 6, 8), Turn(10, 5, 6, 8))
    assert parse_plan(SMALL, zone_quarters=4, daylight=rule).hours.daylight == rule
    own = parse_plan(priced(zone="-03:30"), zone_quarters=4, daylight=rule).hours
    assert (own.zone_quarters, own.daylight) == (-14, None)


REFUSED = [
    ([], "document: [] is not allowed; allowed is an object"),
    (None, "document: None"),
    (small(colour="red"), "colour: 'red' is not allowed; allowed is one of name, version"),
    ({"name": "a", "valid_from": "2026-01-01"}, "price: None is not allowed; allowed is an object"),
    (small(name=""), "name: '' is not allowed; allowed is 1 to 64 printable characters"),
    (small(name="a:b"), "name: 'a:b'"),
    (small(name=7), "name: 7 is not allowed"),
    (small(version=0), "version: 0 is not allowed; allowed is a whole number from 1"),
    (small(version=True), "version: True"),
    (small(version="1"), "version: '1'"),
    (small(valid_from="2026-02-30"), "valid_from: '2026-02-30' is not allowed; allowed is a date YYYY-MM-DD that"),
    (small(valid_from=20260101), "valid_from: 20260101"),
    (small(valid_to="2025-12-31"), "valid_to: '2025-12-31' is not allowed; allowed is a day from valid_from on"),
    (small(digits=7), "digits: 7 is not allowed; allowed is a whole number from 0 to 6"),
    (small(rounding="bank"), "rounding: 'bank' is not allowed; allowed is one of half_up, down, up"),
    (priced(unit="0"), "price.unit: '0' is not allowed; allowed is a decimal above 0"),
    (priced(unit=0.3), "price.unit: 0.3 is not allowed; allowed is a decimal, written as text"),
    (priced(unit="-1"), "price.unit: '-1'"),
    (priced(unit="1e3"), "price.unit: '1e3'"),
    (priced(unit="nan"), "price.unit: 'nan'"),
    (priced(unit="0.1234567"), "price.unit: '0.1234567' is not allowed; allowed is a decimal above 0 up to"),
    (priced(unit=True), "price.unit: True"),
    (priced(unit=[]), "price.unit: [] is not allowed"),
    (priced(zone="01:00"), "price.zone: '01:00' is not allowed; allowed is an offset from UTC"),
    (priced(zone="+15:00"), "price.zone: 60 is not allowed; allowed is -48 to 56"),
    (priced(daylight={"begins": "3 last sunday 02:00"}), "price.daylight.ends: None"),
    (priced(daylight={"begins": "13 last sunday 02:00", "ends": "1 first sunday 02:00"}), "price.daylight.begins: '13"),
    (priced(daylight={"begins": "3 last sunday 02:00", "ends": "3 first sunday 02:00"}), "price.daylight: "),
    (priced(last_year=1999), "price.last_year: 1999"),
    (priced(afterwards=[]), "price.afterwards: [] is not allowed; allowed is a decimal per kWh or a percent"),
    (priced(holidays=["2026-02-29"]), "price.holidays[0]: '2026-02-29'"),
    (priced(holidays=["13-01"]), "price.holidays[0]: '13-01' is not allowed; allowed is a date that exists"),
    (priced(holidays=["2127-01-01"]), "price.holidays[0]: '2127-01-01'"),
    (priced(holidays=["12-25", "12-25"]), "price.holidays: 'the order' is not allowed; allowed is rising, each once"),
    (priced(holidays="12-25"), "price.holidays: '12-25' is not allowed; allowed is a list"),
    (priced(surcharges=[{"from_degrees": "181", "percent": 5}]), "price.surcharges[0].from_degrees: '181'"),
    (priced(surcharges=[{"from_degrees": "1", "percent": 156}]), "price.surcharges[0].percent: 156"),
    (priced(surcharges=[7]), "price.surcharges[0]: 7 is not allowed; allowed is an object"),
    (priced(days={"a": {"00:00": "1"}}), "price.week: None"),
    (priced(week={}), "price.days: None"),
    (priced(days={}, week={}), "price.days: {} is not allowed; allowed is an object of 1 to 64 names"),
    (dayed({"06:00": "1"}), "price.days.a: [360] is not allowed; allowed is a price from 00:00 on"),
    (dayed({"00:00": "1", "24:00": "2"}), "price.days.a: 1440"),
    (dayed({"00:00": "1", "6:00": "2"}), "price.days.a: '6:00' is not allowed; allowed is a time hh:mm"),
    (dayed({"00:00": "33.33331%"}), "price.days.a: '33.33331"),
    (dayed({"00:00": "0.0001%"}), "price.days.a: '0.0001%' is not allowed; allowed is a percent that gives a price"),
    (dayed({"00:00": {}}), "price.days.a: {} is not allowed"),
    (dayed({}), "price.days.a: {} is not allowed"),
    (dayed({"00:00": "1"}, sunday=None), "price.week.sunday: None is not allowed; allowed is one of a"),
    (dayed({"00:00": "1"}, sunday="b"), "price.week.sunday: 'b' is not allowed; allowed is one of a"),
    (dayed({"00:00": "1"}, someday="a"), "price.week.someday: 'a' is not allowed; allowed is one of weekday, monday"),
    (small(blocks=[{"price": "1"}, LAST]), "blocks[0].until_kwh: None is not allowed; allowed is a number"),
    (small(blocks=[{"price": "1", "until_kwh": 5}]), "blocks[0].until_kwh: '5.0000' is not allowed; allowed is no"),
    (small(blocks=[{"price": "1", "until_kwh": 5}, {"price": "1", "until_kwh": 5}, LAST]), "blocks: ['5.0000', '5.00"),
    (small(blocks=[{"price": "0"}]), "blocks[0].price: '0.00' is not allowed; allowed is more than the discounts"),
    (small(blocks=[{"price": "1", "until_kwh": 5}, {"price": "0", "until_kwh": 6}, LAST]), "blocks[1].price: '0.00'"),
    (small(blocks=[{"price": "0", "entry": "1", "until_kwh": 6}, LAST]), "blocks[0].price: '0.00'"),
    (small(blocks=[{"until_kwh": 6}, LAST]), "blocks[0].price: None is not allowed; allowed is a decimal"),
    (small(blocks=[{"price": "1", "until_kwh": "0.00001"}, LAST]), "blocks[0].until_kwh: '0.00001'"),
    (small(standing={"price": "1", "per": "week"}), "standing.per: 'week' is not allowed; allowed is one of day, "),
    (small(standing={"price": "1", "per": "day", "periods_most": 0}), "standing.periods_most: 0"),
    (small(lifeline={"kwh": 0, "price": "1"}), "lifeline.kwh: '0'"),
    (lined(), "lines.VAT: [] is not allowed; allowed is one of percent, per_kwh and fixed"),
    (lined(percent=5, per_kwh="1", of=["energy"]), "lines.VAT: ['percent', 'per_kwh']"),
    (lined(percent=5), "lines.VAT.of: () is not allowed; allowed is the bases of a percent"),
    (lined(per_kwh="1", of=["energy"]), "lines.VAT.of: ('energy',)"),
    (lined(percent=5, of=["levy"]), "lines.VAT.of: 'levy' is not allowed; allowed is one of energy, standing"),
    (lined(percent=5, of=["VAT"]), "lines.VAT.of: 'VAT'"),
    (lined(percent=5, of=["energy", "energy"]), "lines.VAT.of: ('energy', 'energy')"),
    (lined(percent=5, of="energy"), "lines[0].of: 'energy' is not allowed; allowed is a list"),
    (lined(percent=5, of=[7]), "lines[0].of: [7] is not allowed; allowed is names of bases"),
    (lined(percent="0.00001", of=["energy"]), "lines[0].percent: '0.00001'"),
    (lined(percent="1000.1", of=["energy"]), "lines[0].percent: '1000.1'"),
    (lined(fixed="0.001"), "lines[0].fixed: '0.001' is not allowed"),
    (lined(kind="bribe", fixed="1"), "lines[0].kind: 'bribe' is not allowed; allowed is one of tax, levy, fee, di"),
    (lined(kind="discount", fixed="1"), "lines.VAT.fixed: '1.00'"),
    (lined(kind="discount", per_kwh="0.30"), "price.unit: '0.30' is not allowed; allowed is more than the discounts"),
    (lined(kind="discount", percent=101, of=["standing"]), "lines: 'the discounts'"),
    (lined(name="energy", fixed="1"), "lines.energy.name: 'energy' is not allowed; allowed is a name that no other"),
    (small(lines=[{"name": "a", "kind": "fee", "fixed": "1"}] * 2), "lines.a.name: 'a'"),
    (small(purchase={"smallest": "5", "largest": "4.99"}), "purchase.largest: '4.99' is not allowed; allowed is the"),
    (small(purchase={"largest": "17.99"}, standing=MONTHLY), "purchase.largest: '17.99' is not allowed; allowed is 18"),
    (small(purchase={"smallest": "0.001"}), "purchase.smallest: '0.001'"),
    (small(debt={"share": "0"}), "debt.share: '0'"),
    (small(debt={"share": "100.0001"}), "debt.share: '100.0001' is not allowed; allowed is a decimal above 0 up to"),
    (small(meter={"load_limit_w": -1}), "meter.load_limit_w: -1"),
    (small(meter={"friendly": [{"day": "weekday", "from": "08:00", "to": "08:00"}]}), "meter.friendly: 'monday from"),
    (small(meter={"friendly": [{"day": "yesterday", "from": "08:00", "to": "09:00"}]}), "meter.friendly[0].day: "),
    (small(meter={"friendly": [{"day": "monday", "from": "08:61", "to": "09:00"}]}), "meter.friendly[0].from: '08:61'"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "text"), REFUSED, ids=[text[:40] for _, text in REFUSED])
def test_what_is_wrong_is_named_with_its_place_its_value_and_what_is_allowed(document, text):
    with pytest.raises(ValueFieldError) as refused:
        parse_plan(document)
    assert str(refused.value).startswith(text)
    assert "; allowed is " in str(refused.value)


def seasoned(seasons: list) -> dict:
    document = dayed({"00:00": "1"})
    week = document["price"]["week"]
    document["price"]["seasons"] = [{**season, "week": week} for season in seasons]
    return document


def test_the_largest_purchase_covers_whatever_may_come_before_energy():
    lines = [{"name": "VAT", "kind": "tax", "percent": 10, "of": ["standing", "fee"]}]
    lines.insert(0, {"name": "fee", "kind": "fee", "fixed": "0.50"})
    for standing, least in (
        (MONTHLY, "20.35"),
        ({**MONTHLY, "periods_most": 2}, "3.85"),
        ({**MONTHLY, "per": "day"}, "604.45"),
    ):
        parse_plan(small(standing=standing, lines=lines, purchase={"largest": least}))
        with pytest.raises(ValueFieldError, match=rf"allowed is {least} or more, what fees and all standing charges"):
            parse_plan(small(standing=standing, lines=lines, purchase={"largest": "3.84"}))


def many(count: int, each) -> list:
    return [each(place) for place in range(count)]


LIMITS = [
    ("name", NAME_CHARS_MAX, lambda n: small(name="n" * n)),
    ("version", VERSION_MAX, lambda n: small(version=n)),
    ("blocks", BLOCKS_MAX, lambda n: small(blocks=[*many(n - 1, lambda i: {"until_kwh": i + 1, "price": "1"}), LAST])),
    ("until_kwh", ENERGY_MAX_PULSES // KWH, lambda n: small(blocks=[{"until_kwh": n, "price": "1"}, LAST])),
    ("lines", LINES_MAX, lambda n: small(lines=many(n, lambda i: {"name": f"l{i}", "kind": "fee", "fixed": "1"}))),
    ("percent", PERCENT_PPM_MAX // 10_000, lambda n: lined(percent=n, of=["energy"])),
    ("periods", PERIODS_MOST, lambda n: small(standing={"price": "1", "per": "day", "periods_most": n})),
    ("load", LOAD_LIMIT_MAX_W, lambda n: small(meter={"load_limit_w": n})),
    ("price", VALUE_MAX_MICRO // UNIT, lambda n: priced(unit=n)),
    ("seasons", SEASONS_MAX, lambda n: seasoned([{"from": "01-01", "to": "01-02"}] * n)),
    ("days", DAYS_MAX, lambda n: priced(days={f"d{i}": {"00:00": "1"} for i in range(n)}, week={
        "weekday": "d0", "saturday": "d0", "sunday": "d0", "holiday": "d0"})),
    ("holidays", HOLIDAYS_MAX, lambda n: priced(holidays=many(n, lambda i: f"20{i // 28:02d}-01-{i % 28 + 1:02d}"))),
    ("surcharges", SURCHARGES_MAX, lambda n: priced(surcharges=many(n, lambda i: {**BAND, "from_degrees": i}))),
    ("friendly", FRIENDLY_MAX, lambda n: small(meter={"friendly": [FRIENDLY] * n})),
]  # fmt: skip


@pytest.mark.parametrize(("limit", "make"), [each[1:] for each in LIMITS], ids=[each[0] for each in LIMITS])
def test_a_limit_is_kept_at_it_and_one_past_it(limit, make):
    parse_plan(make(limit))
    with pytest.raises(ValueFieldError):
        parse_plan(make(limit + 1))


def test_text_that_is_no_document_is_refused():
    for text, toml, shown in (
        ("{", False, "JSON"),
        ("name =", True, "TOML"),
        ('{"a": 1, "a": 2}', False, "'a' is not allowed; allowed is each name once"),
        ('{"a": NaN}', False, "'NaN'"),
        ("[" * 100_000, False, "JSON"),
        ("a = " + "[" * 50_000, True, "TOML"),
        (f"a = 0x{'f' * 10_000}", True, "a number of many digits"),
        ("x" * (DOCUMENT_CHARS_MAX + 1), False, "up to 200000 characters"),
    ):
        with pytest.raises(ValueFieldError) as refused:
            parse_plan_text(text, toml=toml)
        assert shown in str(refused.value)
    assert parse_text('"' + "x" * (DOCUMENT_CHARS_MAX - 2) + '"')


def test_decimals_of_a_text_are_kept_as_they_were_written():
    text = '{"name": "a", "valid_from": "2026-01-01", "price": {"unit": 0.123456}}'
    assert parse_plan_text(text).unit_price_micro == 123_456
    with pytest.raises(ValueFieldError, match=r"price\.unit: '0\.1234560000000000001'"):
        parse_plan_text(text.replace("0.123456", "0.1234560000000000001"))


WHOLE = json.dumps(build_document(parse_plan_text(TOML, toml=True)))
CHARACTERS = '{}[]",:.0123456789-aeE '


def test_every_shortened_text_is_refused_in_one_way():
    for length in range(0, len(WHOLE), 7):
        with pytest.raises(ValueFieldError):
            parse_plan_text(WHOLE[:length])


def test_altered_texts_give_a_plan_or_one_kind_of_error():
    random = Random(4)
    for _ in range(600):
        text = list(WHOLE)
        for _ in range(random.choice((1, 1, 2, 5))):
            place = random.randrange(len(text))
            text[place] = random.choice((*CHARACTERS, text[place] * 2, ""))
        try:
            plan = parse_plan_text("".join(text))
        except ValueFieldError:
            continue
        assert parse_plan(build_document(plan)) == plan


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["0.30", "energy"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*build_document(make_plan()), "unit", "days", "per", "of"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(
    values, st.sampled_from(["name", "valid_from", "price", "blocks", "standing", "lines", "debt", "meter", "purchase"])
)
@settings(deadline=None, max_examples=200)
def test_any_value_in_any_place_gives_a_plan_or_one_kind_of_error(value, key):
    for document in (value, small(**{key: value}), priced(days=value), lined(percent=value, of=["energy"])):
        try:
            plan = parse_plan(document)
        except ValueFieldError:
            continue
        assert parse_plan(build_document(plan)) == plan


def test_values_that_are_made_by_hand_are_checked_too():
    week = (0,) * 8
    day = DayHours("a", ((0, 1),))
    for make in (
        lambda: DayHours("a", ()),
        lambda: DayHours("a", ((0, 1), (60, 1))),
        lambda: DayHours("a", ((0, 1), (60, 2), (60, 3))),
        lambda: DayHours("a", ((0, -1),)),
        lambda: Hours((), week, 1),
        lambda: Hours((day,), (0,) * 7, 1),
        lambda: Hours((day,), (1,) * 8, 1),
        lambda: Hours((day, day), week, 1),
        lambda: Season((2, 30), (3, 1), week),
        lambda: RateLine("a", LineKind.TAX, fixed_micro=-1),
        lambda: make_plan(0),
    ):
        with pytest.raises(ValueError):
            make()
    with pytest.raises(ValueFieldError, match=r"debt\.month: '1\.001' .*whole minor units, 0\.01"):
        make_plan(debt=parse_plan(small(debt={"month": "1.001"}, digits=3)).debt)


def test_the_highest_version_that_is_valid_is_chosen():
    spring = make_plan(name="a", version=1, valid_to=date(2026, 6, 30))
    all_year = make_plan(name="a", version=2, valid_from=date(2026, 3, 1))
    plans = [spring, all_year]
    assert choose_plan(plans, date(2026, 2, 28)) is spring
    assert choose_plan(plans, date(2026, 3, 1)) is all_year
    assert choose_plan(reversed(plans), date(2026, 6, 30)) is all_year
    assert choose_plan(plans, date(2025, 12, 31)) is None
    assert choose_plan([], FIRST) is None


def test_a_plan_is_explained_in_plain_lines():
    text = "\n".join(explain(parse_plan_text(TOML, toml=True)))
    for line in (
        "Homes, version 3, valid from 2026-01-01 to 2026-12-31.",
        "A kWh is 0.30 at the unit price.",
        "Ordinarily, monday tuesday wednesday thursday friday: 0.15 from 00:00, 0.30 from 06:00, 0.60 from 17:00, "
        "0.30 from 21:00.",
        "From 11-15 to 02-15, friday: 0.15 from 00:00",
        "Holidays: 2026-04-06, 12-25.",
        "After 2036 a kWh is 0.30 at all times.",
        "From a mean phase angle of 26.5 degrees on it costs 5 % more.",
        "One purchase is 5.00 to 500.00.",
        "Each month that begins costs 1.50; one purchase takes at most 3.",
        "Levy levy: 0.0125 % on energy.",
        "Tax VAT: 20 % on energy + standing + levy.",
        "Discount solar: 0.05 off each kWh.",
        "Fee counter: 0.50 for each purchase.",
        "Debt takes 30 % of what fees and standing charges leave, at most 5.00 a month.",
        "Flagged contracts pay 0.10 a kWh for the first 20 kWh of each month.",
        "From 0 kWh a month to 50 kWh a kWh is 0.20 (a subsidy of 0.10).",
        "From 50 kWh a month to 200.5 kWh a kWh is 0.30 (the unit price), after 0.690001 once a month.",
        "From 200.5 kWh a month on a kWh is 0.50 (a surcharge of 0.20).",
        "The meter lends 2.00 at zero.",
        "The meter parts above 3000 W.",
        "On holiday from 00:00 to 24:00 nobody is cut off.",
        "Charges are rounded down to 0.01.",
    ):
        assert line in text
    assert explain(make_plan(hours=make_plan().hours, standing=None)) == (
        "plain, version 1, valid from 2026-01-01 on.",
        "A kWh is 0.30 at the unit price.",
        "Charges are rounded half up to 0.01.",
    )


@given(any_plan())
@settings(deadline=None, max_examples=30)
def test_every_plan_can_be_explained(plan):
    assert all(line.endswith(".") and line.isprintable() for line in explain(plan))
