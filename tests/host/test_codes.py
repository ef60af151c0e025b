"""Orders on paper: digits only after the commit, the same for the same order, typed or transferred but never both."""

import pytest
from tests.host.typing_codes import type_code

from prewatt.codec.messages import MessageType
from prewatt.codec.settings import SettingsChange
from prewatt.device.meter.valuecode import CodeOutcome
from prewatt.host.answers import TransferState
from prewatt.host.refusals import RefusedError, StoreError

METER = "000001"


@pytest.fixture
def paper(world):
    """A meter that no line reaches any more."""
    world.settle(1)
    world.spoil = lambda payload: []
    return world


def reach(world):
    world.spoil = None
    for payload in world.bodies[METER].report():
        world.say(METER, payload)
    world.settle(3)


def test_a_typed_code_is_the_order_and_its_transfer_changes_nothing(paper):
    sale = paper.host.vending.vend(METER, "12.34", order="A", with_code=True)
    assert len(sale.code) == 20
    assert type_code(paper, sale.code) is CodeOutcome.STORED
    assert type_code(paper, sale.code) is CodeOutcome.ALREADY_USED
    reach(paper)
    assert paper.host.transfers.read("A").state is TransferState.CONFIRMED
    assert paper.bodies[METER].money.received_micro == 12_340_000
    assert paper.host.audit.run().ok


def test_the_transfer_that_came_first_makes_the_code_a_used_one(paper):
    paper.host.vending.vend(METER, "5", order="A")
    code = paper.host.codes.issue("A")
    assert code == paper.host.codes.issue("1")
    assert (code.amount_micro, code.open) == (5_000_000, 1)
    reach(paper)
    assert paper.host.transfers.read("A").state is TransferState.CONFIRMED
    assert type_code(paper, code.digits) is CodeOutcome.ALREADY_USED
    assert paper.bodies[METER].money.received_micro == 5_000_000
    with pytest.raises(RefusedError, match="not open"):
        paper.host.codes.issue("A")


def test_up_to_eight_codes_are_open_and_typed_in_order(paper):
    sales = [paper.host.vending.vend(METER, f"{number}.00", order=f"o{number}") for number in range(1, 10)]
    codes = [paper.host.codes.issue(sale.order) for sale in sales[:8]]
    assert [code.open for code in codes] == list(range(1, 9))
    with pytest.raises(RefusedError, match="8 codes are open"):
        paper.host.codes.issue("o9")
    assert type_code(paper, codes[1].digits) is CodeOutcome.EARLY
    assert [type_code(paper, code.digits) for code in codes] == [CodeOutcome.STORED] * 8
    reach(paper)
    states = {paper.host.transfers.read(sale.order).state for sale in sales}
    assert states == {TransferState.CONFIRMED}
    assert paper.host.audit.run().ok


def test_an_order_whose_code_is_out_is_cancelled_by_whoever_comes_first(paper):
    for order in ("typed", "burned"):
        code = paper.host.vending.vend(METER, "5", order=order, with_code=True).code
        assert paper.host.transfers.cancel(order).state is TransferState.PENDING
        if order == "typed":
            assert type_code(paper, code) is CodeOutcome.STORED
        reach(paper)
        late = paper.host.transfers.read(order).state
        assert late is (TransferState.CONFIRMED if order == "typed" else TransferState.CANCELLED)
        assert type_code(paper, code) is CodeOutcome.ALREADY_USED
        paper.spoil = lambda payload: []
    assert paper.bodies[METER].money.received_micro == 5_000_000
    assert paper.host.audit.run().ok


@pytest.mark.parametrize(("amount", "allowed"), [("0.01", True), ("41943.03", True), ("41943.04", False)])
def test_a_code_takes_whole_minor_units_up_to_twenty_two_bits(make_world, amount, allowed):
    world = make_world(vend_ceiling_micro=10**12)
    world.settle(1)
    if allowed:
        assert world.host.vending.vend(METER, amount, with_code=True).code is not None
        return
    with pytest.raises(RefusedError, match=r"does not fit a code; allowed is up to 41943\.03"):
        world.host.vending.vend(METER, amount, order="A", with_code=True)
    with pytest.raises(RefusedError, match="number of a transfer"):
        world.host.transfers.read("A")


def test_a_code_is_built_on_the_meters_own_minor_unit(paper):
    paper.host.controls.change_settings(METER, SettingsChange({"minor_micro": 1_000_000}))
    with pytest.raises(RefusedError, match="about to change its minor_micro"):
        paper.host.vending.vend(METER, "5", with_code=True)
    reach(paper)
    with pytest.raises(RefusedError, match="does not fit a code"):
        paper.host.vending.vend(METER, "5.50", with_code=True)
    assert int(paper.host.vending.vend(METER, "5", with_code=True).code) >> 34 & 0x3FFFFF == 5


