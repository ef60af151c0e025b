"""A person at a counter replaces and loses meters, and sells by value code: the commands, against a running street."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from prewatt.host.folder import DATABASE_NAME
from prewatt.protocol.transfer import FreezeReason, pack_book, unpack_book

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


def freeze(data, meter):
    """The books of a meter as they are where a body without an epoch has answered."""
    with closing(sqlite3.connect(data / DATABASE_NAME)) as connection:
        stored = connection.execute("SELECT book FROM books WHERE meter = ?", (meter,)).fetchone()[0]
        book = replace(unpack_book(stored), frozen=FreezeReason.NO_EPOCH)
        put = "UPDATE books SET book = ?, frozen = ?, work = 0 WHERE meter = ?"
        assert connection.execute(put, (pack_book(book), book.frozen.value, meter)).rowcount == 1
        connection.commit()


def test_a_person_says_that_the_old_body_is_back_by_command_and_over_the_interface(street, eventually):
    street.ups[-1].stop()
    for meter in (FIRST, SECOND, THIRD):
        freeze(street.data, meter)
    ran = street.run("meter", "thaw", FIRST, "--back", "--reason", "the old one hangs there again")
    assert (ran.code, "unsynced" in ran.out) == (0, True), ran
    up = street.up(speed=60, meters=3, fork=True)
    assert street.json("meter", "show", SECOND)["state"] == "frozen"
    assert up.post(f"/meters/{SECOND}/thaw", reason="here too", back=True)["state"] == "unsynced"
    # Without that word a new body has to come, and the old one that answers is not believed.
    up.post(f"/meters/{THIRD}/thaw", reason="a new one hangs there")
    for meter in (FIRST, SECOND):
        eventually(lambda meter=meter: street.json("meter", "show", meter)["state"] == "active")
    eventually(lambda: street.json("meter", "show", THIRD)["state"] == "frozen")
    assert up.ask("POST", f"/api/v1/meters/{THIRD}/thaw", {"reason": "which?", "back": "yes"})[0] == 422
    assert street.json("audit")["ok"]
