"""Settings: one table, one encoding, and nothing else is accepted."""

import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.codec.settings import SETTING_FIELDS, Settings, SettingsChange

CHANGES = st.dictionaries(st.sampled_from(SETTING_FIELDS), st.integers(0, 2**64), min_size=1).map(
    lambda chosen: SettingsChange({f.name: f.low + wide % (f.high - f.low + 1) for f, wide in chosen.items()})
)


@settings(max_examples=200, deadline=None)
@given(CHANGES)
def test_a_change_reads_back_as_it_was(change):
    assert SettingsChange.parse(change.build()) == change


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_whatever_is_accepted_is_the_one_encoding_of_it(data):
    try:
        change = SettingsChange.parse(data)
    except DecodeError:
        return
    assert change.build() == data


@settings(max_examples=100, deadline=None)
@given(CHANGES)
def test_a_change_sets_what_it_names_and_nothing_else(change):
    changed = Settings().changed(change)
    for each in SETTING_FIELDS:
        default = getattr(Settings(), each.name)
        assert getattr(changed, each.name) == change.values.get(each.name, default)
    assert Settings.parse(changed.build()) == changed


def test_a_change_of_everything_fits_the_older_suites_command():
    assert len(Settings().build()) <= 254


def test_each_end_of_a_range_is_allowed_and_one_past_it_is_not():
    for each in SETTING_FIELDS:
        for good in (each.low, each.high):
            assert SettingsChange.parse(SettingsChange({each.name: good}).build()).values == {each.name: good}
        for bad in (each.low - 1, each.high + 1):
            with pytest.raises(ValueError, match=f"{each.name}: {bad} is not allowed; allowed is {each.low}"):
                SettingsChange({each.name: bad})
            if 0 <= bad < 256**each.width:
                with pytest.raises(DecodeError):
                    SettingsChange.parse(bytes((each.tag, each.width)) + bad.to_bytes(each.width, "big"))


def test_an_unknown_name_and_no_setting_at_all_are_refused():
    with pytest.raises(ValueError, match="'colour' is not known"):
        SettingsChange({"colour": 1})
    with pytest.raises(ValueError, match="at least one"):
        SettingsChange({})


def test_truncated_extended_reordered_and_doubled_settings_are_refused():
    whole = SettingsChange({"low_balance_micro": 5, "close_arms": 0, "load_limit_w": 3_000}).build()
    for cut in range(len(whole)):
        if cut in {0, 10, 13}:
            continue
        with pytest.raises(DecodeError):
            SettingsChange.parse(whole[:cut])
    for bad in (b"", whole + b"\0", whole[10:] + whole[:10], whole[:10] * 2, b"\xc8\x01\x00"):
        with pytest.raises(DecodeError):
            SettingsChange.parse(bad)


def test_stored_settings_that_miss_one_are_refused():
    with pytest.raises(DecodeError, match="currency_digits is missing"):
        Settings.parse(Settings().build()[:-3])


def test_a_flipped_bit_is_refused_or_is_another_valid_change():
    whole, chance = Settings().build(), random.Random(1)
    for _ in range(500):
        place = chance.randrange(len(whole) * 8)
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        with contextlib.suppress(DecodeError):
            assert SettingsChange.parse(bytes(flipped)).build() == bytes(flipped)
