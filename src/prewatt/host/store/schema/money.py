"""Orders, payments, the ledger, and the record file that proves what meters hold."""

from sqlalchemy import (
    BigInteger,
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

from prewatt.host.store.schema.columns import ID, NUMBER, metadata, meter_column

__all__ = [
    "accounts",
    "entries",
    "orders",
    "payments",
    "record_file",
]

orders = Table(
    "orders",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("id", ID, nullable=False, unique=True),
    meter_column(),
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
    CheckConstraint(
        "place IN ('wallet', 'transit', 'delivered', 'lost', 'refunded', 'carried', 'written')", name="orders_place"
    ),
    UniqueConstraint("meter", "sequence", name="orders_sequence"),
    UniqueConstraint("meter", "tag", name="orders_tag"),
    sqlite_autoincrement=True,
)
Index("orders_by_meter", orders.c.meter, orders.c.number)
Index("orders_by_step", orders.c.step, orders.c.number)

payments = Table(
    "payments",
    metadata,
    Column("authorization", ID, primary_key=True),
    Column("order_id", ID, ForeignKey("orders.id"), nullable=False, unique=True),
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
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("id", String(96), nullable=False, unique=True),
    Column("phase", String(7), nullable=False),
    Column("debit", String(96), ForeignKey("accounts.id"), nullable=False),
    Column("credit", String(96), ForeignKey("accounts.id"), nullable=False),
    Column("amount_micro", BigInteger, nullable=False),
    Column("pending_id", String(96)),
    Column("cause", Text, nullable=False),
    Column("reference", ID, nullable=False),
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
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    meter_column(),
    Column("sequence", BigInteger),
    Column("tag", LargeBinary),
    Column("amount_micro", BigInteger, nullable=False),
    Column("what", String(16), nullable=False),
    Column("order_id", ID),
    Column("receipt", LargeBinary, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    UniqueConstraint("meter", "sequence", name="record_file_holder"),
    sqlite_autoincrement=True,
)
