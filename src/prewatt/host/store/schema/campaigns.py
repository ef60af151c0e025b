"""Campaigns and what became of each of their meters, programs, and the settings each meter should have."""

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
)

from prewatt.host.store.schema.columns import ID, NUMBER, metadata, meter_column

__all__ = ["campaign_meters", "campaigns", "programs", "wanted_settings"]

campaigns = Table(
    "campaigns",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("id", ID, nullable=False, unique=True),
    Column("kind", String(8), nullable=False),
    Column("scope", String(8), nullable=False),
    Column("place", ID, nullable=False),
    Column("what", Text, nullable=False),
    Column("state", String(9), nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("until_s", BigInteger),
    Column("hour_from", Integer, nullable=False),
    Column("hour_to", Integer, nullable=False),
    Column("per_minute", Integer, nullable=False),
    Column("per_station", Integer, nullable=False),
    Column("made_s", BigInteger, nullable=False),
    Column("begun_s", BigInteger),
    Column("ended_s", BigInteger),
    CheckConstraint("kind IN ('tariff', 'key', 'clock', 'text', 'program')", name="campaigns_kind"),
    CheckConstraint("scope IN ('meter', 'station', 'area', 'all')", name="campaigns_scope"),
    CheckConstraint(
        "state IN ('scheduled', 'running', 'paused', 'done', 'cancelled', 'ended')", name="campaigns_state"
    ),
    sqlite_autoincrement=True,
)
Index("campaigns_by_state", campaigns.c.state, campaigns.c.number)

campaign_meters = Table(
    "campaign_meters",
    metadata,
    Column("campaign", NUMBER, ForeignKey("campaigns.number"), primary_key=True),
    meter_column(primary_key=True),
    Column("state", String(9), nullable=False),
    Column("step", String(10), nullable=False),
    Column("control", NUMBER),
    Column("asks", Boolean, nullable=False),
    Column("due_s", BigInteger, nullable=False),
    Column("sent_s", BigInteger),
    Column("settled_s", BigInteger),
    Column("reason", Text, nullable=False),
    CheckConstraint(
        "state IN ('waiting', 'sent', 'confirmed', 'refused', 'dropped', 'cancelled', 'ended')",
        name="campaign_meters_state",
    ),
)
Index("campaign_meters_open", campaign_meters.c.campaign, campaign_meters.c.state, campaign_meters.c.meter)
Index("campaign_meters_by_meter", campaign_meters.c.meter, campaign_meters.c.state)
Index("campaign_meters_by_control", campaign_meters.c.control)
Index("campaign_meters_by_sent", campaign_meters.c.campaign, campaign_meters.c.sent_s)

programs = Table(
    "programs",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("size_bytes", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("maker", LargeBinary, nullable=False),
    Column("image", LargeBinary, nullable=False),
    Column("made_s", BigInteger, nullable=False),
)

wanted_settings = Table(
    "wanted_settings",
    metadata,
    meter_column(primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
