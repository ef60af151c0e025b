"""Every public module says what it is and what it offers."""

import ast
import importlib

import pytest

# A sentence, not a dot.
DOCSTRING_CHARS_MIN = 20
VAGUE_WORDS = {"helper", "helpers", "util", "utils", "manager", "misc", "common"}


def exported(tree: ast.Module) -> object:
    """The value of ``__all__``, or None where the module has none."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
                return ast.literal_eval(node.value)
    return None


@pytest.fixture(scope="module")
def public(modules):
    return [module for module in modules if module.is_public]


def test_every_module_begins_with_what_it_is(modules):
    silent = [module.name for module in modules if len(ast.get_docstring(module.tree) or "") < DOCSTRING_CHARS_MIN]
    assert silent == []


def test_every_public_module_lists_what_it_offers(public):
    assert [module.name for module in public if not isinstance(exported(module.tree), list)] == []


def test_whatever_is_listed_exists(public):
    missing = [
        f"{module.name}.{name}"
        for module in public
        for name in exported(module.tree) or []
        if not hasattr(importlib.import_module(module.name), name)
    ]
    assert missing == []


def test_nothing_private_is_offered(public):
    offered = [(module.name, name) for module in public for name in exported(module.tree) or []]
    assert [pair for pair in offered if pair[1].startswith("_")] == []


def test_no_module_has_a_name_that_says_nothing(modules):
    assert [module.name for module in modules if VAGUE_WORDS & set(module.name.split("."))] == []
