"""A thousand payments over a bad line, by a process that is killed: each ends once, and both books agree."""

import asyncio
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from tests.host.payment.paying_client import amount_of
from tests.host.payment.sqlite_journal import SqliteJournal

from prewatt.host.payment.iso8583.statement import our_payment, parse_statement
from prewatt.host.payment.port import PaymentState
from prewatt.host.payment.reconcile import reconcile
from prewatt.host.payment.sandbox.acquirer import start_sandbox
from prewatt.host.payment.sandbox.behaviour import Chaos

COUNT = 1_000
KILLED_AT = (250, 300)
MINOR_MICRO = 10_000
CLIENT = Path(__file__).with_name("paying_client.py")


async def run_client(port, file, kill_at):
    """Runs until it is done (True), or has been killed after so many payments (False)."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(CLIENT), str(port), str(file), str(COUNT), stdout=asyncio.subprocess.PIPE
    )
    try:
        ended = 0
        while line := await process.stdout.readline():
            ended = int(line.split()[1])
            if kill_at is not None and ended >= kill_at:
                process.kill()
                break
        await process.stdout.read()
        return await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.heavy
def test_a_thousand_payments_over_a_bad_line_and_two_kills_all_end_once_and_both_books_agree(tmp_path):
    file = tmp_path / "payments.db"

    async def story():
        sandbox = await start_sandbox()
        sandbox.chaos = Chaos(Random(4), swallow=40, unanswered=40, twice=60, breaks=5, delayed=60, delay_ms_max=400)
        try:
            async with asyncio.timeout(300):
                for kill_at in KILLED_AT:
                    assert not await run_client(sandbox.place.port, file, kill_at)
                assert await run_client(sandbox.place.port, file, None)
        finally:
            await sandbox.close()
        return sandbox

    sandbox = asyncio.run(story())
    rows = SqliteJournal(file).read_all()
    states = Counter(row.state for row in rows)
    assert len(rows) == len({row.payment_id for row in rows}) == COUNT
    assert set(states) == {PaymentState.CAPTURED, PaymentState.REVERSED}
    assert states[PaymentState.CAPTURED] > COUNT // 3
    assert len({row.rrn for row in rows}) == COUNT
    for row in rows:
        account = sandbox.books.accounts.get(row.rrn)
        money = (account.held, account.taken) if account is not None else (0, 0)
        assert row.amount_minor == amount_of(int(row.payment_id[1:]))
        assert money == ((0, row.amount_minor) if row.state is PaymentState.CAPTURED else (0, 0)), row
    assert {row.rrn for row in rows} >= set(sandbox.books.accounts)
    assert sandbox.received["0100"] <= COUNT
    check_days(sandbox, rows)


def check_days(sandbox, rows):
    """Their lists of all days against ours: no difference, and every capture matched."""
    matched = 0
    for day in {row.settled_day for row in rows if row.settled_day}:
        listed = parse_statement(
            sandbox.statement(day, currency="840", minor_micro=MINOR_MICRO), currency="840", minor_micro=MINOR_MICRO
        )
        compared = reconcile(day, [our_payment(row, MINOR_MICRO) for row in rows], listed)
        assert compared.differences == ()
        matched += compared.matched
    assert matched == sum(row.state is PaymentState.CAPTURED for row in rows)
