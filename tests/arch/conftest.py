"""What every test of the architecture looks at: the modules of the installed package, and the files of the project."""

import ast
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import prewatt

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Module:
    """One module: its dotted name, and its text as read and as parsed."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def is_public(self) -> bool:
        """No part of the name is private, and it can be imported by name at all."""
        return all(part.isidentifier() and not part.startswith("_") for part in self.name.split("."))


def _module(path: Path, package: Path) -> Module:
    parts = path.relative_to(package.parent).with_suffix("").parts
    text = path.read_text(encoding="utf-8")
    return Module(".".join(part for part in parts if part != "__init__"), path, text, ast.parse(text))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    package = Path(prewatt.__path__[0])
    return [_module(path, package) for path in sorted(package.rglob("*.py"))]


@pytest.fixture(scope="session")
def files() -> list[Path]:
    """The project's own files: what git knows or would take."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]
