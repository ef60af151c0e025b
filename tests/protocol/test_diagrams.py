"""The document's diagrams are those of the tables."""

from pathlib import Path

import pytest

from prewatt.protocol.diagrams import DIAGRAMS, state_diagram, with_diagrams
from prewatt.protocol.tables import HOST_TABLE, TERMINAL_TABLE, HostState

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"


def test_the_document_shows_the_tables_as_they_are():
    text = DOCUMENT.read_text()
    assert with_diagrams(text) == text


def test_a_document_without_its_markers_is_refused():
    with pytest.raises(ValueError, match="host"):
        with_diagrams("no markers")


def test_a_changed_table_changes_the_document():
    text = DOCUMENT.read_text()
    changed = text.replace("calling --> ended", "calling --> done")
    assert changed != text
    assert with_diagrams(changed) == text


def test_every_transition_has_an_arrow():
    for table, name in ((HOST_TABLE, "host"), (TERMINAL_TABLE, "terminal")):
        arrows = sum(len(row) for row in table.values()) + 1 + sum(not row for row in table.values())
        assert DIAGRAMS[name].count("-->") == arrows
    assert state_diagram(HOST_TABLE, HostState.FRESH).startswith("stateDiagram-v2\n    [*] --> fresh\n")
