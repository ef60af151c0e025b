"""The sandbox itself: books that survive it, its test cards, and what it makes of strangers."""

import asyncio
from contextlib import suppress

import pytest

from prewatt.host.payment.acquirer.framing import Framing
from prewatt.host.payment.iso8583.card import Card, is_luhn
from prewatt.host.payment.iso8583.fields import De, Dialect
from prewatt.host.payment.iso8583.messages import Message, parse_message
from prewatt.host.payment.sandbox import acquirer
from prewatt.host.payment.sandbox.acquirer import CONNECTIONS_MAX, start_sandbox
from prewatt.host.payment.sandbox.behaviour import GOOD, TEST_CARDS, Behaviour, find_script
from prewatt.host.payment.sandbox.books import SandboxBooks, kind_of

UTC_S = 1_781_524_800  # 2026-06-15 12:00:00


def message(mti, rrn="616612000001", amount=1_000, pan="9999990000000006"):
    values = {De.AMOUNT: f"{amount:012d}", De.STAN: "000001", De.RRN: rrn, De.CURRENCY: "840"}
    return Message(mti, values | ({De.PAN: pan} if mti == "0100" and pan else {}))


def codes(books, *messages):
    return [books.receive(each, GOOD, UTC_S).get(De.RESPONSE) for each in messages]


def test_every_test_card_can_be_typed_and_says_what_it_does():
    assert len({pan[-4:] for pan in TEST_CARDS}) == len(TEST_CARDS)
    for pan, script in TEST_CARDS.items():
        assert pan.startswith("999999")
        assert is_luhn(pan)
        assert Card(pan, "3012").last4 in pan
        assert script.what
        assert find_script(pan) is script


def test_a_message_that_comes_again_is_answered_as_before_and_booked_once():
    books = SandboxBooks()
    ask, take, undo = message("0100"), message("0220"), message("0400")
    assert books.receive(ask, GOOD, UTC_S) == books.receive(ask, GOOD, UTC_S)
    assert codes(books, take, message("0221")) == ["00", "00"]
    assert [row.amount_micro for row in books.statement("2026-06-15", 10_000)] == [10_000_000]
    assert codes(books, undo, message("0401"), message("0421")) == ["00"] * 3
    assert list(books.statement("2026-06-15", 10_000)) == []
    assert codes(books, message("0221"), ask) == ["12", "12"]


def test_a_reversal_that_comes_first_is_remembered():
    books = SandboxBooks()
    assert codes(books, message("0420"), message("0100")) == ["00", "12"]
    assert books.accounts["616612000001"].held == 0


def test_a_completion_of_nothing_or_of_another_amount_is_refused():
    books = SandboxBooks()
    assert codes(books, message("0220")) == ["25"]
    assert codes(books, message("0100"), message("0220", amount=999)) == ["00", "12"]
    assert (books.accounts["616612000001"].held, books.accounts["616612000001"].taken) == (1_000, 0)


def test_books_keep_no_card_number():
    books = SandboxBooks()
    codes(books, message("0100", pan="9999990000000014"), message("0100", rrn="616612000002", pan="9999990000000188"))
    kept = "".join(books.dump(rrn) for rrn in books.accounts)
    assert "99999900" not in kept
    assert [account.card for account in books.accounts.values()] == ["0014", ""]


def test_another_day_has_another_list():
    books = SandboxBooks()
    codes(books, message("0100"), message("0220"))
    assert list(books.statement("2026-06-14", 10_000)) == []


def test_only_requests_are_answered():
    assert [kind_of(Message(mti, {})) for mti in ("0110", "0230", "0430", "0810", "0300", "1100")] == [""] * 6


def test_what_it_has_booked_outlives_it_also_where_its_last_line_was_cut(tmp_path):
    file = tmp_path / "sandbox.jsonl"

    async def life(*messages):
        sandbox = await start_sandbox(file=file, clock=lambda: UTC_S)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.place.port)
            found = []
            for each in messages:
                writer.write(Framing().build(each.build(Dialect.BINARY)))
                length = int.from_bytes(await reader.readexactly(2), "big")
                found.append(parse_message(await reader.readexactly(length), Dialect.BINARY).get(De.RESPONSE))
            writer.close()
            await writer.wait_closed()
            return found, dict(sandbox.books.accounts)
        finally:
            await sandbox.close()

    assert asyncio.run(life(message("0100")))[0] == ["00"]
    with file.open("a") as cut:
        cut.write('{"rrn":"6166')
    found, accounts = asyncio.run(life(message("0220"), message("0100", rrn="616612000002")))
    assert found == ["00", "00"]
    assert [(each.held, each.taken, each.approval) for each in accounts.values()] == [
        (0, 1_000, "000001"), (1_000, 0, "000002"),
    ]  # fmt: skip
    assert asyncio.run(life())[1] == accounts


@pytest.mark.parametrize("stranger", [b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff", b"\x00\x04abcd"])
def test_a_stranger_is_sent_away(stranger):
    async def story():
        sandbox = await start_sandbox()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.place.port)
            writer.write(stranger)
            async with asyncio.timeout(20):
                with suppress(ConnectionResetError):
                    assert await reader.read() == b""
            writer.close()
        finally:
            await sandbox.close()

    asyncio.run(story())


def test_no_more_connections_than_its_limit_are_served():
    async def story():
        sandbox = await start_sandbox()
        writers = []
        try:
            for _ in range(CONNECTIONS_MAX):
                reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.place.port)
                writers.append(writer)
            async with asyncio.timeout(20):
                while len(sandbox._writers) < CONNECTIONS_MAX:
                    await asyncio.sleep(0.01)
                reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.place.port)
                writers.append(writer)
                with suppress(ConnectionResetError):
                    assert await reader.read() == b""
        finally:
            for writer in writers:
                writer.close()
            await sandbox.close()

    asyncio.run(story())


def test_answers_that_wait_beyond_the_limit_are_dropped(monkeypatch):
    monkeypatch.setattr(acquirer, "ANSWERS_WAITING_MAX", 2)

    async def story():
        sandbox = await start_sandbox()
        try:
            sandbox.tell("authorization", Behaviour(delay_ms=200), times=3)
            reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.place.port)
            asked = [message("0100", rrn=f"61661200000{number}") for number in range(3)]
            writer.write(b"".join(Framing().build(each.build(Dialect.BINARY)) for each in asked))
            answers = []
            async with asyncio.timeout(20):
                while len(answers) < 2:
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    answers.append(parse_message(await reader.readexactly(length), Dialect.BINARY).get(De.RRN))
            assert answers == [each.get(De.RRN) for each in asked[:2]]
            assert len(sandbox.books.accounts) == 3
            writer.close()
            await writer.wait_closed()
        finally:
            await sandbox.close()

    asyncio.run(story())
