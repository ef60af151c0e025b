"""Which ids a person has to be told of: their body shows less than the host was shown of it before.

A clone of it lived on, or an old copy of its memory was put back. What a body stored it has lived; so a last sequence
below what is settled, or a sum below what was shown in the same epoch, is another body's.
"""

from typing import TYPE_CHECKING

from prewatt.device.meter.money import Money
from prewatt.protocol.transfer import BodyState
from prewatt.protocol.transfer_book import Seen
from prewatt.units import epoch_of

if TYPE_CHECKING:
    from prewatt.sim.office import Office

__all__ = ["find_behind"]


def find_behind(office: "Office") -> set[str]:
    """Ids with a twin, not given up, whose body has not lived what the host knows of it."""
    found, auditor = set(), office.world.auditor
    for meter in auditor.twins - office.lost:
        book, account = office.book(meter), auditor.account(office.world.homes[meter])
        if book is None or book.body is not BodyState.LIVE or not book.synced or account.money is None:
            continue
        last = account.last_sequence
        same = book.seen is not None and book.seen.sums_epoch == epoch_of(max(last, 0))
        if last < book.settled or (same and book.seen is not None and _is_less(account.money, book.seen)):
            found.add(meter)
    return found


def _is_less(money: Money, seen: Seen) -> bool:
    """Whether a sum that only grows is lower than it was shown."""
    summed = money.received_micro + money.burned_micro + money.returned_micro
    burned, returned = money.burned_micro < seen.burned_micro, money.returned_micro < seen.returned_micro
    return burned or returned or summed < seen.sums_micro
