"""The independent auditor: what each meter must hold, predicted from the money side alone.

It keeps its own record of every sale that the workload made and of every answer a customer got, and of every entry that
any meter ever applied; it believes neither host nor meter, and asks each of them only for what it shows. An entry of a
ring that was seen once stays seen: a meter that forgets it, changes it or applies a sale twice, a host that calls an
order confirmed which no meter holds or cancelled which one does, is a violation at that very step (R1 to
R8 of docs/protocol.md).
"""

from collections.abc import Callable
from typing import Any, Final

from prewatt.codec.messages import MessageType
from prewatt.codec.receipt import RingEntry
from prewatt.device.meter.money import Money
from prewatt.host.host import Host
from prewatt.protocol.transfer import OrderState
from prewatt.protocol.transfer_book import burn_tag
from prewatt.sim.account import CARRIED, Account, Sale, begin_epoch, find_carried, left_of, may_freeze
from prewatt.sim.burning import Reckoner
from prewatt.sim.history import ViolationError
from prewatt.sim.home import Home
from prewatt.sim.witness import Witness
from prewatt.units import counter_of, epoch_of

__all__ = ["Account", "Auditor", "Rows", "Sale"]

Rows = Callable[[str], list[Any]]
_COUNTED: Final = frozenset({MessageType.REPORT, MessageType.ALARM, MessageType.WISH})


