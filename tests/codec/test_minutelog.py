"""The packed minute log: lossless, strict, and as small as promised on real days."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec import DecodeError
from prewatt.codec.minutelog import MINUTES_MAX, NO_POWER, Packing, pack, pack_fitting, unpack

HOUSE_MEAN_BYTES_MAX = 1_040

readings = st.lists(
    st.one_of(st.integers(0, 300), st.integers(0, NO_POWER), st.sampled_from([0, 0xFFFE, NO_POWER])),
    max_size=MINUTES_MAX,
)


@given(readings)
@settings(max_examples=150, deadline=None)
def test_any_readings_come_back_as_they_were(minutes: list[int]) -> None:
    packing, data = pack(minutes)
    assert unpack(packing, data, len(minutes)) == tuple(minutes)
    assert len(data) <= 2 * len(minutes)


@given(st.lists(st.integers(0, NO_POWER), min_size=1, max_size=300), st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_bytes_that_decode_at_all_are_the_only_code_of_their_readings(minutes: list[int], noise: bytes) -> None:
    for data in (noise, bytes(a ^ b for a, b in zip(pack(minutes)[1], noise.ljust(600, b"\0"), strict=False))):
        for count in (len(minutes), len(noise)):
            try:
                decoded = unpack(Packing.RICE, data, count)
            except DecodeError:
                continue
            covered, packing, again = pack_fitting(decoded, room_bytes=4 * MINUTES_MAX)
            assert covered == count
            if packing is Packing.RICE:
                assert again == data


@given(readings, st.integers(0, 600))
@settings(max_examples=150, deadline=None)
def test_a_part_takes_as_many_readings_as_fit_and_never_more_bytes(minutes: list[int], room: int) -> None:
    count, packing, data = pack_fitting(minutes, room_bytes=room)
    assert len(data) <= room
    assert unpack(packing, data, count) == tuple(minutes[:count])
    assert count >= min(len(minutes), room // 2)


def test_truncated_and_extended_logs_are_refused(house_days: dict[str, tuple[int, ...]]) -> None:
    minutes = house_days["2007-02-01"]
    packing, data = pack(minutes)
    for cut in range(0, len(data), 7):
        with pytest.raises(DecodeError):
            unpack(packing, data[:cut], len(minutes))
    for tail in (b"\0", b"\x80", b"\xff" * 3):
        with pytest.raises(DecodeError):
            unpack(packing, data + tail, len(minutes))
    with pytest.raises(DecodeError):
        unpack(Packing.PLAIN, data, len(minutes))


def test_escapes_without_need_and_cut_runs_are_refused() -> None:
    needless = int("1" * 16 + "0" + f"{5:016b}" + "0" * 7, 2).to_bytes(5, "big")
    with pytest.raises(DecodeError, match="escape"):
        unpack(Packing.RICE, needless, 1)
    two_runs = int(("1" * 16 + "1" + f"{0:011b}") * 2, 2).to_bytes(7, "big")
    with pytest.raises(DecodeError, match="run"):
        unpack(Packing.RICE, two_runs, 2)


def test_readings_outside_sixteen_bits_and_too_many_are_named() -> None:
    with pytest.raises(ValueError, match="65536"):
        pack([65_536])
    with pytest.raises(ValueError, match="-1"):
        pack([-1])
    with pytest.raises(ValueError, match="1501"):
        pack([0] * (MINUTES_MAX + 1))
    with pytest.raises(DecodeError, match="1501"):
        unpack(Packing.RICE, b"", MINUTES_MAX + 1)


def test_a_day_without_power_takes_four_bytes() -> None:
    packing, data = pack([NO_POWER] * 1_440)
    assert (packing, len(data)) == (Packing.RICE, 4)


def test_the_house_packs_below_its_promise(house_days: dict[str, tuple[int, ...]]) -> None:
    whole_days = [day for day in house_days.values() if NO_POWER not in day]
    sizes = []
    for day in whole_days:
        packing, data = pack(day)
        assert unpack(packing, data, len(day)) == day
        sizes.append(len(data))
    assert len(whole_days) > 330
    assert sum(sizes) / len(sizes) <= HOUSE_MEAN_BYTES_MAX
