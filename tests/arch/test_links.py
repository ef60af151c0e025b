"""Every link in the documents leads somewhere, to the heading it names too, and every document can be reached."""

import re
from pathlib import Path

import pytest

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MENTION = re.compile(r"\bdocs/[\w/-]+\.(?:md|svg|png)\b")


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of the headings: lower case, blanks to dashes, punctuation dropped."""
    plain = (re.sub(r"[`*]", "", heading).lower() for heading in HEADING.findall(without_code(text)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def without_code(text: str) -> str:
    return "\n".join("" if line.startswith("    ") else line for line in re.sub(FENCED, "", text).splitlines())


def links(text: str) -> list[str]:
    return [link for link in LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]


@pytest.fixture(scope="module")
def documents(files: list[Path]) -> dict[Path, str]:
    return {path: path.read_text() for path in files if path.suffix == ".md"}


def test_every_relative_link_leads_to_a_file_of_the_project(documents, files, root):
    known = set(files) | {parent for path in files for parent in path.parents}
    dead = [
        f"{path.relative_to(root)}: {link}"
        for path, text in documents.items()
        for link in links(text)
        if (target := link.partition("#")[0]) and (path.parent / target).resolve() not in known
    ]
    assert dead == []


def test_every_link_to_a_heading_finds_it(documents, root):
    missing = []
    for path, text in documents.items():
        for link in links(text):
            target, sharp, anchor = link.partition("#")
            place = (path.parent / target).resolve() if target else path
            if sharp and place in documents and anchor not in anchors(documents[place]):
                missing.append(f"{path.relative_to(root)}: {link}")
    assert missing == []


def test_every_document_is_reached_from_the_readme(documents, root):
    reached, waiting = set(), [root / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in documents and path not in reached:
            reached.add(path)
            waiting += [(path.parent / link.partition("#")[0]).resolve() for link in links(documents[path])]
    below = {path for path in documents if (root / "docs") in path.parents}
    assert sorted(str(path.relative_to(root)) for path in below - reached) == []


def test_every_document_that_the_code_names_exists(modules, root):
    named = {(module.name, name) for module in modules for name in MENTION.findall(module.text)}
    assert sorted(pair for pair in named if not (root / pair[1]).is_file()) == []


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [("# The `lock` file", "the-lock-file"), ("## R1, R2: why?", "r1-r2-why"), ("### GET /a/{b}", "get-ab")],
)
def test_anchors_are_made_as_the_reader_of_the_repository_makes_them(heading, anchor):
    assert anchors(heading) == {anchor}
    assert anchors(f"    {heading}") == set()
