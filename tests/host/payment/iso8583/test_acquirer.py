"""The machine, step by step, where a story shows more than a law."""

from dataclasses import replace
from itertools import pairwise

import pytest
from tests.host.payment.world import CARD, KEY, PROFILE, START_S, World, patient

from prewatt.host.payment.iso8583.acquirer import Acquirer
from prewatt.host.payment.iso8583.card import Card
from prewatt.host.payment.iso8583.fields import De
from prewatt.host.payment.iso8583.messages import Message, parse_message
from prewatt.host.payment.iso8583.profile import ADVICES_MAX, ASKS_MAX, OPEN_MAX, Moment
from prewatt.host.payment.iso8583.reasons import DECLINES, Reason
from prewatt.host.payment.iso8583.rows import STAN_MAX, STANS_PER_HOUR_MAX, Trace, hour_of
from prewatt.host.payment.iso8583.steps import (
    Answer,
    Ask,
    Dial,
    LineLost,
    LineUp,
    Received,
    Save,
    SaveTrace,
    Send,
    Started,
    Tick,
)
from prewatt.host.payment.port import (
    NEXT_STATES,
    Asked,
    Captured,
    Declined,
    Guaranteed,
    PaymentState,
    Reversed,
    Unknown,
)
from prewatt.host.refusals import RefusalOutcome
from prewatt.units import ValueFieldError

# Nobody asks for an echo.
QUIET = patient(echo_after_ms=86_400_000)


@pytest.fixture
def world():
    made = World(profile=QUIET)
    made.connect()
    return made


def guaranteed(world, payment_id="p1"):
    world.ask(payment_id)
    world.deliver(-1, "approve")
    world.deliver(-1)
    assert world.row(payment_id).state is PaymentState.GUARANTEED
    return world.row(payment_id)


def sent(world):
    """What is under way to them, newest last."""
    return [parse_message(each.data, world.profile.dialect) for each in world.flying if each.to_them]


def answer(world, row, mti="0110", **elements):
    """An answer of the test's own making reaches the seller."""
    values = {De.STAN: row.stan, De.RRN: row.rrn, De.RESPONSE: "00", De.APPROVAL: "ABC123"}
    values |= {De[name.upper()]: text for name, text in elements.items()}
    message = Message(mti, {number: text for number, text in values.items() if text})
    world.step(Received(bytes(message.build(world.profile.dialect))))


def test_the_row_is_durable_before_the_question_leaves_and_the_answer_before_it_is_told():
    machine = Acquirer(PROFILE, KEY)
    now = Moment(0, START_S)
    assert machine.step(Started(), now) == (Dial(),)
    machine.step(LineUp(), now)
    effects = machine.step(Ask(1, "p1", 1_000, CARD), now)
    assert [type(effect) for effect in effects] == [Save, SaveTrace, Send, Answer]
    assert effects[0].before is None
    row = effects[0].row
    assert (row.token, row.last4, row.state) == (KEY.token(CARD.pan), "0006", PaymentState.ASKED)
    assert CARD.pan.encode() in bytes(effects[2].data)
    assert CARD.pan not in repr(effects)
    assert CARD.pan.encode() not in row.build()


def test_a_question_holds_what_the_acquirer_needs(world):
    world.ask("p1", 1_234, Card(CARD.pan, "3012", chip="9F26AA", entry_mode="051", sequence="001"))
    (question,) = sent(world)
    row = world.row("p1")
    assert question.mti == "0100"
    assert {number: question.get(number) for number in (De.AMOUNT, De.CURRENCY, De.PAN, De.EXPIRY, De.CHIP)} == {
        De.AMOUNT: "000000001234", De.CURRENCY: "840", De.PAN: CARD.pan, De.EXPIRY: "3012", De.CHIP: "9F26AA",
    }  # fmt: skip
    assert (question.get(De.STAN), question.get(De.RRN)) == (row.stan, row.rrn)
    assert question.get(De.TERMINAL) == "TERM0001"


def test_a_completion_and_its_repeat_differ_in_their_type_alone_and_hold_no_card(world):
    row = guaranteed(world)
    world.capture("p1")
    world.wait(31_000)
    world.wait(6_000)
    first, repeat = sent(world)
    assert (first.mti, repeat.mti) == ("0220", "0221")
    assert first.values == repeat.values
    assert first.get(De.ORIGINAL) == f"0100{row.stan}{first.get(De.ORIGINAL)[10:20]}00000123456" + "0" * 11
    assert first.get(De.APPROVAL).strip() == row.approval
    assert not {De.PAN, De.EXPIRY, De.CHIP} & set(first.values)


