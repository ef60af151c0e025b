"""A customer at the keypad of a bare meter."""

from functools import partial

from prewatt.crypto import MessageKind
from prewatt.device.meter.valuecode import CodeLock, CodeTerms, enter_code


def type_code(world, digits, meter="000001"):
    """The customer types; gives what the meter says."""
    body = world.bodies[meter]
    macs = tuple(partial(body.suite.message_keys(key).tag, MessageKind.CODE) for key in body.keys.values())
    entry = enter_code(body.money, CodeLock(), digits, CodeTerms(body.meter_id, macs), body.limits, 0)
    body.money = entry.money
    return entry.outcome
