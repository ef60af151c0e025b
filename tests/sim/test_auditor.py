"""The auditor finds what is broken on purpose, and the story of it is short."""

import pytest

import prewatt.device.meter.commands as commands_module
import prewatt.sim.store as store_module
from prewatt.device.meter.money import apply_transfer
from prewatt.sim.run import Request, run
from prewatt.sim.shrink import kind_of, shrink
from prewatt.sim.story import story
from prewatt.units import next_sequence

SEEDS = range(1, 40)


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
