"""No file says where packages come from or how one machine is laid out, and nothing is left half done."""

import re
from pathlib import Path

import pytest

# Put together here so that this file does not hold them itself.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("crates", "io"),
        ("deb", "debian", "org"),
        ("proxy", "golang", "org"),
        ("anaconda", "org"),
        ("rubygems", "org"),
    )
]
MACHINE_PATH = re.compile(r"(?<![\w.})\]])/(?:work|root|home/\w+|Users/\w+|tmp/prewatt)(?:/|\b)")
# One half of each word, the other half.
UNFINISHED_WORDS = [("TO", "DO"), ("FIX", "ME"), ("X", "XX"), ("HA", "CK"), ("NotImplemented", "Error")]
UNFINISHED = re.compile("|".join(rf"\b{first}{second}\b" for first, second in UNFINISHED_WORDS))
BRIEFING = re.compile(r"\bshared[/][A-Z]")
BINARY_SUFFIXES = {".xz", ".png", ".gz", ".db", ".bin", ".ico", ".woff2"}


@pytest.fixture(scope="module")
def texts(files: list[Path], root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in files
        if path.suffix not in BINARY_SUFFIXES
    }


def lines_with(texts: dict[str, str], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts.items()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_registry(texts):
    assert lines_with(texts, re.compile("|".join(map(re.escape, REGISTRY_HOSTS)))) == []


def test_no_file_holds_a_path_of_one_machine(texts):
    assert lines_with(texts, MACHINE_PATH) == []


def test_nothing_is_left_half_done(texts):
    assert lines_with(texts, UNFINISHED) == []


def test_no_file_speaks_of_what_a_reader_does_not_have(texts):
    assert lines_with(texts, BRIEFING) == []


def test_every_text_ends_its_last_line_and_has_no_tabs_or_carriage_returns_in_code(texts):
    code = {name: text for name, text in texts.items() if name.endswith((".py", ".toml", ".sh", ".json", ".md"))}
    assert [name for name, text in code.items() if text and not text.endswith("\n")] == []
    assert [name for name, text in code.items() if "\r" in text] == []
    assert [name for name, text in code.items() if name.endswith(".py") and "\t" in text] == []


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        (("see ", "root", "x"), True),
        (("'", "work", "main'"), True),
        (("(", "home", "someone", "x"), True),
        (("GET ", "api", "v1", "root", "x"), False),
        (("frame", "work", "flow"), False),
    ],
)
def test_the_reading_tells_machine_paths_from_others(parts, found):
    assert bool(MACHINE_PATH.search("/".join(parts))) == found
