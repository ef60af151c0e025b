import pytest

from prewatt.host.payment.acquirer.settings import read_settings
from prewatt.host.payment.iso8583.fields import Dialect
from prewatt.units import ValueFieldError


@pytest.fixture
def given(tmp_path):
    key = tmp_path / "token.key"
    key.write_bytes(bytes(range(32)))
    return {
        "place": "pay.example:5000", "tls": "no", "terminal": "TERM0001", "merchant": "M1", "acquirer_id": "123",
        "currency": "840", "token_key_file": str(key),
    }  # fmt: skip


def test_all_settings_are_read(given):
    more = {"dialect": "bcd", "signs_on": "no", "answer_wait_ms": "45000", "length_bytes": "4", "prefix": "6000030000"}
    read = read_settings({**given, **more, "length_counts_itself": "yes", "statements": "lists"})
    assert (read.place.address, read.place.port, read.place.tls) == ("pay.example", 5000, None)
    assert (read.place.framing.length_bytes, read.place.framing.counts_itself) == (4, True)
    assert read.place.framing.prefix == bytes.fromhex("6000030000")
    assert (read.profile.dialect, read.profile.signs_on, read.profile.answer_wait_ms) == (Dialect.BCD, False, 45_000)
    assert read.statements.name == "lists"


def test_an_address_of_version_six_and_tls_of_the_system_are_read(given):
    read = read_settings({**given, "place": "[::1]:5000", "tls": "yes", "tls_name": "pay.example"})
    assert (read.place.address, read.place.tls_name) == ("::1", "pay.example")
    assert read.place.tls.check_hostname


def test_without_a_place_the_sandbox_is_meant_and_names_are_given(given):
    read = read_settings({"currency": "840", "token_key_file": given["token_key_file"]})
    assert (read.place, read.profile.terminal) == (None, "SANDBOX1")


@pytest.mark.parametrize(
    "changes",
    [{"place": "pay.example"}, {"place": ":5000"}, {"place": "a:0"}, {"place": "a:65536"}, {"place": "a:x"},
     {"tls": ""}, {"tls": "no-such-file"}, {"currency": ""}, {"currency": "USD"}, {"dialect": "ebcdic"},
     {"signs_on": "maybe"}, {"answer_wait_ms": "-1"}, {"answer_wait_ms": "1.5"}, {"length_bytes": "3"},
     {"prefix": "xyz"}, {"unknown": "1"}, {"token_key_file": ""}, {"token_key_file": "no-such-file"}],
)  # fmt: skip
def test_what_is_not_allowed_is_named(given, changes):
    with pytest.raises(ValueFieldError):
        read_settings({**given, **changes})


@pytest.mark.parametrize("name", ["terminal", "merchant", "acquirer_id", "currency", "token_key_file", "tls"])
def test_what_is_missing_is_named(given, name):
    del given[name]
    with pytest.raises(ValueFieldError):
        read_settings(given)


def test_a_short_key_is_refused_and_not_shown(given, tmp_path):
    (tmp_path / "token.key").write_bytes(b"too short a secret")
    with pytest.raises(ValueFieldError) as refused:
        read_settings(given)
    assert "secret" not in str(refused.value)
