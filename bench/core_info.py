"""The minute log: how small it packs a real house's days, and how fast, beside what one would take from the shelf.

Days are those of the UCI house of 2007 without gaps, at 0.1 Wh. zlib and zstd get the plain 16-bit readings; the
Gorilla-style coder is the value half of Pelkonen et al., "Gorilla" (VLDB 2015), section 4.1.2, on 64-bit floats.
"""

import lzma
import struct
import zlib
from itertools import pairwise
from pathlib import Path

import zstandard

from bench.harness import Result, at_most, compare, rates_at_least, ratio_at_most
from prewatt.codec.minutelog import NO_POWER, pack, unpack

__all__ = ["run"]

DAYS_FILE = Path(__file__).parent.parent / "tests" / "vectors" / "uci_household" / "2007_pulses.csv.xz"
MINUTES = 1_440
PROMISE_BYTES = 1_040
TIMED_DAYS = 20
GORILLA_LEADING_BITS = 5
GORILLA_LENGTH_BITS = 6
GORILLA_LEADING_MAX = 31


def whole_days() -> list[list[int]]:
    """The days that have all their minutes."""
    with lzma.open(DAYS_FILE, "rt") as lines:
        texts = (line.rstrip("\n").split(",")[1] for line in lines)
        return [[int(reading) for reading in text.split()] for text in texts if "-" not in text]


def gorilla_bytes(readings: list[int]) -> int:
    """Bytes that the XOR coder of Gorilla needs."""
    patterns = [struct.unpack(">Q", struct.pack(">d", reading))[0] for reading in readings]
    bits, window = 64, (65, 65)
    for before, now in pairwise(patterns):
        changed = before ^ now
        if not changed:
            bits += 1
            continue
        leading = min(64 - changed.bit_length(), GORILLA_LEADING_MAX)
        trailing = (changed & -changed).bit_length() - 1
        if window[0] <= leading and window[1] <= trailing:
            bits += 2 + 64 - sum(window)
        else:
            window = (leading, trailing)
            bits += 2 + GORILLA_LEADING_BITS + GORILLA_LENGTH_BITS + 64 - leading - trailing
    return (bits + 7) // 8


def run() -> list[Result]:
    """Bytes a day against each of the others (less is better), then readings per second against zlib."""
    days = whole_days()
    plain = [struct.pack(f">{MINUTES}H", *day) for day in days]
    zstd = zstandard.ZstdCompressor(level=19)
    ours = sum(len(pack(day)[1]) for day in days) / len(days)
    shelf = {
        "zlib": sum(len(zlib.compress(data, 9)) for data in plain) / len(days),
        "zstd": sum(len(zstd.compress(data)) for data in plain) / len(days),
        "gorilla": sum(gorilla_bytes(day) for day in days) / len(days),
        "raw": float(2 * MINUTES),
    }
    results = [at_most("core.info_bytes_per_day", ours, "bytes", PROMISE_BYTES)]
    results += [ratio_at_most(f"core.info_bytes_vs_{name}", ours, "bytes", size) for name, size in shelf.items()]
    return results + _rates(days[:TIMED_DAYS], plain[:TIMED_DAYS])


def _rates(days: list[list[int]], plain: list[bytes]) -> list[Result]:
    packed = [pack(day) for day in days]
    deflated = [zlib.compress(data, 9) for data in plain]
    if any(NO_POWER in unpack(packing, data, MINUTES) for packing, data in packed):
        raise ValueError("days: a minute without power is not allowed here; allowed are whole days")

    def pack_all() -> None:
        for day in days:
            pack(day)

    def deflate_all() -> None:
        for day in days:
            zlib.compress(struct.pack(f">{MINUTES}H", *day), 9)

    def unpack_all() -> None:
        for packing, data in packed:
            unpack(packing, data, MINUTES)

    def inflate_all() -> None:
        for data in deflated:
            struct.unpack(f">{MINUTES}H", zlib.decompress(data))

    readings = len(days) * MINUTES
    return [
        rates_at_least("core.info_pack", compare(pack_all, deflate_all, items=readings), "readings/s"),
        rates_at_least("core.info_unpack", compare(unpack_all, inflate_all, items=readings), "readings/s"),
    ]
