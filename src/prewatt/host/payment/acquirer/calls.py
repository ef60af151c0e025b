"""Who waits for what: calls that the machine has not answered yet, and those who wait for what becomes of a payment."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from prewatt.host.payment.iso8583.steps import Refuse
from prewatt.host.payment.port import PaymentOutcome
from prewatt.host.refusals import HostError, RefusedError

__all__ = ["Calls", "ChannelError", "Waiter"]


class ChannelError(HostError):
    """The channel cannot say what became of a payment: it has ended, or has too much to do. Ask again, same id."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiter:
    """Somebody who waits for an outcome of this payment that is ``wanted``."""

    payment_id: str
    wanted: Callable[[PaymentOutcome], bool]
    future: asyncio.Future[PaymentOutcome]

    def take(self, outcome: PaymentOutcome) -> None:
        """Tells, where somebody still waits."""
        if not self.future.done():
            self.future.set_result(outcome)

    def fail(self, error: Exception) -> None:
        """Tells that there will be no outcome, where somebody still waits."""
        if not self.future.done():
            self.future.set_exception(error)


class Calls:
    """All who wait; of one loop."""

    def __init__(self) -> None:
        self._last = 0
        self._calls: dict[int, Waiter] = {}
        self._waiters: dict[str, list[Waiter]] = {}

    def number(self) -> int:
        """A number for the next call."""
        self._last += 1
        return self._last

    def begin(self, call: int, payment_id: str, wanted: Callable[[PaymentOutcome], bool]) -> Waiter:
        """A call, which the machine will answer by its number."""
        self._calls[call] = _waiter(payment_id, wanted)
        return self._calls[call]

    def wait(self, payment_id: str, wanted: Callable[[PaymentOutcome], bool]) -> Waiter:
        """Waits for what becomes of a payment; to be forgotten afterwards."""
        waiter = _waiter(payment_id, wanted)
        self._waiters.setdefault(payment_id, []).append(waiter)
        return waiter

    def answer(self, call: int, outcome: PaymentOutcome) -> None:
        """The machine's answer: given where it is wanted, else the caller waits for what follows."""
        waiter = self._calls.pop(call)
        if waiter.wanted(outcome):
            waiter.take(outcome)
        elif not waiter.future.done():
            self._waiters.setdefault(waiter.payment_id, []).append(waiter)

    def refuse(self, refusal: Refuse) -> None:
        """The machine refuses a call."""
        error = RefusedError(refusal.outcome, refusal.field, refusal.given, refusal.allowed)
        self._calls.pop(refusal.call).fail(error)

    def tell(self, payment_id: str, outcome: PaymentOutcome) -> None:
        """What became of a payment, for all who wanted that."""
        for waiter in tuple(self._waiters.get(payment_id, ())):
            if waiter.wanted(outcome) or waiter.future.done():
                self.forget(waiter)
                waiter.take(outcome)

    def forget(self, waiter: Waiter) -> None:
        """It waits no longer."""
        left = [each for each in self._waiters.get(waiter.payment_id, ()) if each is not waiter]
        if left:
            self._waiters[waiter.payment_id] = left
        else:
            self._waiters.pop(waiter.payment_id, None)

    def end(self, why: str) -> None:
        """Nobody will be told anything any more."""
        waiting = [*self._calls.values(), *(waiter for waiters in self._waiters.values() for waiter in waiters)]
        self._calls.clear()
        self._waiters.clear()
        for waiter in waiting:
            waiter.fail(ChannelError(f"payment {waiter.payment_id}: the channel has ended: {why}"))


def _waiter(payment_id: str, wanted: Callable[[PaymentOutcome], bool]) -> Waiter:
    return Waiter(payment_id, wanted, asyncio.get_running_loop().create_future())
