"""The office: what only a person can decide, done as docs/operating says, with the till's own records at hand.

After a restore it enters again where each meter hangs, explains or matches value in suspense, reconciles, and cancels
what was paid back meanwhile. It retires, replaces and loses bodies, signs over what was lost, and keeps a diary of it:
what a restored host has forgotten is asked of it again, the same thing to the same place. It never thaws a meter before
the right body hangs there; an id of which two bodies tell different stories is given up.
"""

from random import Random
from typing import TYPE_CHECKING, Final

from prewatt.host.answers import MeterAnswer, MeterState
from prewatt.host.bodyanswers import BodyAnswer, SignOverTarget
from prewatt.host.store.books import read_book
from prewatt.protocol.transfer import BodyState, MeterBook
from prewatt.sim.again import asked_again, carry

if TYPE_CHECKING:
    from prewatt.sim.world import World

__all__ = ["Office"]

_BALANCE: Final = "balance"
_ENDED: Final = frozenset({BodyState.RETIRING, BodyState.RETIRED})


class Office:
    """See the module; operations take their own chance."""

    def __init__(self, world: "World") -> None:
        self.world = world
        # Where the value of a retired body shall go, and the diary: what the host has answered.
        self._plans: dict[str, str] = {}
        self.lost: set[str] = set()
        self.moved: dict[str, str] = {}
        self._signed: dict[tuple[str, str], tuple[SignOverTarget, str]] = {}

    def run(self, *, thorough: bool = False) -> None:
        """What a person does about meters that wait for one; ``thorough``: what was begun with bodies is ended."""
        world = self.world
        for meter in sorted(set(world.homes) - world.enrolled):
            world.bodies.enrol(meter)
        for meter in sorted(world.enrolled):
            if (shown := self._shown(meter)) is None:
                return
            self._decide(shown, thorough=thorough)
        for entry in world.call(lambda host: host.transfers.read_suspense()) or ():
            self._explain(entry.meter, entry.sequence)
        for meter in sorted(world.enrolled):
            self._take_back_again(meter)
            shown = self._shown(meter)
            if shown is None or shown.state_reason is None or "reconcile" not in shown.state_reason:
                continue
            # What followed from there before a restore has to follow again, before anything more goes there.
            book = self.book(meter)
            ended = book is not None and book.body in _ENDED
            if ended or self.moved.get(meter, meter) == meter or self._is_moved(meter):
                world.call(lambda host, meter=meter: host.registry.reconcile(meter, "the till agrees"))  # type: ignore[misc]
        world.wake_host()

    def _shown(self, meter: str) -> MeterAnswer | None:
        return self.world.call(lambda host: host.registry.read_meter(meter))

    def _decide(self, shown: MeterAnswer, *, thorough: bool) -> None:
        world, meter = self.world, shown.id
        place, m_id = world.homes[meter].place, world.homes[meter].m_id
        if shown.station != place:
            # A restored registry, or one that died in the middle, does not know on which pole the meter hangs.
            world.call(lambda host: host.topology.move_meter(meter, place, m_id=m_id, reason="it hangs there"))
        if self._touched(meter) and not self._bodies(shown, thorough=thorough):
            return
        self._take_back_again(meter)
        if shown.state is MeterState.FROZEN:
            # Whether the body that hangs there now has an epoch: then it is the one that the books know.
            back = not world.bodies.plain(meter) and world.bodies.epoch(world.homes[meter]) > 0
            world.call(lambda host: host.registry.thaw(meter, "the right body hangs there", back=back))

    def _explain(self, meter: str, sequence: int) -> None:
        """The counter keeps the stubs of the codes it gave out: it knows which order a code was, and matches it where
        that order is open; what was sold after the backup it finds in the till's own records."""
        world = self.world
        order = world.auditor.order_of(meter, sequence)
        if order in self.open_orders(meter):
            self.world.call(lambda host: host.transfers.match_suspense(meter, sequence, order, "on the stub"))
        elif order is not None and (self.ended(meter) or not asked_again(world, order)):
            self.world.call(lambda host: host.transfers.explain_suspense(meter, sequence, "found"))

    def _take_back_again(self, meter: str) -> None:
        """The till's own records: a restored host must not deliver what was taken back before. What followed to
        another meter then is asked to follow again."""
        for order in self.open_orders(meter):
            sale = self.world.auditor.sales[order]
            if sale.back and not sale.followed:
                self.world.call(lambda host, order=order: host.transfers.cancel(order))  # type: ignore[misc]

    def open_orders(self, meter: str) -> list[str]:
        """Orders of a meter that have not ended; the auditor knows them all."""
        self.world.auditor.note_orders()
        where = f"meter = '{meter}' AND settled_s IS NULL"
        return [row[0] for row in self.world.rows(f"SELECT id FROM orders WHERE {where} ORDER BY number")]

    # -- bodies

    def ended(self, meter: str) -> bool:
        """Whether this id is out of use: lost, or replaced by another."""
        return meter in self.lost or self.moved.get(meter, meter) != meter

    def _touched(self, meter: str) -> bool:
        """Whether anything was ever done about the body of this id, or none hangs there."""
        known = meter in self.lost or meter in self.moved or meter in self._plans
        return known or not self.world.bodies.plain(meter) or self.world.homes[meter].away

    def book(self, meter: str) -> MeterBook | None:
        """The host's book of a meter; None while it is down."""
        host = self.world.installation.host
        if host is None:
            return None
        with host.context.store.reading() as connection:
            return read_book(connection, meter)

    def final(self, meter: str) -> bool:
        """Whether the host says that the body is retired and read."""
        answer = self._body(meter)
        return answer is not None and answer.state == "retired" and answer.balance_micro is not None

    def _body(self, meter: str) -> BodyAnswer | None:
        answers = self.world.call(lambda host: host.bodies.read(meter))
        return answers[0] if answers else None

    def _bodies(self, shown: MeterAnswer, *, thorough: bool) -> bool:
        """What has to be done about the bodies of an id; whether the id is in use and may be thawed."""
        meter, book = shown.id, self.book(shown.id)
        if book is None:
            return False
        if book.body is BodyState.LOST or meter in self.lost:
            self._end_lost(meter, book, thorough=thorough)
            return False
        # One whose value has gone on already is not lost with it: the next body hangs there then.
        gone_on = book.body in _ENDED and self._is_moved(meter)
        twin_found = shown.state is MeterState.FROZEN and meter in self.world.auditor.twins and not gone_on
        if twin_found or not self._hang_right(meter, book, thorough=thorough):
            self._lose(meter)
            return False
        if thorough or meter in self.moved:
            self._follow(meter, book)
        return True

    def _hang_right(self, meter: str, book: MeterBook, *, thorough: bool) -> bool:
        """The right body hangs there, where somebody has to look; False where it does not exist any more."""
        bodies = self.world.bodies
        if not thorough and book.frozen is None and book.synced:
            return True
        moved = self.moved.get(meter)
        if moved is not None and moved != meter and self._is_moved(meter):
            bodies.take_down(meter)
            return True
        bare = book.body in (BodyState.NEW, BodyState.COMMISSIONING) or (
            book.body is BodyState.RETIRED and (self._is_moved(meter) or (book.synced and self.final(meter)))
        )
        home = bodies.right(meter, book, bare=bare)
        if home is not None:
            bodies.put(home)
        elif book.body is BodyState.NEW and max(map(bodies.epoch, bodies.all[meter])) > bodies.read_through(book):
            # A host that is forgotten took it into use, and nobody can read it any more: it is given up.
            return False
        elif bare and (book.body not in _ENDED or self._plans.get(meter, meter) == meter):
            bodies.hang_new(meter, Random(f"new {meter}"))
        # Where the value of a retired body goes to another id no next body is needed.
        return bare or home is not None

    def _is_moved(self, meter: str) -> bool:
        answer = self._body(meter)
        return answer is not None and answer.state == "moved"

    def _follow(self, meter: str, book: MeterBook) -> None:
        """The value of a retired body follows."""
        if self.moved.get(meter, meter) != meter and book.body is BodyState.LIVE:
            # The host has forgotten that this body was retired.
            self._retire(meter)
        elif self._waits(meter, book):
            target = self.moved.get(meter) or self._plans.get(meter, meter)
            if meter not in self.moved and self.ended(target):
                self._plans[meter] = target = meter
            self._replace(meter, target)

    def _waits(self, meter: str, book: MeterBook) -> bool:
        """Whether the value of a retired body has still to follow; after a restore the next may hang there before."""
        answer = self._body(meter)
        if book.body in _ENDED:
            return answer is None or answer.state != "moved"
        return answer is not None and answer.state == "retired"

    def _retire(self, meter: str) -> None:
        self.world.call(lambda host: host.bodies.retire(meter, "worn out"))

    def _replace(self, meter: str, target: str) -> None:
        other = None if target == meter else target
        answer = carry(self.world, target, lambda host: host.bodies.replace(meter, "hung by Ann", to_meter=other))
        if answer is not None:
            self.moved[meter] = target
            if target != meter:
                self.world.bodies.take_down(meter)

    def _lose(self, meter: str) -> None:
        answer = self.world.call(lambda host: host.bodies.lose(meter, "nobody can read it"))
        if answer is not None:
            self.lost.add(meter)
            self.moved.pop(meter, None)
            self.world.bodies.one_more()

    def _end_lost(self, meter: str, book: MeterBook, *, thorough: bool) -> None:
        """A lost id is lost again where the host forgot it, and what was signed over is signed over again."""
        if book.body is not BodyState.LOST:
            self._lose(meter)
            return
        self.lost.add(meter)
        answer = self._body(meter)
        if answer is None:
            return
        if thorough:
            self.world.bodies.take_down(meter)
            for order in self.open_orders(meter):
                self.world.call(lambda host, order=order: host.transfers.cancel(order))  # type: ignore[misc]
        lots = list(answer.lost_orders) + (
            [f"{_BALANCE} {len(self._balances(answer)) + 1}"] if answer.lost_micro else []
        )
        for lot in lots:
            if thorough or (meter, lot) in self._signed:
                self._sign(answer, lot, *self._whither(meter, lot))

    def _whither(self, meter: str, lot: str) -> tuple[SignOverTarget, str]:
        """Where it went before, but for a meter that is out of use by now and takes nothing any more."""
        target, name = self._signed.get((meter, lot), (SignOverTarget.WRITE_OFF, "fire"))
        ended = target is SignOverTarget.METER and self.ended(name)
        return (SignOverTarget.WRITE_OFF, "fire") if ended else (target, name)

    def _balances(self, answer: BodyAnswer) -> list[str]:
        return [each.lot for each in answer.signed_over if each.lot.startswith(_BALANCE)]

    def _sign(self, body: BodyAnswer, lot: str, target: SignOverTarget, name: str) -> None:
        meter, what = body.meter, _BALANCE if lot.startswith(_BALANCE) else lot
        for account in self.world.auditor.bodies[meter]:
            account.given_up.add(body.epoch)
        answer = carry(self.world, name, lambda host: host.bodies.sign_over(meter, what, target, name, "he was there"))
        if answer is not None:
            self._signed.setdefault((meter, answer.lot), (target, name))

    # -- operations

    def op_retire(self, chance: Random) -> None:
        """A body shall be replaced: by the next of its id, by a meter that is there, or by one more."""
        meter, how = self.world.some_home(chance).meter, chance.random()
        target = meter if how < 0.6 else self.world.some_home(chance).meter
        if how > 0.8:
            target = self.world.bodies.one_more() or meter
        self._plans.setdefault(meter, target)
        self._retire(meter)
        self.world.wake_host()

    def op_replace(self, chance: Random) -> None:
        """Its value follows, if the host lets it."""
        meters = sorted(self._plans)
        if meters:
            meter = chance.choice(meters)
            self._replace(meter, self.moved.get(meter) or self._plans[meter])
            self.world.wake_host()

    def op_lose(self, chance: Random) -> None:
        """A body burns, or is stolen: then it may be heard again some day."""
        world, home = self.world, self.world.some_home(chance)
        if home.meter in self.lost or len(self.lost) >= len(world.homes) - 1:
            return
        home.take_away()
        home.scrapped = chance.random() < 0.5
        self._lose(home.meter)

    def op_sign_over(self, chance: Random) -> None:
        """Somebody says where a lot of a lost body goes."""
        lost = sorted(self.lost)
        answer = self._body(chance.choice(lost)) if lost else None
        if answer is None or answer.state != "lost":
            return
        meter, lots = answer.meter, list(answer.lost_orders)
        if answer.lost_micro:
            lots.append(f"{_BALANCE} {len(self._balances(answer)) + 1}")
        if not lots:
            return
        lot, target = chance.choice(lots), chance.choice(list(SignOverTarget))
        name = {SignOverTarget.METER: self.world.some_home(chance).meter, SignOverTarget.REFUND: ""}.get(target, "fire")
        target, name = self._signed.get((meter, lot), (target, name))
        self._sign(answer, lot, target, name)
        self.world.wake_host()
