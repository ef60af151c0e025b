"""Generated text inside a document that people write: it stands between two comments and is replaced as a whole."""

from pathlib import Path

__all__ = ["DOCS", "put"]

DOCS = Path(__file__).parents[1] / "docs"


def put(document: str, name: str, text: str) -> str:
    """``document`` with ``text`` between the markers ``name``; ValueError where it does not have them."""
    begin, end = f"<!-- {name} begin: written by `make docs` -->", f"<!-- {name} end -->"
    before, first, rest = document.partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise ValueError(f"document: the markers of {name!r} are missing")
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}"
