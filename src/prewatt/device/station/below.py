"""Who stands below a station, and how it shall work: taken whole from above or refused with the reason, and durable.

The station must know its meters through a power cut and a week without uplink, or their alarms would be foreign frames.
So both are kept as notes beside the spool, in the very bytes in which they came. Versions are names: what came last
holds, and Health tells the host which that is.
"""

from typing import Final

from prewatt.codec.attention import SLOT_MS_MAX, SLOTS_MAX
from prewatt.codec.batch import METERS_MAX
from prewatt.codec.errors import DecodeError
from prewatt.codec.hop import Members, Plan, RefusedReason, build_hop, parse_hop
from prewatt.device.refusing import NotTakenError
from prewatt.device.spool import Spool
from prewatt.units import Address, MeterId, format_meter_id

__all__ = ["PLAN_TIME_MS_MAX", "PLAN_TIME_MS_MIN", "check_members", "check_plan", "keep", "load_members", "load_plan"]

# A day: nothing that a station waits for takes longer.
PLAN_TIME_MS_MAX: Final = 86_400_000
# Health and slots more often than this would be all that a line and a link carry.
PLAN_TIME_MS_MIN: Final = 100
_RESERVED: Final = (b"\x00\x00\x00", b"\xff\xff\xff")
_MEMBERS_NOTE: Final = "members"
_PLAN_NOTE: Final = "plan"
_WAITS: Final = ("hold_answers_ms", "hold_urgent_ms")
_TIMES: Final = ("answer_within_ms", "item_life_ms", "slot_period_ms", "health_ms", "kept_retry_ms")


def check_members(message: Members) -> None:
    """NotTakenError where not exactly these meters could stand below one station."""
    if len(message.members) > METERS_MAX:
        raise NotTakenError(
            RefusedReason.TOO_MANY, f"members: {len(message.members)} are not allowed; allowed is up to {METERS_MAX}"
        )
    by_m_id: dict[int, MeterId] = {}
    seen: set[MeterId] = set()
    for meter_id, m_id in message.members:
        shown = format_meter_id(meter_id)
        if meter_id in _RESERVED:
            raise NotTakenError(RefusedReason.RESERVED_ID, f"meter: {shown} is given to no meter")
        if meter_id in seen:
            raise NotTakenError(RefusedReason.METER_TWICE, f"meter: {shown} stands in the list twice")
        if m_id in by_m_id:
            taken = format_meter_id(by_m_id[m_id])
            raise NotTakenError(RefusedReason.M_ID_TWICE, f"M-ID: {m_id} is given to {taken} and to {shown}")
        seen.add(meter_id)
        by_m_id[m_id] = meter_id


def check_plan(plan: Plan) -> None:
    """NotTakenError where a station could not work so."""
    limits = dict.fromkeys(_TIMES, (PLAN_TIME_MS_MIN, PLAN_TIME_MS_MAX))
    limits |= dict.fromkeys(_WAITS, (0, PLAN_TIME_MS_MAX))
    limits |= {"slots": (0, SLOTS_MAX), "slot_ms": (1 if plan.slots else 0, SLOT_MS_MAX)}
    for name, (low, high) in limits.items():
        given = getattr(plan, name)
        if not low <= given <= high:
            raise NotTakenError(
                RefusedReason.OUT_OF_RANGE, f"{name}: {given} is not allowed; allowed is {low} to {high}"
            )


def load_members(spool: Spool, address: Address) -> Members:
    """The members there were when the power went; none in a new station, or in one that stands elsewhere now."""
    found = _load(spool, _MEMBERS_NOTE)
    return found if isinstance(found, Members) and found.address == address else Members(address, 0, ())


def load_plan(spool: Spool, address: Address) -> Plan:
    """How the station worked when the power went; the defaults in a new one, or in one that stands elsewhere now."""
    found = _load(spool, _PLAN_NOTE)
    return found if isinstance(found, Plan) and found.address == address else Plan(address, 0)


def keep(spool: Spool, message: Members | Plan) -> None:
    """Makes what was taken durable; SpoolError where the memory does not take it."""
    spool.write_note(_MEMBERS_NOTE if isinstance(message, Members) else _PLAN_NOTE, build_hop(message))


def _load(spool: Spool, name: str) -> object:
    note = spool.read_note(name)
    try:
        return parse_hop(note) if note else None
    except DecodeError:
        # A note of another version of this program: Health says version 0, and the host sends it again.
        return None
