"""The laws of card payments: the network loses, doubles, delays and reorders, and the process dies anywhere."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.host.payment.model_acquirer import AUTHORIZATIONS, COMPLETIONS, REVERSALS
from tests.host.payment.world import World

from prewatt.host.payment.iso8583 import acquirer as acquirer_module
from prewatt.host.payment.iso8583 import answers, hearing
from prewatt.host.payment.iso8583.book import restored
from prewatt.host.payment.iso8583.desk import Desk
from prewatt.host.payment.iso8583.profile import Moment
from prewatt.host.payment.iso8583.reasons import APPROVED, NOT_FOUND, Reason
from prewatt.host.payment.port import PaymentState

MOODS = st.sampled_from(["approve", "ok", *AUTHORIZATIONS, *COMPLETIONS, *REVERSALS])
PAYMENTS = st.integers(0, 5).map(lambda number: f"p{number}")
WAITS = st.sampled_from([1, 500, 6_000, 31_000, 90_000, 400_000])


class Payments(RuleBasedStateMachine):
    """Any story; at its end everything heals, and both sides must agree about the money of each payment."""

    @initialize(bounded=st.booleans())
    def begin(self, bounded):
        self.world = World(bounded=bounded)
        self.world.connect()

    @rule(
        payment=PAYMENTS,
        amount=st.sampled_from([1_000, 1_000, 1_000, 2_500]),
        dies=st.sampled_from([None, None, None, -1, 0, 1, 2, 3]),
    )
    def ask(self, payment, amount, dies):
        self.world.crash_after = dies
        self.world.ask(payment, amount)

    @rule(payment=PAYMENTS, mood=st.sampled_from(AUTHORIZATIONS))
    def ask_and_hear(self, payment, mood):
        self.world.ask(payment)
        self.answer_at_once(mood)

    @rule(payment=PAYMENTS)
    def capture(self, payment):
        self.world.capture(payment)

    @rule(payment=PAYMENTS)
    def reverse(self, payment):
        self.world.reverse(payment)

    @rule(index=st.integers(0, 20), mood=MOODS, keep=st.sampled_from([False, False, False, True]))
    def deliver(self, index, mood, keep):
        self.world.deliver(index, mood, keep)

    @rule(mood=MOODS)
    def answer_at_once(self, mood):
        """The newest message gets there, and its answer comes back."""
        self.world.deliver(-1, mood)
        self.world.deliver(-1, mood)

    @rule(index=st.integers(0, 20))
    def drop(self, index):
        self.world.drop(index)

    @rule(wait_ms=WAITS)
    def wait(self, wait_ms):
        self.world.wait(wait_ms)

    @rule()
    def reversals_overtake(self):
        """Time-outs, and the newest message is answered before whatever is older."""
        self.world.wait(31_000)
        self.answer_at_once("ok")

    @rule()
    def lose(self):
        self.world.lose()

    @rule()
    def connect(self):
        self.world.connect()

    @rule(after=st.integers(-1, 5))
    def crash_in_the_next_step(self, after):
        self.world.crash_after = after

    @rule()
    def crash(self):
        self.world.start()

    @invariant()
    def both_sides_can_still_agree(self):
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self):
        if hasattr(self, "world"):
            self.world.crash_after = None
            self.world.settle(lambda row: int(row.stan) % 2 == 0)
            self.world.check()


SETTINGS = settings(
    deadline=None, max_examples=200, stateful_step_count=40, suppress_health_check=list(HealthCheck), print_blob=False
)


def test_whatever_happens_the_money_of_each_payment_ends_as_our_rows_say():
    run_state_machine_as_test(Payments, settings=SETTINGS)


def skip_the_reversal(patch):
    """A payment that nobody knows of is simply called reversed."""
    begin = Desk._begin

    def skipping(desk, entry):
        if entry.row.state is PaymentState.REVERSING:
            desk.end(entry, replace(entry.row, state=PaymentState.REVERSED), Moment(0, 1))
        else:
            begin(desk, entry)

    patch.setattr(Desk, "_begin", skipping)


def believe_no_such_payment_at_once(patch):
    """The authorization may still be under way when their side says that it knows of none."""
    believing = {APPROVED: PaymentState.REVERSED, NOT_FOUND: PaymentState.REVERSED}
    patch.setattr(hearing, "state_of_reversal", lambda code, **_: believing.get(code, PaymentState.REVERSING))


def take_every_refusal_for_a_decline(patch):
    """Some codes leave money held."""
    patch.setattr(answers, "decline_reason", lambda code: Reason.DO_NOT_HONOUR)


def believe_a_part(patch):
    """Approved for another amount is not approved."""
    patch.setattr(answers, "is_about", lambda message, row: True)


def forget_what_was_asked_before_the_start(patch):
    """A crash between the question and its answer: nobody reverses it."""
    patch.setattr(
        acquirer_module,
        "restored",
        lambda rows, now: restored([r for r in rows if r.state is not PaymentState.ASKED], now),
    )


def send_before_the_row_is_durable(patch):
    """Bytes leave, then the process dies, and the disk knows nothing."""
    patch.setattr(World, "sends_first", True)


HOLES = [
    skip_the_reversal,
    believe_no_such_payment_at_once,
    take_every_refusal_for_a_decline,
    believe_a_part,
    forget_what_was_asked_before_the_start,
    send_before_the_row_is_durable,
]


@pytest.mark.parametrize("plant", HOLES)
def test_the_laws_find_a_planted_hole(plant, monkeypatch):
    plant(monkeypatch)
    hunting = settings(
        SETTINGS,
        max_examples=3_000,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        derandomize=True,
        database=None,
    )
    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(Payments, settings=hunting)
