"""The reference names every command, option, setting and endpoint, and no setting that is none."""

import re
from importlib import import_module
from pathlib import Path
from typing import get_type_hints
from unittest.mock import create_autospec

import pytest


@pytest.fixture(scope="module")
def reference(root: Path) -> Path:
    return root / "docs" / "reference"


def commands(group, words: tuple[str, ...] = ()):
    """Every command below ``group`` as its words and its options."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        path = (*words, name)
        if hasattr(command, "commands"):
            yield from commands(command, path)
        else:
            options = {word for each in command.params for word in each.opts if word.startswith("--")}
            yield " ".join(path), options


@pytest.fixture(scope="module")
def command_line():
    typer_main = import_module("typer.main")
    cli = import_module("prewatt.apps.cli")
    return dict(commands(typer_main.get_command(cli.app)))


def test_the_reference_names_every_command(command_line, reference):
    text = (reference / "cli.md").read_text()
    assert [name for name in command_line if not re.search(rf"\bprewatt {re.escape(name)}\b", text)] == []


def test_the_reference_names_every_option(command_line, reference):
    text = (reference / "cli.md").read_text()
    named = set(re.findall(r"--[a-z][a-z-]*", text))
    assert {name: missing for name, options in command_line.items() if (missing := options - named)} == {}


def test_the_reference_names_every_setting_and_no_other(reference):
    settings = import_module("prewatt.apps.settings").Settings
    prefix = settings.model_config["env_prefix"]
    assert prefix == "PREWATT_"
    known = {f"{prefix}{name}".upper() for name in settings.model_fields}
    assert set(re.findall(rf"\b{prefix}[A-Z_]+[A-Z]\b", (reference / "settings.md").read_text())) == known


def without_parameters(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def test_the_reference_names_every_endpoint(reference):
    api = import_module("prewatt.apps.api.app")
    # The routes are what is asked for; what stands behind them is not called.
    behind = {
        name: "token" if hint is str else create_autospec(hint, instance=True)
        for name, hint in get_type_hints(api.build_app).items()
        if name != "return"
    }
    # The common prefix may be left out; the names of parameters are the document's own.
    text = without_parameters((reference / "api.md").read_text()).replace(api.API_PREFIX, "")
    named = set(re.findall(r"(?<![\w/}])/[\w/{}-]+", text))
    paths = api.build_app(**behind).openapi()["paths"]
    assert {path for path in paths if without_parameters(path).removeprefix(api.API_PREFIX) not in named} == set()


def test_every_link_between_the_documents_leads_somewhere(files, root):
    dead = [
        f"{path.relative_to(root)}: {target}"
        for path in files
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
        if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists()
    ]
    assert dead == []
