"""One run from one seed: a story that ends well, or a violation with the operations that led to it."""

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from prewatt.sim.history import ViolationError
from prewatt.sim.script import Operation, draw
from prewatt.sim.world import World, loud_log
from prewatt.units import DAY_S

__all__ = ["CALM_EVERY", "STEPS_DEFAULT", "Outcome", "Request", "run"]

STEPS_DEFAULT: Final = 10_000
DAYS_DEFAULT: Final = 365
METERS_DEFAULT: Final = 3
# Operations between two ends of all faults in a liveness run.
CALM_EVERY: Final = 60


@dataclass(frozen=True, slots=True)
class Request:
    """What to run. It ends after ``steps`` or ``days`` of virtual time; with ``calm`` everything converges then."""

    seed: int
    steps: int = STEPS_DEFAULT
    days: int = DAYS_DEFAULT
    meters: int = METERS_DEFAULT
    calm: bool = True
    calm_every: int = 0
    """Operations after which all faults stop and everything has to converge, again and again; 0 for only at the end."""
    bodies: bool = True
    """Whether, in a share of seeds, meters are also retired, replaced, lost, swapped and cloned."""


@dataclass(slots=True)
class Outcome:
    """What came of a run."""

    request: Request
    steps: int = 0
    operations: list[Operation] = field(default_factory=list)
    days: int = 0
    digest: str = ""
    violation: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    trace: str = ""
    calm_s: int = 0
    """The longest virtual time from the last fault to the end of everything."""


def run(
    request: Request,
    script: Iterable[Operation] | None = None,
    *,
    keep_all: bool = False,
    watch: Callable[[World], None] | None = None,
) -> Outcome:
    """Runs ``script``, by default that of the seed; ``watch`` sees the world after each event, and only looks.

    Never raises for what the system under test does.
    """
    outcome = Outcome(request)
    world: World | None = None
    try:
        world = World(request.seed, meters=request.meters, keep_all=keep_all)
        world.watch = watch
        with loud_log(world):
            _walk(
                world,
                request,
                iter(script) if script is not None else draw(request.seed, bodies=request.bodies),
                outcome,
            )
    except ViolationError as error:
        outcome.violation = str(error)
    except Exception as error:  # a crash of the system under test is a finding like any other
        outcome.violation = f"{type(error).__name__}: {error}"
        outcome.trace = "".join(traceback.format_exception(error))
    if world is not None:
        _tell(world, outcome)
        world.close()
    return outcome


def _walk(world: World, request: Request, script: Iterator[Operation], outcome: Outcome) -> None:
    end_ms = request.days * DAY_S * 1_000
    for operation in script:
        if operation.at_ms > end_ms or world.history.steps >= request.steps:
            break
        # What breaks on the way to an operation belongs to a story that ends with it.
        outcome.operations.append(operation)
        world.run_until(operation.at_ms)
        operate(world, operation)
        if request.calm_every and len(outcome.operations) % request.calm_every == 0:
            world.calm.run()
    if request.calm:
        world.calm.run()
    elif world.installation.host is not None:
        world.call(world.auditor.check_all)
        world.look()


def operate(world: World, operation: Operation) -> None:
    """One operation, and the auditor after it."""
    world.begin_operation(f"{operation.at_ms} {operation.number}")
    world.history.note(world.now_ms, "op", operation.name)
    part, _, name = operation.name.partition(".")
    getattr(getattr(world, part), f"op_{name}")(Random(operation.number))
    world.look()


def _tell(world: World, outcome: Outcome) -> None:
    outcome.steps = world.history.steps
    outcome.digest = world.history.digest
    outcome.days = world.now_ms // (DAY_S * 1_000)
    outcome.lines = list(world.history.lines)
    outcome.calm_s = max(world.calm.took_s, default=0)
    outcome.counts = dict(sorted(world.history.counts.items()))
    outcome.counts |= {"applied": world.auditor.applied, "crashes": world.trouble.crashes}
    outcome.counts |= {f"damage {kind}": count for kind, count in sorted(world.damage.counts.items())}
    outcome.counts |= {"restores": world.trouble.restores, "refused": sum(world.refusals.values())}
