"""The boxes of the field: how they are polled, what they told of themselves, up to where what they kept is booked."""

from sqlalchemy import (
    BigInteger,
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

from prewatt.host.store.schema.columns import ID, NUMBER, metadata

__all__ = ["area_boxes", "boxes", "kept", "polling", "unbooked"]

# One row for the installation (scope "") and one for each station that has settings of its own; null: not its own.
polling = Table(
    "polling",
    metadata,
    Column("scope", ID, primary_key=True),
    Column("schedule", Text),
    Column("hours", Text),
    Column("per_minute", Integer),
)

boxes = Table(
    "boxes",
    metadata,
    Column("station", ID, ForeignKey("stations.id"), primary_key=True),
    Column("heard_s", BigInteger, nullable=False),
    Column("boots", BigInteger, nullable=False),
    Column("members_version", BigInteger, nullable=False),
    Column("plan_version", BigInteger, nullable=False),
    Column("waiting", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("overtaken", BigInteger, nullable=False),
    Column("strange", BigInteger, nullable=False),
    Column("silent", Text, nullable=False),
    Column("refused", Text, nullable=False),
)

area_boxes = Table(
    "area_boxes",
    metadata,
    Column("area", ID, ForeignKey("areas.id"), primary_key=True),
    Column("heard_s", BigInteger, nullable=False),
    Column("boots", BigInteger, nullable=False),
    Column("kept", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("away", Text, nullable=False),
)

kept = Table(
    "kept",
    metadata,
    Column("station", ID, ForeignKey("stations.id"), primary_key=True),
    Column("spool", LargeBinary, primary_key=True),
    Column("acknowledged", BigInteger, nullable=False),
    Column("at_s", BigInteger, nullable=False),
)

# What meters said by themselves and could not be booked, as it came. No reference to a meter: it may not be enrolled.
unbooked = Table(
    "unbooked",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("station", ID, ForeignKey("stations.id")),
    Column("meter", String(6), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("cause", Text, nullable=False),
    Column("times", BigInteger, nullable=False),
    Column("first_s", BigInteger, nullable=False),
    Column("last_s", BigInteger, nullable=False),
    UniqueConstraint("meter", "digest"),
    sqlite_autoincrement=True,
)
Index("unbooked_by_station", unbooked.c.station, unbooked.c.number)
