"""The ledger on PostgreSQL with many submitters, beside one that gives each posting a transaction of its own.

Every posting debits `cash`, the account that every sale touches, and credits one of many wallets. The baseline is what
one writes first: lock both accounts, insert the entry, update both, commit; on connections of their own, on the same
server in the same run, which waits for its disk. Its submitters queue for the lock on `cash`, commit after commit; the
group commit puts them into one.
"""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count
from statistics import median

from sqlalchemy import insert
from tests.database_servers import DatabaseServer as Server

from bench.harness import Result, figure, ratio_at_least
from prewatt.host.ledger import AccountId, Phase, Posting
from prewatt.host.store import Store, schema
from prewatt.host.store.dialect.postgresql import PostgresqlDialect
from prewatt.host.store.dialect.wire import Link
from prewatt.host.store.postings import submit_posting
from prewatt.host.store.server import DatabaseServer

__all__ = ["run"]

GOAL = 20.0
SUBMITTERS = (1, 8, 64)
WALLETS = 5_000
TURN_S = 2.0
TURNS = 3
NAIVE_TABLES = (
    "CREATE TABLE naive_accounts (id varchar PRIMARY KEY, debits bigint NOT NULL, credits bigint NOT NULL)",
    "CREATE TABLE naive_entries (id varchar PRIMARY KEY, debit varchar, credit varchar, amount bigint)",
    f"INSERT INTO naive_accounts SELECT 'wallet:' || n, 0, 0 FROM generate_series(0, {WALLETS - 1}) AS n",
    "INSERT INTO naive_accounts VALUES ('cash', 0, 0)",
)

_numbers = count()


def run() -> list[Result]:
    """Postings a second with 1, 8 and 64 submitters, each of whom waits for its answer; the claim is for 64."""
    # On the disk: in memory nobody waits for a commit, and the naive one would not either.
    server = Server(quick=False, folder=tempfile.gettempdir()).start()
    try:
        server.run("CREATE DATABASE ledger")
        DatabaseServer(server.address("ledger")).create(
            lambda writing: writing.connection.execute(insert(schema.mark).values(one=1, generation=1, commits=0))
        )
        with closing(server.connect("ledger")) as link:
            for statement in NAIVE_TABLES:
                link.execute(statement)
        with closing(Store(PostgresqlDialect(server.address("ledger")))) as store:
            return [each for submitters in SUBMITTERS for each in _compare(server, store, submitters)]
    finally:
        server.close()


def _compare(server: Server, store: Store, submitters: int) -> list[Result]:
    with ExitStack() as stack:
        links = [stack.enter_context(closing(server.connect("ledger"))) for _ in range(submitters)]
        ours, naive = [], []
        for _ in range(TURNS):
            ours.append(_rate(submitters, lambda _caller: _post(store)))
            naive.append(_rate(submitters, lambda caller: _post_naive(links[caller])))
    name, value, baseline = f"host.ledger_{submitters}_submitters", median(ours), median(naive)
    if submitters < max(SUBMITTERS):
        return [figure(name, value, "postings/s"), figure(f"{name}_naive", baseline, "postings/s")]
    return [ratio_at_least(name, value, "postings/s", baseline, GOAL)]


def _rate(submitters: int, post: Callable[[int], None]) -> float:
    """Postings a second of so many callers, each with one under way."""
    end_s = time.perf_counter() + TURN_S

    def call(caller: int) -> int:
        done = 0
        while time.perf_counter() < end_s:
            post(caller)
            done += 1
        return done

    begun_s = time.perf_counter()
    with ThreadPoolExecutor(submitters) as callers:
        done = sum(callers.map(call, range(submitters)))
    return done / (time.perf_counter() - begun_s)


def _post(store: Store) -> None:
    number = next(_numbers)
    wallet = AccountId(f"wallet:{number % WALLETS}")
    posting = Posting(f"o{number}", Phase.SINGLE, AccountId("cash"), wallet, 5, "paid", "order")
    assert submit_posting(store, posting, at_s=1).result().done


def _post_naive(link: Link) -> None:
    number = next(_numbers)
    wallet = f"wallet:{number % WALLETS}"
    link.later("BEGIN")
    for account in ("cash", wallet):
        link.execute("SELECT debits, credits FROM naive_accounts WHERE id = $1 FOR UPDATE", (account,))
    link.execute("INSERT INTO naive_entries VALUES ($1, 'cash', $2, 5)", (f"o{number}", wallet))
    link.execute("UPDATE naive_accounts SET debits = debits + 5 WHERE id = 'cash'")
    link.execute("UPDATE naive_accounts SET credits = credits + 5 WHERE id = $1", (wallet,))
    link.commit()
