"""Real days for the codec tests, and receipts to put in front of them."""

import lzma
from pathlib import Path

import pytest

from prewatt.codec.receipt import Receipt, RingEntry, Status
from prewatt.codec.standing import Registers, Split, Standing
from prewatt.units import MeterId, Micro, Sequence

VECTORS = Path(__file__).parent.parent / "vectors"


def read_days(path: Path) -> dict[str, tuple[int, ...]]:
    with lzma.open(path, "rt") as lines:
        rows = (line.rstrip("\n").split(",") for line in lines)
        return {name: tuple(0xFFFF if x == "-" else int(x) for x in day.split()) for name, day in rows}


@pytest.fixture(scope="session")
def house_days() -> dict[str, tuple[int, ...]]:
    """A year of one real house, by date."""
    return read_days(VECTORS / "uci_household" / "2007_pulses.csv.xz")


@pytest.fixture(scope="session")
def feeder_days() -> dict[str, tuple[int, ...]]:
    """One day of 55 real homes, by home."""
    return read_days(VECTORS / "eulv_feeder" / "day1_pulses.csv.xz")


@pytest.fixture(scope="session")
def receipt() -> Receipt:
    return Receipt(
        balance_micro=Micro(9_876_543_210),
        meter_id=MeterId(b"\x00\x00\x01"),
        status=Status.DONE,
        last_sequence=Sequence(0x0100_0007),
        last_tag=bytes.fromhex("1122334455667788"),
        last_amount_micro=-5_000_000,
        last_control=42,
    )


@pytest.fixture(scope="session")
def full_standing() -> Standing:
    """The largest standing: a full ring and sixteen price steps."""
    return Standing(
        ring=tuple(RingEntry(Sequence(n), n.to_bytes(8, "big"), n * 1_000_000 - 3) for n in range(1, 17)),
        split=Split(svm_micro=2**63, tank_micro=100_000, exchanger_micro=9_999, acc=99_999_999),
        received_micro=2**62,
        burned_micro=2**61,
        returned_micro=2**60,
        owed_micro=0,
        unit_price_micro=250_000,
        timer_s=1_800_000_000,
        table_digest=bytes(range(8)),
        relay_causes=0x1F,
        event_newest=77,
        registers=Registers(2**40, 2**31, 2**30, 2**29, 2**28, tuple(range(16))),
    )
