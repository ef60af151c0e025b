"""Sending again what a meter should have: to a new body behind its id, and after the host came back from a backup.

Both begin without what was carried out before. All settings go as one change, the tariff as one mode change.

After a restore the minor unit always goes along, also where it was never asked for: a change of it that the backup
does not know would give every value code another amount. Codes wait until it has arrived.
"""

import json
from typing import Final

from sqlalchemy import Connection, select

from prewatt.codec.commands import Code, control_digest
from prewatt.codec.settings import Settings, SettingsChange
from prewatt.host.controls import queue_control
from prewatt.host.store import Writing, schema
from prewatt.host.tariffs import queue_tariff, read_tariff
from prewatt.host.wanted import read_wanted_settings

__all__ = ["resend_wanted"]

_WAITING: Final = "waiting"
_MINOR: Final = "minor_micro"


def resend_wanted(writing: Writing, meter: str, now_s: int) -> None:
    """Queues settings and tariff of a meter anew, unless the same waits already."""
    settings = read_wanted_settings(writing.connection, meter)
    if _was_restored(writing.connection):
        settings = {_MINOR: Settings().minor_micro} | settings
    if settings:
        body = SettingsChange(settings).build()
        digest = control_digest(Code.SETTINGS, body)
        if not _waits(writing.connection, meter, Code.SETTINGS, digest):
            queue_control(writing, meter, Code.SETTINGS, json.dumps({"settings": body.hex()}), digest, now_s)
    meters = schema.meters
    version = writing.connection.execute(select(meters.c.tariff).where(meters.c.id == meter)).scalar()
    tariff = read_tariff(writing.connection, version) if version is not None else None
    if tariff is not None and not _waits(writing.connection, meter, Code.MODE, None):
        queue_tariff(writing, [meter], tariff, now_s)


def _was_restored(connection: Connection) -> bool:
    return bool(connection.execute(select(schema.mark.c.generation)).scalar_one() > 1)


def _waits(connection: Connection, meter: str, code: Code, digest: bytes | None) -> bool:
    controls = schema.controls
    waits = select(controls.c.number).where(
        controls.c.meter == meter, controls.c.code == int(code), controls.c.state == _WAITING
    )
    if digest is not None:
        waits = waits.where(controls.c.digest == digest)
    return connection.execute(waits.limit(1)).scalar() is not None
