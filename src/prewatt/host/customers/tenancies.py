"""Who lived where at which meter, since when and until when: rows that are ended and never removed.

A meter has at most one open row, and its customer and premises are those of that row; the database holds the first, and
one commit writes both. A meter whose tenancy has ended keeps its premises: the house is empty, not gone. Times never go
back within a meter, whatever a clock does: a row begins when the one before it ended, or later.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select, update

from prewatt.host.customers.answers import TenancyAnswer
from prewatt.host.store import Writing, schema

__all__ = ["begin_tenancies", "begin_tenancy", "end_tenancy", "read_tenancies"]


def begin_tenancies(writing: Writing, people: Sequence[tuple[str, str, str | None]], now_s: int) -> None:
    """First tenancies of meters that had none: meter, customer and premises of each."""
    rows = [
        {"meter": meter, "customer": customer, "premises": premises, "from_s": now_s}
        for meter, customer, premises in people
    ]
    if rows:
        writing.connection.execute(insert(schema.tenancies), rows)


def begin_tenancy(writing: Writing, meter: str, customer: str, premises: str | None, now_s: int) -> None:
    """A customer has a meter from now on; the tenancy before it has ended."""
    tenancies = schema.tenancies
    ended = select(func.max(tenancies.c.until_s)).where(tenancies.c.meter == meter)
    from_s = max(now_s, writing.connection.execute(ended).scalar() or 0)
    begin_tenancies(writing, [(meter, customer, premises)], from_s)


def end_tenancy(writing: Writing, meter: str, now_s: int) -> bool:
    """Ends the open tenancy of a meter; whether there was one."""
    tenancies, connection = schema.tenancies, writing.connection
    is_open = (tenancies.c.meter == meter) & tenancies.c.until_s.is_(None)
    from_s = connection.execute(select(tenancies.c.from_s).where(is_open)).scalar()
    if from_s is None:
        return False
    connection.execute(update(tenancies).where(is_open).values(until_s=max(now_s, from_s)))
    return True


def read_tenancies(
    connection: Connection, *, meter: str | None = None, customer: str | None = None, premises: str | None = None
) -> list[TenancyAnswer]:
    """The tenancies of a meter, a customer or premises, newest first."""
    tenancies = schema.tenancies
    given = ((tenancies.c.meter, meter), (tenancies.c.customer, customer), (tenancies.c.premises, premises))
    query = select(tenancies).where(*(column == key for column, key in given if key is not None))
    return [
        TenancyAnswer(row.meter, row.customer, row.premises, row.from_s, row.until_s)
        for row in connection.execute(query.order_by(tenancies.c.number.desc()))
    ]
