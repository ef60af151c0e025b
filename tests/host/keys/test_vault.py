"""The vault as the host uses it: sets, terminal keys, choice, rotation. On the file vault, which is one of its kind."""

import itertools

import pytest

from prewatt.crypto import suite
from prewatt.host.keys import (
    ROTATION_PERIOD_S,
    TERMINAL_KEYS_CACHED_MAX,
    FileVault,
    KeySetExistsError,
    KeySetMissingError,
    KeySetRetiredError,
    KeySetState,
    KeyVault,
    VaultFullError,
)

METER = b"\x12\x34\x56"


def test_a_new_vault_has_the_sets_that_were_asked_for(vault):
    assert isinstance(vault, KeyVault)
    shown = [(each.index, each.suite, each.created_s, each.state) for each in vault.sets()]
    assert shown == [
        (0, "aes-2026", 1_000, "active"),
        (1, "aes-2026", 1_000, "active"),
        (2, "tdes-1998", 1_000, "active"),
    ]


def test_terminal_keys_are_those_of_the_suite_and_differ_by_set_and_meter(vault):
    keys = {vault.terminal_key(index, meter) for index in (0, 1, 2) for meter in (METER, b"\x00\x00\x01")}
    assert len(keys) == 6
    for each in vault.sets():
        assert len(vault.terminal_key(each.index, METER)) == suite(each.suite).terminal_key_bytes
    assert vault.terminal_key(0, METER) == vault.terminal_key(0, METER)


def test_a_terminal_key_is_made_from_master_key_set_and_meter(tmp_path, secret, low_cost):
    given = iter([b"\x01" * 32, b"\x02" * 16, bytes(16), bytes(16)])
    vault = FileVault.create(
        tmp_path / "v", secret, suites=["aes-2026", "tdes-1998"], now_s=0, random=lambda n: next(given), cost=low_cost
    )
    assert vault.terminal_key(0, METER) == suite("aes-2026").terminal_key(b"\x01" * 32, METER, 0)
    assert vault.terminal_key(1, METER) == suite("tdes-1998").terminal_key(b"\x02" * 16, METER, 1)


@pytest.mark.parametrize("meter_id", [b"", b"\x01\x02", b"\x01\x02\x03\x04"])
def test_a_bad_meter_id_is_refused(vault, meter_id):
    with pytest.raises(ValueError, match="meter_id"):
        vault.terminal_key(0, meter_id)


@pytest.mark.parametrize("index", [3, 255, 256, -1])
def test_a_missing_set_is_named(vault, index):
    with pytest.raises(KeySetMissingError, match=f"key set {index}: not in this vault"):
        vault.terminal_key(index, METER)
    with pytest.raises(KeySetMissingError, match=f"key set {index}"):
        vault.retire(index)
    with pytest.raises(KeySetMissingError, match=f"key set {index}"):
        vault.find(index)


def test_a_set_is_added_under_the_lowest_index_never_used(vault):
    vault.retire(1)
    added = vault.add("aes-2026", now_s=2_000)
    assert (added.index, added.suite, added.created_s, added.state) == (3, "aes-2026", 2_000, KeySetState.ACTIVE)
    assert vault.find(3) == added
    assert len(vault.terminal_key(3, METER)) == 32


def test_a_set_is_added_under_the_index_asked_for_and_listed_in_order(vault):
    assert vault.add("tdes-1998", 200, now_s=1).index == 200
    assert vault.add("aes-2026", 7, now_s=1).index == 7
    assert vault.add("aes-2026", now_s=1).index == 3
    assert [each.index for each in vault.sets()] == [0, 1, 2, 3, 7, 200]


def test_an_index_is_never_used_twice(vault):
    vault.retire(1)
    for index in (0, 1):
        with pytest.raises(KeySetExistsError, match=f"key set {index}"):
            vault.add("aes-2026", index, now_s=1)


@pytest.mark.parametrize("index", [-1, 256])
def test_an_index_outside_one_byte_is_refused(vault, index):
    with pytest.raises(ValueError, match="index"):
        vault.add("aes-2026", index, now_s=1)


def test_an_unknown_suite_or_an_impossible_time_is_refused_and_changes_nothing(vault):
    before = vault.path.read_bytes()
    with pytest.raises(ValueError, match="suite"):
        vault.add("rot13", now_s=1)
    for now_s in (-1, 2**32):
        with pytest.raises(ValueError, match="now_s"):
            vault.add("aes-2026", now_s=now_s)
    assert vault.path.read_bytes() == before


