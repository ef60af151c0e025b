"""Search: by any part of what is known, whatever the spelling; beginnings first."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.customers.finding import ASKED_CHARS_MAX, FOUND_MAX
from prewatt.host.customers.kinds import AGENTS, CUSTOMERS, PREMISES, SUPPLIERS
from prewatt.host.customers.words import search_text
from prewatt.host.refusals import RefusedError

HITS = (
    ("zoe", [("customers", "C1", "name"), ("customers", "C2", "name")]),
    ("ZOË ONEILL", [("customers", "C1", "name")]),
    ("anne-z", [("customers", "C2", "name")]),
    ("neill", [("customers", "C1", "name")]),
    ("+33 6 12", [("customers", "C1", "phone")]),
    ("345678", [("customers", "C1", "phone"), ("customers", "C3", "phone")]),
    ("김민", [("customers", "C3", "name")]),
    ("eglise", [("premises", "P1", "address")]),
    ("grid", [("suppliers", "E1", "name")]),
    ("4420", [("suppliers", "E1", "phone")]),
    ("kiosque", [("agents", "K1", "name")]),
    ("mill", [("stations", "T1", "name")]),
    ("c3", [("customers", "C3", "id")]),
    ("00000", [("meters", "000001", "id")]),
    ("0001", [("meters", "000001", "id")]),
    ("' OR 1=1", []),
    ("00000Z", []),
    ("0000010", []),
)


@pytest.fixture
def filled(world):
    for key, name, phone in (
        ("C1", "Zoë O'Neill", "+33612345678"),
        ("C2", "Anne Zoeller", ""),
        ("C3", "김민수", "+821012345678"),
    ):
        world.host.customers.add(CUSTOMERS, key, {"name": name, "phone": phone})
    world.host.customers.add(PREMISES, "P1", {"address": "12 Rue de l'Église"})
    world.host.customers.add(SUPPLIERS, "E1", {"name": "Grid & Co", "phone": "+442079460000"})
    world.host.customers.add(AGENTS, "K1", {"name": "Le Kiosque"})
    world.host.topology.add_station("T1", name="The Mill")
    world.host.customers.assign("000001", customer="C1", premises="P1", reason="in")
    return world


def found(world, text, **options):
    return [(each.kind, each.id, each.field) for each in world.host.finding.find(text, **options)]


@settings(deadline=None, max_examples=200)
@given(st.text(), st.text())
def test_a_text_is_found_by_its_beginning_in_any_case(text, more):
    assert search_text(text).isalnum() or search_text(text) == ""
    assert search_text(search_text(text)) == search_text(text)
    assert search_text(f"{text} {more}").startswith(search_text(text))


def test_a_part_in_any_spelling_finds_it(filled):
    assert {asked: found(filled, asked) for asked, _ in HITS} == dict(HITS)
    with pytest.raises(RefusedError, match="a letter or digit"):
        found(filled, "%")


def test_a_change_is_found_and_what_was_before_no_more(filled):
    filled.host.customers.change(CUSTOMERS, "C1", {"name": "Zora", "phone": ""})
    assert found(filled, "zora") == [("customers", "C1", "name")]
    assert found(filled, "neill") == []
    assert found(filled, "33612") == []
    (shown,) = filled.host.finding.find("000001")
    assert shown.text == "12 Rue de l'Église, Zora"


def test_a_station_is_found_by_its_id_and_by_its_newest_name(filled):
    filled.host.topology.rename_station("T1", "The Forge")
    assert found(filled, "the mill") == []
    (forge, first) = filled.host.finding.find("forge")[0], filled.host.finding.find("S1")[0]
    assert (forge.kind, forge.id, forge.text, first.id, first.text) == ("stations", "T1", "The Forge", "S1", "")


def test_hits_and_texts_have_a_most(filled):
    assert len(found(filled, "1", limit=1)) == 1
    assert found(filled, "z" * ASKED_CHARS_MAX, limit=FOUND_MAX) == []
    for text, limit in (("z", 0), ("z", FOUND_MAX + 1), ("z" * (ASKED_CHARS_MAX + 1), 1), ("", 1), ("\ud800", 1)):
        with pytest.raises(RefusedError):
            found(filled, text, limit=limit)
