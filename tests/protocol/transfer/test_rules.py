"""The rules one by one: what each fact decides (the table of `prewatt.protocol.transfer`), and what is sent next."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.bodies import Commission, Transfer
from prewatt.codec.commands import Code, control_digest
from prewatt.codec.receipt import Receipt, RingEntry, Status
from prewatt.protocol import transfer as rules
from prewatt.protocol.transfer import BodyState, FreezeReason, OrderState, WorkKind
from prewatt.protocol.transfer_book import burn_tag, code_tag
from prewatt.units import MeterId, epoch_start

METER = MeterId(bytes.fromhex("000001"))
START = epoch_start(1)
COMMISSION_TAG = bytes.fromhex("1111111111111111")
STRANGER = bytes.fromhex("0102030405060708")
RANDOM = bytes.fromhex("5555555555555555")


def tag(number):
    return bytes((0x20, number)) * 4


def entry(counter, holder, amount=0):
    return RingEntry(START + counter, holder, amount)


def receipt(held, status=Status.DONE, balance=0, control=0):
    return Receipt(balance, METER, status, held.sequence, held.tag, held.amount_micro, control)


NOBODY = RingEntry(0, bytes(8), 0)
BEGUN = entry(0, burn_tag(COMMISSION_TAG))


def report(*ring):
    return rules.ReportFact(receipt(ring[-1]), tuple(ring))


def heard(held):
    return rules.ReportFact(receipt(held))


def kinds(changes):
    return [type(change) for change in changes if not isinstance(change, rules.Measured)]


@pytest.fixture
def live():
    """The book of a meter in epoch 1 that holds nothing yet."""
    book = rules.ask_commission(rules.new_book(METER), 1, COMMISSION_TAG)
    book, work = rules.next_work(book, RANDOM)
    book, changes = rules.learn(book, rules.ResultFact(work, receipt(BEGUN, control=1)))
    assert set(kinds(changes)) == {rules.Commissioned, rules.ControlDone}
    return book


@pytest.fixture
def sent(live):
    """With order a (10) under way as number 1 and order b (20) waiting; and a's work."""
    book = rules.make_order(live, "a", 10, tag(1))
    book = rules.make_order(book, "b", 20, tag(2))
    return rules.next_work(book, RANDOM)


def test_an_order_is_sent_again_under_its_number_and_tag_until_it_settles(sent):
    book, work = sent
    assert (work.kind, work.sequence, work.numbered) == (WorkKind.TRANSFER, START + 1, True)
    assert work.body == Transfer(10, tag(1)).build()
    again, repeated = rules.next_work(book, RANDOM)
    assert again == book
    assert replace(repeated, numbered=True) == work


def test_the_holder_of_its_number_confirms_an_order_once(sent):
    book, work = sent
    fact = rules.ResultFact(work, receipt(entry(1, tag(1), 10)))
    book, changes = rules.learn(book, fact)
    assert kinds(changes) == [rules.Confirmed]
    book, changes = rules.learn(book, fact)
    assert kinds(changes) == []
    assert rules.next_work(book, RANDOM)[1].order_id == "b"


def test_a_cancel_is_a_burn_and_whoever_came_first_has_it(sent):
    book, work = sent
    book, changes = rules.ask_cancel(book, "a")
    assert changes == ()
    book, burn = rules.next_work(book, RANDOM)
    assert (burn.kind, burn.sequence, burn.body) == (
        WorkKind.BURN,
        work.sequence,
        Transfer(0, burn_tag(tag(1))).build(),
    )
    _, burned = rules.learn(book, heard(entry(1, burn_tag(tag(1)))))
    assert kinds(burned) == [rules.Cancelled]
    _, late = rules.learn(book, heard(entry(1, tag(1), 10)))
    assert kinds(late) == [rules.Confirmed]
    assert [change.too_late for change in late if isinstance(change, rules.Confirmed)] == [True]


def test_an_order_that_never_had_a_number_is_cancelled_in_the_books_alone(sent):
    book, _ = sent
    book, changes = rules.ask_cancel(book, "b")
    assert kinds(changes) == [rules.Cancelled]
    assert [order.order_id for order in book.orders] == ["a"]


