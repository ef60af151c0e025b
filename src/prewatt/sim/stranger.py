"""A host that the books never heard of: one whose database is gone, at the end of the same line, with the same keys.

It takes value back. The meter does as it is told; the host that is left meets a tag it does not know, fences the meter
and asks a person (R4, R7). The auditor is told, and predicts what has to be left.
"""

from typing import Final

from prewatt.codec.bodies import Transfer
from prewatt.codec.commands import Code, Command
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.receipt import Status
from prewatt.crypto import suite
from prewatt.device.meter import LineFrame
from prewatt.protocol.host import Done, HostSession, Send
from prewatt.sim.auditor import Auditor
from prewatt.sim.home import Home
from prewatt.units import Sequence

__all__ = ["RANDOM_BYTES", "take_back"]

RANDOM_BYTES: Final = 64
_TAG: Final = slice(32, 40)
_SESSION: Final = slice(0, 32)


def take_back(auditor: Auditor, home: Home, order: str, amount_micro: int, random: bytes) -> list[bytes]:
    """A whole session with a meter that has power; gives what the meter said besides, for the field.

    ``amount_micro``: above 0, what it is asked to give back. A violation where the answer is not what R3 says.
    """
    assert home.device is not None
    tag = bytes((random[_TAG][0] & 0x7F,)) + random[_TAG][1:]
    auditor.taken_back(order, home.meter, amount_micro, tag)
    core = home.device._core
    key_set = min(core.keys)
    body = Transfer(-amount_micro, tag).build()
    command = Command(Code.VALUE, Sequence(home.money.last_sequence + 1), body)
    session = HostSession(home.meter_id, suite(home.suite), key_set, core.keys[key_set], command, random[_SESSION])
    payload, said = session.hello(), []
    while payload:
        frames = home.step(LineFrame(Frame(home.m_id, FrameFlags.NONE, 0, home.meter_id, payload).build()))
        payload = b""
        for frame in frames:
            reply = session.receive(Frame.parse(frame).payload)
            if isinstance(reply, Send):
                payload = reply.payload
            elif isinstance(reply, Done):
                _check(auditor, home, amount_micro, tag, reply)
            else:
                said.append(frame)
    return said


def _check(auditor: Auditor, home: Home, amount_micro: int, tag: bytes, done: Done) -> None:
    """More than there is, or anything while it owes, changes nothing (R3)."""
    receipt = done.outcome.receipt
    taken = receipt.status is Status.DONE
    auditor.check(taken == (receipt.last_tag == tag), f"{home.meter}: says {receipt.status} of a return, holds another")
    if not taken:
        money = home.money
        refused = money.owed_micro > 0 or money.balance_micro < amount_micro or money.retired
        auditor.check(refused, f"{home.meter}: gives back none of {amount_micro}, has {money.balance_micro}")
