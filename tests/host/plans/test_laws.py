"""Whatever is sold, cancelled and paid back, in any order: lines sum to what was paid, and the books are whole."""

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.host.plans.making import DAY_S, balance, plan

from prewatt.host.refusals import RefusedError
from prewatt.units import ValueFieldError

AMOUNTS = st.one_of(st.integers(1, 60_00), st.sampled_from([1, 165, 166, 500_00, 500_01]))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sell"), AMOUNTS),
        st.tuples(st.just("cancel"), st.integers(0, 7)),
        st.tuples(st.just("refund"), st.integers(0, 7)),
        st.tuples(st.just("undo"), st.integers(0, 3)),
        st.tuples(st.just("sell"), st.integers(20_00, 90_00)),
        st.tuples(st.just("again"), st.integers(0, 7)),
        st.tuples(st.just("pass"), st.integers(1, 40)),
        st.tuples(st.just("carry"), st.just(0)),
        st.tuples(st.just("plan"), st.integers(0, 3)),
    ),
    min_size=4,
    max_size=14,
)
LINES = [
    {"name": "levy", "kind": "levy", "per_kwh": "0.0123"},
    {"name": "VAT", "kind": "tax", "percent": "7.7", "of": ["energy", "standing", "levy"]},
    {"name": "counter", "kind": "fee", "fixed": "0.35"},
    {"name": "green", "kind": "discount", "percent": "3.3", "of": ["energy"]},
]
VARIANTS = (
    {},
    {"lines": LINES, "standing": {"price": "0.11", "per": "day"}},
    {"blocks": None, "standing": None, "lines": LINES, "rounding": "down"},
    {"lines": [], "lifeline": None, "blocks": [{"until_kwh": 10, "price": "0"}, {"price": "0.55", "entry": "3.00"}]},
)


class Till:
    """One meter's sales, and what its customer is out of pocket by the test's own count."""

    def __init__(self, world):
        self.world, self.sold, self.cancelled, self.paid = world, [], set(), {}

    def do(self, step, given):
        with suppress(RefusedError, ValueFieldError):
            getattr(self, step)(given)

    def sell(self, cents):
        order = f"n{len(self.sold)}"
        made = self.world.host.vending.vend("000001", f"{cents // 100}.{cents % 100:02}", order=order)
        self.sold.append((order, cents, made))
        self.paid[order] = cents * 10_000
        assert sum(line.amount_micro for line in made.lines) in (0, made.paid_micro)
        assert made.paid_micro == cents * 10_000
        assert made.amount_micro > 0

    def again(self, place):
        if place < len(self.sold):
            order, cents, made = self.sold[place]
            same = self.world.host.vending.vend("000001", f"{cents // 100}.{cents % 100:02}", order=order)
            assert (same.existed, same.lines, same.amount_micro) == (True, made.lines, made.amount_micro)

    def cancel(self, place):
        if place < len(self.sold):
            self.world.host.transfers.cancel(self.sold[place][0])

    def refund(self, place):
        if place < len(self.sold):
            order = self.sold[place][0]
            assert self.world.host.transfers.refund(order).refunded
            self.paid[order] = 0

    def undo(self, place):
        self.cancel(place)
        self.world.settle(1)
        self.refund(place)

    def carry(self, _):
        self.world.pump()

    def plan(self, variant):
        made = self.world.host.rates.add(plan(purchase=None, **VARIANTS[variant]))
        self.world.host.rates.assign(made.name, reason="test")

    def __getattr__(self, name):
        if name == "pass":
            return self.wait
        raise AttributeError(name)

    def wait(self, days):
        self.world.now_s += days * DAY_S


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(start=st.integers(-1, 3), steps=STEPS)
def test_every_paid_micro_unit_is_in_one_place_through_sales_cancels_and_refunds(make_world, start, steps):
    world = make_world()
    till = Till(world)
    if start >= 0:
        till.plan(start)
    for step, given_ in [("sell", 40_00), *steps, ("undo", 0)]:
        till.do(step, given_)
    audit = world.host.audit.run()
    assert audit.ok, audit.violations
    assert -balance(world, "cash") == sum(cents * 10_000 for _, cents, _ in till.sold)
    assert balance(world, "refunded:000001") == sum(
        cents * 10_000 for order, cents, _ in till.sold if not till.paid[order]
    )
    world.close()
