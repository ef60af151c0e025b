"""The installation, its registry, its tariffs, what waits for its meters, and who did what."""

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

__all__ = [
    "areas",
    "audit_log",
    "books",
    "controls",
    "customers",
    "installation",
    "log_tail",
    "mark",
    "meter_keys",
    "meters",
    "premises",
    "stations",
    "tariffs",
]

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

areas = Table(
    "areas",
    metadata,
    Column("id", ID, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    CheckConstraint("number BETWEEN 0 AND 255", name="areas_number_byte"),
)
Index("areas_number", areas.c.number, unique=True)

stations = Table(
    "stations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("area", ID, ForeignKey("areas.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("line", String(32), nullable=False, server_default=""),
    # Of its transformer; 0: not known.
    Column("rating_va", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("number BETWEEN 0 AND 255", name="stations_number_byte"),
)
Index("stations_number", stations.c.area, stations.c.number, unique=True)

customers = Table(
    "customers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("locale", String(8), nullable=False, server_default="en"),
    Column("phone", String(16), nullable=False, server_default=""),
    Column("email", String(254), nullable=False, server_default=""),
    # The ways of notices that the customer wants, with a space between two.
    Column("notices", Text, nullable=False, server_default=""),
)

premises = Table(
    "premises",
    metadata,
    Column("id", ID, primary_key=True),
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
    Column("everywhere", Boolean, nullable=False, server_default="1"),
)
Index("tariffs_by_reach", tariffs.c.everywhere, tariffs.c.version)

meters = Table(
    "meters",
    metadata,
    Column("id", METER, primary_key=True),
    Column("station", ID, ForeignKey("stations.id"), nullable=False),
    Column("m_id", Integer, nullable=False),
    Column("suite", String(16), nullable=False),
    Column("account", String(8), nullable=False),
    Column("reason", Text),
    Column("customer", ID, ForeignKey("customers.id")),
    Column("premises", ID, ForeignKey("premises.id")),
    Column("tariff", Integer, ForeignKey("tariffs.version")),
    Column("made_s", BigInteger, nullable=False),
    Column("kind", String(8), nullable=False, server_default="home"),
    Column("program", BigInteger),
    CheckConstraint("kind IN ('home', 'ct')", name="meters_kind"),
    CheckConstraint("m_id BETWEEN 0 AND 255", name="meters_m_id_byte"),
    CheckConstraint("account IN ('open', 'blocked', 'closed')", name="meters_account"),
    UniqueConstraint("station", "m_id", name="meters_m_id"),
)
Index("meters_by_customer", meters.c.customer, meters.c.id)
Index("meters_by_premises", meters.c.premises, meters.c.id)

meter_keys = Table(
    "meter_keys",
    metadata,
    meter_column(primary_key=True),
    Column("key_set", Integer, primary_key=True),
    CheckConstraint("key_set BETWEEN 0 AND 255", name="meter_keys_byte"),
    Column("state", String(9), nullable=False),
    CheckConstraint("state IN ('confirmed', 'sent', 'gone')", name="meter_keys_state"),
    # Proved once, and maybe gone since: `prewatt.host.meterkeys`.
    Column("doubted", Boolean, nullable=False, server_default="0"),
)

books = Table(
    "books",
    metadata,
    meter_column(primary_key=True),
    Column("book", LargeBinary, nullable=False),
    Column("epoch_highest", Integer, nullable=False),
    Column("synced", Boolean, nullable=False),
    Column("frozen", Text),
    Column("reconciling", Boolean, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("body", String(13), nullable=False, server_default="new"),
    Column("work", Boolean, nullable=False),
)

controls = Table(
    "controls",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    meter_column(),
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
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("at_s", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("origin", Text, nullable=False, server_default=""),
    # JSON objects: what stood there, and what stands there now.
    Column("before", Text),
    Column("after", Text),
    # SHA-256 over the line before and this one; see `store.trail`.
    Column("hash", LargeBinary, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
Index("audit_log_by_subject", audit_log.c.subject, audit_log.c.number)
Index("audit_log_by_actor", audit_log.c.actor, audit_log.c.number)
Index("audit_log_by_time", audit_log.c.at_s, audit_log.c.number)

# One row, the newest line of the audit log: what was removed behind it shows.
log_tail = Table(
    "log_tail",
    metadata,
    Column("name", String(4), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint("name = 'tail'", name="log_tail_one"),
)