def test_reversals_are_the_same_message_under_growing_pauses(world):
    guaranteed(world)
    world.reverse("p1")
    times = [0]
    while len(sent(world)) < 7 and world.ms < 1_000_000:
        before = len(sent(world))
        world.wait(1_000)
        if len(sent(world)) > before:
            times.append(world.ms)
    messages = sent(world)
    assert [message.mti for message in messages] == ["0400", "0401", "0401", "0420", "0421", "0421", "0421"]
    assert len({str(dict(message.values)) for message in messages}) == 1
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses == [35_000, 40_000, 50_000, 70_000, 110_000, 190_000]


@pytest.mark.parametrize(("code", "reason"), sorted(DECLINES.items()))
def test_every_code_of_a_decline_has_its_reason(world, code, reason):
    world.ask("p1")
    answer(world, world.row("p1"), response=code)
    assert world.told["p1"] == [Declined(reason.value, code)]


@pytest.mark.parametrize("code", ["08", "09", "10", "11", "16", "68", "94", "96", "85", "ZZ", "99"])
def test_every_other_code_is_reversed(world, code):
    world.ask("p1")
    answer(world, world.row("p1"), response=code)
    assert isinstance(world.told["p1"][-1], Unknown)
    assert sent(world)[-1].mti == "0400"


@pytest.mark.parametrize("code", [" 5", "5 ", "  "])
def test_a_code_with_blanks_is_reversed_and_its_row_can_be_read_again(world, code):
    world.ask("p1")
    answer(world, world.row("p1"), response=code)
    world.start()
    assert world.row("p1").code == code


@pytest.mark.parametrize("code", ["00", "51"])
def test_what_they_say_to_the_chip_is_handed_on_once_and_kept_nowhere(world, code):
    world.ask("p1")
    answer(world, world.row("p1"), response=code, chip="910A0011223344")
    (told,) = world.told["p1"]
    assert told.for_device == "910A0011223344"
    assert "910A" not in repr(told)
    assert b"910A" not in world.rows["p1"]
    assert world.ask("p1").for_device == ""


@pytest.mark.parametrize("token", [CARD.pan, f"PAN={CARD.pan};", "   "])
def test_a_token_that_is_a_card_number_is_not_kept(world, token):
    world.ask("p1")
    answer(world, world.row("p1"), token=token)
    assert world.row("p1").state is PaymentState.GUARANTEED
    assert world.row("p1").token == KEY.token(CARD.pan)


def test_an_answer_without_a_code_is_reversed(world):
    world.ask("p1")
    answer(world, world.row("p1"), response="")
    assert world.told["p1"] == [Unknown(Reason.DOUBTFUL_CODE.value)]


@pytest.mark.parametrize(
    "wrong",
    [{"stan": "999999"}, {"terminal": "OTHER   "}, {"mti": "0230"}, {"mti": "0410"}, {"mti": "0430"}, {"mti": "0210"}],
)
def test_an_answer_that_does_not_fit_changes_nothing(world, wrong):
    world.ask("p1")
    row = world.row("p1")
    answer(world, row, **wrong)
    assert world.row("p1") == row
    assert world.notes[-1] == "an answer that does not fit"


def test_an_answer_about_no_payment_changes_nothing_and_is_noted(world):
    row = guaranteed(world)
    answer(world, replace(row, rrn="999999999999"))
    assert world.row("p1") == row
    assert world.notes[-1] == "an answer about no open payment"


def test_a_second_answer_that_contradicts_the_first_changes_nothing_and_is_noted(world):
    row = guaranteed(world)
    answer(world, row, response="51")
    answer(world, row, approval="OTHER1")
    assert world.row("p1") == row
    assert world.notes[-2:] == ["a second answer that contradicts the first"] * 2


@pytest.mark.parametrize("elements", [{"amount": "000000000999"}, {"currency": "978"}])
def test_a_confirmation_of_another_amount_or_currency_is_none(world, elements):
    guaranteed(world)
    world.capture("p1")
    row = world.row("p1")
    answer(world, replace(row, stan=row.completion_stan), "0230", **elements)
    assert world.row("p1").state is PaymentState.CAPTURING
    assert world.notes[-1] == "an answer about another amount"


@pytest.mark.parametrize("elements", [{"amount": "000000000999"}, {"currency": "978"}])
def test_an_approval_of_another_amount_or_currency_is_reversed(world, elements):
    world.ask("p1")
    answer(world, world.row("p1"), **elements)
    assert world.told["p1"] == [Unknown(Reason.OTHER_AMOUNT.value)]


def test_a_decline_after_the_reversal_began_does_not_end_it(world):
    world.ask("p1")
    world.wait(31_000)
    answer(world, world.row("p1"), response="51", approval="")
    assert world.row("p1").state is PaymentState.REVERSING
    world.settle()
    assert world.told["p1"] == [Unknown(Reason.TIMED_OUT.value), Reversed(Reason.TIMED_OUT.value)]


