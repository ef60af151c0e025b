"""What a person standing before the meter sees, as one value for command line, API and page."""

from dataclasses import dataclass
from enum import StrEnum

from prewatt.device.meter.events import Buzzing

__all__ = ["MeterState", "MeterView"]


class MeterState(StrEnum):
    """The one word for how the meter is: the first of these that is true, in this order."""

    NEW = "new"
    RETIRED = "retired"
    TAMPER = "tamper"
    OVER_CURRENT = "over-current"
    ARMED = "armed"
    ORDERED_OFF = "ordered off"
    NO_VALUE = "no value"
    LOAD_LIMIT = "load limit"
    EMERGENCY = "emergency credit"
    SUPPLYING = "supplying"


@dataclass(frozen=True, slots=True)
class MeterView:
    """The face of the meter. Money in micro-units, energy in pulses of 0.1 Wh, price in micro-units per kWh."""

    meter_id: bytes
    m_id: int
    lcd: tuple[str, ...]
    state: "MeterState"
    """One of `MeterState`."""
    relay_closed: bool
    relays_closed: tuple[bool, ...]
    causes: tuple[str, ...]
    buzzing: Buzzing
    balance_micro: int
    svm_micro: int
    tank_micro: int
    exchanger_micro: int
    received_micro: int
    burned_micro: int
    returned_micro: int
    owed_micro: int
    unit_price_micro: int
    step_percent: int
    quality_percent: int
    price_micro: int
    power_w: int
    minute_pulses: int
    day_pulses: int
    month_pulses: int
    total_pulses: int
    clock_s: int
    clock_stamp: str
    last_sequence: int
    last_amount_micro: int
    last_control: int
    commissioned: bool
    table_version: int
    waiting_version: int | None
    events_waiting: int
    alarms_waiting: int
    notice: str
    """What the last key brought, until the next one."""
    messages: tuple[str, ...]
