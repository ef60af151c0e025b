"""The minute log packed without loss: an adaptive Rice code of the differences between neighbouring minutes.

A home's minute readings move little from one to the next, with rare jumps when a kettle starts. So each reading is
sent as its difference from the one before, folded to a non-negative number z (0, -1, 1, -2 ... become 0, 1, 2, 3 ...),
as q = z >> k in unary and the low k bits plain (Rice and Plaunt 1971; R. F. Rice, JPL 79-22). k follows a running mean
of z, so the code fits itself to night and to noon. What z cannot say cheaply goes out by an escape: sixteen ones, then
0 and the 16-bit reading, or 1 and the length of a run of minutes without power (11 bits, length - 1).

Readings have one Rice code only: unpack refuses an escape that was not needed, a run that could have been longer, and
padding that is not zero. Where the code would be longer than the plain 16-bit readings, PLAIN is used.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from prewatt.codec.errors import DecodeError

__all__ = ["MINUTES_MAX", "NO_POWER", "READING_MAX", "Packing", "pack", "pack_fitting", "unpack"]

NO_POWER: Final = 0xFFFF
READING_MAX: Final = 0xFFFE
# The longest local day is 25 hours (clocks go back); a part never holds more than one day.
MINUTES_MAX: Final = 1_500

_ESCAPE: Final = "1" * 16
_ESCAPE_ONES: Final = 16
_READING_BITS: Final = 16
_RUN_BITS: Final = 11
_RUN_MAX: Final = 1 << _RUN_BITS
# The running mean of z: scaled by 16, moves by an eighth. k is the bit length of mean x ln 2 (177/256), best for the
# geometric distribution that a Rice code fits; 180 measured best on a year of one home and 55 homes of one day.
_MEAN_SCALE_BITS: Final = 4
_MEAN_SHIFT: Final = 3
_MEAN_START: Final = 32 << _MEAN_SCALE_BITS
_LN2_256: Final = 180
_LN2_BITS: Final = 8 + _MEAN_SCALE_BITS


class Packing(IntEnum):
    """How the readings of a part are packed."""

    PLAIN = 0
    RICE = 1


def _codes(minutes: Sequence[int]) -> list[tuple[int, str]]:
    """(minutes covered, bits) of each code word, in order."""
    words: list[tuple[int, str]] = []
    mean, before, index, count = _MEAN_START, 0, 0, len(minutes)
    while index < count:
        reading = minutes[index]
        if reading == NO_POWER:
            end = index + 1
            while end < count and minutes[end] == NO_POWER and end - index < _RUN_MAX:
                end += 1
            words.append((end - index, f"{_ESCAPE}1{end - index - 1:011b}"))
            index = end
            continue
        step = reading - before
        z = step << 1 if step >= 0 else (-step << 1) - 1
        k = ((mean * _LN2_256) >> _LN2_BITS).bit_length()
        q = z >> k
        if q >= _ESCAPE_ONES:
            words.append((1, f"{_ESCAPE}0{reading:016b}"))
        elif k:
            words.append((1, f"{'1' * q}0{z & ((1 << k) - 1):0{k}b}"))
        else:
            words.append((1, "1" * q + "0"))
        mean += ((z << _MEAN_SCALE_BITS) - mean) >> _MEAN_SHIFT
        before = reading
        index += 1
    return words


def _check(minutes: Sequence[int]) -> None:
    if len(minutes) > MINUTES_MAX:
        raise ValueError(f"minutes: {len(minutes)} are not allowed; allowed is up to {MINUTES_MAX}")
    for reading in minutes:
        if not 0 <= reading <= NO_POWER:
            raise ValueError(f"minute reading: {reading} is not allowed; allowed is 0 to {NO_POWER}")


def _to_bytes(words: list[tuple[int, str]]) -> bytes:
    bits = "".join([word for _, word in words])
    if not bits:
        return b""
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _plain(minutes: Sequence[int]) -> bytes:
    return b"".join([reading.to_bytes(2, "big") for reading in minutes])


def pack(minutes: Sequence[int]) -> tuple[Packing, bytes]:
    """All of ``minutes`` (each 0-65,534, or NO_POWER) in the shorter packing. ValueError outside the limits."""
    _, packing, data = pack_fitting(minutes, room_bytes=2 * MINUTES_MAX)
    return packing, data


def pack_fitting(minutes: Sequence[int], *, room_bytes: int) -> tuple[int, Packing, bytes]:
    """(how many of ``minutes`` fit, packing, bytes): as many from the start as ``room_bytes`` can hold.

    The packing is the one that holds more; of equals the shorter; of equals RICE. A run without power is never cut
    where it would fit whole, so that each part starts afresh.
    """
    _check(minutes)
    words = _codes(minutes)
    room_bits, used_bits, covered, taken = room_bytes * 8, 0, 0, 0
    for span, word in words:
        used_bits += len(word)
        if used_bits > room_bits:
            break
        covered += span
        taken += 1
    plain_count = min(len(minutes), room_bytes // 2)
    data = _to_bytes(words[:taken])
    if (covered, -len(data)) >= (plain_count, -2 * plain_count):
        return covered, Packing.RICE, data
    return plain_count, Packing.PLAIN, _plain(minutes[:plain_count])


def unpack(packing: Packing, data: bytes, count: int) -> tuple[int, ...]:
    """The ``count`` readings; DecodeError for bytes that ``pack`` would not have made of them."""
    if count > MINUTES_MAX:
        raise DecodeError(0, "minute log", f"{count} minutes, at most {MINUTES_MAX}")
    if packing is Packing.PLAIN:
        if len(data) != 2 * count:
            raise DecodeError(0, "minute log", f"{len(data)} bytes are not {count} plain readings")
        return tuple(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    bits = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}" if data else ""
    try:
        minutes, end = _decode(bits, count)
    except _BadCodeError as bad:
        raise DecodeError(bad.bit // 8, "minute log", bad.why) from None
    except (ValueError, IndexError):
        raise DecodeError(len(data), "minute log", f"ends before minute {count}") from None
    if len(bits) - end >= 8 or "1" in bits[end:]:
        raise DecodeError(end // 8, "minute log", "padding is not zeros to the next byte")
    return tuple(minutes)


class _BadCodeError(Exception):
    def __init__(self, bit: int, why: str) -> None:
        super().__init__(why)
        self.bit = bit
        self.why = why


def _decode(bits: str, count: int) -> tuple[list[int], int]:
    """The readings and where the code ends; ValueError or IndexError where ``bits`` end too soon."""
    minutes: list[int] = []
    mean, before, at, run_before = _MEAN_START, 0, 0, False
    while len(minutes) < count:
        k = ((mean * _LN2_256) >> _LN2_BITS).bit_length()
        stop = at + _ESCAPE_ONES
        if not bits.startswith(_ESCAPE, at):
            stop = bits.index("0", at)
            z = (stop - at) << k
            end = stop + 1 + k
            if k:
                z |= int(bits[stop + 1 : end], 2)
            reading = before + (z >> 1 if not z & 1 else -((z + 1) >> 1))
        elif bits[stop] == "1":
            end = stop + 1 + _RUN_BITS
            run = int(bits[stop + 1 : end], 2) + 1
            if end > len(bits) or run_before or len(minutes) + run > count:
                raise _BadCodeError(at, "a run without power is cut, doubled or too long")
            minutes += [NO_POWER] * run
            at, run_before = end, True
            continue
        else:
            end = stop + 1 + _READING_BITS
            reading = int(bits[stop + 1 : end], 2)
            step = reading - before
            z = step << 1 if step >= 0 else (-step << 1) - 1
            if z >> k < _ESCAPE_ONES and end <= len(bits):
                raise _BadCodeError(at, "an escape where none is needed")
        if end > len(bits) or not 0 <= reading <= READING_MAX:
            raise _BadCodeError(at, "a reading is cut or outside 16 bits")
        minutes.append(reading)
        before, at, run_before = reading, end, False
        mean += ((z << _MEAN_SCALE_BITS) - mean) >> _MEAN_SHIFT
    return minutes, at
