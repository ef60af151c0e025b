"""A journal on a real disk: SQLite with every commit synced."""

import sqlite3
from contextlib import closing

from prewatt.host.payment.iso8583.rows import Trace, parse_row, parse_trace
from prewatt.host.payment.port import ENDED_STATES

ENDED = tuple(state.value for state in ENDED_STATES)


class SqliteJournal:
    """``fail_after``: how many commits still succeed; None: all."""

    def __init__(self, path):
        self.path = path
        self.fail_after = None
        self.commits = 0
        with closing(self.connect()) as connection, connection:
            connection.execute("CREATE TABLE IF NOT EXISTS payments (id TEXT PRIMARY KEY, state TEXT, row BLOB)")
            connection.execute("CREATE TABLE IF NOT EXISTS trace (one INTEGER PRIMARY KEY, row BLOB)")

    def connect(self):
        connection = sqlite3.connect(self.path)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def select(self, where, *values):
        with closing(self.connect()) as connection:
            found = connection.execute(f"SELECT row FROM payments WHERE {where} ORDER BY rowid", values)
            return [parse_row(row) for (row,) in found]

    def read_open(self):
        return self.select(f"state NOT IN ({','.join('?' * len(ENDED))})", *ENDED)

    def read_all(self):
        return self.select("1")

    def read_trace(self):
        with closing(self.connect()) as connection:
            found = connection.execute("SELECT row FROM trace").fetchone()
            return parse_trace(found[0]) if found else Trace()

    def read(self, payment_ids):
        return {row.payment_id: row for each in payment_ids for row in self.select("id = ?", each)}

    def write(self, saves, trace):
        if self.fail_after is not None:
            if self.fail_after == 0:
                raise OSError("no space left on the disk")
            self.fail_after -= 1
        self.commits += 1
        with closing(self.connect()) as connection, connection:
            for save in saves:
                self.save(connection, save)
            if trace is not None:
                connection.execute("INSERT OR REPLACE INTO trace VALUES (1, ?)", (trace.build(),))

    @staticmethod
    def save(connection, save):
        row, data = save.row, save.row.build()
        if save.before is None:
            connection.execute("INSERT INTO payments VALUES (?, ?, ?)", (row.payment_id, row.state.value, data))
            return
        change = (row.state.value, data, row.payment_id, save.before.value)
        done = connection.execute("UPDATE payments SET state = ?, row = ? WHERE id = ? AND state = ?", change)
        assert done.rowcount == 1, f"{row.payment_id} is not {save.before}"
