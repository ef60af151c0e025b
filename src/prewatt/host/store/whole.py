"""Whether a database is still whole, looked at before anything else is done with it.

Every page, index and reference is looked at (SQLite's integrity_check and foreign_key_check): about a second for 100
MB. A host that serves does so at every start. A command that is over at once does where the database did not end in
order: a program that ends in order takes SQLite's write-ahead log away, and one that lies there with content tells of a
crash or a power cut, the times at which disks write to the wrong place or lose what they said they had; or where a
program met damage and left a note of it. What this cannot see: a changed value that still fits its column, which no
index and no reference names (see docs/operating).

The log itself is believed up to its first frame that is not whole, which is how SQLite finds what a power cut left of
the last commit. So a sector that rots in it would take every later commit away, and what a checkpoint had already moved
would stay: a mix of two moments. Every commit waits for the disk; at most one can lie behind a frame that is not whole.
More than one says that the log is damaged; they are counted by their last frames and, since one of those may be the
frame that is not whole, by the number that each commit carries. And where its header is not whole, or is that of an
older log, all of it is passed over; a header is on the disk before the first frame behind it, so frames that the file
lacks say the same (format of the log: sqlite.org/walformat.html, 4 and 5).
"""

import sqlite3
import sys
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, Literal

from prewatt.host.refusals import StoreError
from prewatt.host.store.commitnumber import MARK_PLACE, read_commit_number

__all__ = ["DAMAGED", "check_whole", "find_mark", "look", "look_at_log", "note_damage"]

# In every line that says so.
DAMAGED: Final = "put a backup in its place"

_NOTE: Final = "-damaged"
_CHECKS: Final = ("PRAGMA integrity_check(1)", "PRAGMA foreign_key_check")
_WHOLE: Final = ("ok",)
# The log: a header, then frames of a header and a page each.
_LOG_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24
_PAGE_SIZE: Final = slice(8, 12)
_LOG_SALT: Final = slice(16, 24)
_LOG_SUMS: Final = slice(24, 32)
_LOG_MAGIC: Final = slice(0, 4)
# Its first number says how the sums read numbers.
_MAGIC: Final[dict[bytes, Literal["big", "little"]]] = {b"\x37\x7f\x06\x82": "little", b"\x37\x7f\x06\x83": "big"}
_FRAME_PAGE: Final = slice(0, 4)
_FRAME_COMMIT: Final = slice(4, 8)
_FRAME_SALT: Final = slice(8, 16)
_NUMBERS: Final = 2**32
# Where the index of the log (the file -shm) says how many frames are whole.
_INDEX_FRAMES: Final = slice(16, 20)
_PAGE_BYTES: Final = 4096


def check_whole(path: Path, *, always: bool = False) -> None:
    """Nothing where the database ended in order or is whole all the same; StoreError otherwise, at each start again.

    ``always``: it is looked at however it ended.
    """
    log, note = path.with_name(path.name + "-wal"), path.with_name(path.name + _NOTE)
    disorder = (log.exists() and log.stat().st_size > 0) or note.exists()
    if not (disorder or (always and path.exists())):
        return
    try:
        found = _look(path, log.read_bytes() if log.exists() else b"")
    except (sqlite3.Error, UnicodeDecodeError) as error:
        # The second where a name in the schema is none any more: the driver cannot even say what SQLite told it.
        found = str(error)
    if found:
        why = found.splitlines()[0]
        raise StoreError(
            f"database {path}: {'it did not end in order and' if disorder else 'it'} is damaged ({why}); {DAMAGED}"
        )
    note.unlink(missing_ok=True)


def note_damage(path: Path) -> None:
    """Whoever opens it next looks at it, however this program ends. Where even the note fails, its log remains."""
    with suppress(OSError):
        path.with_name(path.name + _NOTE).touch(mode=0o600)


def look(execute: Callable[[str], Iterable[tuple[Any, ...]]]) -> str:
    """What is wrong, in the database's own words; empty where nothing is."""
    for check in _CHECKS:
        for row in execute(check):
            if row != _WHOLE:
                return " ".join(str(each) for each in row)
    return ""


def find_mark(execute: Callable[[str], Iterable[tuple[Any, ...]]]) -> tuple[int, int] | None:
    """The page of the commit number, and that number; None where the database keeps none."""
    for (page,) in execute(MARK_PLACE):
        for (commits,) in execute("SELECT commits FROM mark"):
            return page, commits
    return None


