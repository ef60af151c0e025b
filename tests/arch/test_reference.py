"""What `make docs` writes into the reference is what stands there, so that nobody reads yesterday's options."""

import re
import shlex
import sys
from importlib import import_module

import pytest

PAGES = [
    ("docs_cli", "with_commands", "reference/cli.md"),
    ("docs_api", "with_routes", "reference/api.md"),
    ("docs_limits", "with_limits", "operating/limits.md"),
    ("docs_payments", "with_payments", "operating/card-payments.md"),
]


@pytest.fixture
def generator(root, monkeypatch):
    """A generator by name; they are scripts in tools/, which find each other there."""
    monkeypatch.syspath_prepend(root / "tools")
    yield import_module
    for name in ("marked", *(page[0] for page in PAGES)):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("module", "function", "page"), PAGES)
def test_the_generated_part_is_fresh(generator, root, module, function, page):
    document = (root / "docs" / page).read_text()
    fresh = getattr(generator(module), function)
    assert fresh(document) == document, "run `make docs`"


def test_a_page_without_its_markers_is_an_error(generator):
    with pytest.raises(ValueError, match="markers"):
        generator("docs_cli").with_commands("no markers")


def test_what_people_wrote_around_the_generated_part_stays(generator, root):
    cli = generator("docs_cli")
    before, begin, _ = (root / "docs" / "reference" / "cli.md").read_text().partition("<!-- commands begin")
    stale = f"{before}{begin}: written by `make docs` -->\nold\n<!-- commands end -->\nafterwords\n"
    made = cli.with_commands(stale)
    assert made.startswith(before)
    assert made.endswith("<!-- commands end -->\nafterwords\n")
    assert "old\n" not in made


def shown_commands(text: str) -> list[list[str]]:
    """The words behind `prewatt` of every command line that a document shows."""
    lines = re.findall(r"^ *\$ (?:\w+=\S+ )*(?:\.venv/bin/)?prewatt (.*)$", text, re.MULTILINE)
    return [shlex.split(line) for line in lines]


def wrong_words(words: list[str], command) -> list[str]:
    """What of a shown command the program does not know."""
    words = list(words)
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return words[:1] or ["nothing behind prewatt"]
        command = command.commands[words.pop(0)]
    options = {option for each in command.params for option in each.opts} | {"--help"}
    return [word for word in words if word.startswith("--") and word not in options]


def test_every_command_line_in_the_documents_can_be_typed(files):
    group = import_module("typer.main").get_command(import_module("prewatt.apps.cli").app)
    pages = [path for path in files if path.suffix == ".md"]
    shown = [(path.name, words) for path in pages for words in shown_commands(path.read_text())]
    assert len(shown) > 40
    assert [(name, words, wrong) for name, words in shown if (wrong := wrong_words(words, group))] == []
