"""A strict cursor over received bytes: every read names its field, and nothing is read past the end.

All integers on the wire are big-endian.
"""

from prewatt.codec.errors import DecodeError

__all__ = ["Reader"]


class Reader:
    """Reads fields from ``data`` in order; raises DecodeError where a field is cut short or bytes are left over."""

    __slots__ = ("_base", "_data", "offset")

    def __init__(self, data: bytes, *, base: int = 0) -> None:
        """``base`` is where ``data`` stands in the whole message; it is added to the offsets in errors."""
        self._data = data
        self._base = base
        self.offset = 0

    def take(self, count: int, field: str) -> bytes:
        """The next ``count`` bytes."""
        end = self.offset + count
        if count < 0 or end > len(self._data):
            left = len(self._data) - self.offset
            raise DecodeError(self._base + self.offset, field, f"needs {count} bytes, {left} are left")
        taken = self._data[self.offset : end]
        self.offset = end
        return taken

    def u8(self, field: str) -> int:
        """Unsigned, 1 byte."""
        return self.take(1, field)[0]

    def u16(self, field: str) -> int:
        """Unsigned, 2 bytes."""
        return int.from_bytes(self.take(2, field), "big")

    def u32(self, field: str) -> int:
        """Unsigned, 4 bytes."""
        return int.from_bytes(self.take(4, field), "big")

    def u64(self, field: str) -> int:
        """Unsigned, 8 bytes."""
        return int.from_bytes(self.take(8, field), "big")

    def i64(self, field: str) -> int:
        """Two's complement, 8 bytes."""
        return int.from_bytes(self.take(8, field), "big", signed=True)

    def rest(self, field: str = "rest") -> bytes:
        """All bytes that are left, maybe none."""
        return self.take(len(self._data) - self.offset, field)

    def fail(self, field: str, why: str, *, back: int = 0) -> DecodeError:
        """The error to raise for a field that was just read (``back`` bytes ago) and holds what is not allowed."""
        return DecodeError(self._base + self.offset - back, field, why)

    def end(self) -> None:
        """Raises DecodeError when bytes are left over."""
        left = len(self._data) - self.offset
        if left:
            raise DecodeError(self._base + self.offset, "end", f"{left} bytes too many")