def test_out_of_step_nothing_is_cancelled_in_the_books(sent):
    book, _ = sent
    book, _ = rules.restored(book, 1)
    book, changes = rules.ask_cancel(book, "b")
    assert changes == ()
    assert rules.find_order(book, "b").state is OrderState.CANCELLING


def test_status_2_settles_nothing_and_the_refused_order_gives_way(sent):
    book, work = sent
    book, changes = rules.learn(book, rules.ResultFact(work, receipt(BEGUN, Status.IMPOSSIBLE)))
    assert kinds(changes) == [rules.Refused]
    book, fence = rules.next_work(book, RANDOM)
    assert (fence.kind, fence.sequence) == (WorkKind.FENCE, START + 1)
    book, changes = rules.learn(book, rules.ResultFact(fence, receipt(entry(1, burn_tag(RANDOM)))))
    assert kinds(changes) == [rules.Renumbered]
    book, work = rules.next_work(book, RANDOM)
    assert (work.order_id, work.sequence) == ("b", START + 2)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(entry(2, tag(2), 20))))
    book, work = rules.next_work(book, RANDOM)
    assert (work.order_id, work.sequence, work.body) == ("a", START + 3, Transfer(10, tag(1)).build())
    assert rules.find_order(book, "a").state is OrderState.REFUSED


def test_a_refused_order_alone_is_tried_again_under_its_number(live):
    book, work = rules.next_work(rules.make_order(live, "a", 10, tag(1)), RANDOM)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(BEGUN, Status.IMPOSSIBLE)))
    _, again = rules.next_work(book, RANDOM)
    assert (again.kind, again.sequence) == (WorkKind.TRANSFER, work.sequence)


def test_an_unknown_tag_goes_to_suspense_once_and_only_fences_go_out(sent):
    book, _ = sent
    book, changes = rules.learn(book, heard(entry(1, STRANGER, 70)))
    assert kinds(changes) == [rules.Unsynced, rules.Suspense, rules.Renumbered]
    for _ in range(3):
        book, changes = rules.learn(book, heard(entry(1, STRANGER, 70)))
        assert kinds(changes) == []
    _, work = rules.next_work(book, RANDOM)
    assert work.kind is WorkKind.RING


def test_an_own_tag_with_another_amount_freezes_and_the_value_stays_visible(sent):
    book, _ = sent
    book, changes = rules.learn(book, heard(entry(1, tag(1), 11)))
    assert kinds(changes) == [rules.Lost, rules.Frozen, rules.Suspense]
    assert book.frozen is FreezeReason.AMOUNT
    assert rules.next_work(book, RANDOM)[1] is None
    book, changes = rules.sign_over(book, "a")
    assert kinds(changes) == [rules.SignedOver]


def test_a_last_that_went_back_freezes_only_in_a_session_begun_since(sent):
    book, work = sent
    early = rules.query_work(book, Code.RING, b"")
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(entry(1, tag(1), 10))))
    book, changes = rules.learn(book, rules.ResultFact(early, receipt(BEGUN), (BEGUN,)))
    assert kinds(changes) == []
    since = rules.query_work(book, Code.RING, b"")
    book, changes = rules.learn(book, rules.ResultFact(since, receipt(BEGUN), (BEGUN,)))
    assert kinds(changes) == [rules.Frozen]
    assert book.frozen is FreezeReason.WENT_BACK


def test_two_holders_of_the_newest_number_freeze(sent):
    book, work = sent
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(entry(1, tag(1), 10))))
    book, changes = rules.learn(book, heard(entry(1, STRANGER, 10)))
    assert kinds(changes) == [rules.Frozen]
    assert book.frozen is FreezeReason.TWO_HOLDERS


def test_numbers_below_a_full_ring_freeze_for_a_person_who_may_know(sent):
    book, _ = rules.restored(sent[0], 1)
    ring = tuple(entry(counter, burn_tag(tag(counter))) for counter in range(10, 26))
    book, changes = rules.learn(book, rules.ResultFact(rules.next_work(book, RANDOM)[1], receipt(ring[-1]), ring))
    assert kinds(changes)[-1] is rules.Frozen
    assert book.frozen is FreezeReason.GAP
    book, changes = rules.thaw(book, (entry(5, tag(1), 10),))
    assert rules.Confirmed in kinds(changes)
    assert rules.Renumbered not in kinds(changes)
    assert book.frozen is None
    assert not book.synced


