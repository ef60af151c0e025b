"""A person at a counter replaces and loses meters, and sells by value code: the commands, against a running street."""

import pytest

FIRST, SECOND, THIRD = "000001", "000002", "000003"


@pytest.fixture
def street(programs, eventually):
    programs.up(speed=60, meters=3, fork=True)
    for meter in (FIRST, SECOND, THIRD):
        eventually(lambda meter=meter: programs.json("meter", "show", meter)["state"] == "active")
    return programs


def settled(programs, eventually, order):
    eventually(lambda: programs.json("transfer", "show", order)["state"] == "confirmed")


def test_a_meter_is_replaced_by_another_and_a_third_is_lost(street, eventually):
    sale = street.json("vend", FIRST, "10.00")
    settled(street, eventually, sale["order"])
    ran = street.run("meter", "replace", FIRST, "--with", SECOND)
    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert f"prewatt meter retire {FIRST}" in ran.err
    assert street.run("meter", "retire", FIRST, "--reason", "worn out").code == 0
    eventually(lambda: street.json("meter", "bodies", FIRST)[0]["balance_micro"] is not None)
    ran = street.run("meter", "replace", FIRST, "--with", SECOND)
    assert ran.code == 0, ran
    assert "its balance follows as an order" in ran.out
    body = street.json("meter", "bodies", FIRST)[0]
    settled(street, eventually, body["order"])
    assert street.json("meter", "show", SECOND)["received_micro"] == body["moved_micro"] > 0
    assert "worn out" in street.run("meter", "bodies", FIRST).out

    assert street.run("meter", "lost", THIRD).code == 2
    assert street.run("meter", "lost", THIRD, "--reason", "fire").code == 0
    for words in ((), ("--refund", "--write-off", "fire")):
        ran = street.run("meter", "sign-over", THIRD, "balance", "--reason", "which?", *words)
        assert (ran.code, "exactly one of" in ran.err) == (1, True)
    ran = street.run("meter", "sign-over", THIRD, "balance", "--reason", "empty", "--refund")
    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert street.json("audit")["ok"]


def test_an_order_is_typed_as_a_code_and_a_second_time_says_so(street, eventually):
    sale = street.json("vend", FIRST, "3.00", "--order", "paper", "--code")
    # The street has a line: the transfer may be faster than the fingers; applied is one of the two.
    street.json("meter", "press", FIRST, f"B{sale['code']}#")
    settled(street, eventually, "paper")
    assert street.json("meter", "show", FIRST)["received_micro"] == 3_000_000
    ran = street.run("vend", SECOND, "3.00", "--code")
    assert ran.code == 0, ran
    assert "value code" in ran.out
    ran = street.run("order", "code", "paper")
    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    ran = street.run("suspense", "match", FIRST, "16777217", "paper")
    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert street.json("audit")["ok"]
