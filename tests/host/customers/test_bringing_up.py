"""An office of the format before: whoever has a meter has had it since it was enrolled, and all of it is found."""

import pytest
from alembic import command
from sqlalchemy import create_engine, text
from tests.database_servers import DatabaseServer as Server

from prewatt.host.store.dialect.postgresql import PostgresqlDialect
from prewatt.host.store.migrate import REVISIONS, bring_up

BEFORE = REVISIONS[REVISIONS.index("0011") - 1]
OFFICE = (
    "INSERT INTO areas (id, number) VALUES ('A1', 0)",
    "INSERT INTO stations (id, area, number, name) VALUES ('S1', 'A1', 0, 'The Mill'), ('S2', 'A1', 1, '')",
    "INSERT INTO customers (id, name) VALUES ('C1', 'Zoë'), ('C2', '-')",
    "INSERT INTO premises (id, address) VALUES ('P1', '1 Mill Lane')",
    "INSERT INTO meters (id, station, m_id, suite, account, kind, customer, premises, made_s) VALUES"
    " ('000001', 'S1', 0, 'aes-2026', 'open', 'home', 'C1', 'P1', 77),"
    " ('000002', 'S1', 1, 'aes-2026', 'open', 'home', NULL, NULL, 78)",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    if request.param == "sqlite":
        made = create_engine(f"sqlite:///{tmp_path / 'prewatt.db'}")
        yield made
        made.dispose()
        return
    server = Server().start()
    server.run("CREATE DATABASE old")
    made = PostgresqlDialect(server.address("old")).writing_engine()
    yield made
    made.dispose()
    server.close()


def test_an_office_of_the_format_before_is_searched_and_has_its_tenancies(engine, monkeypatch):
    newest = command.upgrade
    monkeypatch.setattr(command, "upgrade", lambda config, revision: newest(config, BEFORE))
    with engine.begin() as connection:
        bring_up(connection)
        for statement in OFFICE:
            connection.execute(text(statement))
    monkeypatch.undo()
    with engine.begin() as connection:
        bring_up(connection)

        def rows(query):
            return [tuple(row) for row in connection.execute(text(query))]

        held = rows("SELECT meter, customer, premises, from_s, until_s FROM tenancies")
        assert held == [("000001", "C1", "P1", 77, None)]
        assert sorted(rows("SELECT kind, id, field, text FROM sought")) == [
            ("customers", "C1", "id", "c1"),
            ("customers", "C1", "name", "zoe"),
            ("customers", "C2", "id", "c2"),
            ("premises", "P1", "address", "1milllane"),
            ("premises", "P1", "id", "p1"),
            ("stations", "S1", "id", "s1"),
            ("stations", "S1", "name", "themill"),
            ("stations", "S2", "id", "s2"),
        ]
        assert rows("SELECT DISTINCT rating_va FROM stations") == [(0,)]
        assert rows("SELECT DISTINCT locale, phone, email, notices FROM customers") == [("en", "", "", "")]
