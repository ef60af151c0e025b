"""The commit number in a page of the database, read past SQLite: from frames of its log that it does not believe.

Every commit counts up the one row of the table `mark`, so the page of that row is in every commit; where the log is
believed only up to a frame that is not whole, the pages behind it tell how many commits came after. The row is read as
SQLite stores it: one cell in a leaf page, a record of three whole numbers, the first of which is the row's own
(sqlite.org/fileformat2.html, 1.6 and 2.1).
"""

from typing import Final

__all__ = ["MARK_PLACE", "read_commit_number"]

# Where the row lies, and what it says to whoever believes the log as far as SQLite does.
MARK_PLACE: Final = "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'mark'"

_LEAF: Final = 0x0D
_CELLS: Final = slice(3, 5)
_CELL_AT: Final = slice(8, 10)
_ONE_BYTE: Final = 0x80
_COLUMNS: Final = 3
# Bytes of a whole number by its type in a record; the last two are the numbers 0 and 1 themselves.
_NUMBER_BYTES: Final = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}
_ONE: Final = 9


def read_commit_number(page: bytes) -> int | None:
    """The number in the row whose page this is; None where the bytes are no such page."""
    if page[:1] != bytes((_LEAF,)) or int.from_bytes(page[_CELLS], "big") != 1:
        return None
    cell = page[int.from_bytes(page[_CELL_AT], "big") :]
    # The length of the record, the row's number, then the record: its header's length and a type for each column.
    if len(cell) < 3 or max(cell[:3]) >= _ONE_BYTE:
        return None
    types = cell[3 : 2 + cell[2]]
    if len(types) != _COLUMNS or any(each not in _NUMBER_BYTES for each in types):
        return None
    end = cell[0] + 2
    if end > len(cell) or end != 2 + cell[2] + sum(_NUMBER_BYTES[each] for each in types):
        return None
    if types[-1] == _ONE:
        return 1
    return int.from_bytes(cell[end - _NUMBER_BYTES[types[-1]] : end], "big")
