"""Loading a program: one control command a meter, whose body changes with every answer until the program is started.

offer -> chunk ... -> activate. Every answer names the unit the meter needs next, so a lost one costs a repetition at
most: whoever does not know where the meter stands offers the program again. What a step sends is made when it is sent,
from the program's row; the control row holds the step alone.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from prewatt.codec.commands import Code
from prewatt.codec.errors import DecodeError
from prewatt.codec.program import (
    ACTIVATE_WITHDRAW,
    CHUNK_UNITS_MAX,
    IMAGE_KIND_AT,
    UNIT_BYTES,
    Manifest,
    ProgramActivation,
    ProgramChunk,
    ProgramKind,
    ProgramOffer,
    ProgramStage,
    ProgramStanding,
)
from prewatt.crypto import SuiteName
from prewatt.host.store import schema

__all__ = [
    "OFFERS_IN_TRIAL_MAX",
    "OFFERS_MAX",
    "PROGRAM_CODES",
    "Ended",
    "ask_step",
    "first_step",
    "next_step",
    "parse_step",
    "read_running",
    "step_body",
    "withdraw_body",
    "withdraw_step",
]

PROGRAM_CODES: Final = frozenset({Code.PROGRAM_OFFER, Code.PROGRAM_CHUNK, Code.PROGRAM_ACTIVATE})
# A meter that loses its place so often is not loading but failing.
OFFERS_MAX: Final = 8
# With the pauses between them that is longer than the trial of another program, during which no offer is taken.
OFFERS_IN_TRIAL_MAX: Final = 2 * OFFERS_MAX

Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """The command has come to its end: `done` (the meter starts the program at its time) or `refused`."""

    state: str
    reason: str = ""


def first_step(version: int, at_s: int) -> Step:
    """What a download begins with."""
    return {"program": version, "at_s": at_s, "step": "offer", "unit": 0, "offers": 1}


def ask_step(version: int, at_s: int, why: str) -> Step:
    """The meter is asked whether a program that was activated is still there: ``why`` it would not be."""
    return {"program": version, "at_s": at_s, "step": "activate", "unit": 0, "offers": 1, "why": why}


def withdraw_step(version: int) -> Step:
    """The meter forgets a program that has not started."""
    return {"program": version, "at_s": ACTIVATE_WITHDRAW, "step": "activate", "unit": 0, "offers": 1}


def withdraw_body(version: int) -> bytes:
    """The plain body of that step."""
    return ProgramActivation(version, ACTIVATE_WITHDRAW).build()


def step_body(connection: Connection, suite: str, step: Step) -> tuple[Code, bytes] | None:
    """Code and plain body of a step; None where the program is not there."""
    programs, version = schema.programs, step["program"]
    if step["step"] == "activate":
        return Code.PROGRAM_ACTIVATE, ProgramActivation(version, step["at_s"]).build()
    at, length = 0, 0
    if step["step"] == "chunk":
        at, length = step["unit"] * UNIT_BYTES, _units(suite) * UNIT_BYTES
    row = connection.execute(
        select(
            programs.c.size_bytes,
            programs.c.digest,
            programs.c.signature,
            func.substr(programs.c.image, IMAGE_KIND_AT + 1, 1).label("kind"),
            func.substr(programs.c.image, at + 1, length).label("data"),
        ).where(programs.c.version == version)
    ).one_or_none()
    if row is None:
        return None
    if step["step"] == "chunk":
        return Code.PROGRAM_CHUNK, ProgramChunk(version, step["unit"], bytes(row.data)).build()
    manifest = Manifest(version, row.size_bytes, row.digest, ProgramKind(row.kind[0]))
    return Code.PROGRAM_OFFER, ProgramOffer(manifest, row.signature).build()


def _units(suite: str) -> int:
    return 1 if suite == SuiteName.TDES_1998 else CHUNK_UNITS_MAX


def next_step(step: Step, *, done: bool, rest: bytes | None, units: int) -> Step | Ended:
    """What follows from an answer: the meter's own word where it is there (``rest``), else the program is offered
    again to hear it. ``units`` is how many the image has."""
    standing = _standing(rest)
    version = step["program"]
    if standing is None:
        return _offer_again(step) if done else Ended("refused", "the meter cannot do it")
    if standing.running == version and step["at_s"] != ACTIVATE_WITHDRAW:
        return Ended("done", "it runs already")
    if step["step"] == "activate":
        return Ended("done") if done else _after_refusal(step, standing)
    if standing.coming != version and standing.stage is ProgramStage.TRIAL:
        return _offer_again(step, OFFERS_IN_TRIAL_MAX)
    if standing.coming != version or standing.stage is ProgramStage.NONE:
        return Ended("refused", "the signature, the kind, the version or the size is not what the meter takes")
    if not done and step["step"] == "chunk" and standing.next_unit in (step["unit"], units):
        return Ended("refused", "the meter took its pieces for another program's")
    if standing.stage is ProgramStage.TRIAL:
        return Ended("done", "it is on trial")
    if standing.stage is ProgramStage.LOADING and standing.next_unit < units:
        return step | {"step": "chunk", "unit": standing.next_unit}
    return step | {"step": "activate"}


def _after_refusal(step: Step, standing: ProgramStanding) -> Step | Ended:
    if standing.coming == step["program"] and standing.stage is ProgramStage.TRIAL:
        return Ended("done", "it is on trial")
    if "why" in step:
        return Ended("refused", step["why"])
    return _offer_again(step)


def _offer_again(step: Step, most: int = OFFERS_MAX) -> Step | Ended:
    if step["offers"] >= most:
        return Ended("refused", "the meter loses its place again and again")
    return step | {"step": "offer", "offers": step["offers"] + 1}


def _standing(rest: bytes | None) -> ProgramStanding | None:
    if rest is None:
        return None
    try:
        return ProgramStanding.parse(rest)
    except DecodeError:
        return None


def read_running(rest: bytes) -> int | None:
    """The version in force, where an answer names it."""
    standing = _standing(rest)
    return None if standing is None else standing.running


def parse_step(what: str) -> Step:
    """The step in a control row."""
    found: Step = json.loads(what)
    return found
