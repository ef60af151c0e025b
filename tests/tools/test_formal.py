"""The models in docs/formal are all told about, with their figures; to run them takes Java: `make formal`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORMAL = ROOT / "docs" / "formal"
sys.path.insert(0, str(ROOT / "tools"))

from formal import read_configuration, read_states  # noqa: E402

CONFIGURATIONS = [read_configuration(path) for path in sorted(FORMAL.glob("*.cfg"))]
README = (FORMAL / "README.md").read_text()


def test_the_readme_lists_every_configuration_and_no_other():
    assert set(read_states(README)) == {configuration.name for configuration in CONFIGURATIONS}


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_a_configuration_says_what_is_expected_and_the_readme_says_the_same(configuration):
    row = next(line for line in README.splitlines() if line.startswith(f"| `{configuration.name}` |"))
    states = read_states(README)[configuration.name]
    assert f"| {configuration.expected} |" in row
    assert (FORMAL / f"{configuration.module}.tla").exists()
    assert (states is None) == configuration.name.startswith("hole_") == configuration.expected.startswith("fails")


def test_every_planted_hole_has_a_configuration_that_plants_it():
    texts = [configuration.path.read_text() for configuration in CONFIGURATIONS]
    modules = "".join(path.read_text() for path in FORMAL.glob("*.tla"))
    for text in texts:
        for line in text.splitlines():
            name, _, value = line.strip().partition(" = ")
            if name == "Hole" and value != '"none"':
                assert value in modules, f"{value} is planted nowhere"


@pytest.mark.parametrize("text", ["", "\\* module: Transfer\n", "\\* module: Transfer\n\\* expected: perhaps\n"])
def test_a_configuration_that_does_not_say_what_it_is_is_refused(tmp_path, text):
    path = tmp_path / "odd.cfg"
    path.write_text(text)
    with pytest.raises(ValueError, match="odd"):
        read_configuration(path)


def test_without_java_the_script_names_the_package(tmp_path):
    run = subprocess.run(
        ["/bin/sh", str(ROOT / "tools" / "formal.sh")],
        env=os.environ | {"PATH": str(_bare_path(tmp_path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "openjdk-17" in run.stderr


def _bare_path(folder):
    """A path on which there is what the script needs before it asks for Java."""
    for name in ("dirname", "sed", "sh"):
        found = next(Path(place) / name for place in os.environ["PATH"].split(":") if (Path(place) / name).exists())
        (folder / name).symlink_to(found)
    return folder
