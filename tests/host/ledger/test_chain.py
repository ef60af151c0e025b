"""The chain: what was committed passes; any entry or link that was changed, removed or added is found and named."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.ledger import GENESIS, Entry, check_links, make_link


def entry(number, **changed):
    fields = {"id": f"o{number}/1", "phase": "single", "debit": "cash", "credit": "wallet:000001", "amount_micro": 5}
    rest = {"cause": "paid", "reference": f"o{number}", "pending_id": None, "at_s": number}
    return Entry(number, **{**fields, **rest, **changed})


def chain_of(groups):
    links, previous = [], GENESIS
    for number, group in enumerate(groups, 1):
        links.append(make_link(number, previous, group))
        previous = links[-1].hash
    return links


def blocks_of(entries, size):
    return [entries[start : start + size] for start in range(0, len(entries), size)]


def broken(links, entries, size=3):
    return list(check_links(iter(links), iter(blocks_of(entries, size))))


@st.composite
def histories(draw):
    """Groups of one to five entries, with gaps in their numbers as an undone commit leaves them."""
    groups, number = [], 0
    for size in draw(st.lists(st.integers(1, 5), min_size=1, max_size=8)):
        group = []
        for _ in range(size):
            number += draw(st.integers(1, 3))
            group.append(entry(number))
        groups.append(group)
    return groups


@settings(deadline=None, max_examples=200)
@given(histories(), st.integers(1, 7))
def test_what_was_committed_passes_in_blocks_of_any_size(groups, size):
    assert broken(chain_of(groups), [each for group in groups for each in group], size) == []


@settings(deadline=None, max_examples=300)
@given(histories(), st.integers(1, 7), st.data())
def test_one_change_of_any_kind_is_found_and_its_entry_is_the_only_one_named(groups, size, data):
    entries = [each for group in groups for each in group]
    links = chain_of(groups)
    at = data.draw(st.integers(0, len(entries) - 1))
    victim = entries[at]
    match data.draw(st.sampled_from(["change", "remove", "add"])):
        case "change":
            field = data.draw(st.sampled_from([name for name in Entry._fields if name not in ("number", "id")]))
            changed = victim._replace(**{field: 6 if field in ("amount_micro", "at_s") else "x"})
            if changed == victim:
                return
            entries[at], named, what = changed, victim.id, "changed"
        case "remove":
            del entries[at]
            named, what = f"entry {victim.number}", "removed"
        case _:
            used = {each.number for each in entries}
            number = data.draw(st.integers(-3, entries[-1].number + 3).filter(lambda each: each not in used))
            entries = sorted([*entries, entry(number, id="planted")])
            named, what = "planted", None
    found = broken(links, entries, size)
    assert [each.what for each in found] == [named]
    assert what is None or what in found[0].found


def test_two_entries_that_changed_places_are_both_named():
    group = [entry(1), entry(2), entry(3)]
    links = chain_of([group])
    swapped = [group[1]._replace(number=1), group[0]._replace(number=2), group[2]]
    assert [each.what for each in broken(links, swapped)] == ["o2/1", "o1/1"]


def test_a_change_whose_mark_was_changed_with_it_is_found_in_its_link():
    groups = [[entry(1), entry(2)], [entry(3)]]
    links = chain_of(groups)
    forged = [entry(1), entry(2, amount_micro=7)]
    links[0] = links[0]._replace(marks=make_link(1, GENESIS, forged).marks)
    found = broken(links, [*forged, entry(3)])
    assert [each.what for each in found] == ["link 1"]
    assert "entries 1 to 2" in found[0].law


def test_a_link_made_anew_is_found_by_the_one_that_follows():
    groups = [[entry(1)], [entry(2)]]
    links = chain_of(groups)
    forged = entry(1, amount_micro=7)
    links[0] = make_link(1, GENESIS, [forged])
    assert [each.what for each in broken(links, [forged, entry(2)])] == ["link 2"]


def test_a_link_that_is_gone_is_named_with_its_entries():
    groups = [[entry(1)], [entry(2)], [entry(3)]]
    links = chain_of(groups)
    found = [each.what for each in broken([links[0], links[2]], [entry(1), entry(2), entry(3)])]
    assert found == ["o2/1", "link 2", "link 3"]


@pytest.mark.parametrize(
    "changed",
    [
        {"amount_micro": "5"},
        {"pending_id": ""},
        {"cause": b"paid"},
        {"cause": "paid\0"},
        {"at_s": 1.0},
        {"id": "\ud800"},
    ],
)
def test_values_that_only_look_alike_are_not_the_same(changed):
    links = chain_of([[entry(1)]])
    assert len(broken(links, [entry(1, **changed)])) == 1


def test_marks_of_any_length_end_in_a_named_break():
    links = chain_of([[entry(1), entry(2)]])
    for size in range(30):
        cut = [links[0]._replace(marks=b"\xff" * size, hash=bytes(32))]
        assert broken(cut, [entry(1), entry(2)])


def test_the_hash_is_what_the_docs_say():
    row = [7, "o7/1", "single", "cash", "wallet:000001", 5, "payé", "o7", None, 7]
    text = json.dumps([row], separators=(",", ":"))
    assert text.isascii()
    assert chain_of([[Entry(*row)]])[0].hash == hashlib.sha256(bytes(32) + text.encode()).digest()
