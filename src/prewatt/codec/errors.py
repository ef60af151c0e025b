"""The one way decoding fails."""

__all__ = ["DecodeError"]


class DecodeError(ValueError):
    """Bytes that are no valid encoding: where (byte offset), which field, and why."""

    def __init__(self, offset: int, field: str, why: str) -> None:
        super().__init__(f"byte {offset}, {field}: {why}")
        self.offset = offset
        self.field = field
        self.why = why
