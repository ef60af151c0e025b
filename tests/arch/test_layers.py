"""A package imports only what stands below it: the contracts in pyproject.toml hold, and would notice a break."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BREAKS = [
    ("units/energy.py", "import prewatt.host", "layers"),
    ("crypto/__init__.py", "import prewatt.codec", "layers"),
    ("device/station/__init__.py", "import prewatt.device.meter", "devices"),
    ("protocol/host.py", "import os", "pure"),
    ("host/ledger/book.py", "import time", "pure"),
    ("newcomer.py", "", "layers"),
]


def lint_imports(folder: Path, contract: str | None = None) -> subprocess.CompletedProcess[str]:
    asked = ["--no-logo", "--no-cache", "--config", str(folder / "pyproject.toml")]
    asked += ["--contract", contract] if contract else []
    program = (
        f"import sys; from importlinter.cli import lint_imports_command; sys.argv[1:] = {asked}; lint_imports_command()"
    )
    # The folder's own package, not the installed one, is what is checked.
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path, root: Path) -> Path:
    shutil.copy(root / "pyproject.toml", tmp_path)
    shutil.copytree(
        root / "src" / "prewatt", tmp_path / "src" / "prewatt", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path


def test_every_package_imports_only_what_stands_below_it(root: Path):
    outcome = lint_imports(root)
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize(("file", "line", "contract"), BREAKS)
def test_a_planted_break_is_found(copy: Path, file: str, line: str, contract: str):
    target = copy / "src" / "prewatt" / file
    target.write_text((target.read_text() if target.exists() else "") + f"\n{line}\n")
    outcome = lint_imports(copy, contract)
    assert outcome.returncode == 1, outcome.stdout
    assert "BROKEN" in outcome.stdout or "Could not run" in outcome.stdout