class Auditor:
    """See the module. ``rows`` reads the host's database past the host."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.witness = Witness(rows, self.check)
        self.reckoner = Reckoner(rows, self.check)
        self.accounts: dict[str, Account] = {}
        """By the body's name."""
        self.bodies: dict[str, list[Account]] = {}
        """By the id they hang under."""
        self.twins = self.witness.twins
        """Ids of which two bodies had the same keys and the same memory."""
        self.sales: dict[str, Sale] = {}
        self.applied = 0
        self._codes: dict[tuple[str, bytes], bytes] = {}
        self.restores = 0
        self._held: dict[tuple[str, bytes], dict[str, RingEntry]] = {}
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
        self.witness.verdicts.issued(order, meter, digits)

    def order_of(self, meter: str, sequence: int) -> str | None:
        """The order that explains what a meter applied under a sequence; None where none does."""
        for account in self.bodies[meter]:
            for entry in account.history:
                if entry.sequence == sequence:
                    tag = self._codes.get((meter, entry.tag), entry.tag)
                    return self._orders.get((meter, tag), (None, 0))[0]
        return None

    def account(self, home: Home) -> Account:
        """What is written down of this body."""
        account = self.accounts.get(home.body)
        return self.add(Account(home.meter, home.body, home.body)) if account is None else account

    def add(self, account: Account, *, of: str = "") -> Account:
        """A body that nobody has seen before; a twin of the body ``of`` holds what its memory says that it holds."""
        self.accounts[account.body] = account
        self.bodies.setdefault(account.meter, []).append(account)
        if of:
            self.twins.add(account.meter)
            for (meter, _), held in self._held.items():
                entry = held.get(of) if meter == account.meter else None
                if entry is not None and entry.sequence <= account.last_sequence:
                    held[account.body] = entry
        return account

    # -- what meters show

    def observe(self, home: Home) -> None:
        """Everything that must hold of a meter at every instant."""
        device, meter = home.device, home.meter
        if device is None:
            return
        self.witness.observe(home)
        self.reckoner.observe(home)
        account = self.account(home)
        money = device.money
        if money is account.money:
            return
        account.money = money
        for entry in money.ring:
            if entry.sequence > account.last_sequence:
                self._enter(meter, account, entry)
        if account.final:
            account.retired.setdefault(epoch_of(account.last_sequence), money.balance_micro)
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
        if begins:
            self._begin_epoch(account, entry)
        if account.first_sequence < 0:
            account.first_sequence = entry.sequence
        account.received_micro += max(entry.amount_micro, 0)
        account.returned_micro += max(-entry.amount_micro, 0)
        self._explain(meter, account, entry)

    def _begin_epoch(self, account: Account, entry: RingEntry) -> None:
        """R8: an epoch is one body's; what was numbered for another can never be applied in this one."""
        wanted = f"SELECT number FROM record_file WHERE meter = '{account.meter}' AND sequence = {entry.sequence}"
        heard = bool(self._rows(wanted))
        self.twins.update(begin_epoch(account, entry, self.bodies[account.meter], heard=heard))

    def _explain(self, meter: str, account: Account, entry: RingEntry) -> None:
        """Value that a body took is one sale of this meter, of that amount, once over all its bodies."""
        tag = self._codes.get((meter, entry.tag), entry.tag)
        held = self._held.setdefault((meter, tag), {})
        if entry.amount_micro:
            self.note_orders()
            order = self._orders.get((meter, tag))
            self.check(order is not None, f"{meter}: {entry} was never ordered of this meter")
            assert order is not None
            self.check(order[1] == entry.amount_micro, f"{meter}: {entry}, ordered {order}")
            again = [each for each in held if each == account.body or self.accounts[each].family != account.family]
            self.check(not again, f"{meter}: order {order} applied twice, in {account.body} and in {again}")
            back = self.sales[order[0]].back and meter not in self.twins
            self.check(not back, f"{meter}: order {order} applied after it was cancelled")
            self.applied += 1
        held[account.body] = entry

    def told(self, home: Home, payload: bytes) -> None:
        """A message of a meter's own: no counter is used for two of them, whatever the power does (R13)."""
        if payload[0] not in _COUNTED:
            return
        wrong = self.account(home).tell(payload, self.bodies[home.meter])
        self.check(wrong is None, f"{home.body}: {wrong}")

    # -- what the host shows

    def note_orders(self) -> None:
        """The tags that the host drew for the sales: the one thing that only it knows."""
        where = f"WHERE number > {self._top} ORDER BY number"
        for number, order, meter, amount_micro, tag in self._rows(
            f"SELECT number, id, meter, amount_micro, tag FROM orders {where}"
        ):
            if order.startswith(CARRIED):
                self._carry(order, meter, amount_micro)
            self.check(order in self.sales, f"order {order} was never asked for")
            sale = self.sales[order]
            asked = (sale.meter, sale.amount_micro)
            self.check(asked == (meter, amount_micro), f"order {order} is {meter} {amount_micro}, asked was {asked}")
            self._orders[meter, tag] = (order, amount_micro)
            self._top = number

    def _carry(self, order: str, meter: str, amount_micro: int) -> None:
        """A carried order takes on what another order or a body no longer has, and never more than that."""
        source = find_carried(order, self.sales, self.accounts.values())
        most = -1 if source is None else left_of(source, self.sales, self.bodies[source.meter])
        self.check(amount_micro <= most, f"order {order} carries {amount_micro} of {source}, which had {most}")
        self.sold(order, meter, amount_micro)
        if self.restores:
            # A host that is asked again may know of other words of the old body.
            self.sales[order].amount_micro = amount_micro

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
        held = list(self._held.get((meter, tag), {}).values())
        if step == OrderState.CONFIRMED:
            self.check(bool(held), f"order {name} is confirmed, and no meter holds it")
            right = any((entry.sequence, entry.amount_micro) == (sequence, amount) for entry in held)
            self.check(right, f"order {name} is {held}")
        elif step == OrderState.CANCELLED:
            self.sales[name].back = True
            nowhere = not held or meter in self.twins
            self.check(nowhere, f"order {name} is {step}, and meter {meter} holds it: {held}")
            burn = self._held.get((meter, burn_tag(tag)))
            self.check(sequence is None or bool(burn), f"order {name} is {step} without its burn")
            self.witness.verdicts.cancelled(name, meter)

    def may_freeze(self, meter: str, reason: str) -> bool:
        """What only a person can know: which body answers; after a restore, that none came and went since."""
        bodies = self.bodies.get(meter, [])
        return meter in self.twins or may_freeze(bodies, reason, restored=bool(self.restores))

    def check_all(self, host: Host) -> None:
        """The host's own audit, and what it shows of each meter."""
        self.check_books()
        answer = host.audit.run()
        # Twins tell two stories under one name: the audit may say so, of that meter and of nothing else.
        wrong = [each for each in answer.violations if each.entity != "meter" or each.id not in self.twins]
        self.check(not wrong, f"audit: {wrong[:3]}")
        for meter in host.registry.read_meters():
            if meter.id in self.twins:
                continue
            left = meter.balance_micro + meter.burned_micro + meter.returned_micro - meter.owed_micro
            self.check(meter.received_micro == left, f"shown of {meter.id}: received {meter.received_micro}, {left}")
            less = min(meter.received_micro, meter.burned_micro, meter.returned_micro, meter.owed_micro) < 0
            self.check(not less, f"shown of {meter.id}: less than nothing, {meter}")
            bodies = self.bodies.get(meter.id) or [Account()]
            true = any(
                meter.received_micro <= each.received_micro and meter.burned_micro <= each.burned_micro
                for each in bodies
            )
            self.check(true, f"{meter.id}: shown is more than the meter ever held: {meter}")
