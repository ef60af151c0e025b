"""What a station is told: which meters stand below it, and how it is to work.

Both carry a version that is nothing but a name of their content, so that a host restored from a backup, or a station
with another memory, is noticed by being different and never has to be newer.
"""

from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, select

from prewatt.codec.hop import Members, Plan, build_hop
from prewatt.host.fields import meter_bytes
from prewatt.host.lines import line_cost
from prewatt.host.store import schema
from prewatt.units import Address

__all__ = ["members_of", "plan_of"]

_VERSION_BYTES: Final = 4
_NO_VERSION: Final = 0


def members_of(connection: Connection, station: str, address: Address) -> Members:
    """The meters below a station, each with its modem address."""
    meters = schema.meters
    wanted = select(meters.c.id, meters.c.m_id).where(meters.c.station == station).order_by(meters.c.m_id)
    below = tuple((meter_bytes(row.id), row.m_id) for row in connection.execute(wanted))
    content = b"".join(meter_id + bytes((m_id,)) for meter_id, m_id in below)
    return Members(address, _version(content), below)


def plan_of(line: str, address: Address) -> Plan:
    """How a station works on a line of this profile."""
    plan = line_cost(line).plan(address)
    return Plan(address, _version(build_hop(plan)), *(getattr(plan, name) for name in _AFTER_VERSION))


_AFTER_VERSION: Final = tuple(Plan.__dataclass_fields__)[2:]


def _version(content: bytes) -> int:
    """Four bytes of a digest, never the number that stands for none."""
    return int.from_bytes(sha256(content).digest()[:_VERSION_BYTES], "big") or _NO_VERSION + 1
