"""The document's diagrams are those of the tables, and what it lists is what the code has."""

import re
from pathlib import Path

import pytest

from prewatt.codec.commands import Code, plain_bytes
from prewatt.codec.messages import MessageType, RefusalReason
from prewatt.codec.receipt import Status
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


def test_the_document_names_every_code_message_status_and_reason():
    text = DOCUMENT.read_text()
    for code in Code:
        assert f"\n| {code:02X} | {code.name.lower().split('_')[0]}" in text
    for message in MessageType:
        assert re.search(rf"\| {message:02X} ", text)
    for number in (*Status, *RefusalReason):
        assert f"\n| {int(number)} | " in text


def test_the_document_gives_the_lengths_that_the_code_has():
    text = DOCUMENT.read_text()
    for code in (Code.VALUE, Code.MODE, Code.USAGE, Code.RING, Code.RELAY):
        assert re.search(rf"\n\| {code:02X} \|.*\| {plain_bytes(code, 1)} \|\n", text)
    assert f"| {plain_bytes(Code.KEY, 1)} or {plain_bytes(Code.KEY, 2)} |" in text
