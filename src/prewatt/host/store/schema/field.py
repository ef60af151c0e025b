"""What meters tell: reports, the days' minutes, events, alarms, wishes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from prewatt.host.store.schema.columns import NUMBER, metadata, meter_column

__all__ = [
    "alarms",
    "counter_books",
    "day_logs",
    "events",
    "reports",
    "standings",
    "wishes",
]

reports = Table(
    "reports",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    meter_column(),
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
Index("reports_by_clock", reports.c.meter, reports.c.timer_s)

standings = Table(
    "standings",
    metadata,
    meter_column(primary_key=True),
    Column("report", NUMBER, ForeignKey("reports.number")),
    Column("balance_micro", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    Column("day_next", Integer, nullable=False),
    Column("events_acknowledged", BigInteger, nullable=False),
    Column("read_s", BigInteger, nullable=False, server_default="0"),
    Column("polled_s", BigInteger, nullable=False, server_default="0"),
)

day_logs = Table(
    "day_logs",
    metadata,
    meter_column(primary_key=True),
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
    meter_column(primary_key=True),
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
    meter_column(primary_key=True),
    Column("counter", BigInteger, primary_key=True),
    Column("time_s", BigInteger, nullable=False),
    Column("event", Integer, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    Column("at_s", BigInteger, nullable=False),
)

wishes = Table(
    "wishes",
    metadata,
    meter_column(primary_key=True),
    Column("counter", BigInteger, primary_key=True),
    Column("amount_micro", BigInteger, nullable=False),
    Column("at_s", BigInteger, nullable=False),
)

counter_books = Table(
    "counter_books",
    metadata,
    meter_column(primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("book", LargeBinary, nullable=False),
)
