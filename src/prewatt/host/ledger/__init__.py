"""The pure core of the ledger: accounts, postings with two phases, and the one function that decides.

Double entry in integers: every posting debits one account and credits another by the same micro-units. Accounts hold
cumulative debits and credits, which only grow; a balance is their difference and is never stored. A posting's id comes
from whoever made it, so that the same posting given twice is done once and says so.
"""

from prewatt.host.ledger.accounts import PLACES, Account, AccountId, AccountKind, account_id, kind_of, owner_of
from prewatt.host.ledger.book import MemoryLedger, PostingOutcome, decide
from prewatt.host.ledger.chain import GENESIS, NO_LINK, Break, Entry, EntryRow, Link, check_links, make_link
from prewatt.host.ledger.postings import Phase, Posting
from prewatt.host.ledger.replay import Rejected, Replay

__all__ = [
    "GENESIS",
    "NO_LINK",
    "PLACES",
    "Account",
    "AccountId",
    "AccountKind",
    "Break",
    "Entry",
    "EntryRow",
    "Link",
    "MemoryLedger",
    "Phase",
    "Posting",
    "PostingOutcome",
    "Rejected",
    "Replay",
    "account_id",
    "check_links",
    "decide",
    "kind_of",
    "make_link",
    "owner_of",
]
