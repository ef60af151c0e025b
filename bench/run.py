"""`make bench [ONLY=area]`: runs the benchmarks, prints one table, writes bench/out/results.json.

The result file is a list of objects with ``name, value, unit, baseline, ratio, goal, met``; it holds this run alone,
so that a ratio and its baseline always come from the same machine at the same time. A goal that is not met is shown
and recorded but fails nothing: figures inform, tests decide. A benchmark that breaks makes the run exit with 1.
"""

import importlib
import json
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.harness import Area, Result

__all__ = ["benchmark_names", "main", "run_all", "table_of", "write_results"]

BENCH_DIR: Final = Path(__file__).parent
RESULTS: Final = BENCH_DIR / "out" / "results.json"
EXIT_BROKEN: Final = 1
EXIT_USAGE: Final = 2


def main(arguments: Sequence[str]) -> int:
    """Runs what ``arguments`` (nothing or one area) asks for and returns the exit code."""
    only = arguments[0].strip() if arguments else ""
    if len(arguments) > 1 or (only and only not in set(Area)):
        print(f"ONLY: {' '.join(arguments)!r} is not an area; allowed is one of {', '.join(Area)}", file=sys.stderr)
        return EXIT_USAGE
    console = Console(width=None if sys.stdout.isatty() else 120)
    results, broken = run_all(benchmark_names(Area(only) if only else None), console)
    write_results(RESULTS, results)
    console.print(table_of(results))
    shown = RESULTS.relative_to(BENCH_DIR.parent)
    missed = sum(result.met is False for result in results)
    console.print(f"{len(results)} results in {shown}; goals missed: {missed}; benchmarks broken: {len(broken)}")
    for name in broken:
        print(f"{name} broke; its traceback is above", file=sys.stderr)
    return EXIT_BROKEN if broken else 0


def benchmark_names(area: Area | None, folder: Path = BENCH_DIR) -> list[str]:
    """The benchmarks of one area, or of all in the order of the areas: the files named ``<area>_<what>.py``."""
    areas = [area] if area else list(Area)
    return [path.stem for each in areas for path in sorted(folder.glob(f"{each}_*.py"))]


def run_all(names: Iterable[str], console: Console) -> tuple[list[Result], list[str]]:
    """Their results, and the names of those that broke; one that breaks does not keep the rest from running."""
    results: list[Result] = []
    broken: list[str] = []
    for name in names:
        console.print(f"measuring {name} ...", style="dim")
        try:
            results += _results_of(importlib.import_module(f"bench.{name}"))
        except Exception:  # whatever a benchmark raises is its own fault, and is told
            traceback.print_exc()
            broken.append(name)
    return results, broken


def _results_of(module: ModuleType) -> list[Result]:
    """What the module's run() found, which must be of the module's own area."""
    area = module.__name__.rpartition(".")[2].partition("_")[0]
    found: list[Result] = list(module.run())
    for result in found:
        if not result.name.startswith(f"{area}."):
            raise ValueError(f"name: {result.name!r} is not allowed in {module.__name__}; allowed is {area}.what")
    return found


def write_results(path: Path, results: Sequence[Result]) -> None:
    """Writes them as JSON; the file is whole or is the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps([asdict(result) for result in results], indent=2, allow_nan=False) + "\n")
    fresh.replace(path)


def table_of(results: Sequence[Result]) -> Table:
    """The table for people."""
    table = Table("what")
    for heading in ("value", "baseline", "ratio", "goal"):
        table.add_column(heading, justify="right")
    table.add_column("met")
    for result in results:
        verdict = {None: "", True: "[green]yes[/]", False: "[bold red]no[/]"}[result.met]
        baseline, ratio, goal = (_short(number) for number in (result.baseline, result.ratio, result.goal))
        table.add_row(result.name, f"{_short(result.value)} {result.unit}", baseline, ratio, goal, verdict)
    return table


def _short(number: float | None) -> str:
    """Three or four digits that matter; nothing for None."""
    if number is None:
        return ""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
