"""Records the project's own vectors: each function of each suite on inputs that are SHA-256 of a label.

Run it as `python tests/vectors/prewatt/record.py`; it writes tdes-1998.jsonl and aes-2026.jsonl beside itself. The
tests replay the lines and never write them.
"""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from prewatt.crypto import SUITES, AuthenticationError, MessageKind, Suite, check_value

HERE = Path(__file__).parent
LENGTHS = (0, 1, 7, 8, 9, 15, 16, 17, 36, 266)
ASSOCIATED_LENGTHS = (0, 1, 38, 300)


def given_bytes(label: str, length: int) -> bytes:
    """`length` bytes: SHA-256 of label and block number, one after the other."""
    blocks = [sha256(f"{label} {i}".encode()).digest() for i in range(length // 32 + 1)]
    return b"".join(blocks)[:length]


def calls(suite: Suite) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every recorded call: the function's name and its arguments."""
    name = suite.name.value
    master = given_bytes(f"{name} master", suite.master_bytes)
    for meter_id in (b"\x00\x00\x01", b"\x12\x34\x56", b"\xff\xff\xfe"):
        for key_set in (0, 1, 255):
            yield "terminal_key", {"master": master, "meter_id": meter_id, "key_set": key_set}
    terminal_key = given_bytes(f"{name} terminal key", suite.terminal_key_bytes)
    for i in range(4):
        r1, r2 = given_bytes(f"{name} r1 {i}", suite.r1_bytes), given_bytes(f"{name} r2 {i}", suite.r2_bytes)
        yield "session_key", {"terminal_key": terminal_key, "r1": r1, "r2": r2}
    key = given_bytes(f"{name} session key", suite.session_key_bytes)
    for length in LENGTHS:
        data = given_bytes(f"{name} data {length}", length)
        yield "sign", {"data": data, "key": key}
        for associated_length in ASSOCIATED_LENGTHS:
            associated = given_bytes(f"{name} associated", associated_length)
            yield "encrypt", {"data": data, "key": key, "associated": associated}
            encrypted = suite.encrypt(data, key, associated)
            yield "decrypt", {"data": encrypted, "key": key, "associated": associated}
        yield "decrypt", {"data": encrypted[:-1], "key": key, "associated": associated}
        yield "decrypt", {"data": encrypted[:-1] + bytes((encrypted[-1] ^ 1,)), "key": key, "associated": associated}
    yield "check_value", {"key_set": 7, "meter_id": b"\x12\x34\x56", "terminal_key": terminal_key}
    yield from message_calls(suite, terminal_key)


def message_calls(suite: Suite, terminal_key: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Calls of the keys of messages that start at the meter."""
    for kind in (MessageKind.REPORT, MessageKind.WISH):
        for length in LENGTHS:
            head = given_bytes(f"head {kind.name}", 10)
            body = given_bytes(f"body {kind.name} {length}", length)
            place = {"terminal_key": terminal_key, "kind": kind.name, "head": head}
            yield "seal", {**place, "body": body}
            yield "open", {**place, "sealed": suite.message_keys(terminal_key).seal(kind, head, body)}
    for kind in (MessageKind.ALARM, MessageKind.CODE):
        for length in LENGTHS:
            data = given_bytes(f"data {kind.name} {length}", length)
            yield "tag", {"terminal_key": terminal_key, "kind": kind.name, "data": data}


def run(suite: Suite, function: str, arguments: dict[str, Any]) -> bytes:
    """The call itself."""
    if function == "check_value":
        return check_value(suite, **arguments)
    if function in ("seal", "open", "tag"):
        rest = {k: v for k, v in arguments.items() if k not in ("terminal_key", "kind")}
        keys = suite.message_keys(arguments["terminal_key"])
        function_of_keys: Callable[..., bytes] = getattr(keys, function)
        return function_of_keys(MessageKind[arguments["kind"]], **rest)
    function_of_suite: Callable[..., bytes] = getattr(suite, function)
    return function_of_suite(**arguments)


def record(suite: Suite) -> str:
    """All lines of one suite."""
    lines = []
    for function, arguments in calls(suite):
        shown = {k: v.hex() if isinstance(v, bytes) else v for k, v in arguments.items()}
        row: dict[str, Any] = {"function": function, "arguments": shown}
        try:
            row["output"] = run(suite, function, arguments).hex()
        except AuthenticationError:
            row["refused"] = True
        lines.append(json.dumps(row, separators=(",", ":")) + "\n")
    return "".join(lines)


if __name__ == "__main__":
    for each in SUITES:
        (HERE / f"{each.name.value}.jsonl").write_text(record(each))
