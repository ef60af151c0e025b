"""Rate plans by version, for whom they hold from when, and what was sold by them, line by line. Facts, all of them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from prewatt.host.store.schema.columns import ID, METER, NUMBER, metadata, meter_column

__all__ = ["rate_assignments", "rate_lines", "rate_plans", "rate_sales", "rate_steps", "rate_tariffs"]

_NAME = String(64)

rate_plans = Table(
    "rate_plans",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("name", _NAME, nullable=False),
    Column("version", Integer, nullable=False),
    # Days since 1970-01-01; the last one is null where there is none.
    Column("valid_from", Integer, nullable=False),
    Column("valid_to", Integer),
    Column("document", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("made_s", BigInteger, nullable=False),
    UniqueConstraint("name", "version", name="rate_plans_once"),
    sqlite_autoincrement=True,
)

# A meter of null: the installation. A plan of null: the meter has the installation's again, or that has none.
rate_assignments = Table(
    "rate_assignments",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("meter", METER, ForeignKey("meters.id")),
    Column("plan", _NAME),
    Column("from_day", Integer, nullable=False),
    Column("lifeline", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_s", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
Index("rate_assignments_by_meter", rate_assignments.c.meter, rate_assignments.c.from_day)

# Which plan a tariff brings to meters.
rate_tariffs = Table(
    "rate_tariffs",
    metadata,
    Column("tariff", Integer, ForeignKey("tariffs.version"), primary_key=True, autoincrement=False),
    Column("plan", NUMBER, ForeignKey("rate_plans.number"), nullable=False),
    Column("made_s", BigInteger, nullable=False),
)
Index("rate_tariffs_by_plan", rate_tariffs.c.plan, rate_tariffs.c.tariff)

rate_sales = Table(
    "rate_sales",
    metadata,
    Column("order_id", ID, ForeignKey("orders.id"), primary_key=True),
    meter_column(),
    Column("plan", NUMBER, ForeignKey("rate_plans.number"), nullable=False),
    Column("day", Integer, nullable=False),
    # Year times twelve and the month from 0: what blocks count in.
    Column("month", Integer, nullable=False),
    Column("paid_micro", BigInteger, nullable=False),
    Column("value_micro", BigInteger, nullable=False),
    Column("energy_pulses", BigInteger, nullable=False),
    Column("entry_micro", BigInteger, nullable=False),
    Column("debt_micro", BigInteger, nullable=False),
    Column("periods", Integer, nullable=False),
    Column("per", String(5), nullable=False),
    Column("lifeline", Boolean, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    CheckConstraint("per IN ('', 'day', 'month')", name="rate_sales_per"),
)
Index("rate_sales_by_month", rate_sales.c.meter, rate_sales.c.month)

rate_lines = Table(
    "rate_lines",
    metadata,
    Column("order_id", ID, ForeignKey("rate_sales.order_id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("kind", String(9), nullable=False),
    Column("name", _NAME, nullable=False),
    Column("account", String(96), nullable=False),
    Column("amount_micro", BigInteger, nullable=False),
    CheckConstraint("amount_micro <> 0", name="rate_lines_amount"),
)

# Up to which day the standing charge of a meter is paid, after each sale and after each that was paid back.
rate_steps = Table(
    "rate_steps",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    meter_column(),
    Column("order_id", ID, ForeignKey("rate_sales.order_id"), nullable=False),
    Column("what", String(8), nullable=False),
    Column("unpaid_from", Integer),
    Column("at_s", BigInteger, nullable=False),
    CheckConstraint("what IN ('sold', 'returned')", name="rate_steps_what"),
    UniqueConstraint("order_id", "what", name="rate_steps_once"),
    sqlite_autoincrement=True,
)
Index("rate_steps_by_meter", rate_steps.c.meter, rate_steps.c.number)
