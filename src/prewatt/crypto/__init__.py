"""Cipher suites: key hierarchy, MACs and sealing, as pure functions of bytes. No messages, no clocks, no randomness.

`suite("aes-2026")` or `suite("tdes-1998")` gives an object with `terminal_key`, `session_key`, `sign`, `encrypt` and
`decrypt`; `message_keys` gives the keys of messages that start at a meter. Whatever was received and does not fit
raises AuthenticationError; a wrong length given by our own code raises ValueError.
"""

from prewatt.crypto.abstract import CHECK_VALUE_BYTES, KEY_SET_MAX, Suite, SuiteName, check_value, tag_equal
from prewatt.crypto.errors import AuthenticationError
from prewatt.crypto.messages import MessageKeys, MessageKind
from prewatt.crypto.suites import SUITES, suite, suite_by_id

__all__ = [
    "CHECK_VALUE_BYTES",
    "KEY_SET_MAX",
    "SUITES",
    "AuthenticationError",
    "MessageKeys",
    "MessageKind",
    "Suite",
    "SuiteName",
    "check_value",
    "suite",
    "suite_by_id",
    "tag_equal",
]
