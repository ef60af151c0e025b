"""The tables of sessions and line as mermaid state diagrams, for docs/protocol.md.

A diagram that is drawn by hand is wrong after the first change; these are text made from the tables, put between
marker comments in the document, and a test compares the two.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

from prewatt.protocol.arq_tables import RECEIVER_TABLE, SENDER_TABLE, ReceiverState, SenderState
from prewatt.protocol.tables import HOST_TABLE, TERMINAL_TABLE, HostState, TerminalState

__all__ = ["DIAGRAMS", "between_markers", "state_diagram", "with_diagrams"]

_State = TypeVar("_State", bound=StrEnum)
_Event = TypeVar("_Event", bound=StrEnum)


def state_diagram(table: Mapping[_State, Mapping[_Event, _State]], start: _State) -> str:
    """The mermaid text of one table: an arrow from ``start``, one for each transition, one out of each dead end."""
    lines = ["stateDiagram-v2", f"    [*] --> {start.value}"]
    for state, transitions in table.items():
        lines += [f"    {state.value} --> {after.value}: {event.value}" for event, after in transitions.items()]
        if not transitions:
            lines.append(f"    {state.value} --> [*]")
    return "\n".join(lines)


DIAGRAMS: Final[Mapping[str, str]] = {
    "host": state_diagram(HOST_TABLE, HostState.FRESH),
    "terminal": state_diagram(TERMINAL_TABLE, TerminalState.IDLE),
    "line_sender": state_diagram(SENDER_TABLE, SenderState.IDLE),
    "line_receiver": state_diagram(RECEIVER_TABLE, ReceiverState.EMPTY),
}


def between_markers(name: str, diagram: str) -> str:
    """The piece of the document that holds one diagram, markers included."""
    return f"<!-- diagram {name} begin -->\n```mermaid\n{diagram}\n```\n<!-- diagram {name} end -->"


def with_diagrams(document: str) -> str:
    """``document`` with every diagram between its markers as the tables have it; ValueError for a missing marker."""
    for name, diagram in DIAGRAMS.items():
        before, begin, rest = document.partition(f"<!-- diagram {name} begin -->")
        _, end, after = rest.partition(f"<!-- diagram {name} end -->")
        if not begin or not end:
            raise ValueError(f"document: the markers of diagram {name!r} are missing")
        document = before + between_markers(name, diagram) + after
    return document
