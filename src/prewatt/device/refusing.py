"""How a box says that it did not take something: what kind it was, the reason as a number, and a sentence."""

from prewatt.codec.hop import DETAIL_BYTES_MAX, Refused, RefusedReason
from prewatt.units import Address

__all__ = ["NotTakenError", "refused"]


class NotTakenError(ValueError):
    """A box message is not taken, or not all of it: the reason, and a sentence for a person."""

    def __init__(self, reason: RefusedReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def refused(address: Address, data: bytes, error: NotTakenError) -> Refused:
    """What goes up about ``data``; ``address`` is that of the box that speaks, or of the station it speaks of."""
    kind = data[1] if len(data) > 1 else 0
    detail = error.detail.encode()[:DETAIL_BYTES_MAX].decode(errors="ignore")
    return Refused(address, kind, error.reason, detail)
