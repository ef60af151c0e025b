"""The hot statements, as PostgreSQL takes them."""

from collections.abc import Mapping
from typing import Final

from prewatt.host.store.dialect.hot import Hot

__all__ = ["POSTGRESQL_HOT"]

POSTGRESQL_HOT: Final[Mapping[Hot, str]] = {
    Hot.ENTRIES_BY_IDS: (
        "SELECT id, phase, debit, credit, amount_micro, cause, reference, pending_id FROM entries"
        " WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))"
    ),
    Hot.ENDS_BY_IDS: (
        "SELECT pending_id, phase FROM entries WHERE pending_id = ANY (ARRAY(SELECT"
        " json_array_elements_text($1::json)))"
    ),
    Hot.ENTRIES_INSERT: (
        "INSERT INTO entries (id, phase, debit, credit, amount_micro, cause, reference, pending_id, at_s)"
        " SELECT (each ->> 0), (each ->> 1), (each ->> 2), (each ->> 3), (each ->> 4)::bigint, (each ->> 5),"
        " (each ->> 6), (each ->> 7), (each ->> 8)::bigint"
        " FROM json_array_elements($1::json) AS each"
    ),
    Hot.ACCOUNTS_BY_IDS: (
        "SELECT id, debits_micro, credits_micro, debits_pending_micro, credits_pending_micro FROM accounts"
        " WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))"
    ),
    Hot.ACCOUNTS_PUT: (
        "INSERT INTO accounts (id, debits_micro, credits_micro, debits_pending_micro, credits_pending_micro)"
        " SELECT (each ->> 0), (each ->> 1)::bigint, (each ->> 2)::bigint, (each ->> 3)::bigint, (each ->> 4)::bigint"
        " FROM json_array_elements($1::json) AS each"
        " ON CONFLICT (id) DO UPDATE SET debits_micro ="
        " excluded.debits_micro, credits_micro = excluded.credits_micro, debits_pending_micro ="
        " excluded.debits_pending_micro, credits_pending_micro = excluded.credits_pending_micro"
    ),
    Hot.BOOK_BY_METER: "SELECT book FROM books WHERE meter = $1",
    Hot.BOOK_UPDATE: (
        "UPDATE books SET book = $1, epoch_highest = $2, synced = $3, frozen = $4, reconciling = $5, live"
        " = $6, body = $7, work = $8 WHERE meter = $9"
    ),
    Hot.ORDER_MONEY: "SELECT place, moves, amount_micro FROM orders WHERE id = $1 AND meter = $2",
    Hot.ORDER_PLACE: "UPDATE orders SET place = $1, moves = $2 WHERE id = $3",
    Hot.ORDER_LET_GO: "UPDATE orders SET sequence = NULL WHERE id = $1 AND settled_s IS NULL",
    Hot.ORDER_STEP: "UPDATE orders SET step = $1, sequence = $2, settled_s = $3 WHERE id = $4 AND settled_s IS NULL",
    Hot.ORDER_BY_TAG: "SELECT id FROM orders WHERE meter = $1 AND tag = $2",
    Hot.ORDER_INSERT: (
        "INSERT INTO orders (id, meter, amount_micro, tag, step, place, moves, made_s) VALUES ($1, $2,"
        " $3, $4, 'waiting', 'wallet', 0, $5) RETURNING number"
    ),
    Hot.ORDER_EXISTS: "SELECT 1 FROM orders WHERE id = $1",
    Hot.METER_ACCOUNT: "SELECT account, reason, kind FROM meters WHERE id = $1",
    Hot.LOG_TAIL: "SELECT number, hash FROM log_tail",
    Hot.LOG_TAIL_PUT: "UPDATE log_tail SET number = $1, hash = $2",
    Hot.LOG_INSERT: (
        "INSERT INTO audit_log (number, at_s, actor, origin, action, subject, detail, before, after, hash)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    ),
    Hot.RATE_ASSIGNED: "SELECT 1 FROM rate_assignments WHERE meter = $1 OR meter IS NULL LIMIT 1",
    Hot.PAYMENT_INSERT: (
        'INSERT INTO payments ("authorization", order_id, method, amount_micro, at_s) VALUES ($1, $2, $3, $4, $5)'
    ),
    Hot.RECORD_HOLDER: (
        "INSERT INTO record_file (meter, sequence, tag, amount_micro, what, order_id, receipt, at_s)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (meter, sequence) DO NOTHING"
    ),
    Hot.COMMITS: "SELECT commits FROM mark",
    Hot.COMMIT_NUMBER: "UPDATE mark SET commits = commits + 1 RETURNING commits, pg_current_xact_id()::text",
}
