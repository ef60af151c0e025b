"""The quantities everything else is counted in: value, energy, time, ids, and the named limits.

Money and energy are integers from here up; no float ever carries value. Everything is pure.
"""

from prewatt.units.address import ADDRESS_BYTES, BELOW_MAX, BROADCAST_ID, Address, check_number
from prewatt.units.energy import PULSE_WH, PULSES_PER_CT_PULSE, PULSES_PER_KWH, Pulses, format_kwh
from prewatt.units.ids import (
    EPOCH_LAST,
    METER_ID_BYTES,
    SEQUENCE_COUNTER_MAX,
    MeterId,
    Sequence,
    counter_of,
    epoch_of,
    epoch_start,
    format_meter_id,
    next_sequence,
    parse_meter_id,
    sequence_of,
)
from prewatt.units.time import (
    DAY_S,
    MINUTE_S,
    QUARTER_S,
    STAMP_FIRST_S,
    STAMP_LAST_S,
    UTC_MAX_S,
    UtcSeconds,
    format_stamp,
    parse_stamp,
)
from prewatt.units.value import (
    MICRO_DIGITS,
    MICRO_PER_UNIT,
    VALUE_MAX_MICRO,
    Micro,
    ValueFieldError,
    format_value,
    parse_value,
)

__all__ = [
    "ADDRESS_BYTES",
    "BELOW_MAX",
    "BROADCAST_ID",
    "DAY_S",
    "EPOCH_LAST",
    "METER_ID_BYTES",
    "MICRO_DIGITS",
    "MICRO_PER_UNIT",
    "MINUTE_S",
    "PULSES_PER_CT_PULSE",
    "PULSES_PER_KWH",
    "PULSE_WH",
    "QUARTER_S",
    "SEQUENCE_COUNTER_MAX",
    "STAMP_FIRST_S",
    "STAMP_LAST_S",
    "UTC_MAX_S",
    "VALUE_MAX_MICRO",
    "Address",
    "MeterId",
    "Micro",
    "Pulses",
    "Sequence",
    "UtcSeconds",
    "ValueFieldError",
    "check_number",
    "counter_of",
    "epoch_of",
    "epoch_start",
    "format_kwh",
    "format_meter_id",
    "format_stamp",
    "format_value",
    "next_sequence",
    "parse_meter_id",
    "parse_stamp",
    "parse_value",
    "sequence_of",
]
