"""Documents of plans, and what the tests ask of a world that sells by them."""

import json
from pathlib import Path

HOMES = {
    "name": "Homes",
    "valid_from": "2026-01-01",
    "price": {"unit": "0.30"},
    "blocks": [
        {"until_kwh": 50, "price": "0.20"},
        {"until_kwh": 200, "price": "0.30"},
        {"price": "0.40"},
    ],
    "standing": {"price": "1.50", "per": "month"},
    "lifeline": {"kwh": 20, "price": "0.10"},
    "lines": [
        {"name": "levy", "kind": "levy", "percent": "5", "of": ["energy"]},
        {"name": "VAT", "kind": "tax", "percent": "10", "of": ["energy", "standing", "levy"]},
    ],
    "purchase": {"smallest": "2.00", "largest": "500.00"},
}
VECTORS = Path(__file__).parents[2] / "vectors"
DAY_S = 86_400


def plan(**changed):
    """The plan of the guide, changed; None takes a field away."""
    given = {**json.loads(json.dumps(HOMES)), **changed}
    return {key: each for key, each in given.items() if each is not None}


def give(world, meter=None, lifeline=False, **changed):
    """Adds the plan and gives it to a meter, or to all."""
    made = world.host.rates.add(plan(**changed))
    world.host.rates.assign(made.name, meter=meter, lifeline=lifeline, reason="test")
    return made


def paid(lines):
    """Lines by kind and name."""
    return {f"{line.kind} {line.name}" if line.kind != line.name else line.kind: line.amount_micro for line in lines}


def balance(world, account):
    """What stands in an account, on its credit side."""
    from prewatt.host.ledger import AccountId
    from prewatt.host.store.postings import read_account

    with world.host.context.store.reading() as connection:
        return read_account(connection, AccountId(account)).balance_micro
