"""Who lived where at which meter since when, who sells to the seller and for the seller, and texts to search."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, String, Table, Text, text

from prewatt.host.store.schema.columns import ID, NUMBER, metadata, meter_column

__all__ = ["agents", "sought", "suppliers", "tenancies"]

# A row is never removed; all that changes in it, once, is when it ended.
tenancies = Table(
    "tenancies",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    meter_column(),
    Column("customer", ID, ForeignKey("customers.id"), nullable=False),
    Column("premises", ID, ForeignKey("premises.id")),
    Column("from_s", BigInteger, nullable=False),
    Column("until_s", BigInteger),
    CheckConstraint("until_s IS NULL OR until_s >= from_s", name="tenancies_times"),
    sqlite_autoincrement=True,
)
_OPEN = text("until_s IS NULL")
Index("tenancies_open", tenancies.c.meter, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("tenancies_by_meter", tenancies.c.meter, tenancies.c.number)
Index("tenancies_by_customer", tenancies.c.customer, tenancies.c.number)
Index("tenancies_by_premises", tenancies.c.premises, tenancies.c.number)

suppliers = Table(
    "suppliers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("phone", String(16), nullable=False, server_default=""),
    Column("email", String(254), nullable=False, server_default=""),
)

agents = Table(
    "agents",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("phone", String(16), nullable=False, server_default=""),
    Column("email", String(254), nullable=False, server_default=""),
)

# What all of them are found by, normalised. Its order is that of the bytes, so that an index finds prefixes.
sought = Table(
    "sought",
    metadata,
    Column("kind", String(9), primary_key=True),
    Column("id", ID, primary_key=True),
    Column("field", String(8), primary_key=True),
    Column("text", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),
    CheckConstraint("kind IN ('customers', 'premises', 'suppliers', 'agents', 'stations')", name="sought_kind"),
)
Index("sought_by_text", sought.c.text)