def test_a_meter_out_of_step_is_read_then_fenced_eight_times_then_reconciled(sent):
    book, _ = rules.restored(sent[0], 1)
    held = [BEGUN, entry(1, tag(2), 20)]
    kinds_sent = []
    while not book.synced:
        book, work = rules.next_work(book, bytes((0x40, len(held))) * 4)
        kinds_sent.append(work.kind)
        if work.kind is WorkKind.FENCE:
            assert work.sequence == held[-1].sequence + 1
            held.append(RingEntry(work.sequence, work.body[8:], 0))
        ring = tuple(held[-16:]) if work.kind is WorkKind.RING else None
        book, changes = rules.learn(book, rules.ResultFact(work, receipt(held[-1], control=7), ring))
    assert kinds_sent == [WorkKind.RING] + [WorkKind.FENCE] * 8
    assert kinds(changes) == [rules.Synced]
    assert book.last_control == 7
    assert rules.next_work(book, RANDOM)[1] is None
    book, _ = rules.reconciled(book)
    _, work = rules.next_work(book, RANDOM)
    assert (work.order_id, work.sequence) == ("a", START + 10)


def test_a_result_of_a_session_from_before_a_restore_proves_no_freshness(sent):
    book, work = sent
    book, _ = rules.restored(book, 1)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(BEGUN)))
    assert book.fence_from is None


@pytest.mark.parametrize(("width", "dead"), [(1, 1), (8, 8)])
def test_a_fence_reaches_as_far_as_forgotten_codes(width, dead):
    book = replace(rules.new_book(METER, fence_width=width), body=BodyState.LIVE, epoch=1, settled=START)
    book, _ = rules.restored(replace(book, settled_tag=BEGUN.tag), 1)
    book, work = rules.next_work(book, RANDOM)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(BEGUN), (BEGUN,)))
    fences = 0
    while not book.synced:
        book, work = rules.next_work(book, RANDOM)
        fences += 1
        book, _ = rules.learn(book, rules.ResultFact(work, receipt(RingEntry(work.sequence, work.body[8:], 0))))
    assert fences == dead


def test_up_to_eight_orders_are_open_as_codes_under_consecutive_numbers(live):
    book = live
    for number in range(9):
        book = rules.make_order(book, f"o{number}", 10, tag(number))
    for number in range(8):
        book, order = rules.issue_code(book, f"o{number}", lambda sequence, amount: sequence * 1000 + amount)
        assert (order.sequence, order.code) == (START + 1 + number, (START + 1 + number) * 1000 + 10)
        assert rules.issue_code(book, f"o{number}", lambda sequence, amount: 0) == (book, order)
    with pytest.raises(rules.TransferRuleError, match="code"):
        rules.issue_code(book, "o8", lambda sequence, amount: 1)
    third = rules.find_order(book, "o0")
    book, changes = rules.learn(book, heard(entry(1, code_tag(third.code), 10)))
    assert kinds(changes) == [rules.Confirmed]
    _, work = rules.next_work(book, RANDOM)
    assert (work.order_id, work.sequence) == ("o1", START + 2)


def test_a_code_is_known_by_its_bits_though_the_first_is_set(live):
    book = rules.make_order(live, "a", 10, tag(1))
    book, order = rules.issue_code(book, "a", lambda sequence, amount: 0xFFFF_0000_0000_0001)
    _, changes = rules.learn(book, heard(entry(1, code_tag(order.code), 10)))
    assert kinds(changes) == [rules.Confirmed]


