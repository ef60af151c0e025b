"""What boxes tell of themselves, as the last word of each: when they were heard, what waits in them, who is silent."""

import json
from typing import Any

from prewatt.codec.hop import AreaHealth, Health, Refused
from prewatt.host.store import Writing, schema
from prewatt.units import format_meter_id

__all__ = ["book_area_health", "book_health", "book_refusal"]


def book_health(writing: Writing, station: str, told: Health, now_s: int) -> None:
    """A station's Health takes the place of the one before."""
    _put(
        writing,
        station,
        {
            "heard_s": now_s,
            "boots": told.boots,
            "members_version": told.members_version,
            "plan_version": told.plan_version,
            "waiting": told.waiting,
            "dropped": told.dropped,
            "overtaken": told.overtaken,
            "strange": told.foreign,
            "silent": json.dumps(sorted(format_meter_id(each) for each in told.silent)),
            "refused": "",
        },
    )


def book_refusal(writing: Writing, station: str, told: Refused, now_s: int) -> None:
    """A station, or its area server for it, would not take something; it stands until the next Health."""
    reason = told.reason.name.lower().replace("_", " ")
    # The words are the box's own, and go to a person's terminal: nothing in them may move its cursor.
    detail = "".join(each if each.isprintable() else "?" for each in told.detail)
    text = f"{reason}: {detail}" if detail else reason
    _put(writing, station, _NOTHING | {"heard_s": now_s, "refused": text}, kept=("refused",))


def book_area_health(writing: Writing, area: str, told: AreaHealth, now_s: int) -> None:
    """An area server's word on itself; its stations that are not connected, by number."""
    boxes = schema.area_boxes
    away = [each.station for each in told.stations if not each.connected]
    values = {
        "heard_s": now_s,
        "boots": told.boots,
        "kept": told.kept,
        "refused": told.refused,
        "away": json.dumps(away),
    }
    add = writing.insert(boxes).values({"area": area} | values)
    writing.connection.execute(add.on_conflict_do_update(index_elements=["area"], set_=values))


_NOTHING: dict[str, Any] = {
    "heard_s": 0,
    "boots": 0,
    "members_version": 0,
    "plan_version": 0,
    "waiting": 0,
    "dropped": 0,
    "overtaken": 0,
    "strange": 0,
    "silent": "[]",
    "refused": "",
}


def _put(writing: Writing, station: str, values: dict[str, Any], *, kept: tuple[str, ...] = ()) -> None:
    """Writes a row; where there is one, all of it, or what ``kept`` names alone."""
    add = writing.insert(schema.boxes).values({"station": station} | values)
    changed = {name: values[name] for name in kept} if kept else values
    writing.connection.execute(add.on_conflict_do_update(index_elements=["station"], set_=changed))
