"""Puts every command with its arguments and options into docs/reference/cli.md, as the program itself explains them."""

import inspect
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from marked import DOCS, put
from prewatt.apps.cli import app

__all__ = ["commands_text", "with_commands"]

PAGE = DOCS / "reference" / "cli.md"
# Explained once, at the top of the page.
SHARED = ("--data", "--json")


def with_commands(document: str) -> str:
    """``document`` with the commands as they are."""
    return put(document, "commands", commands_text())


def commands_text() -> str:
    """A section for each command, in the order of `prewatt --help`."""
    return "\n\n".join(_section(words, command) for words, command in _commands(get_command(app), ()))


# The command objects are those of the library inside typer, which has no types of its own.
def _commands(group: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        elif not command.hidden:
            yield (*words, name), command


def _section(words: tuple[str, ...], command: Any) -> str:  # noqa: ANN401
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and each.name != "help"]
    own = [each for each in options if each.opts[0] not in SHARED]
    shared = " and ".join(f"`{_shown(each)}`" for each in options if each.opts[0] in SHARED)
    name = " ".join(("prewatt", *words))
    usage = " ".join([name, *(_metavar(each) for each in arguments), *(["[OPTIONS]"] if options else [])])
    parts = [f"### {name}", f"    {usage}", inspect.cleandoc(command.help or "")]
    rows = [_row(_metavar(each), each) for each in arguments] + [_row(_shown(each), each) for each in own]
    if rows:
        parts.append("\n".join(["| | | default |", "| --- | --- | --- |", *rows]))
    if shared:
        parts.append(f"{'Also' if rows else 'Takes'} {shared}.")
    return "\n\n".join(parts)


def _row(shown: str, each: Any) -> str:  # noqa: ANN401
    default = "" if each.default in (None, False, ()) else f"`{each.default}`"
    return f"| `{shown}` | {_cell(each.help)}{_range(each)} | {default} |"


def _shown(option: Any) -> str:  # noqa: ANN401
    return str(option.opts[0]) if option.is_flag else f"{option.opts[0]} {_metavar(option)}"


def _metavar(each: Any) -> str:  # noqa: ANN401
    return str(each.metavar or each.opts[0].removeprefix("--").upper())


def _range(each: Any) -> str:  # noqa: ANN401
    return "" if each.min is None or each.max is None else f" From {each.min:,} to {each.max:,}."


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(with_commands(PAGE.read_text()))