def test_retiring_renumbers_what_it_jumped_over_and_a_new_body_goes_on(sent):
    book, _ = sent
    book = rules.ask_retire(book, tag(9))
    book, work = rules.next_work(book, RANDOM)
    assert work.kind is WorkKind.RETIRE
    end = RingEntry(START | 0xFFFFFF, burn_tag(tag(9)), 0)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(end, control=2)))
    book, work = rules.next_work(book, RANDOM)
    assert work.kind is WorkKind.RING
    book, changes = rules.learn(book, rules.ResultFact(work, receipt(end, control=2), (BEGUN, end)))
    assert kinds(changes) == [rules.Renumbered, rules.Retired]
    assert rules.next_work(book, RANDOM)[1] is None
    book = rules.ask_commission(book, 2, tag(8))
    book, work = rules.next_work(book, RANDOM)
    fresh = RingEntry(epoch_start(2), burn_tag(tag(8)), 0)
    book, changes = rules.learn(book, rules.ResultFact(work, receipt(fresh, control=work.sequence)))
    assert rules.Commissioned in kinds(changes)
    _, work = rules.next_work(book, RANDOM)
    assert (work.order_id, work.sequence) == ("a", epoch_start(2) + 1)


@pytest.mark.parametrize("back", [True, False])
def test_what_a_retired_body_took_unread_is_asked_of_it_where_it_hangs_there_again(sent, back):
    book, _ = sent
    book, work = rules.next_work(rules.ask_retire(book, tag(9)), RANDOM)
    taken, end = entry(1, tag(1), 10), RingEntry(START | 0xFFFFFF, burn_tag(tag(9)), 0)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(end, control=2)))
    # A new body is hung before the ring of the old one was read.
    book, work = rules.next_work(book, RANDOM)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(NOBODY), ()))
    assert book.frozen is FreezeReason.NO_EPOCH
    book, changes = rules.thaw(book, back=back)
    settled = kinds(changes)
    while back and not book.synced:
        book, work = rules.next_work(book, RANDOM)
        book, changes = rules.learn(book, rules.ResultFact(work, receipt(end, control=2), (BEGUN, taken, end)))
        settled += kinds(changes)
    assert (rules.Confirmed in settled) is back
    assert [order.order_id for order in book.orders] == (["b"] if back else ["a", "b"])


def test_a_body_that_holds_value_when_it_is_commissioned_freezes(live):
    book = rules.ask_commission(rules.new_book(METER), 1, COMMISSION_TAG)
    book, work = rules.next_work(book, RANDOM)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(BEGUN, balance=5, control=1)))
    assert book.frozen is FreezeReason.HOLDS_VALUE


@pytest.mark.parametrize("epoch", [-1, 0, 1, 256])
def test_an_epoch_is_above_every_one_before_it(live, epoch):
    book = replace(live, body=BodyState.RETIRED)
    with pytest.raises(rules.TransferRuleError, match="epoch"):
        rules.ask_commission(book, epoch, tag(3))


def test_a_body_without_epoch_that_nobody_expects_freezes(sent):
    book, work = sent
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(NOBODY, Status.IMPOSSIBLE)))
    assert book.frozen is FreezeReason.NO_EPOCH


def test_an_order_lost_with_its_body_is_found_again_in_a_late_report(sent):
    book, changes = rules.body_lost(sent[0])
    assert [change.order.order_id for change in changes] == ["a"]
    book, changes = rules.learn(book, report(BEGUN, entry(1, tag(1), 10)))
    assert kinds(changes) == [rules.Confirmed]
    book, changes = rules.ask_cancel(book, "b")
    assert kinds(changes) == [rules.Cancelled]
    with pytest.raises(rules.TransferRuleError, match="lost"):
        rules.make_order(book, "c", 10, tag(3))


def test_value_in_suspense_may_be_an_order_of_the_backup_whose_code_was_forgotten(live):
    book, _ = rules.restored(rules.make_order(live, "a", 10, tag(1)), 1)
    book, changes = rules.learn(book, heard(entry(1, STRANGER, 10)))
    assert rules.Suspense in kinds(changes)
    with pytest.raises(rules.TransferRuleError, match="under way"):
        rules.match_suspense(book, "a", START + 1)
    book = replace(book, synced=True)
    book, changes = rules.match_suspense(book, "a", START + 1)
    assert kinds(changes) == [rules.Confirmed]
    assert book.suspense == ()


