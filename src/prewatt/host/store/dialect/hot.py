"""The hot statements by name: what every sale runs, written by hand for each kind of database.

A name tells which parameters the statement takes and what it gives; `sqlite` and `postgresql` beside this have its
text. Everything else the host asks goes through SQLAlchemy Core.
"""

from enum import Enum, auto

__all__ = ["Hot"]


class Hot(Enum):
    """A statement: (parameters) -> columns."""

    ENTRIES_BY_IDS = auto()
    """(JSON list of ids) -> id, phase, debit, credit, amount_micro, cause, reference, pending_id, of those there are"""
    ENDS_BY_IDS = auto()
    """(JSON list of pending ids) -> pending id and the phase that ended it, of those that were ended"""
    ENTRIES_INSERT = auto()
    """(JSON list of [id, phase, debit, credit, amount_micro, cause, reference, pending_id, at_s]), in their order"""
    ACCOUNTS_BY_IDS = auto()
    """(JSON list of ids) -> id, debits, credits, pending debits, pending credits, in micro-units, of those there are"""
    ACCOUNTS_PUT = auto()
    """(JSON list of [id, debits, credits, pending debits, pending credits]): new, or in place of the old"""
    BOOK_BY_METER = auto()
    """(meter) -> book"""
    BOOK_UPDATE = auto()
    """(book, epoch_highest, synced, frozen, reconciling, live, body, work, meter)"""
    ORDER_MONEY = auto()
    """(id, meter) -> place, moves, amount_micro"""
    ORDER_PLACE = auto()
    """(place, moves, id)"""
    ORDER_LET_GO = auto()
    """(id): its sequence is given to another; nothing where it is settled"""
    ORDER_STEP = auto()
    """(step, sequence, settled_s, id): nothing where it is settled"""
    ORDER_BY_TAG = auto()
    """(meter, tag) -> id"""
    ORDER_INSERT = auto()
    """(id, meter, amount_micro, tag, made_s) -> number"""
    ORDER_EXISTS = auto()
    """(id) -> 1"""
    METER_ACCOUNT = auto()
    """(meter) -> account, reason, kind"""
    LOG_TAIL = auto()
    """() -> number and hash of the newest line of the audit log"""
    LOG_TAIL_PUT = auto()
    """(number, hash)"""
    LOG_INSERT = auto()
    """(number, at_s, actor, origin, action, subject, detail, before, after, hash)"""
    RATE_ASSIGNED = auto()
    """(meter) -> 1 where a rate plan was ever assigned to it or to the installation"""
    PAYMENT_INSERT = auto()
    """(authorization, order_id, method, amount_micro, at_s)"""
    RECORD_HOLDER = auto()
    """(meter, sequence, tag, amount_micro, what, order_id, receipt, at_s): once for a sequence"""
    COMMITS = auto()
    """() -> number of the last commit"""
    COMMIT_NUMBER = auto()
    """() -> number of this commit; what else a database wants to know it by"""
