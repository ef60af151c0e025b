"""What is installed is what is in the tree, and the locks pin all of it."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

LOCKS = ("requirements.lock", "requirements-test.lock")


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def project(root: Path):
    return tomllib.loads((root / "pyproject.toml").read_text())


def test_a_wheel_holds_every_file_of_the_package(tmp_path: Path, root: Path, files: list[Path]):
    for name in ("pyproject.toml", "LICENSE", "NOTICE", "README.md"):
        shutil.copy(root / name, tmp_path)
    package = [path for path in files if path.is_relative_to(root / "src")]
    for path in package:
        target = tmp_path / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    build = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    subprocess.run([sys.executable, "-W", "ignore", "-c", build], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == {str(path.relative_to(root / "src")) for path in package}


@pytest.mark.parametrize("name", [*LOCKS, "requirements-formal.lock"])
def test_a_lock_holds_no_address_and_a_hash_for_every_package(root: Path, name: str):
    text = (root / name).read_text()
    assert "://" not in text
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(root / name)) > 0
    assert [entry.split()[0] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)] == []


def test_tests_run_with_the_versions_that_running_has(root: Path):
    running, testing = (pins(root / name) for name in LOCKS)
    assert running.items() <= testing.items()


def test_the_locks_pin_whatever_the_project_names(root: Path, project):
    def names(requirements):
        return {re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0].lower() for each in requirements}

    groups = project["dependency-groups"]
    running, testing = (set(pins(root / name)) for name in LOCKS)
    assert names(project["project"]["dependencies"]) | names(groups["build"]) <= running
    assert names(groups["test"]) <= testing
    assert names(project["build-system"]["requires"]) <= running
