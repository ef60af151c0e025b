import pytest

from prewatt.host.payment import port
from prewatt.host.payment.port import (
    Asked,
    Captured,
    Capturing,
    Declined,
    Guaranteed,
    Pending,
    Reversed,
    Unknown,
    find_payment_scheme,
    is_decided,
    outcome_has_ended,
)
from prewatt.units import ValueFieldError


def test_whoever_asks_waits_while_nobody_has_answered_and_no_longer():
    assert not any(is_decided(outcome) for outcome in (Asked(), Pending()))
    decided = (Guaranteed("A"), Declined("r"), Unknown("r"), Capturing("A"), Captured("A"), Reversed("r"))
    assert all(is_decided(outcome) for outcome in decided)


def test_a_payment_ends_captured_reversed_or_declined():
    assert all(outcome_has_ended(outcome) for outcome in (Captured("A"), Declined("r"), Reversed("r")))
    assert not any(
        outcome_has_ended(each) for each in (Asked(), Pending(), Guaranteed("A"), Unknown("r"), Capturing("A"))
    )


class Point:
    name = "odd"
    value = "odd:ODD"

    def __init__(self, found):
        self.found = found

    def load(self):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.mark.parametrize("found", [ImportError("no such module"), object()])
def test_a_way_to_pay_that_does_not_load_is_named(monkeypatch, found):
    monkeypatch.setattr(port, "installed_payments", lambda: {"odd": Point(found)})
    with pytest.raises(ValueFieldError, match="odd"):
        find_payment_scheme("odd")