def test_no_such_payment_is_believed_only_after_the_question_cannot_arrive_any_more():
    world = World(bounded=True)
    world.connect()
    world.ask("p1")
    world.drop(0)
    world.wait(31_000)
    while world.row("p1").state is PaymentState.REVERSING:
        assert world.ms < PROFILE.travel_ms + 400_000
        while world.flying:
            world.deliver(0, "ok")
        ended = world.row("p1").has_ended
        assert not (ended and world.ms < PROFILE.travel_ms)
        world.wait(1_000)
    assert world.ms > PROFILE.travel_ms


def test_no_such_payment_is_never_believed_of_one_that_they_approved(world):
    row = guaranteed(world)
    del world.acquirer.records[row.rrn]
    world.acquirer.remembers = False
    world.reverse("p1")
    for _ in range(100):
        while world.flying:
            world.deliver(0, "ok")
        world.wait(60_000)
    assert world.row("p1").state is PaymentState.REVERSING
    assert world.sign_over("p1", PaymentState.REVERSED) == Reversed(Reason.SIGNED_OVER.value)


def test_a_capture_that_they_never_confirm_can_be_signed_over_as_captured(world):
    guaranteed(world)
    assert world.sign_over("p1", PaymentState.CAPTURED) is RefusalOutcome.ALREADY_SETTLED
    world.capture("p1")
    assert isinstance(world.sign_over("p1", PaymentState.CAPTURED), Captured)
    assert isinstance(world.sign_over("p1", PaymentState.CAPTURED), Captured)
    assert world.sign_over("p1", PaymentState.DECLINED) is RefusalOutcome.ALREADY_SETTLED


def test_what_was_decided_first_holds(world):
    guaranteed(world, "p1")
    guaranteed(world, "p2")
    world.capture("p1")
    assert world.reverse("p1") is RefusalOutcome.ALREADY_SETTLED
    world.reverse("p2")
    assert world.capture("p2") is RefusalOutcome.ALREADY_SETTLED
    world.settle()
    assert (world.row("p1").state, world.row("p2").state) == (PaymentState.CAPTURED, PaymentState.REVERSED)


def test_what_is_only_asked_cannot_be_captured_but_can_be_reversed(world):
    assert world.ask("p1") == Asked()
    assert world.capture("p1") is RefusalOutcome.ALREADY_SETTLED
    assert world.reverse("p1") == Unknown(Reason.WITHDRAWN.value)
    assert world.capture("p9") is RefusalOutcome.UNKNOWN_PAYMENT


def test_numbers_go_round_and_payments_keep_theirs():
    world = World(trace=Trace(STAN_MAX - 1, hour_of(START_S), 5).build())
    world.connect()
    for name in ("p1", "p2", "p3"):
        guaranteed(world, name)
    assert [world.row(name).stan for name in ("p1", "p2", "p3")] == ["999999", "000001", "000002"]
    assert len({world.row(name).rrn for name in ("p1", "p2", "p3")}) == 3


def test_a_host_restored_from_a_backup_gives_out_none_of_the_numbers_it_gave_out_after_it(world):
    guaranteed(world, "before")
    backup = dict(world.rows), world.trace
    for number in range(9):
        world.ms += 1_000
        guaranteed(world, f"lost{number}")
    lost = {row.rrn for row in world.all_rows()}
    world.ms += 60_000
    world.rows, world.trace = dict(backup[0]), backup[1]
    world.start()
    world.connect()
    for number in range(9):
        guaranteed(world, f"again{number}")
    assert lost & {row.rrn for row in world.all_rows()} == {world.row("before").rrn}


def test_numbers_go_on_over_midnight_and_after_a_clock_that_went_back(world):
    midnight_ms = (86_400 - START_S % 86_400) * 1_000
    for ms in (0, midnight_ms - 1_000, midnight_ms + 1_000, midnight_ms - 500, midnight_ms + 2_000):
        world.ms = ms
        guaranteed(world, f"at{ms}")
    assert len({row.rrn for row in world.all_rows()}) == 5


def test_an_hour_without_numbers_asks_for_nothing_more_but_still_decides():
    world = World(trace=Trace(5, hour_of(START_S), STANS_PER_HOUR_MAX - 1).build())
    world.connect()
    guaranteed(world)
    assert world.ask("p2") == Declined(Reason.BUSY.value, asked=False)
    assert world.row("p2") is None
    world.capture("p1")
    world.settle()
    assert world.row("p1").state is PaymentState.CAPTURED
    world.ms += 3_600_000
    assert world.ask("p2") == Asked()


@pytest.mark.parametrize(
    ("name", "most"), [("asks_max", ASKS_MAX), ("open_max", OPEN_MAX), ("advices_max", ADVICES_MAX)]
)
def test_limits_have_a_ceiling(name, most):
    assert getattr(patient(**{name: most}), name) == most
    for wrong in (0, most + 1):
        with pytest.raises(ValueFieldError):
            patient(**{name: wrong})


