"""The codes of the standards' own tables, and that none is taken twice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.staff.totp import STEP_S, accepted_step, hotp, key_uri

# RFC 4226, appendix D.
SECRET = b"12345678901234567890"
HOTP = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
# RFC 6238, appendix B: the seed is repeated to the length of the hash.
TOTP = [
    (59, "94287082", "46119246", "90693936"),
    (1_111_111_109, "07081804", "68084774", "25091201"),
    (1_111_111_111, "14050471", "67062674", "99943326"),
    (1_234_567_890, "89005924", "91819424", "93441116"),
    (2_000_000_000, "69279037", "90698825", "38618901"),
    (20_000_000_000, "65353130", "77737706", "47863826"),
]
SEEDS = {"sha1": SECRET, "sha256": (SECRET * 2)[:32], "sha512": (SECRET * 4)[:64]}


@pytest.mark.parametrize(("counter", "code"), list(enumerate(HOTP)))
def test_counters_give_the_codes_of_rfc_4226(counter, code):
    assert hotp(SECRET, counter) == code


@pytest.mark.parametrize("row", TOTP)
def test_times_give_the_codes_of_rfc_6238(row):
    at_s, *codes = row
    assert [hotp(seed, at_s // STEP_S, 8, name) for name, seed in SEEDS.items()] == codes


@settings(deadline=None, max_examples=200)
@given(now_s=st.integers(0, 2**34), aside=st.integers(-3, 3))
def test_a_code_is_taken_one_step_aside_and_no_further_and_once(now_s, aside):
    step = now_s // STEP_S + aside
    code = hotp(SECRET, max(step, 0))
    found = accepted_step(SECRET, code, now_s, after=-1) if now_s >= 2 * STEP_S else None
    if found is not None and abs(aside) <= 1:
        assert accepted_step(SECRET, code, now_s, after=found) is None
    if abs(aside) > 1 and found is not None:
        # Another step may by chance have the same six digits.
        assert hotp(SECRET, found) == code


@pytest.mark.parametrize("code", ["", "0", "28708", "2870820", "abcdef", "\ud800", "２８７０８２"])
def test_what_is_no_code_is_never_taken(code):
    assert accepted_step(SECRET, code, 59, after=-1) is None


def test_the_app_gets_an_address_of_the_known_form():
    assert key_uri(SECRET, "ada", "My grid") == (
        "otpauth://totp/My%20grid:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20grid"
    )
