"""What every service of the host shares: the store, the keys, the installation's settings, and the outer world.

Time and chance come in as functions, so that a test or a simulation gives its own. `wake` tells whoever drives
dispatch that a meter has new work; it is called after the commit, from any thread, and must return at once.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from prewatt.host.allowance import Allowance
from prewatt.host.generation import GenerationFiles
from prewatt.host.keys import KeyVault
from prewatt.host.staff.actor import HOST_ITSELF, Actor
from prewatt.host.store import Store, Writing, schema
from prewatt.host.store.acting import ActingStore
from prewatt.host.store.trail import By
from prewatt.units import QUARTER_S

__all__ = ["HostContext", "Installation", "log_action", "read_installation"]


@dataclass(frozen=True, slots=True)
class Installation:
    """The settings that were fixed when the installation was made."""

    id: str
    name: str
    currency: str
    currency_digits: int
    zone: str
    """IANA name of the time zone whose days usage is counted in."""
    meters_ceiling: int
    vend_ceiling_micro: int
    made_s: int


@dataclass(slots=True)
class HostContext:
    """One open host, as its services see it."""

    store: Store
    vault: KeyVault
    generation: GenerationFiles
    installation: Installation
    now: Callable[[], int]
    random: Callable[[int], bytes]
    wake: Callable[[str], None]
    places: deque[str] = field(default_factory=deque)
    """Stations below which something changed, for whoever remembers what stands where; see `note_place`."""
    allowance: Allowance = field(default_factory=Allowance)
    """What each meter may still say today."""
    released: deque[str] = field(default_factory=deque)
    """Meters for which a campaign has something new: called soon, but after those for which somebody waits."""
    actor: Actor = HOST_ITSELF
    """In whose name the services of this context work."""
    origin: str = HOST_ITSELF.via

    def acting(self, actor: Actor, origin: str, also: Callable[[Writing], None] | None = None) -> "HostContext":
        """The same host for one person: what is written through it says who it was, and from where.

        ``also`` is done in the commit of the first thing that is written so.
        """
        store = ActingStore(self.store, By(actor.name, origin), also)
        return replace(self, store=store, actor=actor, origin=origin)

    def note_place(self, station: str) -> None:
        """After a commit that changed a station, its settings or who stands below it; "" means all. From any thread."""
        self.places.append(station)

    @property
    def zone(self) -> ZoneInfo:
        """The installation's time zone."""
        return ZoneInfo(self.installation.zone)

    @property
    def zone_quarters(self) -> int:
        """The zone's standard time less UTC, in quarter hours, as a mode table holds it."""
        here = datetime.fromtimestamp(self.now(), self.zone)
        offset = (here.utcoffset() or timedelta()) - (here.dst() or timedelta())
        return int(offset.total_seconds()) // QUARTER_S


def read_installation(connection: Connection) -> Installation:
    """The one row of settings."""
    row = connection.execute(select(schema.installation)).one()
    return Installation(
        id=row.id,
        name=row.name,
        currency=row.currency,
        currency_digits=row.currency_digits,
        zone=row.zone,
        meters_ceiling=row.meters_ceiling,
        vend_ceiling_micro=row.vend_ceiling_micro,
        made_s=row.made_s,
    )


def log_action(
    writing: Writing,
    at_s: int,
    action: str,
    subject: str,
    detail: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """A line in the audit log: who did what to what, from where. Who and from where the piece of work says itself.

    ``before`` and ``after`` are what was changed, and to what; never a secret.
    """
    writing.log.append(at_s, writing.by, (action, subject, detail), _as_json(before), _as_json(after))


def _as_json(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else json.dumps(values, sort_keys=True, ensure_ascii=False)
