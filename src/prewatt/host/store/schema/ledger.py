"""What stands beside the entries: the hash chain over them, and the periods that were closed."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from prewatt.host.store.schema.columns import NUMBER, metadata

__all__ = ["chain", "closes"]

chain = Table(
    "chain",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("first_entry", BigInteger, nullable=False),
    Column("last_entry", BigInteger, nullable=False),
    Column("marks", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
Index("chain_by_last", chain.c.last_entry, unique=True)

closes = Table(
    "closes",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("until_s", BigInteger, nullable=False),
    Column("last_entry", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("at_s", BigInteger, nullable=False),
)
Index("closes_by_until", closes.c.until_s, unique=True)
