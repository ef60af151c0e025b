"""The latch relay: one bit a cause, closed only when none is set. One table decides, and docs show the same table.

Every happening has one row: the causes it sets, the causes it clears, and the causes it clears only where the network
has armed the relay. New value clears `ZERO` and nothing else; an over-current waits for the button; a close from the
network arms and the customer's button closes, unless the settings let the network close by itself. The bits outlive
the power, as the latch does. docs/reference/meter.md, "Relay", is made from this table.
"""

from enum import Enum, IntFlag
from typing import Final, NamedTuple

__all__ = [
    "RELAY_RULES",
    "Cause",
    "RelayEvent",
    "RelayRule",
    "relay_after",
    "relay_closed",
    "relay_conducts",
    "render_relay_table",
]


class Cause(IntFlag):
    """Why the contacts are open; the last two are marks beside the causes and open nothing."""

    NONE = 0
    ZERO = 0x01
    ORDERED = 0x02
    OVER_CURRENT = 0x04
    TAMPER = 0x08
    LOAD_LIMIT = 0x10
    INTERLOCK = 0x20
    ARMED = 0x40
    WELDED = 0x80


_MARKS: Final = Cause.ARMED | Cause.WELDED


class RelayEvent(Enum):
    """What can happen to a relay."""

    VALUE_ARRIVED = "value arrives and the balance is above zero"
    BALANCE_ZERO = "the balance reaches zero, or emergency credit is used up"
    EMERGENCY_GRANTED = "the button is pressed where emergency credit is granted"
    ORDER_OPEN = "the network orders open"
    ORDER_ARM = "the network arms"
    ORDER_CLOSE = "the network closes by itself (setting)"
    OVER_CURRENT = "more current than allowed"
    LOAD_PASSED = "the load limit was passed"
    LOAD_PAUSE_OVER = "the pause after the load limit is over"
    COVER_OPENED = "the cover is opened (setting)"
    BUTTON = "the local button is pressed"
    SOURCE_LEFT = "the changeover switch left this source"
    SOURCE_TAKEN = "the changeover switch stands at this source"
    WELD_SEEN = "current flows through open contacts"
    WELD_GONE = "no current flows through open contacts"


class RelayRule(NamedTuple):
    """A row of the table. ``if_armed`` is cleared (and the mark with it) only where `ARMED` stands."""

    sets: Cause = Cause.NONE
    clears: Cause = Cause.NONE
    if_armed: Cause = Cause.NONE


_BY_NETWORK: Final = Cause.ORDERED | Cause.TAMPER

RELAY_RULES: Final = {
    RelayEvent.VALUE_ARRIVED: RelayRule(clears=Cause.ZERO),
    RelayEvent.BALANCE_ZERO: RelayRule(sets=Cause.ZERO),
    RelayEvent.EMERGENCY_GRANTED: RelayRule(clears=Cause.ZERO),
    RelayEvent.ORDER_OPEN: RelayRule(sets=Cause.ORDERED, clears=Cause.ARMED),
    RelayEvent.ORDER_ARM: RelayRule(sets=Cause.ARMED),
    RelayEvent.ORDER_CLOSE: RelayRule(clears=_BY_NETWORK | Cause.ARMED),
    RelayEvent.OVER_CURRENT: RelayRule(sets=Cause.OVER_CURRENT),
    RelayEvent.LOAD_PASSED: RelayRule(sets=Cause.LOAD_LIMIT),
    RelayEvent.LOAD_PAUSE_OVER: RelayRule(clears=Cause.LOAD_LIMIT),
    RelayEvent.COVER_OPENED: RelayRule(sets=Cause.TAMPER, clears=Cause.ARMED),
    RelayEvent.BUTTON: RelayRule(clears=Cause.OVER_CURRENT, if_armed=_BY_NETWORK),
    RelayEvent.SOURCE_LEFT: RelayRule(sets=Cause.INTERLOCK),
    RelayEvent.SOURCE_TAKEN: RelayRule(clears=Cause.INTERLOCK),
    RelayEvent.WELD_SEEN: RelayRule(sets=Cause.WELDED),
    RelayEvent.WELD_GONE: RelayRule(clears=Cause.WELDED),
}


def relay_after(causes: Cause, event: RelayEvent) -> Cause:
    """The bits after a happening."""
    rule = RELAY_RULES[event]
    after = (causes | rule.sets) & ~rule.clears
    if rule.if_armed and after & Cause.ARMED:
        after &= ~(rule.if_armed | Cause.ARMED)
    # There is nothing to arm while nothing that the network may lift keeps the contacts open.
    return after if after & _BY_NETWORK else after & ~Cause.ARMED


def relay_closed(causes: Cause) -> bool:
    """Whether the contacts are closed."""
    return not causes & ~_MARKS


def relay_conducts(causes: Cause) -> bool:
    """Whether current can flow: through closed contacts, or through welded ones whatever the relay was told."""
    return relay_closed(causes) or bool(causes & Cause.WELDED)


def render_relay_table() -> str:
    """The table in Markdown, for docs/reference/meter.md."""
    rows = ["| happening | sets | clears | clears if armed |", "| --- | --- | --- | --- |"]
    for event, rule in RELAY_RULES.items():
        cells = (_render_causes(cell) for cell in rule)
        rows.append(f"| {event.value} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _render_causes(causes: Cause) -> str:
    return ", ".join(cause.name.lower().replace("_", " ") for cause in causes if cause.name) or "-"