def test_an_order_under_a_number_it_was_never_given_is_settled_and_doubted(sent):
    book, _ = sent
    book, changes = rules.learn(book, report(BEGUN, entry(1, tag(1), 10), entry(2, tag(2), 20)))
    assert kinds(changes) == [rules.Confirmed, rules.Unsynced, rules.Confirmed]


def test_nothing_ends_in_the_books_before_payments_are_reconciled_or_while_frozen(sent):
    book, _ = rules.restored(sent[0], 1)
    book, _ = rules.ask_cancel(book, "a")
    assert rules.ask_cancel(replace(book, synced=True), "b")[1] == ()
    book, changes = rules.learn(book, heard(entry(1, STRANGER, 30)))
    assert rules.Cancelled not in kinds(changes)
    _, changes = rules.learn(replace(book, synced=True), heard(entry(1, STRANGER, 30)))
    assert kinds(changes) == []
    assert rules.ask_cancel(replace(sent[0], frozen=FreezeReason.WENT_BACK), "b")[1] == ()
    book, changes = rules.reconciled(replace(book, synced=True))
    assert kinds(changes) == [rules.Cancelled]


def test_fences_alone_do_not_put_a_meter_in_step_while_a_number_is_unread(live):
    book, _ = rules.restored(replace(live, fence_width=1), 1)
    book, work = rules.next_work(book, RANDOM)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(BEGUN), (BEGUN,)))
    book, _ = rules.next_work(book, RANDOM)
    typed = [entry(1, STRANGER, 5), entry(2, bytes(reversed(STRANGER)), 6)]
    book, _ = rules.learn(book, heard(typed[1]))
    book, work = rules.next_work(book, RANDOM)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(typed[1], Status.SEQUENCE)))
    book, work = rules.next_work(book, RANDOM)
    fence = RingEntry(work.sequence, work.body[8:], 0)
    assert fence.sequence == START + 3
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(fence)))
    assert not book.synced
    book, work = rules.next_work(book, RANDOM)
    assert work.kind is WorkKind.RING
    book, changes = rules.learn(book, rules.ResultFact(work, receipt(fence), (BEGUN, *typed, fence)))
    assert kinds(changes) == [rules.Suspense, rules.Synced]


def test_a_session_begun_before_the_commissioning_was_known_may_tell_of_no_epoch(live):
    book = rules.ask_commission(rules.new_book(METER), 1, COMMISSION_TAG)
    early = rules.query_work(book, Code.RING, b"")
    book, work = rules.next_work(book, RANDOM)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(BEGUN, control=1)))
    book, changes = rules.learn(book, rules.ResultFact(early, receipt(NOBODY), ()))
    assert kinds(changes) == []
    assert book.frozen is None


RETIRED = replace(rules.new_book(METER), body=BodyState.RETIRED, epoch=1, settled=START | 0xFFFFFF)
ASKED = rules.ask_commission(RETIRED, 2, tag(4))


@pytest.mark.parametrize(
    ("book", "highest", "trusted"),
    [
        (rules.new_book(METER), rules.NO_EPOCH, True),
        (rules.new_book(METER), 1, False),
        (RETIRED, 1, True),
        (RETIRED, 2, False),
        (ASKED, 2, False),
        (ASKED, 3, False),
    ],
)
def test_a_restored_book_trusts_a_body_without_epoch_only_if_none_can_have_come_and_gone(book, highest, trusted):
    book, _ = rules.restored(book, highest)
    _, work = rules.next_work(book, RANDOM)
    book, changes = rules.learn(book, rules.ResultFact(work, receipt(NOBODY), ()))
    assert (kinds(changes) == [rules.Synced]) is trusted
    assert (book.frozen is FreezeReason.NO_EPOCH) is not trusted
    if not trusted:
        book, _ = rules.thaw(book)
        _, work = rules.next_work(book, RANDOM)
        book, changes = rules.learn(book, rules.ResultFact(work, receipt(NOBODY), ()))
        book, _ = rules.reconciled(book)
        above = max(highest, book.epoch) + 1
        assert rules.ask_commission(book, above, tag(5)).epoch == above


