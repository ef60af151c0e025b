"""What decides about money asks no clock and no chance, and never computes in fractions.

The import contracts catch what is imported, also by detours; this reads what is called.
"""

import ast
from collections.abc import Iterator

import pytest

PURE = (
    *("units", "codec", "crypto", "protocol", "device", "host.ledger", "host.rates"),
    *("host.payment.iso8583", "host.payment.port", "host.payment.reconcile"),
)
# Modules that count value; energy and money are whole numbers there.
MONEY = (
    "units.value",
    "codec.receipt",
    "codec.valuecode",
    "protocol.transfer",
    "device.meter.money",
    "device.meter.tokens",
    "device.meter.valuecode",
    "host.ledger",
    "host.rates",
    "host.money",
    "host.booking",
    "host.vending",
    "host.payment.cash",
    "host.payment.iso8583",
    "host.payment.port",
    "host.payment.reconcile",
    "host.payment.sandbox.books",
    "host.transfers",
)
FORBIDDEN_IMPORTS = {
    *("asyncio", "logging", "os", "random", "secrets", "socket", "sqlite3", "threading", "time"),
    *("multiprocessing", "subprocess", "tempfile", "uuid", "structlog"),
}
CLOCK_CALLS = {"now", "utcnow", "today"}
CLOCKS = {"datetime", "date", "dt", "_dt"}
WORLD_CALLS = {"open", "input", "print", "exec", "eval", "breakpoint", "hash"}


def chosen(modules, names):
    wanted = tuple(f"prewatt.{name}" for name in names)
    return [
        m
        for m in modules
        if m.name in wanted or m.name.startswith(tuple(f"{each}{end}" for each in wanted for end in "._"))
    ]


def impurities(tree: ast.AST) -> Iterator[str]:
    """What in ``tree`` reaches for the world, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in WORLD_CALLS:
                yield f"{node.lineno}: {node.func.id}()"
            elif isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK_CALLS:
                owner = ast.unparse(node.func.value)
                if owner.rpartition(".")[2] in CLOCKS:
                    yield f"{node.lineno}: {owner}.{node.func.attr}()"
            continue
        else:
            continue
        yield from (f"{node.lineno}: import {name}" for name in names if name.partition(".")[0] in FORBIDDEN_IMPORTS)


def fractions(tree: ast.AST) -> Iterator[str]:
    """Every float literal, float() and true division in ``tree``, but not how long something waits (``..._S``)."""
    named = (node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign))
    waits = {id(node.value) for node in named if ast.unparse(node.target).endswith("_S")}
    for node in ast.walk(tree):
        if id(node) in waits:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{node.lineno}: {node.value}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"float", "round"}:
            yield f"{node.lineno}: {node.func.id}()"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"{node.lineno}: /"


def test_what_decides_reaches_for_nothing_outside(modules):
    found = {module.name: list(impurities(module.tree)) for module in chosen(modules, PURE)}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_money_is_never_a_fraction(modules):
    found = {module.name: list(fractions(module.tree)) for module in chosen(modules, MONEY)}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_every_pure_part_is_looked_at(modules):
    for part in PURE:
        assert chosen(modules, [part]), part


@pytest.mark.parametrize(
    "text",
    ["import os", "from os import path", "def f():\n import time", "datetime.now()", "datetime.datetime.utcnow()",
     "date.today()", "print(1)", "import logging.config"],
)  # fmt: skip
def test_the_reading_sees_what_reaches_outside(text):
    assert list(impurities(ast.parse(text)))


@pytest.mark.parametrize("text", ["x = 1.5", "x = a / b", "a /= 2", "float('1')", "round(a)"])
def test_the_reading_sees_fractions(text):
    assert list(fractions(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["self.now()", "import datetime", "WAIT_S: Final = 0.5", "from prewatt.device.now import Now", "x = a // b"]
)
def test_the_reading_lets_pass_what_is_pure(text):
    assert not list(impurities(ast.parse(text)))
    assert not list(fractions(ast.parse(text)))
