"""The hot statements, as SQLite takes them."""

from collections.abc import Mapping
from typing import Final

from prewatt.host.store.dialect.hot import Hot

__all__ = ["SQLITE_HOT"]

SQLITE_HOT: Final[Mapping[Hot, str]] = {
    Hot.ENTRIES_BY_IDS: (
        "SELECT id, phase, debit, credit, amount_micro, cause, reference, pending_id FROM entries"
        " WHERE id IN (SELECT value FROM json_each(?))"
    ),
    Hot.ENDS_BY_IDS: ("SELECT pending_id, phase FROM entries WHERE pending_id IN (SELECT value FROM json_each(?))"),
    Hot.ENTRIES_INSERT: (
        "INSERT INTO entries (id, phase, debit, credit, amount_micro, cause, reference, pending_id, at_s)"
        " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,"
        " value ->> 7, value ->> 8"
        " FROM json_each(?)"
    ),
    Hot.ACCOUNTS_BY_IDS: (
        "SELECT id, debits_micro, credits_micro, debits_pending_micro, credits_pending_micro FROM accounts"
        " WHERE id IN (SELECT value FROM json_each(?))"
    ),
    Hot.ACCOUNTS_PUT: (
        "INSERT INTO accounts (id, debits_micro, credits_micro, debits_pending_micro, credits_pending_micro)"
        " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4"
        " FROM json_each(?) WHERE true"
        " ON CONFLICT (id) DO UPDATE SET debits_micro ="
        " excluded.debits_micro, credits_micro = excluded.credits_micro, debits_pending_micro ="
        " excluded.debits_pending_micro, credits_pending_micro = excluded.credits_pending_micro"
    ),
    Hot.BOOK_BY_METER: "SELECT book FROM books WHERE meter = ?",
    Hot.BOOK_UPDATE: (
        "UPDATE books SET book = ?, epoch_highest = ?, synced = ?, frozen = ?, reconciling = ?, live = ?,"
        " body = ?, work = ? WHERE meter = ?"
    ),
    Hot.ORDER_MONEY: "SELECT place, moves, amount_micro FROM orders WHERE id = ? AND meter = ?",
    Hot.ORDER_PLACE: "UPDATE orders SET place = ?, moves = ? WHERE id = ?",
    Hot.ORDER_LET_GO: "UPDATE orders SET sequence = NULL WHERE id = ? AND settled_s IS NULL",
    Hot.ORDER_STEP: "UPDATE orders SET step = ?, sequence = ?, settled_s = ? WHERE id = ? AND settled_s IS NULL",
    Hot.ORDER_BY_TAG: "SELECT id FROM orders WHERE meter = ? AND tag = ?",
    Hot.ORDER_INSERT: (
        "INSERT INTO orders (id, meter, amount_micro, tag, step, place, moves, made_s) VALUES (?, ?, ?,"
        " ?, 'waiting', 'wallet', 0, ?) RETURNING number"
    ),
    Hot.ORDER_EXISTS: "SELECT 1 FROM orders WHERE id = ?",
    Hot.METER_ACCOUNT: "SELECT account, reason, kind FROM meters WHERE id = ?",
    Hot.LOG_TAIL: "SELECT number, hash FROM log_tail",
    Hot.LOG_TAIL_PUT: "UPDATE log_tail SET number = ?, hash = ?",
    Hot.LOG_INSERT: (
        "INSERT INTO audit_log (number, at_s, actor, origin, action, subject, detail, before, after, hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    Hot.RATE_ASSIGNED: "SELECT 1 FROM rate_assignments WHERE meter = ? OR meter IS NULL LIMIT 1",
    Hot.PAYMENT_INSERT: (
        "INSERT INTO payments (authorization, order_id, method, amount_micro, at_s) VALUES (?, ?, ?, ?, ?)"
    ),
    Hot.RECORD_HOLDER: (
        "INSERT INTO record_file (meter, sequence, tag, amount_micro, what, order_id, receipt, at_s)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (meter, sequence) DO NOTHING"
    ),
    Hot.COMMITS: "SELECT commits FROM mark",
    Hot.COMMIT_NUMBER: "UPDATE mark SET commits = commits + 1 RETURNING commits",
}
