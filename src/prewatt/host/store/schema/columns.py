"""What the tables share: their collection, and the columns that occur in many of them."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
)

__all__ = ["ID", "METER", "NUMBER", "metadata", "meter_column"]

metadata = MetaData()

NUMBER = BigInteger().with_variant(Integer, "sqlite")
METER = String(6)
ID = String(64)


def meter_column(*, primary_key: bool = False) -> Column[str]:
    """The meter a row belongs to."""
    return Column("meter", METER, ForeignKey("meters.id"), primary_key=primary_key, nullable=False)
