"""Bodies behind ids that are in use no more, what became of their value, and suspense that a person matched."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from prewatt.host.store.schema.columns import ID, METER, NUMBER, metadata, meter_column

__all__ = ["bodies", "matches", "sign_overs"]

bodies = Table(
    "bodies",
    metadata,
    meter_column(primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("kind", String(7), nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_s", BigInteger, nullable=False),
    Column("to_meter", METER),
    Column("order_id", ID),
    Column("moved_micro", BigInteger),
    Column("moved_s", BigInteger),
    Column("lost_micro", BigInteger, nullable=False),
    Column("signed_micro", BigInteger, nullable=False),
    Column("voided_micro", BigInteger, nullable=False),
    Column("unreported_micro", BigInteger, nullable=False),
    CheckConstraint("kind IN ('retired', 'lost')", name="bodies_kind"),
)

sign_overs = Table(
    "sign_overs",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    meter_column(),
    Column("epoch", Integer, nullable=False),
    Column("lot", String(64), nullable=False),
    Column("amount_micro", BigInteger, nullable=False),
    Column("target", String(9), nullable=False),
    Column("name", String(64), nullable=False),
    Column("order_id", ID),
    Column("cause", Text, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    CheckConstraint("target IN ('meter', 'refund', 'write off')", name="sign_overs_target"),
    # The database itself refuses to sign anything over twice.
    UniqueConstraint("meter", "epoch", "lot", name="sign_overs_once"),
    sqlite_autoincrement=True,
)

matches = Table(
    "matches",
    metadata,
    meter_column(primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("order_id", ID, ForeignKey("orders.id"), nullable=False, unique=True),
    Column("at_s", BigInteger, nullable=False),
)
