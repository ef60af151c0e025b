"""What flows through a transformer: all that its homes take, second for second, and stated losses; never more."""

from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.apps.boxes.transformer import LINE_LOSS_PERCENT, METER_OWN_W, Transformer

START_S = 1_800_000_000
HOMES = 5
JOULE = 360


def flow(transformer, now_s):
    return list(transformer.flow(now_s))


def made():
    transformer = Transformer(START_S)
    return transformer, [transformer.join(number) for number in range(HOMES)]


def test_the_losses_are_the_ones_that_the_docs_state():
    assert (LINE_LOSS_PERCENT, METER_OWN_W) == (4, 2)


def test_homes_are_spread_over_three_phases():
    assert made()[1] == [0, 1, 2, 0, 1]


def test_while_every_home_is_dark_only_the_meters_take_something():
    transformer, _ = made()
    found = flow(transformer, START_S + 3600)
    assert [each.second_s for each in found] == list(range(START_S, START_S + 3600, 60))
    assert sum(sum(each.pulses) for each in found) == HOMES * METER_OWN_W * 3600 // JOULE


def test_nothing_flows_twice_and_nothing_without_time():
    transformer, (phase, *_) = made()
    transformer.take(phase, START_S, 1000)
    assert sum(sum(each.pulses) for each in flow(transformer, START_S + 30)) == 1040
    assert flow(transformer, START_S + 30) == []
    (rest,) = flow(transformer, START_S + 60)
    assert (rest.second_s, rest.pulses) == (START_S + 30, (0, 0, 0))


def test_what_was_taken_before_the_transformers_meter_had_power_is_not_counted():
    transformer, (phase, *_) = made()
    transformer.take(phase, START_S - 60, 1000)
    assert sum(sum(each.pulses) for each in flow(transformer, START_S + 120)) <= HOMES * METER_OWN_W * 120 // JOULE


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.lists(st.integers(0, 3000), min_size=HOMES, max_size=HOMES)), max_size=40
    )
)
def test_however_often_it_is_asked_the_sum_is_what_homes_took_and_the_losses(steps):
    transformer, phases = made()
    now_s, lost = START_S, {}
    for seconds, taken in steps:
        minute_s = now_s - now_s % 60
        for phase, pulses in zip(phases, taken, strict=True):
            transformer.take(phase, minute_s, pulses)
            lost[minute_s] = lost.get(minute_s, 0) - pulses
        now_s += seconds
        for each in flow(transformer, now_s):
            minute_s = each.second_s - each.second_s % 60
            lost[minute_s] = lost.get(minute_s, 0) + sum(each.pulses)
    taken = sum(sum(given) for _, given in steps)
    hundredths = taken * JOULE * LINE_LOSS_PERCENT + HOMES * METER_OWN_W * (now_s - START_S) * 100
    exact = hundredths / (JOULE * 100)
    assert exact - 3 <= sum(lost.values()) <= exact
    # Losses alone are left in each minute: no minute has another's energy.
    assert all(each >= 0 for each in lost.values())