@pytest.mark.parametrize(("epoch", "frozen"), [(1, None), (2, FreezeReason.GAP)])
def test_a_book_that_lost_the_enrolling_knows_only_an_ids_first_body(epoch, frozen):
    book, _ = rules.restored(rules.new_book(METER), epoch)
    _, work = rules.next_work(book, RANDOM)
    begun = RingEntry(epoch_start(epoch), burn_tag(tag(6)), 0)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(begun), (begun,)))
    assert book.frozen is frozen


@pytest.mark.parametrize("reason", FreezeReason)
def test_a_restore_asks_anew_what_the_meter_will_tell_again(live, reason):
    book, _ = rules.restored(replace(live, frozen=reason), 1)
    asked_anew = reason in (FreezeReason.GAP, FreezeReason.NO_EPOCH, FreezeReason.OLD_BODY)
    assert book.frozen is (None if asked_anew else reason)


def test_a_person_who_says_that_the_older_body_is_the_one_is_believed(sent):
    book, _ = rules.restored(sent[0], 3)
    _, work = rules.next_work(book, RANDOM)
    fact = rules.ResultFact(work, receipt(BEGUN), (BEGUN,))
    book, _ = rules.learn(book, fact)
    assert book.frozen is FreezeReason.OLD_BODY
    book, _ = rules.thaw(book)
    _, work = rules.next_work(book, RANDOM)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(BEGUN), (BEGUN,)))
    assert book.frozen is None


@pytest.mark.parametrize("body", [BodyState.NEW, BodyState.LIVE, BodyState.RETIRED, BodyState.COMMISSIONING])
def test_after_a_restore_the_word_of_an_older_body_counts_nothing_whatever_was_awaited(sent, body):
    """Else an order that the newer body holds could be cancelled in the books alone."""
    book, _ = rules.restored(replace(sent[0], body=body), 3)
    _, work = rules.next_work(book, RANDOM)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(BEGUN), (BEGUN,)))
    assert (book.frozen, book.synced) == (FreezeReason.OLD_BODY, False)


def test_a_session_begun_before_a_thaw_proves_nothing_after_it(sent):
    book, _ = rules.restored(sent[0], 3)
    _, work = rules.next_work(book, RANDOM)
    fact = rules.ResultFact(work, receipt(BEGUN), (BEGUN,))
    book, _ = rules.learn(book, fact)
    book, _ = rules.thaw(book)
    again, _ = rules.learn(book, fact)
    assert (again.synced, again.fence_until, again.frozen) == (False, None, None)


def test_a_commission_names_the_body_that_is_meant(live):
    new = rules.ask_commission(rules.new_book(METER), 1, COMMISSION_TAG)
    assert Commission.parse(rules.next_work(new, RANDOM)[1].body).after == 0
    end = RingEntry(START | 0xFFFFFF, burn_tag(tag(9)), 0)
    retired, _ = rules.learn(rules.ask_retire(live, tag(9)), report(BEGUN, end))
    assert retired.body is BodyState.RETIRED
    for keeps, after in ((False, 0), (True, end.sequence)):
        book = rules.ask_commission(retired, 2, tag(8), keeps_value=keeps)
        assert Commission.parse(rules.next_work(book, RANDOM)[1].body).after == after


# -- control counter (R10)


def test_a_pending_counter_that_the_meter_passed_is_not_sent_again(live):
    book, first = rules.next_control(live, Code.TEXT, b"hello")
    book, _ = rules.learn(book, rules.ReportFact(receipt(BEGUN, control=9)))
    assert first.sequence < 9
    assert rules.next_control(book, Code.TEXT, b"hello")[1].sequence == 10


def test_the_newest_wish_always_has_the_highest_counter(live):
    book, first = rules.next_control(live, Code.RELAY, b"\x01")
    book, second = rules.next_control(book, Code.RELAY, b"\x02")
    book, third = rules.next_control(book, Code.RELAY, b"\x01")
    assert first.sequence < second.sequence < third.sequence
    assert rules.next_control(book, Code.RELAY, b"\x01")[1].sequence == third.sequence


