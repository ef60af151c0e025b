"""`prewatt sim`: the whole platform in one process from one seed."""

import sys
from dataclasses import asdict
from secrets import randbits
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prewatt.apps.cli.options import JsonOut
from prewatt.apps.cli.show import fields, print_json, say

if TYPE_CHECKING:
    from prewatt.sim.run import Outcome, Request
    from prewatt.sim.world import World

__all__ = ["register"]

# Short enough to be read to somebody over the telephone.
_SEED_BITS = 32


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("sim")(sim)


def sim(
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="What decides everything that happens; a fresh one without.")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=3_650, help="End after so many days of virtual time.")
    ] = None,
    meters: Annotated[int, typer.Option("--meters", min=1, max=256, help="Homes with a meter.")] = 3,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="End after so many steps; 10000 where no days are given.")
    ] = None,
    safety: Annotated[bool, typer.Option("--safety", help="Faults never stop; nothing has to converge.")] = False,
    liveness: Annotated[
        bool, typer.Option("--liveness", help="Faults stop again and again, and everything has to converge each time.")
    ] = False,
    story: Annotated[bool, typer.Option("--story", help="Tell the run's last events, one a line.")] = False,
    json_out: JsonOut = False,
) -> int:
    """Run host, meters and a hostile field in one process, and audit every step.

    The same seed makes the same history. Exit 1 where something was violated: then the run is made as short as can be
    found and told. See docs/operating/simulator.md.
    """
    from prewatt.sim.run import CALM_EVERY, DAYS_DEFAULT, STEPS_DEFAULT, Request

    if safety and liveness:
        raise typer.BadParameter("--safety and --liveness exclude each other", param_hint="--safety")
    seed = randbits(_SEED_BITS) if seed is None else seed
    steps = steps or (STEPS_DEFAULT if days is None else sys.maxsize)
    request = Request(
        seed, steps, days or DAYS_DEFAULT, meters, calm=not safety, calm_every=CALM_EVERY if liveness else 0
    )
    return _run(request, story=story, json_out=json_out)


def _run(request: "Request", *, story: bool, json_out: bool) -> int:
    """Runs and tells; the exit code."""
    from prewatt.sim.run import run
    from prewatt.sim.shrink import shrink
    from prewatt.sim.source import source
    from prewatt.sim.story import story as tell

    with _Progress(request.seed) as progress:
        outcome = run(request, keep_all=story, watch=progress.look)
    short = shrink(outcome) if outcome.violation is not None else None
    lines = tell(short or outcome) if story or short is not None else []
    if json_out:
        print_json(_document(outcome) | {"source": source(), "story": lines})
    else:
        fields(_shown(outcome))
        for line in lines:
            typer.echo(line)
        word = "[green]no violation[/green]" if short is None else "[red]violation[/red]"
        say(f"{word} (prewatt {source()}, seed {request.seed})")
    return 0 if outcome.violation is None else 1


class _Progress:
    """A line that says how far a run is, each second, where somebody looks at a terminal."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._next_s = monotonic() + 1
        self._shown = False

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_error: object) -> None:
        if self._shown:
            typer.echo("\r\x1b[K", err=True, nl=False)

    def look(self, world: "World") -> None:
        """The world has moved."""
        if monotonic() >= self._next_s and sys.stderr.isatty():
            self._next_s, self._shown = monotonic() + 1, True
            from prewatt.sim.story import clock_text

            text = f"seed {self._seed}: {world.history.steps} steps, {clock_text(world.now_ms)}"
            typer.echo(f"\r\x1b[K{text}", err=True, nl=False)


def _document(outcome: "Outcome") -> dict[str, Any]:
    """What the run was and what it found: the fields of `--json`."""
    found = {
        "seed": outcome.request.seed,
        "steps": outcome.steps,
        "violations": [outcome.violation] if outcome.violation is not None else [],
        "request": asdict(outcome.request),
        "operations": [str(each) for each in outcome.operations] if outcome.violation is not None else [],
    }
    return found | {
        "history_sha256": outcome.digest,
        "virtual_days": outcome.days,
        "converged_after_s": outcome.calm_s,
        "counts": outcome.counts,
    }


def _shown(outcome: "Outcome") -> dict[str, str]:
    counts = ", ".join(f"{name} {count}" for name, count in outcome.counts.items())
    shown = {
        "seed": str(outcome.request.seed),
        "steps": str(outcome.steps),
        "virtual days": str(outcome.days),
        "events": counts,
        "converged after": f"{outcome.calm_s} s",
        "history": outcome.digest,
    }
    return shown if outcome.calm_s else {name: text for name, text in shown.items() if name != "converged after"}