def test_no_more_is_asked_at_once_than_the_limit():
    world = World(profile=patient(asks_max=3))
    world.connect()
    asked = [world.ask(f"p{number}") for number in range(4)]
    assert asked == [Asked()] * 3 + [Declined(Reason.BUSY.value, asked=False)]
    while world.flying:
        world.deliver(0)
    assert world.ask("p3") == Asked()


def test_no_more_payments_are_open_than_the_limit():
    world = World(profile=patient(open_max=2))
    world.connect()
    guaranteed(world, "p1")
    guaranteed(world, "p2")
    assert world.ask("p3") == Declined(Reason.BUSY.value, asked=False)
    world.reverse("p1")
    world.settle(lambda row: False)
    assert world.ask("p3") == Asked()


def test_only_so_many_reversals_are_under_way_and_none_waits_for_ever():
    world = World(profile=patient(QUIET, advices_max=2))
    world.connect()
    for number in range(6):
        guaranteed(world, f"p{number}")
        world.reverse(f"p{number}")
    assert len(sent(world)) == 2
    asked_for = {message.get(De.RRN) for message in sent(world)}
    for _ in range(4):
        world.wait(31_000)
        asked_for |= {message.get(De.RRN) for message in sent(world)}
    assert asked_for == {row.rrn for row in world.all_rows()}
    world.settle()


def test_a_line_is_dialled_with_growing_pauses_up_to_the_longest():
    machine = Acquirer(patient(dial_first_ms=1_000, dial_longest_ms=5_000), KEY)
    now = Moment(0, START_S)
    assert machine.step(Started(), now) == (Dial(),)
    pauses = []
    for _ in range(5):
        assert machine.step(LineLost(), now) == ()
        pauses.append(machine.wake_ms - now.ms)
        now = Moment(machine.wake_ms, START_S)
        assert machine.step(Tick(), Moment(now.ms - 1, START_S)) == ()
        assert machine.step(Tick(), now) == (Dial(),)
    assert pauses == [1_000, 2_000, 4_000, 5_000, 5_000]
    machine.step(LineUp(), now)
    machine.step(LineLost(), now)
    assert machine.wake_ms - now.ms == 1_000


def test_a_changed_terminal_still_undoes_what_was_asked_under_the_old_one(world):
    guaranteed(world)
    world.profile = patient(terminal="TERM0002", merchant="OTHER", currency="978")
    world.start()
    world.connect()
    world.reverse("p1")
    (reversal,) = sent(world)
    assert (reversal.get(De.TERMINAL), reversal.get(De.CURRENCY)) == ("TERM0001", "840")


def test_after_a_restart_what_is_said_is_said_as_a_repeat(world):
    guaranteed(world, "p1")
    guaranteed(world, "p2")
    world.capture("p1")
    world.reverse("p2")
    world.flying.clear()
    world.start()
    world.connect()
    assert sorted(message.mti for message in sent(world)) == ["0221", "0401"]


def test_states_follow_each_other_as_told_and_end():
    for state, following in NEXT_STATES.items():
        assert state not in following
    ends = {state for state, following in NEXT_STATES.items() if not following}
    assert ends == {PaymentState.CAPTURED, PaymentState.REVERSED, PaymentState.DECLINED}


@pytest.mark.parametrize(
    "changes",
    [{"terminal": ""}, {"terminal": "X" * 9}, {"terminal": " X"}, {"merchant": "X" * 16}, {"currency": "USD"},
     {"acquirer_id": "1" * 12}, {"currency_digits": 7}, {"answer_wait_ms": 0}, {"advice_wait_ms": 86_400_001},
     {"repeat_longest_ms": 1}, {"travel_ms": -1}, {"merchant_type": "49"}, {"requests_before_advice": 101}],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(changes):
    with pytest.raises(ValueFieldError):
        patient(**changes)


@pytest.mark.parametrize(
    ("digits", "micro", "minor"), [(2, 10_000, 1), (2, 1_000_000, 100), (0, 5_000_000, 5), (6, 7, 7), (3, 1_000, 1)]
)
def test_amounts_are_whole_minor_units(digits, micro, minor):
    profile = patient(currency_digits=digits)
    assert profile.minor_of(micro) == minor
    assert minor * profile.minor_micro == micro


@pytest.mark.parametrize("micro", [0, -10_000, 10_001, 9_999, 10**15 + 10_000])
def test_other_amounts_are_refused(micro):
    with pytest.raises(ValueFieldError):
        PROFILE.minor_of(micro)


def test_a_guarantee_is_told_with_its_number(world):
    row = guaranteed(world)
    assert world.told["p1"] == [Guaranteed(row.authorization)]
    assert world.ask("p1") == Guaranteed(row.authorization)
