"""`prewatt audit` on a million entries, beside a plain reading of the same rows by SQLAlchemy in the same run.

The database is a shop after 250,000 sales to 5,000 meters: each was paid, numbered, reserved and delivered (four
entries), has its order, payment and proof, and was committed in groups of 100. It is written past the host, in blocks,
with the host's own code for chain, receipts and books. The baseline reads every entry with SQLAlchemy Core and adds its
amount to its two accounts, which is the least that an audit could do: not its orders, payments, proofs, meters, rules,
dates and hashes.
"""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection, connect

from sqlalchemy import select

from bench.harness import Result, at_most, ratio_at_most
from prewatt.codec.receipt import Receipt, Status
from prewatt.host.folder import DataFolder
from prewatt.host.host import Host
from prewatt.host.keys import FileVault, VaultSecret
from prewatt.host.ledger import GENESIS, Entry, make_link
from prewatt.host.registry import Enrolment
from prewatt.host.store import schema
from prewatt.protocol.transfer import BodyState, MeterBook, pack_book
from prewatt.units import MeterId, Micro, sequence_of

__all__ = ["fill", "open_filled", "run"]

METERS, SALES = 5_000, 250_000
ENTRIES_OF_SALE = 4
GROUP_SALES = 25
GOAL_S = 20.0
# Of the time that reading the entries alone takes.
GOAL = 5.0
AMOUNT_MICRO = 10_000_000
FIRST_S = 1_700_000_000


def run() -> list[Result]:
    """Seconds for all of it, and how many times as long as reading the entries takes."""
    with tempfile.TemporaryDirectory() as folder, open_filled(Path(folder), METERS, SALES) as host:
        audits, readings = [], []
        for _ in range(2):
            audits.append(_seconds(lambda: _audit(host)))
            readings.append(_seconds(lambda: _read(host)))
    value, baseline = min(audits), min(readings)
    name = "host.audit_1000000_entries"
    return [at_most(f"{name}_s", value, "s", GOAL_S), ratio_at_most(name, value, "s", baseline, GOAL)]


def open_filled(path: Path, meters: int, sales: int) -> Host:
    """The shop, open."""
    data = DataFolder.claim(path / "data", create=True)
    vault = FileVault.create(
        data.vault, VaultSecret.from_passphrase("a benchmark's alone"), suites=["aes-2026"], now_s=FIRST_S
    )
    with Host.create(data, vault, state_dir=path / "state") as host:
        host.registry.enrol(Enrolment("000001"))
    with closing(connect(data.database)) as database, database:
        fill(database, meters, sales)
    return Host.open(DataFolder.claim(data.path), vault, state_dir=path / "state")


def fill(database: Connection, meters: int, sales: int) -> None:
    """Writes the shop into a new installation's database, which has one meter that serves as a pattern."""
    names = [f"{number:06X}" for number in range(1, meters + 1)]
    _copy_meters(database, names[1:])
    last: dict[str, int] = dict.fromkeys(names, 0)
    previous, number = GENESIS, 0
    for link, first in enumerate(range(0, sales, GROUP_SALES), 1):
        entries, orders, payments, records = [], [], [], []
        for sale in range(first, min(first + GROUP_SALES, sales)):
            meter, order, at_s = names[sale % meters], f"sale-{sale}", FIRST_S + sale
            last[meter] += 1
            tag = (sale + 1).to_bytes(8, "big")
            entries += _entries(number, order, meter, at_s)
            number += ENTRIES_OF_SALE
            orders.append((order, meter, AMOUNT_MICRO, tag, "confirmed", "delivered", 4, last[meter], at_s, at_s))
            payments.append((f"cash-{sale}", order, "cash", AMOUNT_MICRO, at_s))
            records.append(
                (meter, last[meter], tag, AMOUNT_MICRO, "order", order, _receipt(meter, last[meter], tag), at_s)
            )
        made = make_link(link, previous, entries)
        previous = made.hash
        for table, rows in (("entries", entries), ("chain", [made]), ("payments", payments)):
            _insert(database, table, rows)
        _insert(
            database, "orders", orders, "id, meter, amount_micro, tag, step, place, moves, sequence, made_s, settled_s"
        )
        _insert(database, "record_file", records, "meter, sequence, tag, amount_micro, what, order_id, receipt, at_s")
    _insert(database, "accounts", _accounts(last))
    for meter in names:
        book = MeterBook(MeterId(bytes.fromhex(meter)), BodyState.LIVE, 0, last[meter])
        database.execute("UPDATE books SET book = ? WHERE meter = ?", (pack_book(book), meter))


