"""The host's half of moving value exactly once: pure rules over the book of one meter.

A book goes in, a new book and a list of changes come out; the host stores the book and posts the changes in one
commit. Bytes go out only after the book that explains them is durable. Safety never rests on who holds a lease, on a
clock, or on a balance: only on which tag holds which sequence. What each fact does (R4):

| fact: who holds sequence s                             | what is decided                                           |
| ------------------------------------------------------ | --------------------------------------------------------- |
| s is booked already                                    | nothing (TWO_HOLDERS freezes where the newest disagrees)  |
| an order's tag, the order's amount                     | `Confirmed`; `too_late` where a cancel was asked          |
| an order's own value code, the order's amount          | `Confirmed`                                               |
| an order's burn                                        | `Cancelled`                                               |
| an order's tag or code with another amount             | `Frozen` AMOUNT, `Lost` order, the value in `Suspense`    |
| a fence, the retiring or the commissioning of this book| no money; `Commissioned`, `Retired`                       |
| an unknown tag (so every last beyond what was sent)    | `Unsynced`; its amount in `Suspense`, once                |
| an order, under a number this book never gave it       | `Unsynced`, beside what the tag decides                   |
| nobody: between two neighbours of a ring               | orders numbered there: `Renumbered`                       |
| then, for every order whose own number is booked now   | `Renumbered` (same tag), or `Cancelled` if that was asked |
| a fresh Result below what was known at its Hello, or   | `Frozen` WENT_BACK                                        |
| with sums below those that were shown by then          |                                                           |
| a full ring that begins above the lowest unread number | `Frozen` GAP                                              |
| status 2 to a transfer                                 | `Refused`: stays open, gives way, ends only by a cancel   |

Freshness: `Work.begun` is stamped when the Hello is made and given back with the Result. A Report is never fresh.

Life of a book: `new_book`, `ask_commission`, then `make_order` and `next_work` / `learn` in turn; `ask_cancel`,
`issue_code`; `ask_retire` and `ask_commission` again for a new body; `restored`, then after `Synced` the payments and
`match_suspense`, then `reconciled`; `thaw`, `body_lost` and `sign_over` are a person's. Rules R2 to R8 and R10 of
docs/protocol.md.
"""

from prewatt.protocol.transfer_body import ask_commission, ask_retire, body_lost, reconciled, thaw
from prewatt.protocol.transfer_book import (
    CODES_OPEN_MAX,
    NO_EPOCH,
    OPEN_ORDERS_MAX,
    SAFE_EPOCH_FIRST,
    BodyState,
    FreezeReason,
    MeterBook,
    Order,
    OrderState,
    TransferRuleError,
    UnsyncReason,
    find_order,
    new_book,
)
from prewatt.protocol.transfer_facts import (
    Begun,
    Cancelled,
    Change,
    Commissioned,
    Confirmed,
    ControlDone,
    ControlImpossible,
    ControlStale,
    Fact,
    Frozen,
    Lost,
    Measured,
    Refused,
    Renumbered,
    ReportFact,
    ResultFact,
    Retired,
    SignedOver,
    Suspense,
    Synced,
    Totals,
    Unsynced,
    Work,
    WorkKind,
)
from prewatt.protocol.transfer_fence import restored
from prewatt.protocol.transfer_learn import learn
from prewatt.protocol.transfer_orders import (
    ask_cancel,
    close_suspense,
    issue_code,
    make_order,
    match_suspense,
    sign_over,
)
from prewatt.protocol.transfer_packing import pack_book, unpack_book
from prewatt.protocol.transfer_work import gives_way, next_control, next_work, query_work

__all__ = [
    "CODES_OPEN_MAX",
    "NO_EPOCH",
    "OPEN_ORDERS_MAX",
    "SAFE_EPOCH_FIRST",
    "Begun",
    "BodyState",
    "Cancelled",
    "Change",
    "Commissioned",
    "Confirmed",
    "ControlDone",
    "ControlImpossible",
    "ControlStale",
    "Fact",
    "FreezeReason",
    "Frozen",
    "Lost",
    "Measured",
    "MeterBook",
    "Order",
    "OrderState",
    "Refused",
    "Renumbered",
    "ReportFact",
    "ResultFact",
    "Retired",
    "SignedOver",
    "Suspense",
    "Synced",
    "Totals",
    "TransferRuleError",
    "UnsyncReason",
    "Unsynced",
    "Work",
    "WorkKind",
    "ask_cancel",
    "ask_commission",
    "ask_retire",
    "body_lost",
    "close_suspense",
    "find_order",
    "gives_way",
    "issue_code",
    "learn",
    "make_order",
    "match_suspense",
    "new_book",
    "next_control",
    "next_work",
    "pack_book",
    "query_work",
    "reconciled",
    "restored",
    "sign_over",
    "thaw",
    "unpack_book",
]