def test_a_stale_counter_is_taken_from_the_receipt_and_passed(live):
    book, work = rules.next_control(live, Code.TEXT, b"hello")
    book, changes = rules.learn(book, rules.ResultFact(work, receipt(BEGUN, Status.CONTROL, control=40)))
    assert [change for change in changes if isinstance(change, rules.ControlStale)] == [
        rules.ControlStale(control_digest(Code.TEXT, b"hello"))
    ]
    assert rules.next_control(book, Code.TEXT, b"hello")[1].sequence == 41


def test_no_control_command_goes_to_a_meter_out_of_step(live):
    book, _ = rules.restored(live, 1)
    assert rules.next_control(book, Code.TEXT, b"hello") == (book, None)


# -- laws


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_facts_in_any_order_and_number_lead_to_the_same_book(data):
    """Receipts of one history, told as Reports in any order, then the ring: the same orders end the same way."""
    amounts = data.draw(st.lists(st.sampled_from([10, 20, -5, 0]), min_size=1, max_size=8))
    base = replace(rules.new_book(METER), body=BodyState.LIVE, epoch=1, settled=START, settled_tag=BEGUN.tag)
    book, held = base, [BEGUN]
    for number, amount in enumerate(amounts, start=1):
        book = rules.make_order(book, f"o{number}", amount or 7, tag(number))
        holder = tag(number) if amount else burn_tag(tag(number))
        held.append(entry(number, holder, amount))
    orders = tuple(
        replace(order, sequence=START + number, state=OrderState.CANCELLING)
        for number, order in enumerate(book.orders, start=1)
    )
    book = replace(book, orders=orders)
    facts = [heard(item) for item in held] + [report(*held[: n + 1]) for n in range(len(held))]
    told = [*data.draw(st.lists(st.sampled_from(facts), max_size=20)), report(*held)]
    ends = {}
    for fact in told:
        book, changes = rules.learn(book, fact)
        for change in changes:
            if isinstance(change, rules.Confirmed | rules.Cancelled):
                assert change.order.order_id not in ends
                ends[change.order.order_id] = type(change)
    wanted = {f"o{n}": rules.Confirmed if amount else rules.Cancelled for n, amount in enumerate(amounts, start=1)}
    assert ends == wanted
    assert (book.settled, book.known, book.orders, book.synced) == (START + len(amounts), (), (), True)


@pytest.mark.parametrize("bad", [b"", bytes(8), bytes(7), bytes((0x80,)) * 8, bytes(range(9))])
def test_a_tag_has_eight_bytes_and_a_clear_first_bit(live, bad):
    with pytest.raises(rules.TransferRuleError, match="tag"):
        rules.make_order(live, "a", 10, bad)


@pytest.mark.parametrize("amount", [0, 2**63, -(2**63) - 1])
def test_an_amount_fits_the_body(live, amount):
    with pytest.raises(rules.TransferRuleError, match="amount"):
        rules.make_order(live, "a", amount, tag(1))


def test_the_queue_of_a_meter_has_an_end(live):
    book = live
    for number in range(rules.OPEN_ORDERS_MAX):
        book = rules.make_order(book, f"o{number}", 10, b"\x01" + number.to_bytes(7, "big"))
    with pytest.raises(rules.TransferRuleError, match="orders are open"):
        rules.make_order(book, "more", 10, tag(1))


def test_a_fact_of_another_meter_is_refused(live):
    other = replace(receipt(BEGUN), meter_id=MeterId(b"\x00\x00\x02"))
    with pytest.raises(rules.TransferRuleError, match="not meter"):
        rules.learn(live, rules.ReportFact(other))


def test_neither_body_nor_tag_nor_code_stands_in_a_repr():
    order = rules.Order("A", 5_000_000, b"\x01TAGTAGT", code=0x4141_4141_4141_4141)
    work = rules.Work(WorkKind.CONTROL, Code.KEY, 1, b"\x01KEYKEYKEY", rules.Begun(0, 0, 0))
    shown = repr((order, work, Transfer(5_000_000, order.tag)))
    assert "TAGTAG" not in shown
    assert "KEYKEY" not in shown
    assert str(order.code) not in shown
