"""The runner finds the benchmarks of an area, tells a broken one, and writes what a program can read."""

import json
import sys
from types import ModuleType

import pytest
from rich.console import Console

from bench import run
from bench.harness import Area, Result, figure

PLAIN = Console(width=120, no_color=True)


@pytest.fixture
def plant(monkeypatch):
    """Adds a benchmark that is not in a file."""

    def add(stem, body):
        module = ModuleType(f"bench.{stem}")
        module.run = body  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return add


def test_an_area_has_the_files_named_after_it(tmp_path):
    for name in ("core_b.py", "core_a.py", "web_page.py", "harness.py", "corex.py", "notes_core_a.py"):
        (tmp_path / name).touch()
    assert run.benchmark_names(Area.CORE, tmp_path) == ["core_a", "core_b"]
    assert run.benchmark_names(None, tmp_path) == ["core_a", "core_b", "web_page"]


def test_every_benchmark_of_the_project_belongs_to_an_area():
    # What is no benchmark serves them: how they are run and timed, and the street that those of the field share.
    known = set(run.benchmark_names(None)) | {"__init__", "harness", "run", "line_day"}
    assert {path.stem for path in run.BENCH_DIR.glob("*.py")} == known


@pytest.mark.parametrize("arguments", [["nowhere"], ["CORE"], ["core", "web"]])
def test_an_unknown_area_is_one_clear_line_and_measures_nothing(arguments, capsys, monkeypatch):
    monkeypatch.setattr(run, "run_all", lambda *_: pytest.fail("measured"))
    assert run.main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert "allowed is one of core, field, host, cards, seal, demand, web" in shown.err


def test_the_results_file_has_the_names_that_programs_read(tmp_path):
    path = tmp_path / "out" / "results.json"
    run.write_results(path, [Result("core.a", 1.5, "s", 3.0, 0.5, 0.3, True), figure("web.b", 2.0, "MB")])
    assert json.loads(path.read_text()) == [
        {"name": "core.a", "value": 1.5, "unit": "s", "baseline": 3.0, "ratio": 0.5, "goal": 0.3, "met": True},
        {"name": "web.b", "value": 2.0, "unit": "MB", "baseline": None, "ratio": None, "goal": None, "met": None},
    ]


def test_a_broken_benchmark_is_told_and_the_rest_still_runs(plant, capsys):
    plant("core_broken", lambda: 1 / 0)
    plant("core_whole", lambda: [figure("core.whole", 1.0, "s")])
    results, broken = run.run_all(["core_broken", "core_whole"], PLAIN)
    assert [result.name for result in results] == ["core.whole"]
    assert broken == ["core_broken"]
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_result_of_another_area_is_refused(plant):
    plant("core_stray", lambda: [figure("web.stray", 1.0, "s")])
    assert run.run_all(["core_stray"], PLAIN) == ([], ["core_stray"])


def test_a_broken_benchmark_makes_the_exit_code_one(plant, monkeypatch, tmp_path):
    monkeypatch.setattr(run, "benchmark_names", lambda _: ["core_broken"])
    monkeypatch.setattr(run, "BENCH_DIR", tmp_path / "bench")
    monkeypatch.setattr(run, "RESULTS", tmp_path / "bench" / "out" / "results.json")
    plant("core_broken", lambda: 1 / 0)
    assert run.main([]) == 1


def test_a_missed_goal_is_shown_and_fails_nothing(plant, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(run, "benchmark_names", lambda _: ["core_slow"])
    monkeypatch.setattr(run, "BENCH_DIR", tmp_path / "bench")
    monkeypatch.setattr(run, "RESULTS", tmp_path / "bench" / "out" / "results.json")
    plant("core_slow", lambda: [Result("core.slow", 1.0, "s", 10.0, 0.1, 0.3, False)])
    assert run.main(["core"]) == 0
    shown = capsys.readouterr().out
    assert "core.slow" in shown
    assert "goals missed: 1" in shown
