"""What may stand in a field of a customer, premises, supplier or agent.

A phone number is as ITU-T E.164 writes it for all the world: `+`, then 7 to 15 digits of which the first is no zero;
spaces, hyphens, dots and brackets between them are dropped. An e-mail address is what web pages take as one (HTML,
4.10.5.1.5), so that nothing in it can become another header or another recipient.
"""

import re
from typing import Final

from prewatt.host.fields import check_id, check_text
from prewatt.host.refusals import RefusalOutcome, RefusedError

__all__ = [
    "EMAIL_CHARS_MAX",
    "LOCALES",
    "LOCALE_DEFAULT",
    "NOTICE_WAYS",
    "PHONE_DIGITS_MAX",
    "PHONE_DIGITS_MIN",
    "RATING_VA_MAX",
    "check_email",
    "check_id_of",
    "check_locale",
    "check_notices",
    "check_phone",
    "check_rating",
    "check_text_of",
    "format_rating",
]

# The languages that texts for customers are written in.
LOCALES: Final = ("en", "fr", "ko", "sw")
LOCALE_DEFAULT: Final = "en"
NOTICE_WAYS: Final = ("email", "sms")
PHONE_DIGITS_MIN: Final = 7
PHONE_DIGITS_MAX: Final = 15
# RFC 5321, 4.5.3.1, less the brackets of a path.
EMAIL_CHARS_MAX: Final = 254
# Far above any transformer that homes hang at.
RATING_VA_MAX: Final = 100_000_000
_VA_PER_KVA: Final = 1_000
_RATING: Final = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,3}))?", re.ASCII)
_PHONE: Final = re.compile(rf"\+[1-9][0-9]{{{PHONE_DIGITS_MIN - 1},{PHONE_DIGITS_MAX - 1}}}", re.ASCII)
_BETWEEN: Final = str.maketrans("", "", " -.()")
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+", re.ASCII)


def check_id_of(text: str, field: str) -> str:
    """See `check_id`."""
    return check_id(text, field=field)


def check_text_of(text: str, field: str) -> str:
    """See `check_text`."""
    return check_text(text, field=field)


def check_locale(text: str, field: str = "locale") -> str:
    """A language of the list; the first one where the field is empty."""
    given = text or LOCALE_DEFAULT
    if given not in LOCALES:
        raise RefusedError(RefusalOutcome.BAD_FIELD, field, text, f"one of {', '.join(LOCALES)}")
    return given


def check_phone(text: str, field: str = "phone") -> str:
    """A phone number in its one spelling, `+33612345678`; empty where there is none."""
    given = text.translate(_BETWEEN)
    if given and not _PHONE.fullmatch(given):
        allowed = (
            f"+ and {PHONE_DIGITS_MIN} to {PHONE_DIGITS_MAX} digits with the country's first, +33612345678, or empty"
        )
        raise RefusedError(RefusalOutcome.BAD_FIELD, field, text, allowed)
    return given


def check_email(text: str, field: str = "email") -> str:
    """An e-mail address; empty where there is none."""
    if text and (len(text) > EMAIL_CHARS_MAX or not _EMAIL.fullmatch(text)):
        allowed = f"an address such as ada@example.org of at most {EMAIL_CHARS_MAX} characters, or empty"
        raise RefusedError(RefusalOutcome.BAD_FIELD, field, text, allowed)
    return text


def check_notices(text: str, field: str = "notices") -> str:
    """The ways on which notices are wanted, in order, with a space between two; empty: none are wanted."""
    given = sorted(set(text.split()))
    if not set(given) <= set(NOTICE_WAYS):
        allowed = f"any of {', '.join(NOTICE_WAYS)} with a space between two, or empty"
        raise RefusedError(RefusalOutcome.BAD_FIELD, field, text, allowed)
    return " ".join(given)


def check_rating(text: str, field: str = "rating_kva") -> int:
    """What a transformer may carry, given in kVA as a decimal, in VA; 0 where the field is empty: not known."""
    found = _RATING.fullmatch(text)
    rating_va = 0 if found is None else int(found[1]) * _VA_PER_KVA + int((found[2] or "").ljust(3, "0"))
    if text and not 0 < rating_va <= RATING_VA_MAX:
        allowed = f"kVA, 0.001 to {RATING_VA_MAX // _VA_PER_KVA} with at most three decimals, or empty"
        raise RefusedError(RefusalOutcome.BAD_FIELD, field, text, allowed)
    return rating_va


def format_rating(rating_va: int) -> str:
    """VA as kVA, a decimal without needless zeros; empty where it is not known."""
    whole, part = divmod(rating_va, _VA_PER_KVA)
    return (f"{whole}.{part:03d}".rstrip("0") if part else str(whole)) if rating_va else ""
