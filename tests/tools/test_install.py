"""The scripts behind make say what is missing and touch nothing where they cannot do their work."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.lock", "requirements-test.lock"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def run(tree: Path, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", f"tools/{script}", *arguments],
        cwd=tree,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def fake_python(tree: Path, body: str) -> str:
    """A command that stands for a Python; ``body`` sees its arguments as $*."""
    path = tree / "fake-python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize("script", sorted(path.name for path in (ROOT / "tools").glob("*.sh")))
def test_every_script_is_shell(script):
    subprocess.run(["/bin/sh", "-n", str(ROOT / "tools" / script)], check=True)


def test_what_to_install_must_be_named(tree):
    outcome = run(tree, "install.sh", "everything")
    assert outcome.returncode == 2
    assert "allowed is runtime or test" in outcome.stderr


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("exit 1", "Python 3.11 or newer is missing"),
        ('case "$*" in *"import venv"*) exit 1;; *executable*) echo "$0";; esac', "no venv module"),
        (
            'case "$*" in *"-m pip"*|*ensurepip*) exit 1;; *executable*) echo "$0";; esac',
            "neither pip nor ensurepip; on Debian: apt install python3-pip",
        ),
    ],
)
def test_a_python_that_will_not_do_is_named_with_the_package_that_helps(tree, body, said):
    outcome = run(tree, "install.sh", "runtime", PYTHON=fake_python(tree, body))
    assert outcome.returncode == 1
    assert said in outcome.stderr
    assert "apt install" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    assert not (tree / ".venv").exists()


def test_a_missing_system_tool_is_named_with_its_package(tree, tmp_path):
    # Nothing but a shell's own words and an id that is not root's.
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "id").write_text("#!/bin/sh\necho 1000\n")
    (bare / "id").chmod(0o755)
    outcome = run(tree, "system-tools.sh", PATH=str(bare))
    assert outcome.returncode == 1
    assert "apt-get install openssl" in outcome.stderr


def test_a_lock_needs_uv_and_says_how_to_get_it(tree, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "dirname").symlink_to(shutil.which("dirname"))
    before = (tree / "requirements.lock").read_text()
    outcome = run(tree, "lock.sh", PATH=str(bare))
    assert outcome.returncode == 1
    assert "install uv" in outcome.stderr
    assert (tree / "requirements.lock").read_text() == before


def test_ci_calls_make_test_and_can_be_run():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "exec make test" in script.read_text()


def test_make_lists_its_words():
    make = shutil.which("make")
    if make is None:
        pytest.fail("make is missing; on Debian: apt install make")
    shown = subprocess.run([make, "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    for word in ("up", "test", "lint", "bench", "docs", "lock", "clean"):
        assert f"make {word} " in shown
