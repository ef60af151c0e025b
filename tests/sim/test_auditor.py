"""The auditor finds what is broken on purpose, and the story of it is short."""

import pytest

import prewatt.device.meter.commands as commands_module
import prewatt.sim.store as store_module
from prewatt.codec.receipt import RingEntry
from prewatt.device.meter.money import apply_transfer
from prewatt.sim.account import Account, Carried, begin_epoch, forget_epochs, left_of, taken_twice
from prewatt.sim.history import ViolationError
from prewatt.sim.run import Request, run
from prewatt.sim.shrink import kind_of, shrink
from prewatt.sim.story import story
from prewatt.units import next_sequence

# The first of them breaks soon: its story is short, and soon told.
SEEDS = range(2, 40)


def first_broken(steps):
    for seed in SEEDS:
        outcome = run(Request(seed, steps=steps, calm=False))
        if outcome.violation is not None:
            return outcome
    return None


@pytest.fixture
def meter_without_sequences(monkeypatch):
    """It takes every order as the next one: a retry after a lost Result is applied again."""

    def careless(money, sequence, amount_micro, tag, limits):
        due = next_sequence(money.last_sequence) if money.commissioned else None
        return apply_transfer(money, sequence if due is None else due, amount_micro, tag, limits)

    monkeypatch.setattr(commands_module, "apply_transfer", careless)


@pytest.fixture
def database_that_does_not_sync(monkeypatch):
    monkeypatch.setattr(store_module, "_PRAGMAS", (*store_module._PRAGMAS, "PRAGMA synchronous = OFF"))
    store_module._engine.cache_clear()
    yield
    monkeypatch.undo()
    store_module._engine.cache_clear()


@pytest.mark.heavy
@pytest.mark.usefixtures("meter_without_sequences")
def test_a_meter_that_ignores_the_sequence_is_found_and_its_story_is_short():
    outcome = first_broken(3_000)
    assert outcome is not None
    short = shrink(outcome, tries_max=80)
    assert kind_of(short.violation) == kind_of(outcome.violation)
    assert 0 < len(short.operations) <= max(8, len(outcome.operations) // 4)
    told = story(short)
    assert told[-1].startswith("VIOLATION 0000")
    assert any(" op " in line for line in told)


@pytest.mark.usefixtures("database_that_does_not_sync")
def test_a_host_that_answers_before_the_disk_has_it_is_found():
    outcome = first_broken(3_000)
    assert outcome is not None
    # An answer that the disk never had shows as value that nobody ordered, or first as a database that is damaged or
    # has lost a row.
    signs = ("gone", "ordered", "StoreError", "is damaged", "No row was found")
    assert any(sign in outcome.violation for sign in signs), outcome.violation


COMMISSION = RingEntry(2 << 24, bytes([0x91]) * 8, 0)


def two_bodies():
    """Both hang there without an epoch; the first takes its command."""
    one, other = Account("000001", "000001.2", "000001.2"), Account("000001", "000001.3", "000001.3")
    assert begin_epoch(one, COMMISSION, [one, other], heard=False) == set()
    one.history.append(COMMISSION)
    return one, other


def test_a_second_body_that_takes_a_command_nobody_has_heard_of_yet_is_a_twin_from_then_on():
    one, other = two_bodies()
    assert begin_epoch(other, COMMISSION, [one, other], heard=False) == {"000001"}
    assert other.family == one.family
    assert other.epochs == {2}


@pytest.mark.parametrize(
    ("entry", "heard"),
    [(COMMISSION, True), (RingEntry(COMMISSION.sequence, bytes([0x92]) * 8, 0), False)],
    ids=["the host knew of the first", "another command"],
)
def test_an_epoch_that_a_command_gave_to_one_body_is_never_anothers(entry, heard):
    one, other = two_bodies()
    with pytest.raises(ViolationError, match=r"000001\.3: begins epoch 2, which is that of 000001\.2"):
        begin_epoch(other, entry, [one, other], heard=heard)


@pytest.mark.parametrize("known", [{}, {"000001": 1}, {"000001": 1, "000002": 2}])
def test_an_epoch_that_went_with_database_and_state_folder_may_be_given_once_more(known):
    one, other = two_bodies()
    forget_epochs([one, other], known)
    anew = RingEntry(COMMISSION.sequence, bytes([0x92]) * 8, 0)
    assert begin_epoch(other, anew, [one, other], heard=False) == {"000001"}
    assert other.family == one.family


@pytest.mark.parametrize(
    ("known", "heard"),
    [({"000001": 2}, False), ({"000001": 3}, False), ({"000001": 1}, True)],
    ids=["the database knew it", "the database knew of a later one", "the first body told it since"],
)
def test_an_epoch_that_anything_still_tells_the_host_is_never_given_once_more(known, heard):
    one, other = two_bodies()
    forget_epochs([one, other], known)
    anew = RingEntry(COMMISSION.sequence, bytes([0x92]) * 8, 0)
    with pytest.raises(ViolationError, match=r"000001\.3: begins epoch 2, which is that of 000001\.2"):
        begin_epoch(other, anew, [one, other], heard=heard)


def test_only_what_was_begun_before_the_state_folder_was_lost_is_forgotten():
    one, other = Account("000001", "000001.2", "000001.2"), Account("000001", "000001.3", "000001.3")
    forget_epochs([one, other], {})
    assert begin_epoch(one, COMMISSION, [one, other], heard=False) == set()
    with pytest.raises(ViolationError, match="begins epoch 2"):
        begin_epoch(other, RingEntry(COMMISSION.sequence, bytes([0x92]) * 8, 0), [one, other], heard=False)


def test_a_sale_is_in_two_bodies_only_where_a_twin_of_the_first_never_had_it():
    one, following = Account("000001", "000001", "000001"), Account("000001", "000001.3", "000001.3")
    twin = one.twin("000001.2")
    assert taken_twice(one, {}, [one]) == []
    assert taken_twice(one, {"000001"}, [one, twin, following]) == ["000001"]
    assert taken_twice(twin, {"000001"}, [one, twin, following]) == []
    # The next body: what the host last heard may have been the twin, unless both have it.
    assert taken_twice(following, {"000001"}, [one, following]) == ["000001"]
    assert taken_twice(following, {"000001"}, [one, twin, following]) == []
    assert taken_twice(following, ["000001", "000001.2"], [one, twin, following]) == ["000001", "000001.2"]


def test_of_a_retired_body_its_last_balance_is_left_and_of_one_given_up_what_it_received_bounds_it():
    body = Account("000001", "000001", "000001", epochs={1}, received_micro=900, retired={1: 400})
    source = Carried("000001", None, 1)
    assert left_of(source, {}, [body]) == 400
    body.given_up.add(1)
    assert left_of(source, {}, [body]) == 900
    assert left_of(source, {}, [body.twin("000001.2")]) == 900
