"""Four boxes as four processes over tcp: value arrives, and any of them may be killed at any moment."""

import signal

import pytest

pytestmark = pytest.mark.heavy


def test_value_reaches_a_meter_through_four_processes_and_survives_the_death_of_each(field, four, eventually):
    field.vend("000001", "5.00", "first")
    field.wait_confirmed("first")
    for name in four:
        field.vend("000001", "1.00", f"before-{name}")
        four[name].kill()
        if name != "host":
            field.vend("000001", "1.00", f"while-{name}")
        four[name].start()
        if name == "host":
            field.wait_host(four["host"])
        field.vend("000001", "1.00", f"after-{name}")
        field.wait_confirmed(
            *(f"{when}-{name}" for when in ("before", "while", "after")[:: 2 if name == "host" else 1])
        )
    # What the meter itself has told follows its receipt a moment later.
    sold_micro = (5 + 3 * len(four) - 1) * 1_000_000
    eventually(lambda: field.get("/meters/000001")["received_micro"] == sold_micro)
    for number, name in enumerate(("area", "meter", "host", "station")):
        assert four[name].stop(signal.SIGINT if number % 2 else signal.SIGTERM) == 0
        assert "the next start goes on from here" in four[name].said.read_text()
    for name in ("meter", "station", "area", "host"):
        four[name].start()
    field.wait_host(four["host"])
    field.vend("000001", "3.00", "last")
    field.wait_confirmed("last")
    eventually(lambda: "received 3.00" in four["meter"].said.read_text())
    for box in four.values():
        assert box.stop() == 0
        assert "Traceback" not in box.failed.read_text()
    found = field.json("audit")
    assert (found["ok"], found["violations"]) == (True, [])
