"""What the auditor writes down of a sale and of a body; and what may follow a body that has ended, by its own record.

An id is sold to, bodies hang on walls. Of each body the auditor keeps everything it ever applied. Bodies of one id are
strangers to each other, and no order may be in two of them; unless one is a twin: made of the other's keys and memory.
"""

from collections import deque
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from typing import Final

from prewatt.codec.messages import MessageType
from prewatt.codec.receipt import RING_ENTRIES_MAX, RingEntry
from prewatt.device.meter.money import Money
from prewatt.host.carrying import carried_order
from prewatt.protocol.transfer import FreezeReason
from prewatt.sim.history import ViolationError
from prewatt.units import counter_of, epoch_of
from prewatt.units.ids import SEQUENCE_COUNTER_MAX

__all__ = ["CARRIED", "Account", "Carried", "Sale", "begin_epoch", "find_carried", "left_of", "may_freeze"]

# A restored host may ask about the first order of a meter; no walk gives one more than this.
_HISTORY_MAX: Final = 1_024
# Lots that the balance of one body may leave in: late words may show more in it after it was signed over.
_LOTS_MAX: Final = 9
_NO_BODY: Final = 0
# How the name of an order begins that carries what another no longer has.
CARRIED: Final = "M-"
# What only a person can know where an id has had more bodies than one: which of them answers.
_OF_BODIES: Final = frozenset({FreezeReason.NO_EPOCH, FreezeReason.OLD_BODY, FreezeReason.WENT_BACK})


@dataclass(slots=True)
class Sale:
    """What the workload knows of one sale: what was asked, and whether the money was given back."""

    meter: str
    amount_micro: int
    back: bool = False


@dataclass(slots=True)
class Account:
    """One body of a meter: all that it ever applied, in sums and, for the newest, entry by entry."""

    meter: str = ""
    body: str = ""
    family: str = ""
    """The first body with this memory and these keys: another name than ``body`` in a twin."""
    history: deque[RingEntry] = field(default_factory=lambda: deque(maxlen=_HISTORY_MAX))
    entries: int = 0
    epochs: set[int] = field(default_factory=set)
    first_sequence: int = -1
    received_micro: int = 0
    returned_micro: int = 0
    burned_micro: int = 0
    last_control: int = 0
    events: int = 0
    money: Money | None = None
    told: dict[tuple[int, int], tuple[int, bytes]] = field(default_factory=dict)
    retired: dict[int, int] = field(default_factory=dict)
    """By epoch: the balance in the instant in which it was retired. It takes no more value, so it only shrinks."""
    given_up: set[int] = field(default_factory=set)
    """Epochs in which a person said that nobody can read it: what it says last, the host may never have heard."""

    @property
    def last_sequence(self) -> int:
        """The newest sequence that is held; -1 for none."""
        return self.history[-1].sequence if self.history else -1

    @property
    def held_micro(self) -> int:
        """Received less returned."""
        return self.received_micro - self.returned_micro

    @property
    def final(self) -> bool:
        """Whether it takes no more value."""
        return counter_of(max(self.last_sequence, 0)) == SEQUENCE_COUNTER_MAX

    def tell(self, payload: bytes, bodies: Iterable["Account"]) -> str | None:
        """It sends a message of its own: what is wrong with its counter, which is used once over all bodies (R13)."""
        kind, key_set, counter = payload[0], payload[2], int.from_bytes(payload[6:10], "big")
        before = self.told.setdefault((kind, counter), (key_set, payload))
        again = before == (key_set, payload) or key_set != before[0]
        alone = kind == MessageType.ALARM or before[1] is payload
        if not (again and alone):
            return f"counter {counter:08X} used twice"
        others = (each for each in bodies if each.family != self.family and (kind, counter) in each.told)
        return next((f"counter {counter:08X} was used by {other.body}" for other in others), None)

    def twin(self, body: str) -> "Account":
        """The account of another body with this memory, as it is now."""
        other = copy(self)
        other.body, other.history, other.told = body, self.history.copy(), dict(self.told)
        other.epochs, other.retired, other.given_up = set(self.epochs), dict(self.retired), set(self.given_up)
        return other


@dataclass(frozen=True, slots=True)
class Carried:
    """Where the value of a carried order comes from: an order that was signed over or went along, or a body's rest."""

    meter: str
    order: str | None
    epoch: int = _NO_BODY


def begin_epoch(account: Account, entry: RingEntry, bodies: Iterable[Account], *, heard: bool) -> set[str]:
    """A body begins an epoch; gives its id where that has twins from now on. ViolationError where the epoch is another
    body's (R8).

    Of two bodies without an epoch that hang there at once the host cannot know which one answers: until it has
    ``heard`` that the first took its command, the second may take the same. Then two memories say the same.
    """
    epoch = epoch_of(entry.sequence)
    others = [each for each in bodies if each.family != account.family and epoch in each.epochs]
    for other in others:
        if heard or entry not in other.history:
            raise ViolationError(f"{account.body}: begins epoch {epoch}, which is that of {other.body}")
        account.family = other.family
    account.epochs.add(epoch)
    return {account.meter} if others else set()


def find_carried(order: str, sales: dict[str, Sale], accounts: Iterable[Account]) -> Carried | None:
    """What an order carries, going by its name alone: it is made of the meter, the body and the lot (R8)."""
    for name, sale in sales.items():
        if carried_order(sale.meter, _NO_BODY, f"order {name}").order_id == order:
            return Carried(sale.meter, name)
    for account in accounts:
        for epoch in account.epochs:
            for lot in range(1, _LOTS_MAX + 1):
                if carried_order(account.meter, epoch, f"balance {lot}").order_id == order:
                    return Carried(account.meter, None, epoch)
    return None


def left_of(source: Carried, sales: dict[str, Sale], bodies: Iterable[Account]) -> int:
    """The most that may leave an order or a body: a retired one receives nothing more, and only burns. Of one that was
    given up older words count, from before it was retired, where no newer ones were heard."""
    if source.order is not None:
        return sales[source.order].amount_micro
    of = [each for each in bodies if source.epoch in each.epochs]
    if any(source.epoch in each.given_up for each in of):
        return max(each.received_micro for each in of)
    return max(each.retired.get(source.epoch, each.received_micro) for each in of)


def may_freeze(bodies: list[Account], reason: str, *, restored: bool) -> bool:
    """Whether a person has to look: only where an id has had several bodies, or a restored host may have missed one."""
    if len(bodies) > 1 and reason in _OF_BODIES:
        return True
    if not restored or not bodies:
        return False
    if reason == FreezeReason.NO_EPOCH:
        return any(account.entries == 0 for account in bodies)
    later = [each for each in bodies if each.entries > 0 and epoch_of(each.first_sequence) > 1]
    return reason == FreezeReason.GAP and any(each.entries <= RING_ENTRIES_MAX for each in later)
