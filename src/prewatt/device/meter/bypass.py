"""What the sensor between inlet and outlet means: one table that tells theft from every innocent state.

While the contacts are open, voltage on the load side comes from somewhere: through welded contacts if the meter's own
shunt carries current, around the meter if it does not. Without voltage there the contacts do what they should, and
the causes say whether an over-current, an order or the balance opened them. More current in the neutral than in the
phase means that the phase is tapped ahead of the meter, whatever the contacts do.
docs/reference/meter.md, "Bypass sensor", is made from this table.
"""

from enum import Enum
from typing import Final, NamedTuple

from prewatt.codec.events import EventCode
from prewatt.device.meter.relay import Cause

__all__ = ["BYPASS_RULES", "FINDING_EVENTS", "BypassRule", "Finding", "judge", "render_bypass_table"]


class Finding(Enum):
    """What the sensors show."""

    NORMAL = "normal supply"
    FRONT_TAP = "tapped ahead of the meter"
    WELDED = "welded contact"
    BYPASS = "bypass around the meter"
    OVER_CURRENT_TRIP = "over-current trip"
    ORDERED_CUT = "ordered cut"
    OTHER_CUT = "cut for another cause"


class BypassRule(NamedTuple):
    """A row: None means that it does not matter; ``causes`` are those of which one has to be set."""

    finding: Finding
    closed: bool | None = None
    load_voltage: bool | None = None
    shunt_current: bool | None = None
    neutral_excess: bool | None = None
    causes: Cause = Cause.NONE


# The first row that fits holds.
BYPASS_RULES: Final = (
    BypassRule(Finding.BYPASS, closed=False, load_voltage=True, shunt_current=False),
    BypassRule(Finding.WELDED, closed=False, shunt_current=True),
    BypassRule(Finding.FRONT_TAP, neutral_excess=True),
    BypassRule(Finding.NORMAL, closed=True),
    BypassRule(Finding.OVER_CURRENT_TRIP, causes=Cause.OVER_CURRENT),
    BypassRule(Finding.ORDERED_CUT, causes=Cause.ORDERED),
    BypassRule(Finding.OTHER_CUT),
)

# What a finding is in the log; the others are no news.
FINDING_EVENTS: Final = {
    Finding.BYPASS: EventCode.BYPASS,
    Finding.FRONT_TAP: EventCode.FRONT_TAP,
    Finding.WELDED: EventCode.WELDED,
}


def judge(causes: Cause, closed: bool, load_voltage: bool, shunt_current: bool, neutral_excess: bool) -> Finding:
    """The finding for these sensors."""
    seen = (closed, load_voltage, shunt_current, neutral_excess)
    for rule in BYPASS_RULES:
        wanted = (rule.closed, rule.load_voltage, rule.shunt_current, rule.neutral_excess)
        fits = all(want is None or want == is_so for want, is_so in zip(wanted, seen, strict=True))
        if fits and (not rule.causes or rule.causes & causes):
            return rule.finding
    raise AssertionError("the last row fits everything")


def render_bypass_table() -> str:
    """The table in Markdown, for docs/reference/meter.md."""
    rows = [
        "| contacts | voltage on the load side | current in the shunt | neutral above phase | cause | finding |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for rule in BYPASS_RULES:
        contacts = {None: "any", True: "closed", False: "open"}[rule.closed]
        flags = (rule.load_voltage, rule.shunt_current, rule.neutral_excess)
        cells = [contacts, *({None: "any", True: "yes", False: "no"}[flag] for flag in flags)]
        cause = (rule.causes.name or "").lower().replace("_", " ") if rule.causes else "any"
        rows.append(f"| {' | '.join(cells)} | {cause} | {rule.finding.value} |")
    return "\n".join(rows) + "\n"
