"""How a meter remembers its programs: which one runs, and how far the one that comes has come.

Part of the control block, so that every step of a download and of a start is the same one durable write as the control
counter that ordered it.
"""

import struct
from dataclasses import dataclass
from typing import Final

from prewatt.codec.program import IMAGE_BYTES_MAX, UNIT_BYTES, ProgramStage, ProgramStanding
from prewatt.codec.reader import Reader
from prewatt.device.meter.slots import NO_SLOT

__all__ = ["PROGRAM_SLOTS", "PROGRAM_STATE_BYTES", "ProgramState"]

PROGRAM_SLOTS: Final = 2
_LAYOUT: Final = struct.Struct(">IBBII8sIIB")
PROGRAM_STATE_BYTES: Final = _LAYOUT.size
_NO_MARK: Final = bytes(8)


@dataclass(frozen=True, slots=True)
class ProgramState:
    """``running`` 0: the version of the birth certificate, built in (``slot`` is then NO_SLOT).

    Of the coming one: its version, its bytes received in order, the first 8 bytes of SHA-256 over its manifest
    (``mark``: what the other slot has to hold), when it starts, when its trial began (world's clock), and how often
    the power came back during it.
    """

    running: int = 0
    slot: int = NO_SLOT
    stage: ProgramStage = ProgramStage.NONE
    coming: int = 0
    received: int = 0
    mark: bytes = _NO_MARK
    at_s: int = 0
    trial_s: int = 0
    boots: int = 0

    @property
    def spare(self) -> int:
        """The slot that a new program goes to."""
        return 0 if self.slot == NO_SLOT else PROGRAM_SLOTS - 1 - self.slot

    @property
    def next_unit(self) -> int:
        """The number of the unit that is needed next."""
        return -(-self.received // UNIT_BYTES)

    def idle(self) -> "ProgramState":
        """The same with nothing coming."""
        return ProgramState(self.running, self.slot)

    def standing(self, running: int) -> ProgramStanding:
        """What is answered; ``running`` is the version in force."""
        return ProgramStanding(running, self.coming, self.next_unit, self.stage)

    def build(self) -> bytes:
        """The bytes."""
        return _LAYOUT.pack(
            self.running,
            self.slot,
            self.stage,
            self.coming,
            self.received,
            self.mark,
            self.at_s,
            self.trial_s,
            self.boots,
        )

    @classmethod
    def read(cls, reader: Reader) -> "ProgramState":
        """The state that is next in ``reader``; DecodeError for a slot, stage or length there is none of."""
        fields = _LAYOUT.unpack(reader.take(PROGRAM_STATE_BYTES, "program"))
        running, slot, stage, coming, received, mark, at_s, trial_s, boots = fields
        known = stage <= ProgramStage.TRIAL and received <= IMAGE_BYTES_MAX
        if not known or slot not in (NO_SLOT, *range(PROGRAM_SLOTS)):
            raise reader.fail("program", "is no state of two slots", back=PROGRAM_STATE_BYTES)
        return cls(running, slot, ProgramStage(stage), coming, received, mark, at_s, trial_s, boots)