def test_a_vault_with_all_256_indexes_used_is_full_and_opens_again(tmp_path, secret, random, low_cost):
    path = tmp_path / "v"
    vault = FileVault.create(path, secret, suites=["aes-2026"] * 256, now_s=1, random=random, cost=low_cost)
    assert [each.index for each in vault.sets()] == list(range(256))
    vault.retire(9)
    with pytest.raises(VaultFullError, match="256"):
        vault.add("aes-2026", now_s=2)
    again = FileVault.open(path, secret)
    assert again.terminal_key(255, METER) == vault.terminal_key(255, METER)
    with pytest.raises(VaultFullError):
        FileVault.create(tmp_path / "w", secret, suites=["aes-2026"] * 257, now_s=1, random=random, cost=low_cost)
    assert not (tmp_path / "w").exists()


def test_a_retired_set_derives_for_nobody_even_what_it_derived_before(vault):
    vault.terminal_key(1, METER)
    retired = vault.retire(1)
    assert (retired.index, retired.state) == (1, KeySetState.RETIRED)
    for meter in (METER, b"\x00\x00\x01"):
        with pytest.raises(KeySetRetiredError, match="key set 1: retired"):
            vault.terminal_key(1, meter)
    with pytest.raises(KeySetRetiredError, match="key set 1"):
        vault.retire(1)
    assert vault.find(1).state is KeySetState.RETIRED
    assert len(vault.terminal_key(0, METER)) == 32


def test_the_choice_is_among_active_confirmed_sets_and_reaches_each(vault):
    vault.add("aes-2026", now_s=1)
    vault.retire(1)
    chosen = {vault.choose([0, 1, 3, 99], n.to_bytes(8, "big")) for n in range(50)}
    assert chosen == {0, 3}
    assert {vault.choose([0], bytes((n,)) * 8) for n in range(20)} == {0}
    assert vault.choose((3, 0, 0), bytes(8)) == vault.choose((0, 3), bytes(8))


@pytest.mark.parametrize(("confirmed", "shown"), [([], "none"), ([1], "1"), ([9, 1, 9], "1, 9")])
def test_no_active_confirmed_set_is_an_error_that_lists_them(vault, confirmed, shown):
    vault.retire(1)
    with pytest.raises(KeySetMissingError, match=f"by the meter: {shown}; not one"):
        vault.choose(confirmed, bytes(8))


def test_a_choice_needs_eight_random_bytes(vault):
    with pytest.raises(ValueError, match="random"):
        vault.choose([0], bytes(7))


def test_due_sets_are_the_active_ones_of_an_age_oldest_first(vault):
    vault.add("aes-2026", now_s=500)
    vault.add("aes-2026", now_s=2_000)
    vault.retire(0)
    assert [each.index for each in vault.due(1_099, 100)] == [3]
    assert [each.index for each in vault.due(1_100, 100)] == [3, 1, 2]
    assert [each.index for each in vault.due(10_000, 100)] == [3, 1, 2, 4]
    assert vault.due(499, 1) == []
    assert vault.due(500 + ROTATION_PERIOD_S - 1) == []
    assert [each.index for each in vault.due(500 + ROTATION_PERIOD_S)] == [3]
    assert vault.due(0) == [], "a clock that jumped back makes nothing due"


def test_a_rotation_period_is_at_least_a_second(vault):
    with pytest.raises(ValueError, match="period_s"):
        vault.due(0, 0)


def test_the_cache_of_terminal_keys_is_bounded(vault):
    for number in range(1, TERMINAL_KEYS_CACHED_MAX + 10):
        vault.terminal_key(2 if number % 64 == 0 else 0, number.to_bytes(3, "big"))
    assert vault._held.derive.cache_info().currsize == TERMINAL_KEYS_CACHED_MAX


def test_no_master_key_is_handed_out_or_shown(tmp_path, secret, low_cost):
    counter = itertools.count(0xA0)
    vault = FileVault.create(
        tmp_path / "v",
        secret,
        suites=["aes-2026", "tdes-1998"],
        now_s=0,
        random=lambda n: bytes((next(counter),)) * n,
        cost=low_cost,
    )
    shown = repr(vault) + repr(vault.sets()) + repr(vault._held.content) + repr(vault._key) + repr(secret)
    for byte in range(0xA0, 0xA4):
        assert f"{byte:02x}" * 4 not in shown
        assert f"\\x{byte:02x}" not in shown
    assert "correct horse" not in shown
    names = [name for name in dir(KeyVault) if not name.startswith("_")]
    assert names == ["add", "choose", "due", "find", "retire", "sets", "terminal_key"]
