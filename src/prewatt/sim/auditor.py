"""The independent auditor: what each meter must hold, predicted from the money side alone.

It keeps its own record of every sale that the workload made and of every answer a customer got, and of every entry that
any meter ever applied; it believes neither host nor meter, and asks each of them only for what it shows. An entry of a
ring that was seen once stays seen: a meter that forgets it, changes it or applies a sale twice, a host that calls an
order confirmed which no meter holds or cancelled which one does, is a violation at that very step (SPEC 3, PROTOCOL R1
to R8).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from prewatt.codec.messages import MessageType
from prewatt.codec.receipt import RING_ENTRIES_MAX, RingEntry
from prewatt.device.meter.money import Money
from prewatt.host.host import Host
from prewatt.protocol.meter_messages import CounterBook
from prewatt.protocol.transfer import FreezeReason, OrderState
from prewatt.protocol.transfer_book import burn_tag
from prewatt.sim.burning import Reckoner
from prewatt.sim.history import ViolationError
from prewatt.sim.home import Home
from prewatt.sim.witness import Witness
from prewatt.units import counter_of, epoch_of

__all__ = ["Account", "Auditor", "Rows", "Sale"]

Rows = Callable[[str], list[Any]]
_COUNTED: Final = frozenset({MessageType.REPORT, MessageType.ALARM, MessageType.WISH})
_HISTORY_MAX: Final = 3 * RING_ENTRIES_MAX


@dataclass(slots=True)
class Sale:
    """What the workload knows of one sale: what was asked, and whether the money was given back."""

    meter: str
    amount_micro: int
    back: bool = False


@dataclass(slots=True)
class Account:
    """One body of a meter: all that it ever applied, in sums and, for the newest, entry by entry."""

    history: deque[RingEntry] = field(default_factory=lambda: deque(maxlen=_HISTORY_MAX))
    entries: int = 0
    first_sequence: int = -1
    received_micro: int = 0
    returned_micro: int = 0
    burned_micro: int = 0
    last_control: int = 0
    events: int = 0
    money: Money | None = None
    told: dict[tuple[int, int], tuple[int, bytes]] = field(default_factory=dict)

    @property
    def last_sequence(self) -> int:
        """The newest sequence that is held; -1 for none."""
        return self.history[-1].sequence if self.history else -1

    @property
    def held_micro(self) -> int:
        """Received less returned."""
        return self.received_micro - self.returned_micro


class Auditor:
    """See the module. ``rows`` reads the host's database past the host."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.witness = Witness(rows, self.check)
        self.reckoner = Reckoner(rows, self.check)
        self.accounts: dict[str, Account] = {}
        self.sales: dict[str, Sale] = {}
        self.applied = 0
        self._codes: dict[tuple[str, bytes], bytes] = {}
        self.restores = 0
        self._held: dict[tuple[str, bytes], RingEntry] = {}
        self._orders: dict[tuple[str, bytes], tuple[str, int]] = {}
        self._answered: set[str] = set()
        self._ended: dict[str, str] = {}
        self._top = 0

    # -- what the workload tells

    def check(self, holds: bool, law: str) -> None:
        """A violation unless ``holds``."""
        if not holds:
            raise ViolationError(law)

    def sold(self, order: str, meter: str, amount_micro: int) -> None:
        """A customer asked for this, whatever came of it."""
        self.sales.setdefault(order, Sale(meter, amount_micro))
        self.witness.sold(order, meter)

    def taken_back(self, order: str, meter: str, amount_micro: int, tag: bytes) -> None:
        """A host of which no books are left has asked a meter for value: it is known by its tag alone."""
        self.sales[order] = Sale(meter, -amount_micro)
        self._orders[meter, tag] = (order, -amount_micro)

    def answered(self, order: str) -> None:
        """A customer has an answer: the sale is in the books now and for ever."""
        self._answered.add(order)

    def restored(self) -> None:
        """The database was put back: what was answered since may have to be made again by people."""
        self.restores += 1
        self._answered.clear()

    def issued(self, order: str, meter: str, digits: str) -> None:
        """A customer has an order on paper: its 64 bits are another tag of that order."""
        self.note_orders()
        tag = next(tag for (where, tag), (name, _) in self._orders.items() if (where, name) == (meter, order))
        self._codes[meter, int(digits).to_bytes(8, "big")] = tag

    def order_of(self, meter: str, sequence: int) -> str | None:
        """The order that explains what a meter applied under a sequence; None where none does."""
        for entry in self.accounts[meter].history:
            if entry.sequence == sequence:
                tag = self._codes.get((meter, entry.tag), entry.tag)
                return self._orders.get((meter, tag), (None, 0))[0]
        return None

    # -- what meters show

    def observe(self, home: Home) -> None:
        """Everything that must hold of a meter at every instant."""
        device, meter = home.device, home.meter
        if device is None:
            return
        self.witness.observe(home)
        self.reckoner.observe(home)
        account = self.accounts.setdefault(meter, Account())
        money = device.money
        if money is account.money:
            return
        account.money = money
        for entry in money.ring:
            if entry.sequence > account.last_sequence:
                self._enter(meter, account, entry)
        self._check_ring(meter, account, money)
        self._check_sums(meter, account, money)

    def _check_ring(self, meter: str, account: Account, money: Money) -> None:
        ring = money.ring
        if not ring:
            self.check(account.entries == 0, f"{meter}: its ring is empty, it applied {account.entries} entries")
            return
        held = [entry for entry in account.history if entry.sequence >= ring[0].sequence]
        self.check(held == list(ring), f"{meter}: its ring is not what it applied")

    def _check_sums(self, meter: str, account: Account, money: Money) -> None:
        check = self.check
        received, returned = account.received_micro, account.returned_micro
        check(money.received_micro == received, f"{meter}: received {money.received_micro}, applied {received}")
        check(money.returned_micro == returned, f"{meter}: returned {money.returned_micro}, applied {returned}")
        predicted = received - returned - money.burned_micro + money.owed_micro
        check(money.balance_micro == predicted, f"{meter}: balance {money.balance_micro}, predicted {predicted}")
        check(not (money.owed_micro and money.balance_micro), f"{meter}: owes {money.owed_micro} with a balance")
        parts = (money.svm_micro, money.tank_micro, money.exchanger_micro, money.acc, money.owed_micro)
        check(min(parts) >= 0, f"{meter}: less than nothing, {money}")
        check(sum(parts[:3]) == money.balance_micro, f"{meter}: the balance is not the sum of its parts")
        control = money.last_control
        check(control >= account.last_control, f"{meter}: control {control} after {account.last_control}")
        account.last_control = control
        account.burned_micro = money.burned_micro

    def _enter(self, meter: str, account: Account, entry: RingEntry) -> None:
        """A sequence that nobody has seen held before."""
        last = account.last_sequence
        begins = counter_of(entry.sequence) == 0 and (last < 0 or epoch_of(entry.sequence) > epoch_of(last))
        follows = last >= 0 and entry.sequence == last + 1
        retires = last >= 0 and counter_of(entry.sequence) == 0xFFFFFF and epoch_of(entry.sequence) == epoch_of(last)
        self.check(begins or follows or retires, f"{meter}: {entry.sequence:08X} after {last:08X}")
        account.history.append(entry)
        account.entries += 1
        if account.first_sequence < 0:
            account.first_sequence = entry.sequence
        account.received_micro += max(entry.amount_micro, 0)
        account.returned_micro += max(-entry.amount_micro, 0)
        self._explain(meter, entry)

    def _explain(self, meter: str, entry: RingEntry) -> None:
        """Value that a meter took is one sale of this meter, of that amount, once."""
        tag = self._codes.get((meter, entry.tag), entry.tag)
        if entry.amount_micro:
            self.note_orders()
            order = self._orders.get((meter, tag))
            self.check(order is not None, f"{meter}: {entry} was never ordered of this meter")
            assert order is not None
            self.check(order[1] == entry.amount_micro, f"{meter}: {entry}, ordered {order}")
            self.check((meter, tag) not in self._held, f"{meter}: order {order} applied twice")
            self.check(not self.sales[order[0]].back, f"{meter}: order {order} applied after it was cancelled")
            self.applied += 1
        self._held[meter, tag] = entry

    def told(self, home: Home, payload: bytes) -> None:
        """A message of a meter's own: no counter is used for two of them, whatever the power does (R13)."""
        if payload[0] not in _COUNTED:
            return
        account = self.accounts.setdefault(home.meter, Account())
        kind, key_set, counter = payload[0], payload[2], int.from_bytes(payload[6:10], "big")
        before = account.told.setdefault((kind, counter), (key_set, payload))
        again = before == (key_set, payload) or key_set != before[0]
        alone = kind == MessageType.ALARM or before[1] is payload
        self.check(again and alone, f"{home.meter}: counter {counter:08X} used twice")

    # -- what the host shows

    def note_orders(self) -> None:
        """The tags that the host drew for the sales: the one thing that only it knows."""
        where = f"WHERE number > {self._top} ORDER BY number"
        for number, order, meter, amount_micro, tag in self._rows(
            f"SELECT number, id, meter, amount_micro, tag FROM orders {where}"
        ):
            sale = self.sales.get(order)
            self.check(sale is not None, f"order {order} was never asked for")
            assert sale is not None
            asked = (sale.meter, sale.amount_micro)
            self.check(asked == (meter, amount_micro), f"order {order} is {meter} {amount_micro}, asked was {asked}")
            self._orders[meter, tag] = (order, amount_micro)
            self._top = number

    def booked(self) -> Callable[[str, int, int], bool]:
        """Whether the host has booked a message that a meter sent by itself: by meter, type and counter."""
        kinds = {"report": MessageType.REPORT, "alarm": MessageType.ALARM, "wish": MessageType.WISH}
        rows = self._rows("SELECT meter, kind, book FROM counter_books")
        books = {(meter, int(kinds[kind])): CounterBook.parse(book) for meter, kind, book in rows}

        def known(meter: str, kind: int, counter: int) -> bool:
            book = books.get((meter, kind))
            return book is not None and book.book(counter) is None

        return known

    def host_began(self) -> None:
        """Another process, perhaps on another database: what it says is read anew."""
        self._top = 0
        self._ended = {}
        self.witness.host_began()
        self.note_orders()
        there = {row[0] for row in self._rows("SELECT id FROM orders")}
        self.check(not (lost := self._answered - there), f"orders {sorted(lost)[:3]} were answered, and are gone")

    def check_books(self) -> None:
        """Every order that ended, against what meters really hold; a freeze without a cause is one too many."""
        self.note_orders()
        self.witness.check_books()
        for order, meter, amount, tag, step, sequence, place in self._rows(
            "SELECT id, meter, amount_micro, tag, step, sequence, place FROM orders WHERE settled_s IS NOT NULL"
        ):
            word = f"{step} {place}"
            if self._ended.get(order) == word:
                continue
            self.check(order not in self._ended or step == "cancelled", f"order {order} ended twice: {word}")
            self._ended[order] = word
            self._check_ended((order, meter, amount, tag), step, sequence)
        for meter, frozen in self._rows("SELECT meter, frozen FROM books WHERE frozen IS NOT NULL"):
            self.check(self.may_freeze(meter, frozen), f"frozen without a cause: {meter}, {frozen}")

    def _check_ended(self, order: tuple[str, str, int, bytes], step: str, sequence: int | None) -> None:
        name, meter, amount, tag = order
        entry = self._held.get((meter, tag))
        if step == OrderState.CONFIRMED:
            self.check(entry is not None, f"order {name} is confirmed, and no meter holds it")
            assert entry is not None
            self.check((entry.sequence, entry.amount_micro) == (sequence, amount), f"order {name} is {entry}")
        elif step == OrderState.CANCELLED:
            self.sales[name].back = True
            self.check(entry is None, f"order {name} is {step}, and meter {meter} holds it: {entry}")
            burn = self._held.get((meter, burn_tag(tag)))
            self.check(sequence is None or burn is not None, f"order {name} is {step} without its burn")

    def may_freeze(self, meter: str, reason: str) -> bool:
        """What only a person can know after a restore: that no other body came between the backup and now."""
        account = self.accounts.get(meter)
        if not self.restores or account is None:
            return False
        if reason == FreezeReason.NO_EPOCH:
            return account.entries == 0
        later = account.entries > 0 and epoch_of(account.first_sequence) > 1
        return reason == FreezeReason.GAP and later and account.entries <= RING_ENTRIES_MAX

    def check_all(self, host: Host) -> None:
        """The host's own audit, and what it shows of each meter."""
        self.check_books()
        answer = host.audit.run()
        self.check(answer.ok, f"audit: {answer.violations[:3]}")
        for meter in host.registry.read_meters():
            left = meter.balance_micro + meter.burned_micro + meter.returned_micro - meter.owed_micro
            self.check(meter.received_micro == left, f"shown of {meter.id}: received {meter.received_micro}, {left}")
            account = self.accounts.get(meter.id, Account())
            self.check(
                meter.received_micro <= account.received_micro and meter.burned_micro <= account.burned_micro,
                f"{meter.id}: shown is more than the meter ever held: {meter}",
            )
