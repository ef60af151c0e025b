"""Puts the state diagrams into docs/protocol.md as the session tables have them."""

from pathlib import Path

from prewatt.protocol.diagrams import with_diagrams

__all__: list[str] = []

document = Path(__file__).parents[1] / "docs" / "protocol.md"
document.write_text(with_diagrams(document.read_text()))