def _entries(number: int, order: str, meter: str, at_s: int) -> list[Entry]:
    wallet, transit, delivered = (f"{kind}:{meter}" for kind in ("wallet", "in_transit", "delivered"))
    steps = (
        ("single", "cash", wallet, "paid", None),
        ("single", wallet, transit, "numbered", None),
        ("pending", transit, delivered, "to be delivered", None),
        ("post", transit, delivered, "delivered", f"{order}/3"),
    )
    return [
        Entry(number + step, f"{order}/{step}", phase, debit, credit, AMOUNT_MICRO, cause, order, pending_id, at_s)
        for step, (phase, debit, credit, cause, pending_id) in enumerate(steps, 1)
    ]


def _receipt(meter: str, sequence: int, tag: bytes) -> bytes:
    where = MeterId(bytes.fromhex(meter))
    return Receipt(Micro(0), where, Status.DONE, sequence_of(0, sequence), tag, AMOUNT_MICRO, 0).build()


def _accounts(last: dict[str, int]) -> Iterator[tuple[str, int, int, int, int]]:
    yield "cash", sum(last.values()) * AMOUNT_MICRO, 0, 0, 0
    for meter, sales in last.items():
        value = sales * AMOUNT_MICRO
        yield f"wallet:{meter}", value, value, 0, 0
        yield f"in_transit:{meter}", value, value, 0, 0
        yield f"delivered:{meter}", 0, value, 0, 0


def _copy_meters(database: Connection, names: list[str]) -> None:
    """Further meters like the first one, 256 below a station."""
    area, station = database.execute("SELECT area, id FROM stations").fetchone()
    stations = [(f"{station}-{number}", area, number) for number in range(1, len(names) // 256 + 2)]
    database.executemany("INSERT INTO stations (id, area, number) VALUES (?, ?, ?)", stations)
    places = [(*stations[number // 256][:1], number % 256) for number in range(len(names))]
    for table, key, own in (("meters", "id", ("station", "m_id")), ("books", "meter", ())):
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] not in (key, *own)]
        to, text = ", ".join((key, *own, *columns)), ", ".join(("?",) * (1 + len(own)) + tuple(columns))
        query = f"INSERT INTO {table} ({to}) SELECT {text} FROM {table} WHERE {key} = '000001'"
        rows = [(name, *place) if own else (name,) for name, place in zip(names, places, strict=True)]
        database.executemany(query, rows)


def _insert(database: Connection, table: str, rows: Iterable[Sequence[object]], columns: str = "") -> None:
    written = list(rows)
    named = columns or ", ".join(
        ["number", "id", "phase", "debit", "credit", "amount_micro", "cause", "reference", "pending_id", "at_s"]
        if table == "entries"
        else [f'"{row[1]}"' for row in database.execute(f"PRAGMA table_info({table})")]
    )
    database.executemany(f"INSERT INTO {table} ({named}) VALUES ({', '.join('?' * len(written[0]))})", written)


def _audit(host: Host) -> None:
    found = host.audit.run()
    assert found.ok, found.violations[0].text
    assert found.entries == SALES * ENTRIES_OF_SALE


def _read(host: Host) -> None:
    debits: dict[str, int] = {}
    credits: dict[str, int] = {}
    with host.context.store.reading() as connection:
        for row in connection.execute(select(schema.entries).order_by(schema.entries.c.number)):
            debits[row.debit] = debits.get(row.debit, 0) + row.amount_micro
            credits[row.credit] = credits.get(row.credit, 0) + row.amount_micro
    assert sum(debits.values()) == sum(credits.values())


def _seconds(work: Callable[[], None]) -> float:
    begun_s = time.perf_counter()
    work()
    return time.perf_counter() - begun_s
