"""The tables, as SQLAlchemy Core describes them. Alembic revisions make them; a test compares the two.

Meters are named by their six hex digits. Columns end in their unit. Tables that only ever grow (`entries`,
`chain`, `closes`, `record_file`, `reports`, `events`, `alarms`, `audit_log`) refuse UPDATE and DELETE by triggers; so
does the part of `tariffs` and `payments` that was once promised. A row of `tenancies` is ended once, and else never
changed. What is shown may change; what was said may not. Of `reports`, one that a later one of the same day has made
needless may go; the last of each day may not.
"""

from typing import Final

from prewatt.host.store.schema.bodies import bodies, matches, sign_overs
from prewatt.host.store.schema.campaigns import campaign_meters, campaigns, programs, wanted_settings
from prewatt.host.store.schema.columns import metadata
from prewatt.host.store.schema.customers import agents, sought, suppliers, tenancies
from prewatt.host.store.schema.field import alarms, counter_books, day_logs, events, reports, standings, wishes
from prewatt.host.store.schema.ledger import chain, closes
from prewatt.host.store.schema.money import accounts, entries, orders, payments, record_file
from prewatt.host.store.schema.network import area_boxes, boxes, kept, polling, unbooked
from prewatt.host.store.schema.rates import (
    rate_assignments,
    rate_lines,
    rate_plans,
    rate_sales,
    rate_steps,
    rate_tariffs,
)
from prewatt.host.store.schema.registry import (
    areas,
    audit_log,
    books,
    controls,
    customers,
    installation,
    log_tail,
    mark,
    meter_keys,
    meters,
    premises,
    stations,
    tariffs,
)
from prewatt.host.store.schema.staff import approval_ends, approvals, lockouts, staff_limits, tokens, users

__all__ = [
    "APPEND_ONLY",
    "accounts",
    "agents",
    "alarms",
    "approval_ends",
    "approvals",
    "area_boxes",
    "areas",
    "audit_log",
    "bodies",
    "books",
    "boxes",
    "campaign_meters",
    "campaigns",
    "chain",
    "closes",
    "controls",
    "counter_books",
    "customers",
    "day_logs",
    "entries",
    "events",
    "installation",
    "kept",
    "lockouts",
    "log_tail",
    "mark",
    "matches",
    "metadata",
    "meter_keys",
    "meters",
    "orders",
    "payments",
    "polling",
    "premises",
    "programs",
    "rate_assignments",
    "rate_lines",
    "rate_plans",
    "rate_sales",
    "rate_steps",
    "rate_tariffs",
    "record_file",
    "reports",
    "sign_overs",
    "sought",
    "staff_limits",
    "standings",
    "stations",
    "suppliers",
    "tariffs",
    "tenancies",
    "tokens",
    "unbooked",
    "users",
    "wanted_settings",
    "wishes",
]

# What only ever grows; the database refuses to change or remove a row.
APPEND_ONLY: Final = (
    *(entries, record_file, reports, events, alarms, wishes, payments, tariffs, audit_log, sign_overs, matches),
    *(programs, chain, closes),
    *(approvals, approval_ends),
    *(rate_plans, rate_assignments, rate_tariffs, rate_sales, rate_lines, rate_steps),
)
