"""Rounds against a plain account of them: what is sent is what was wished last, and every round ends once."""

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from prewatt.codec.frame import Frame
from prewatt.codec.hop import Answers, Plan, Round
from prewatt.device.station.calling import Calling
from prewatt.device.station.rounds import ROUNDS_MAX, Rounds
from prewatt.units import Address, MeterId

HERE = Address(0, 0)
PLAN = Plan(HERE, 0, item_life_ms=20_000)
METERS = [MeterId(bytes((0, 0, n))) for n in range(4)]
HELLO, COMMAND, ACK = b"\x10", b"\x12", b"\x16"


class RoundsOnALine(RuleBasedStateMachine):
    """A station's rounds and its line, with meters that answer or not, and a host that restarts and repeats itself."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds = Rounds()
        self.line = Calling(self.rounds, 0)
        self.now = 0
        self.m_ids = {meter: n for n, meter in enumerate(METERS)}
        self.given: Counter[int] = Counter()
        self.done: Counter[int] = Counter()
        self.waiting: dict[tuple[MeterId, bool], tuple[int, bytes, int]] = {}
        self.called: MeterId | None = None
        self.until = 0
        self.answered: list[tuple[MeterId, bytes]] = []
        self.told: list[tuple[MeterId, bytes]] = []
        self.numbers = 0

    @rule(
        back=st.integers(0, 3),
        urgent=st.booleans(),
        kinds=st.dictionaries(st.sampled_from(METERS), st.sampled_from([HELLO, COMMAND, ACK]), max_size=4),
    )
    def take(self, back: int, urgent: bool, kinds: dict[MeterId, bytes]) -> None:
        """A round arrives, maybe late, maybe while an older one of the same number is still worked on."""
        self.numbers += 1
        number = max(self.numbers - back, 1)
        if self.given[number] > self.done[number]:
            return
        items = tuple((meter, kind + bytes((self.numbers % 256, self.numbers // 256))) for meter, kind in kinds.items())
        assert self.rounds.take(Round(HERE, number, urgent, items), self.now + PLAN.item_life_ms)
        self.given[number] += 1
        for meter, payload in items:
            place = (meter, payload[:1] != ACK)
            if place not in self.waiting or self.waiting[place][0] <= number:
                self.waiting[place] = (number, payload, self.now + PLAN.item_life_ms)
        self.go_on()

    @precondition(lambda self: self.called is not None)
    @rule()
    def answer(self) -> None:
        """The called meter answers."""
        assert self.called is not None
        call = self.line.called(self.called)
        assert call is not None
        item = (self.called, b"\x11" + call.payload)
        self.rounds.answer(call.number, item, self.now, PLAN)
        self.answered.append(item)
        self.line.answered(self.called)
        self.called = None
        self.go_on()

    @rule(ms=st.sampled_from([1, 100, 1_500, 7_000, 25_000]))
    def wait(self, ms: int) -> None:
        """Time passes."""
        self.now += ms
        if self.called is not None and self.now >= self.until:
            self.called = None
        self.go_on()

    @rule(meter=st.sampled_from(METERS))
    def leave(self, meter: MeterId) -> None:
        """A meter leaves, and comes again."""
        self.rounds.leave(frozenset((meter,)))
        self.line.leave(frozenset((meter,)))
        for answered in (True, False):
            self.waiting.pop((meter, answered), None)
        if self.called == meter:
            self.called = None
        self.go_on()

    def go_on(self) -> None:
        """The station goes on; what it does is what the account expects."""
        for send in self.line.go_on(self.now, PLAN, self.m_ids):
            assert self.called is None, "one meter at a time"
            frame = Frame.parse(send.data)
            place = (frame.meter_id, frame.payload[:1] != ACK)
            _, payload, until = self.waiting.pop(place)
            assert frame.payload == payload, "the newest wish of a meter is what is sent"
            assert self.now < until
            if place[1]:
                self.called, self.until = frame.meter_id, self.now + PLAN.answer_within_ms
        for place in [place for place, waits in self.waiting.items() if self.called is None and self.now >= waits[2]]:
            del self.waiting[place]
        for message in self.rounds.pick(HERE, self.now):
            self.tell(message)

    def tell(self, message: Answers) -> None:
        """Answers go up."""
        self.told += message.items
        self.done[message.number] += message.done
        assert self.done[message.number] <= self.given[message.number], "a round ends once"

    @invariant()
    def nothing_waits_behind_a_free_line(self) -> None:
        assert self.called is not None or not self.rounds.waiting

    @invariant()
    def a_round_that_is_not_done_has_something_on_the_line(self) -> None:
        open_rounds = sum((self.given - self.done).values())
        assert not open_rounds or self.called is not None

    def teardown(self) -> None:
        """In the end every round is done and every answer has gone up once."""
        self.now += 100_000
        self.called = None
        self.go_on()
        while self.called is not None:
            self.now += 100_000
            self.called = None
            self.go_on()
        assert self.done == self.given
        assert Counter(self.told) == Counter(self.answered)


TestRoundsOnALine = RoundsOnALine.TestCase
TestRoundsOnALine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("more", [0, 1])
def test_only_so_many_rounds_are_worked_on_at_once(more: int) -> None:
    rounds = Rounds()
    for number in range(1, ROUNDS_MAX + more):
        rounds.take(Round(HERE, number, False, ()), 0)
    assert rounds.take(Round(HERE, ROUNDS_MAX + more, False, ()), 0) == (not more)