def test_a_sale_with_a_code_that_cannot_be_is_no_sale(paper):
    paper.host.bodies.lose(METER, "fire")
    for order in ("A", "B"):
        with pytest.raises(RefusedError):
            paper.host.vending.vend(METER, "5", order=order, with_code=True)
    assert paper.host.audit.run().orders == 0


def test_digits_are_shown_only_when_the_commit_is_durable(paper, monkeypatch):
    paper.host.vending.vend(METER, "5", order="A")

    def full(*given):
        raise StoreError("the disk is full")

    monkeypatch.setattr(paper.host.context.store, "commit_group", full)
    with pytest.raises(StoreError):
        paper.host.codes.issue("A")
    monkeypatch.undo()
    paper.restart()
    assert paper.host.transfers.read("A").sequence is None
    assert type_code(paper, paper.host.codes.issue("A").digits) is CodeOutcome.STORED


def test_a_code_whose_number_went_to_another_is_void_and_a_new_one_is_made(paper):
    first = paper.host.vending.vend(METER, "5", order="A", with_code=True).code
    paper.steal(7_000_000)
    assert type_code(paper, first) is CodeOutcome.ALREADY_USED
    reach(paper)
    entry = paper.host.transfers.read_suspense()[0]
    paper.host.transfers.explain_suspense(METER, entry.sequence, "a slip")
    paper.spoil = lambda payload: []
    paper.host.registry.reconcile(METER, "the slip")
    second = paper.host.codes.issue("A").digits
    assert second != first
    assert type_code(paper, first) is CodeOutcome.ALREADY_USED
    assert type_code(paper, second) is CodeOutcome.STORED
    reach(paper)
    assert paper.bodies[METER].money.received_micro == 12_000_000
    with paper.host.context.store.reading() as connection:
        void = "SELECT count(*) FROM audit_log WHERE action = 'value code void'"
        assert connection.exec_driver_sql(void).scalar() == 1
    assert paper.host.audit.run().ok


def test_neither_answer_nor_log_shows_a_code_that_was_not_asked_for(paper):
    digits = paper.host.vending.vend(METER, "5", order="A", with_code=True).code
    assert digits not in repr(paper.host.transfers.read("A"))
    with paper.host.context.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT detail FROM audit_log").scalars().all()
    assert not any(digits in row for row in rows)


def test_a_restore_that_forgot_a_code_waits_for_the_match(paper, backed_up):
    paper.host.vending.vend(METER, "5", order="A")
    paper.host.vending.vend(METER, "6", order="B")
    back_up, restore = backed_up
    back_up(paper)
    assert type_code(paper, paper.host.codes.issue("A").digits) is CodeOutcome.STORED
    restore(paper)
    reach(paper)
    (entry,) = paper.host.transfers.read_suspense()
    with pytest.raises(RefusedError, match=f"'A' has the amount that is in suspense under sequence {entry.sequence}"):
        paper.host.registry.reconcile(METER, "looked at nothing")
    with pytest.raises(RefusedError, match="is held, the order is"):
        paper.host.transfers.match_suspense(METER, entry.sequence, "B", "wrong")
    with pytest.raises(RefusedError, match="not in suspense"):
        paper.host.transfers.match_suspense(METER, entry.sequence + 1, "A", "wrong")
    found = paper.host.transfers.match_suspense(METER, entry.sequence, "A", "the stub")
    assert (found.state, found.sequence) == (TransferState.CONFIRMED, entry.sequence)
    assert paper.host.audit.run().ok
    paper.host.registry.reconcile(METER, "the stub")
    paper.settle(3)
    assert paper.bodies[METER].money.received_micro == 11_000_000
    assert paper.host.audit.run().ok


def test_a_restore_that_forgot_a_change_of_the_minor_unit_sends_the_old_one_before_any_code(paper, backed_up):
    back_up, restore = backed_up
    back_up(paper)
    paper.host.controls.change_settings(METER, SettingsChange({"minor_micro": 1_000_000}))
    reach(paper)
    restore(paper)
    paper.host.dispatch.wake(METER)
    while [each.state for each in paper.host.controls.read(METER)] != ["done"]:
        with pytest.raises(RefusedError):
            paper.host.vending.vend(METER, "5", with_code=True)
        paper.settle(1)
    digits = paper.host.vending.vend(METER, "5", with_code=True).code
    assert int(digits) >> 34 & 0x3FFFFF == 500
    assert "minor_micro" in str(paper.host.controls.read(METER)[0])


def test_a_field_of_repeated_results_does_not_confirm_a_code_twice(paper):
    kept = []
    code = paper.host.vending.vend(METER, "5", order="A", with_code=True).code
    type_code(paper, code)
    paper.spoil = lambda payload: kept.append(payload) or [payload]
    paper.host.vending.vend(METER, "2", order="B")
    paper.settle(2)
    for payload in [each for each in kept if each[0] == MessageType.RESULT]:
        paper.say(METER, payload)
    assert paper.bodies[METER].money.received_micro == 7_000_000
    assert paper.host.audit.run().ok
