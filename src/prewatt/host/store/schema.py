"""The tables, as SQLAlchemy Core describes them. Alembic revisions make them; a test compares the two.

Meters are named by their six hex digits. Columns end in their unit. Tables that only ever grow (`entries`,
`record_file`, `reports`, `events`, `alarms`, `audit_log`) refuse UPDATE and DELETE by triggers; so does the part of
`tariffs` and `payments` that was once promised. What is shown may change; what was said may not.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "APPEND_ONLY",
    "accounts",
    "alarms",
    "areas",
    "audit_log",
    "books",
    "controls",
    "counter_books",
    "customers",
    "day_logs",
    "entries",
    "events",
    "installation",
    "mark",
    "metadata",
    "meter_keys",
    "meters",
    "orders",
    "payments",
    "premises",
    "record_file",
    "reports",
    "standings",
    "stations",
    "tariffs",
    "wishes",
]

metadata = MetaData()

_number = BigInteger().with_variant(Integer, "sqlite")
_METER = String(6)
_ID = String(64)


def _meter(*, primary_key: bool = False) -> Column[str]:
    return Column("meter", _METER, ForeignKey("meters.id"), primary_key=primary_key, nullable=False)


installation = Table(
    "installation",
    metadata,
    Column("one", Integer, primary_key=True),
    CheckConstraint("one = 1", name="installation_one"),
    Column("id", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("currency_digits", Integer, nullable=False),
    Column("zone", Text, nullable=False),
    Column("meters_ceiling", Integer, nullable=False),
    Column("vend_ceiling_micro", BigInteger, nullable=False),
    Column("made_s", BigInteger, nullable=False),
)

mark = Table(
    "mark",
    metadata,
    Column("one", Integer, primary_key=True),
    CheckConstraint("one = 1", name="mark_one"),
    Column("generation", BigInteger, nullable=False),
    Column("commits", BigInteger, nullable=False),
)

areas = Table("areas", metadata, Column("id", _ID, primary_key=True))

stations = Table(
    "stations",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("area", _ID, ForeignKey("areas.id"), nullable=False),
)

customers = Table(
    "customers",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", Text, nullable=False),
)

premises = Table(
    "premises",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("address", Text, nullable=False),
)

tariffs = Table(
    "tariffs",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("unit_price_micro", BigInteger, nullable=False),
    Column("mode_table", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("valid_from_s", BigInteger, nullable=False),
    Column("made_s", BigInteger, nullable=False),
)

meters = Table(
    "meters",
    metadata,
    Column("id", _METER, primary_key=True),
    Column("station", _ID, ForeignKey("stations.id"), nullable=False),
    Column("m_id", Integer, nullable=False),
    Column("suite", String(16), nullable=False),
    Column("account", String(8), nullable=False),
    Column("reason", Text),
    Column("customer", _ID, ForeignKey("customers.id")),
    Column("premises", _ID, ForeignKey("premises.id")),
    Column("tariff", Integer, ForeignKey("tariffs.version")),
    Column("made_s", BigInteger, nullable=False),
    CheckConstraint("m_id BETWEEN 0 AND 255", name="meters_m_id_byte"),
    CheckConstraint("account IN ('open', 'blocked', 'closed')", name="meters_account"),
    UniqueConstraint("station", "m_id", name="meters_m_id"),
)

meter_keys = Table(
    "meter_keys",
    metadata,
    _meter(primary_key=True),
    Column("key_set", Integer, primary_key=True),
    CheckConstraint("key_set BETWEEN 0 AND 255", name="meter_keys_byte"),
    Column("state", String(9), nullable=False),
    CheckConstraint("state IN ('confirmed', 'sent', 'gone')", name="meter_keys_state"),
)

books = Table(
    "books",
    metadata,
    _meter(primary_key=True),
    Column("book", LargeBinary, nullable=False),
    Column("epoch_highest", Integer, nullable=False),
    Column("synced", Boolean, nullable=False),
    Column("frozen", Text),
    Column("reconciling", Boolean, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("work", Boolean, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=True),
    Column("id", _ID, nullable=False, unique=True),
    _meter(),
    Column("amount_micro", BigInteger, nullable=False),
    Column("tag", LargeBinary, nullable=False),
    Column("step", String(12), nullable=False),
    Column("place", String(9), nullable=False),
    Column("moves", Integer, nullable=False),
    Column("sequence", BigInteger),
    Column("made_s", BigInteger, nullable=False),
    Column("settled_s", BigInteger),
    CheckConstraint(
        "step IN ('waiting', 'sent', 'refused', 'cancelling', 'lost', 'confirmed', 'cancelled', 'signed over')",
        name="orders_step",
    ),
    CheckConstraint("place IN ('wallet', 'transit', 'delivered', 'lost', 'refunded')", name="orders_place"),
    UniqueConstraint("meter", "sequence", name="orders_sequence"),
    UniqueConstraint("meter", "tag", name="orders_tag"),
    sqlite_autoincrement=True,
)
Index("orders_by_meter", orders.c.meter, orders.c.number)
Index("orders_by_step", orders.c.step, orders.c.number)

payments = Table(
    "payments",
    metadata,
    Column("authorization", _ID, primary_key=True),
    Column("order_id", _ID, ForeignKey("orders.id"), nullable=False, unique=True),
    Column("method", String(16), nullable=False),
    Column("amount_micro", BigInteger, nullable=False),
    Column("at_s", BigInteger, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(96), primary_key=True),
    Column("debits_micro", BigInteger, nullable=False),
    Column("credits_micro", BigInteger, nullable=False),
    Column("debits_pending_micro", BigInteger, nullable=False),
    Column("credits_pending_micro", BigInteger, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=True),
    Column("id", String(96), nullable=False, unique=True),
    Column("phase", String(7), nullable=False),
    Column("debit", String(96), ForeignKey("accounts.id"), nullable=False),
    Column("credit", String(96), ForeignKey("accounts.id"), nullable=False),
    Column("amount_micro", BigInteger, nullable=False),
    Column("pending_id", String(96)),
    Column("cause", Text, nullable=False),
    Column("reference", _ID, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    CheckConstraint("amount_micro > 0", name="entries_amount"),
    CheckConstraint("phase IN ('single', 'pending', 'post', 'void')", name="entries_phase"),
    CheckConstraint("debit <> credit", name="entries_two_accounts"),
    sqlite_autoincrement=True,
)
# One end for each pending posting: the database itself refuses a second.
Index("entries_one_end", entries.c.pending_id, unique=True)

record_file = Table(
    "record_file",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=True),
    _meter(),
    Column("sequence", BigInteger),
    Column("tag", LargeBinary),
    Column("amount_micro", BigInteger, nullable=False),
    Column("what", String(16), nullable=False),
    Column("order_id", _ID),
    Column("receipt", LargeBinary, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    UniqueConstraint("meter", "sequence", name="record_file_holder"),
    sqlite_autoincrement=True,
)

reports = Table(
    "reports",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=True),
    _meter(),
    Column("epoch", Integer, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("balance_micro", BigInteger, nullable=False),
    Column("svm_micro", BigInteger, nullable=False),
    Column("tank_micro", BigInteger, nullable=False),
    Column("exchanger_micro", BigInteger, nullable=False),
    Column("received_micro", BigInteger, nullable=False),
    Column("burned_micro", BigInteger, nullable=False),
    Column("returned_micro", BigInteger, nullable=False),
    Column("owed_micro", BigInteger, nullable=False),
    Column("unit_price_micro", BigInteger, nullable=False),
    Column("table_digest", LargeBinary, nullable=False),
    Column("relay_causes", Integer, nullable=False),
    Column("total_pulses", BigInteger, nullable=False),
    Column("registers", Text, nullable=False),
    Column("timer_s", BigInteger, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
Index("reports_by_meter", reports.c.meter, reports.c.number)

standings = Table(
    "standings",
    metadata,
    _meter(primary_key=True),
    Column("report", _number, ForeignKey("reports.number")),
    Column("balance_micro", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    Column("day_next", Integer, nullable=False),
    Column("events_acknowledged", BigInteger, nullable=False),
    Column("events_seen", BigInteger, nullable=False),
)

day_logs = Table(
    "day_logs",
    metadata,
    _meter(primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("first_minute", Integer, primary_key=True),
    Column("day_start_s", BigInteger, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("packing", Integer, nullable=False),
    Column("log", LargeBinary, nullable=False),
    Column("ends", Boolean, nullable=False),
)

events = Table(
    "events",
    metadata,
    _meter(primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("time_s", BigInteger, nullable=False),
    Column("code", Integer, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    Column("at_s", BigInteger, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    _meter(primary_key=True),
    Column("counter", BigInteger, primary_key=True),
    Column("time_s", BigInteger, nullable=False),
    Column("event", Integer, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    Column("at_s", BigInteger, nullable=False),
)

wishes = Table(
    "wishes",
    metadata,
    _meter(primary_key=True),
    Column("counter", BigInteger, primary_key=True),
    Column("amount_micro", BigInteger, nullable=False),
    Column("at_s", BigInteger, nullable=False),
)

counter_books = Table(
    "counter_books",
    metadata,
    _meter(primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("book", LargeBinary, nullable=False),
)

controls = Table(
    "controls",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=True),
    _meter(),
    Column("rank", Integer, nullable=False),
    Column("code", Integer, nullable=False),
    Column("what", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("state", String(9), nullable=False),
    Column("made_s", BigInteger, nullable=False),
    Column("settled_s", BigInteger),
    CheckConstraint("state IN ('waiting', 'done', 'refused', 'dropped')", name="controls_state"),
    sqlite_autoincrement=True,
)
Index("controls_waiting", controls.c.state, controls.c.meter)

audit_log = Table(
    "audit_log",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=True),
    Column("at_s", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)

# What only ever grows; the database refuses to change or remove a row.
APPEND_ONLY: Final = (entries, record_file, reports, events, alarms, wishes, payments, tariffs, audit_log)
