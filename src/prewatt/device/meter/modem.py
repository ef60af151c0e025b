"""The modem: one M-ID of 256, and only frames that carry this meter's own id.

The next transformer has a meter with the same M-ID, and its frames are heard as crosstalk; so the id decides, and the
M-ID alone never does. Frames that are no frames, fragments of what never needs any, and whatever a meter sends are
dropped without a sound.
"""

from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.units import MeterId

__all__ = ["Modem"]


class Modem:
    """Payloads out of frames and into frames."""

    __slots__ = ("_m_id", "_meter_id", "_number", "dropped")

    def __init__(self, meter_id: MeterId, m_id: int) -> None:
        self._meter_id = meter_id
        self._m_id = m_id
        self._number = 0
        self.dropped = 0

    def receive(self, data: bytes) -> bytes | None:
        """The payload of a frame to this meter; None for anything else."""
        try:
            frame = Frame.parse(data)
        except DecodeError:
            frame = None
        ours = frame is not None and frame.m_id == self._m_id and frame.meter_id == self._meter_id
        if frame is None or not ours or frame.flags != FrameFlags.NONE:
            self.dropped += 1
            return None
        return frame.payload

    def send(self, payload: bytes) -> bytes:
        """The frame that carries a payload up."""
        self._number = (self._number + 1) % 256
        return Frame(self._m_id, FrameFlags.UP, self._number, self._meter_id, payload).build()
