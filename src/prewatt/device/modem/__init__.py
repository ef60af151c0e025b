"""Modems as values: whole frames of a device in, fragments on a shared half-duplex line out, and back.

Neither station nor meter knows of them: a driver puts a modem between a device and a line, or leaves it out where a
carrier takes whole messages. `MasterModem` is the station's, `SlaveModem` a meter's.
"""

from prewatt.device.modem.events import (
    Deliver,
    Heard,
    ModemCounts,
    ModemEffect,
    ModemEvent,
    Outgoing,
    Tick,
    Transmit,
    WakeAtLine,
)
from prewatt.device.modem.master import MasterModem
from prewatt.device.modem.slave import SlaveModem

__all__ = [
    "Deliver",
    "Heard",
    "LineModem",
    "MasterModem",
    "ModemCounts",
    "ModemEffect",
    "ModemEvent",
    "Outgoing",
    "SlaveModem",
    "Tick",
    "Transmit",
    "WakeAtLine",
]

LineModem = MasterModem | SlaveModem
