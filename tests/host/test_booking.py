"""Booking: numbers change hands inside one commit, and an order ends once."""

from dataclasses import replace

import pytest

from prewatt.host.answers import TransferState
from prewatt.host.booking import book_changes
from prewatt.host.refusals import HostError
from prewatt.host.store.books import take_book
from prewatt.protocol.transfer import Cancelled, Confirmed, Lost, OrderState, Renumbered
from prewatt.protocol.transfer_book import replace_order, without_order


@pytest.fixture
def two(world):
    """Orders A and B at one meter, A under a sequence."""
    world.pump()
    world.bodies.clear()
    world.host.vending.vend("000001", "10", order="A")
    world.host.vending.vend("000001", "5", order="B")
    world.pump()
    return world


def step(world, change):
    """Books what ``change(book)`` gives, a book and its changes, in one commit."""

    def work(writing):
        before = take_book(writing, "000001")
        after, changes = change(before)
        book_changes(writing, "000001", before, after, changes, at_s=world.now_s)

    world.host.context.store.write(work)


def test_a_number_goes_from_one_order_to_another_in_one_commit(two):
    def swap(book):
        first, second = book.orders
        ended = replace(second, state=OrderState.CONFIRMED, sequence=first.sequence)
        waiting = replace(first, state=OrderState.WAITING, sequence=None)
        book = without_order(replace_order(book, waiting), second)
        return book, (Confirmed(ended, first.sequence), Renumbered(waiting, first.sequence))

    sequence = two.host.transfers.read("A").sequence
    step(two, swap)
    a, b = two.host.transfers.read("A"), two.host.transfers.read("B")
    assert (a.state, a.step, a.sequence) == (TransferState.PENDING, "waiting", None)
    assert (b.state, b.sequence) == (TransferState.CONFIRMED, sequence)
    meter = two.host.registry.read_meter("000001")
    assert (meter.wallet_micro, meter.in_transit_micro, meter.delivered_micro) == (0, 10_000_000, 5_000_000)


def test_an_order_ends_once(two):
    def end(book):
        order = book.orders[0]
        ended = replace(order, state=OrderState.CANCELLED, sequence=None)
        return without_order(book, order), (Cancelled(ended),)

    def end_again(book):
        first = replace(book.orders[0], order_id="A", amount_micro=10_000_000)
        return replace(book, heard=book.heard + 1), (Confirmed(first, 77),)

    step(two, end)
    with pytest.raises(HostError, match="order A"):
        step(two, end_again)
    assert two.host.transfers.read("A").state is TransferState.CANCELLED
    assert two.host.audit.run().ok


def test_money_of_a_lost_order_waits_in_lost_bodies_and_comes_back_with_it(two):
    def lose(book):
        lost = replace(book.orders[0], state=OrderState.LOST)
        return replace_order(book, lost), (Lost(lost),)

    def find(book):
        lost = book.orders[0]
        waiting = replace(lost, state=OrderState.WAITING, sequence=None)
        return replace_order(book, waiting), (Renumbered(waiting, lost.sequence),)

    step(two, lose)
    assert two.host.registry.read_meter("000001").in_transit_micro == 0
    assert two.host.audit.run().ok
    step(two, find)
    assert two.host.registry.read_meter("000001").wallet_micro == 15_000_000
    assert two.host.audit.run().ok
    two.host.transfers.cancel("A")
    two.host.transfers.refund("A")
    assert two.host.audit.run().refunded_micro == 10_000_000


def test_an_order_that_only_the_book_knows_is_a_fault_that_changes_nothing(two):
    def strange(book):
        order = replace(book.orders[0], order_id="Z")
        return replace(book, orders=(*book.orders[1:], order)), (Cancelled(order),)

    before = two.host.audit.run()
    with pytest.raises(HostError, match="order Z"):
        step(two, strange)
    assert two.host.audit.run() == before
