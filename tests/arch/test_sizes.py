"""Modules and functions stay small: hard limits for all, and a record of the long ones that only shrinks.

`make sizes` writes the record (sizes.json) anew; that is a decision to look at in review, not a routine.
"""

import ast
import json
import os
from pathlib import Path

import pytest

MODULE_LINES_GOAL, MODULE_LINES_MAX = 300, 500
FUNCTION_LINES_GOAL, FUNCTION_LINES_MAX = 40, 70
RECORD = Path(__file__).with_name("sizes.json")

Sizes = dict[str, int]


def function_sizes(name: str, node: ast.AST) -> Sizes:
    """Lines of every function and method below ``node``, its signature and docstring included."""
    sizes: Sizes = {}
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            below = f"{name}.{child.name}"
            if not isinstance(child, ast.ClassDef):
                sizes[below] = (child.end_lineno or child.lineno) - child.lineno + 1
            sizes |= function_sizes(below, child)
        else:
            sizes |= function_sizes(name, child)
    return sizes


@pytest.fixture(scope="module")
def module_lines(modules) -> Sizes:
    return {module.name: len(module.text.splitlines()) for module in modules}


@pytest.fixture(scope="module")
def function_lines(modules) -> Sizes:
    return {name: lines for module in modules for name, lines in function_sizes(module.name, module.tree).items()}


def above(sizes: Sizes, goal: int) -> Sizes:
    return {name: lines for name, lines in sorted(sizes.items()) if lines > goal}


def test_no_module_is_longer_than_the_limit(module_lines):
    assert above(module_lines, MODULE_LINES_MAX) == {}


def test_no_function_is_longer_than_the_limit(function_lines):
    assert above(function_lines, FUNCTION_LINES_MAX) == {}


def test_what_is_long_is_on_record_and_only_shrinks(module_lines, function_lines):
    long = {
        "modules": above(module_lines, MODULE_LINES_GOAL),
        "functions": above(function_lines, FUNCTION_LINES_GOAL),
    }
    if os.environ.get("PREWATT_ACCEPT_SIZES"):
        RECORD.write_text(json.dumps(long, indent=2) + "\n")
    record = json.loads(RECORD.read_text())
    for kind, sizes in long.items():
        grown = {name: lines for name, lines in sizes.items() if lines > record[kind].get(name, 0)}
        assert not grown, f"{kind} grew or are newly long: {grown}; make them smaller (or, in need: make sizes)"
        gone = sorted(set(record[kind]) - set(sizes))
        assert not gone, f"{kind} are long no more: {gone}; take them off the record with: make sizes"


def test_the_measure_counts_nested_functions_and_methods():
    tree = ast.parse(
        "class A:\n    def f(self):\n        def g():\n            pass\n        if 1:\n            def h(): pass\n"
    )
    assert function_sizes("m", tree) == {"m.A.f": 5, "m.A.f.g": 2, "m.A.f.h": 1}
