"""Stores on both kinds of database, with empty tables and the first row of `mark`."""

import pytest
from sqlalchemy import insert

from prewatt.host.store import schema


@pytest.fixture
def place(databases, quick_paths):
    made = databases.place(quick_paths())
    yield made
    made.drop()


@pytest.fixture
def store(place):
    opened = place.open_store()
    opened.write(lambda writing: writing.connection.execute(insert(schema.mark).values(one=1, generation=1, commits=0)))
    yield opened
    opened.close()
