"""Stations as rows of the registry: what their transformers may carry, and files of them."""

import pytest

from prewatt.host.customers.checks import RATING_VA_MAX, check_rating, format_rating
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.units import BELOW_MAX

STATIONS = "station,area,number,name,line,rating_kva\n"


def take(world, text, *, dry_run=False):
    answer = world.host.exchange.take("stations", STATIONS + text, dry_run=dry_run)
    return answer.added, answer.changed, answer.unchanged


def bad(world, text):
    """What a dry run says is bad; importing the same is refused and changes nothing."""
    before = world.host.exchange.export("stations")
    rows = world.host.exchange.take("stations", STATIONS + text, dry_run=True).bad
    with pytest.raises(RefusedError) as caught:
        take(world, text)
    assert caught.value.outcome is RefusalOutcome.BAD_ROWS
    assert world.host.exchange.export("stations") == before
    return [(each.line, each.field, each.value) for each in rows]


@pytest.mark.parametrize(
    ("text", "rating_va"), [("", 0), ("250", 250_000), ("37.5", 37_500), ("0.001", 1), ("100000", RATING_VA_MAX)]
)
def test_a_rating_comes_back_as_it_was_given(text, rating_va):
    assert check_rating(text) == rating_va
    assert format_rating(rating_va) == text


@pytest.mark.parametrize(
    "text", ["0", "0.0", "-1", "+1", "1e3", "100000.001", "1.0001", ".5", "5.", "1,5", "٣", " 1", "1 "]
)
def test_what_is_no_rating_is_refused(text):
    with pytest.raises(RefusedError, match="kVA"):
        check_rating(text)


def test_a_rating_is_said_changed_and_taken_back_and_the_log_has_both_sides(world):
    topology = world.host.topology
    assert topology.read_station("S1").rating_va is None
    assert topology.set_rating("S1", "37.5").rating_va == 37_500
    assert topology.set_rating("S1", "").rating_va is None
    assert topology.add_station("T1", rating_kva="250").rating_va == 250_000
    line = world.host.log.read(subject="S1").lines[0]
    assert (line.action, line.before, line.after) == ("station rating", {"rating_va": 37_500}, {"rating_va": 0})
    with pytest.raises(RefusedError, match="T9"):
        topology.set_rating("T9", "1")


def test_a_file_adds_changes_and_leaves_alone(world):
    text = "T1,West,,the mill,,250\nT2,West,0,,powerline-2400,\nT3,,,,,\n"
    assert take(world, text, dry_run=True) == (3, 0, 0)
    assert take(world, text) == (3, 0, 0)
    assert take(world, text) == (0, 0, 3)
    read = world.host.topology.read_station
    assert (read("T1").number, read("T2").number, read("T3").area) == (1, 0, "A1")
    assert take(world, "T1,,,the mill,,\nT2,West,0,a name,powerline-2400,\n") == (0, 2, 0)
    assert (read("T1").rating_va, read("T1").name, read("T2").name) == (None, "the mill", "a name")
    line = world.host.log.read(subject="T1").lines[0]
    assert (line.action, line.before, line.after) == ("station change", {"rating_va": 250_000}, {"rating_va": 0})


def test_every_bad_row_is_named(world):
    take(world, "T1,West,7,,,\n")
    assert bad(world, "T 1,,,,,\nT2,a b,256,,moon,x\nT3,,-1,,,\nT4,,٣,,,\nT4,,,,,\nT5,,3,,,\nT6,,3,,,\n") == [
        (2, "station", "T 1"),
        (3, "area", "a b"),
        (3, "line", "moon"),
        (3, "number", "256"),
        (3, "rating_kva", "x"),
        (4, "number", "-1"),
        (5, "number", "٣"),
        (6, "station", "T4"),
        (8, "number", "3 below A1"),
    ]
    assert bad(world, "T1,East,,,,\nT9,West,7,,,\n") == [(2, "area", "East"), (3, "number", "7")]
    assert bad(world, "T1,,8,,,\n") == [(2, "number", "8")]


def test_an_area_takes_as_many_stations_as_a_byte_counts_and_not_one_more(world):
    rows = [f"T{number},West,,,,\n" for number in range(BELOW_MAX)]
    assert take(world, "".join(rows)) == (BELOW_MAX, 0, 0)
    assert bad(world, "T999,West,,,,\n") == [(2, "area", "West")]
    assert {each.number for each in world.host.topology.read_stations(area="West")} == set(range(BELOW_MAX))


def test_as_many_areas_as_a_byte_counts_and_not_one_more(world):
    rows = [f"T{number},B{number},,,,\n" for number in range(BELOW_MAX)]
    assert bad(world, "".join(rows)) == [(BELOW_MAX + 1, "area", f"B{BELOW_MAX - 1}")]
    assert take(world, "".join(rows[:-1])) == (BELOW_MAX - 1, 0, 0)