def look_at_log(log: bytes, frames: int, read: Callable[[int, int], bytes], mark: tuple[int, int] | None) -> str:
    """What is wrong with a log of which so many frames are whole; empty where a power cut explains it.

    ``read`` gives bytes of the database's file: offset, length. ``mark``: the page of the commit number, and that
    number as far as the log is whole; None where the database keeps none.
    """
    header = log[:_LOG_HEADER_BYTES]
    whole = _is_whole(header)
    page_bytes = (int.from_bytes(header[_PAGE_SIZE], "big") if whole else 0) or _PAGE_BYTES
    step = _FRAME_HEADER_BYTES + page_bytes
    found = [log[start : start + step] for start in range(_LOG_HEADER_BYTES, len(log) - _FRAME_HEADER_BYTES + 1, step)]
    if not frames and found and not (whole and _are_older(found, header[_LOG_SALT])):
        why = "an older header" if whole else "a header that is not whole"
        return f"its log has {why} before newer commits" if _lacks(found, read) else ""
    behind = [each for each in found[frames:] if each[_FRAME_SALT] == header[_LOG_SALT]]
    later = max(sum(any(each[_FRAME_COMMIT]) for each in behind), _numbered(behind, mark))
    return f"its log has {later} commits behind a frame that is not whole" if later > 1 else ""


def _numbered(frames: list[bytes], mark: tuple[int, int] | None) -> int:
    """How many commits more these frames tell of by number: the one whose last frame is not whole is not seen in it."""
    if mark is None:
        return 0
    page, commits = mark
    told = (
        read_commit_number(each[_FRAME_HEADER_BYTES:])
        for each in frames
        if int.from_bytes(each[_FRAME_PAGE], "big") == page
    )
    return max((number - commits for number in told if number is not None), default=0)


def _is_whole(header: bytes) -> bool:
    """Whether it says that it is one, and its sums are right."""
    if len(header) < _LOG_HEADER_BYTES or header[_LOG_MAGIC] not in _MAGIC:
        return False
    order = _MAGIC[header[_LOG_MAGIC]]
    first = second = 0
    for at in range(0, _LOG_SUMS.start, 8):
        first = (first + int.from_bytes(header[at : at + 4], order) + second) % _NUMBERS
        second = (second + int.from_bytes(header[at + 4 : at + 8], order) + first) % _NUMBERS
    return header[_LOG_SUMS] == first.to_bytes(4, "big") + second.to_bytes(4, "big")


def _are_older(frames: list[bytes], salt: bytes) -> bool:
    """Whether the first frames are of the log before, which is what the power leaves of one that has just begun."""
    return int.from_bytes(_begun(frames)[:4], "big") != (int.from_bytes(salt[:4], "big") + 1) % _NUMBERS


def _begun(frames: list[bytes]) -> bytes:
    """The salt of the first frames. The very first shares a sector with the header."""
    return frames[min(1, len(frames) - 1)][_FRAME_SALT]


def _lacks(frames: list[bytes], read: Callable[[int, int], bytes]) -> bool:
    """Whether the file lacks what the first frames committed."""
    salt = _begun(frames)
    committed: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    for at, frame in enumerate(frames):
        if frame[_FRAME_SALT] == salt:
            waiting[int.from_bytes(frame[_FRAME_PAGE], "big")] = frame[_FRAME_HEADER_BYTES:]
            if any(frame[_FRAME_COMMIT]):
                committed |= waiting
                waiting.clear()
        elif at:
            break
    return any(read((number - 1) * len(page), len(page)) != page for number, page in committed.items() if number)


def _look(path: Path, log: bytes) -> str:
    # The last connection that may write takes the log away when it closes, and with it the sign that something
    # happened: so that one closes first, and one that only reads is the last.
    with closing(sqlite3.connect(path)) as first:
        first.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        index = path.with_name(path.name + "-shm").read_bytes() if log else b""
        frames = int.from_bytes(index[_INDEX_FRAMES], sys.byteorder)
        last = sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)
        last.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    def read(offset: int, length: int) -> bytes:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    with closing(last):
        return look_at_log(log, frames, read, find_mark(last.execute)) or look(last.execute)


def _quoted(path: Path) -> str:
    return path.absolute().as_uri().removeprefix("file://")
