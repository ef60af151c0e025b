"""The type test: the error of a meter against the true energy, under the conditions and limits of class 1.

Limits, ranges and influence quantities are those of IEC 62053-21 (2003) for direct connected meters of class 1:
table 6 (8.1, balanced loads), table 7 (8.1, a polyphase meter with a single-phase load), table 8 (8.2, influence
quantities), 8.3.2 (no load) and 8.3.3 (starting). The true energy comes from the waveforms' tones, not from samples.
A row of the result is one line of those tables, with the worst error over the row's whole range of current.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import pi, sqrt
from typing import Final

import numpy as np

from prewatt.device.metrology.calibration import GRAINS_PER_JOULE, PULSE_GRAINS, calibrated
from prewatt.device.metrology.energy import Metrology, State
from prewatt.device.metrology.frontend import FrontEnd, Noise
from prewatt.device.metrology.parts import REFERENCE_C, Design
from prewatt.device.metrology.rating import BASIC_CURRENT_MA, MAXIMUM_CURRENT_MA, STARTING_CURRENT_MA
from prewatt.device.metrology.waveform import SAMPLE_RATE_HZ, PhaseLoad, Tone, Waveform, balanced, load
from prewatt.units import PULSES_PER_KWH

__all__ = ["CURRENTS_IB", "LAGS_DEG", "Bench", "Row", "error_percent", "no_load_s", "type_test"]

IB_A: Final = BASIC_CURRENT_MA / 1_000
IMAX_A: Final = MAXIMUM_CURRENT_MA / 1_000
# The test points in Ib: the edges of the standard's ranges and some between; the last one is Imax.
CURRENTS_IB: Final = (0.05, 0.09, 0.1, 0.19, 0.2, 0.5, 1.0, 4.0, 12.0)
LAGS_DEG: Final = {"1": 0.0, "0.5 inductive": 60.0, "0.8 capacitive": -36.8699}
# Long enough for noise to fade at 0.05 Ib, and whole cycles at 49, 50, 51, 58.8, 60 and 61.2 Hz.
MEASURE_S: Final = 5
# The middles of 20 K spans that cover -25 degC to 55 degC (table 8, note 9: the mean coefficient of each span).
SPAN_MIDDLES_C: Final = (-15.0, 5.0, 25.0, 45.0)
SPAN_K: Final = 20.0
# No limit of the standard: at the starting current it asks that the meter counts, we ask for a tenth.
STARTING_LIMIT_PERCENT: Final = 10.0

Loads = Sequence[PhaseLoad]
_Loaded = Callable[[float, float], Loads]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the error table: ``worst`` is the error of largest size, with its sign, at ``where``."""

    clause: str
    condition: str
    worst: float
    where: str
    limit: float
    unit: str = "%"

    @property
    def inside(self) -> bool:
        """Whether the worst error is within the limit."""
        return abs(self.worst) <= self.limit


@dataclass(frozen=True, slots=True)
class Bench:
    """A calibrated meter on the test bench, and the generator of its noise (None for a meter without noise)."""

    front_end: FrontEnd
    metrology: Metrology
    noise: np.random.Generator | None = None

    @classmethod
    def of(cls, design: Design, noise: np.random.Generator | None = None) -> "Bench":
        """Makes the meter of that design, calibrated as in production."""
        front_end = FrontEnd(design)
        return cls(front_end, Metrology(design.frequency_hz, calibrated(front_end)), noise)

    @property
    def design(self) -> Design:
        """The meter's design."""
        return self.front_end.design

    def loads(self, current_ib: float, lag_deg: float = 0.0, *, volts: float = 1.0, hertz: float = 1.0) -> Loads:
        """A steady load on each phase; ``volts`` and ``hertz`` are parts of the nominal ones."""
        nominal = self.design
        phase = load(
            nominal.range_v * volts, current_ib * IB_A, nominal.frequency_hz * hertz, lag_deg=lag_deg, turn_deg=31.0
        )
        return (phase,) if len(nominal.pieces) == 1 else balanced(phase)

    def run(self, loads: Loads, seconds: float, *, temperature_c: float = REFERENCE_C) -> State:
        """The meter's state after those loads, from new, for whole windows."""
        samples = round(seconds * SAMPLE_RATE_HZ)
        noise = Noise.drawn(self.noise, len(loads), samples) if self.noise else None
        codes = self.front_end.sample(loads, samples, temperature_c=temperature_c, noise=noise)
        return self.metrology.feed(State(), *codes)[0]


def error_percent(bench: Bench, loads: Loads, *, temperature_c: float = REFERENCE_C) -> float:
    """The percentage error of the registered energy: (registered - true) / true."""
    state = bench.run(loads, MEASURE_S, temperature_c=temperature_c)
    registered_j = (state.forward_pulses * PULSE_GRAINS + state.forward_grains) / GRAINS_PER_JOULE
    true_j = sum(phase.active_w for phase in loads) * MEASURE_S
    return 100 * (registered_j - true_j) / true_j


def no_load_s(design: Design) -> float:
    """The least time of the no-load test (8.3.2, class 1): 600e6 / (k m Un Imax) minutes."""
    return 60 * 600e6 / (PULSES_PER_KWH * len(design.pieces) * design.range_v * IMAX_A)


def type_test(bench: Bench) -> tuple[Row, ...]:
    """All rows that apply to the meter on the bench."""
    polyphase = len(bench.design.pieces) > 1
    rows = [*_balanced(bench), *_influences(bench), *_distorted(bench), *_starting(bench)]
    if polyphase:
        rows += [*_single_phase(bench), *_polyphase_influences(bench)]
    return tuple(sorted(rows, key=lambda row: (row.clause, row.condition)))


def _worst(clause: str, condition: str, limit: float, errors: Iterator[tuple[str, float]], unit: str = "%") -> Row:
    where, worst = max(errors, key=lambda found: abs(found[1]))
    return Row(clause, condition, worst, where, limit, unit)


def _between(low_ib: float, end_ib: float = 99.0) -> list[float]:
    return [current for current in CURRENTS_IB if low_ib <= current < end_ib]


def _balanced(bench: Bench) -> Iterator[Row]:
    for factor, low_ib, end_ib, limit in (
        ("1", 0.05, 0.1, 1.5),
        ("1", 0.1, 99.0, 1.0),
        ("0.5 inductive", 0.1, 0.2, 1.5),
        ("0.5 inductive", 0.2, 99.0, 1.0),
        ("0.8 capacitive", 0.1, 0.2, 1.5),
        ("0.8 capacitive", 0.2, 99.0, 1.0),
    ):
        errors = (
            (_ib(current), error_percent(bench, bench.loads(current, LAGS_DEG[factor])))
            for current in _between(low_ib, end_ib)
        )
        until = f"I < {end_ib:g} Ib" if end_ib < CURRENTS_IB[-1] else "I <= Imax"
        yield _worst("8.1, table 6", f"power factor {factor}, {low_ib:g} Ib <= {until}", limit, errors)


def _single_phase(bench: Bench) -> Iterator[Row]:
    for factor, low_ib in (("1", 0.1), ("0.5 inductive", 0.2)):
        errors = (
            (f"{_ib(current)}, phase {k + 1}", error_percent(bench, _only(bench.loads(current, LAGS_DEG[factor]), k)))
            for current in _between(low_ib)
            for k in range(len(bench.design.pieces))
        )
        yield _worst("8.1, table 7", f"one phase loaded, power factor {factor}, from {low_ib:g} Ib", 2.0, errors)
    together = error_percent(bench, bench.loads(1.0))
    differences = (
        (f"phase {k + 1}", error_percent(bench, _only(bench.loads(1.0), k)) - together)
        for k in range(len(bench.design.pieces))
    )
    yield _worst("8.1, table 7", "one phase loaded against all, Ib, power factor 1", 1.5, differences)


def _influences(bench: Bench) -> Iterator[Row]:
    for factor, low_ib, limit in (("1", 0.1, 0.05), ("0.5 inductive", 0.2, 0.07)):
        yield _worst(
            "8.2, table 8",
            f"temperature -25 to 55 degC, power factor {factor}",
            limit,
            _coefficients(bench, (low_ib, 1.0, 12.0), LAGS_DEG[factor]),
            "%/K",
        )
    for factor, low_ib, volts_limit, hertz_limit in (("1", 0.05, 0.7, 0.5), ("0.5 inductive", 0.1, 1.0, 0.7)):
        lag_deg, currents = LAGS_DEG[factor], (low_ib, 1.0, 12.0)
        by_volts = _variations(
            bench, currents, lag_deg, {f"{part:g} Un": _with_volts(bench, part) for part in (0.9, 1.1)}
        )
        by_hertz = _variations(
            bench, currents, lag_deg, {f"{part:g} fn": _with_hertz(bench, part) for part in (0.98, 1.02)}
        )
        yield _worst("8.2, table 8", f"voltage +-10 %, power factor {factor}", volts_limit, by_volts)
        yield _worst("8.2, table 8", f"frequency +-2 %, power factor {factor}", hertz_limit, by_hertz)


def _with_volts(bench: Bench, part: float) -> _Loaded:
    return lambda current, lag_deg: bench.loads(current, lag_deg, volts=part)


def _with_hertz(bench: Bench, part: float) -> _Loaded:
    return lambda current, lag_deg: bench.loads(current, lag_deg, hertz=part)


def _variations(
    bench: Bench, currents: Sequence[float], lag_deg: float, cases: dict[str, _Loaded]
) -> Iterator[tuple[str, float]]:
    for current in currents:
        reference = error_percent(bench, bench.loads(current, lag_deg))
        for name, loaded in cases.items():
            yield f"{_ib(current)}, {name}", error_percent(bench, loaded(current, lag_deg)) - reference


def _coefficients(bench: Bench, currents: Sequence[float], lag_deg: float) -> Iterator[tuple[str, float]]:
    for current in currents:
        loads = bench.loads(current, lag_deg)
        for middle_c in SPAN_MIDDLES_C:
            cold, warm = (error_percent(bench, loads, temperature_c=middle_c + side * SPAN_K / 2) for side in (-1, 1))
            yield f"{_ib(current)}, {middle_c:g} degC", (warm - cold) / SPAN_K


def _polyphase_influences(bench: Bench) -> Iterator[Row]:
    straight = bench.loads(0.1)
    crossed = balanced(straight[0], reversed_sequence=True)
    reference = error_percent(bench, straight)
    yield _worst(
        "8.2, table 8",
        "reversed phase sequence, 0.1 Ib",
        1.5,
        iter([(_ib(0.1), error_percent(bench, crossed) - reference)]),
    )
    full = bench.loads(1.0)
    reference = error_percent(bench, full)
    lost = (
        (f"phases {''.join(map(str, dark))} dark", error_percent(bench, _dark(full, dark)) - reference)
        for dark in ((1,), (2,), (3,), (1, 2), (1, 3), (2, 3))
    )
    yield _worst("8.2, table 8", "one or two phases interrupted, Ib", 2.0, lost)


def _distorted(bench: Bench) -> Iterator[Row]:
    design = bench.design
    half_max = IMAX_A / 2
    plain = load(design.range_v, half_max, design.frequency_hz, turn_deg=-90.0)
    fifth = load(
        design.range_v,
        half_max,
        design.frequency_hz,
        turn_deg=-90.0,
        # Voltage and current, fundamental and fifth, all rise through zero at the same time.
        volt_tones={5: (0.1, 0.0)},
        ampere_tones={5: (0.4, 0.0)},
    )
    reference = error_percent(bench, _on_all(bench, plain))
    yield _worst(
        "8.2, table 8",
        "5th harmonic, 10 % of voltage and 40 % of current, 0.5 Imax",
        0.8,
        iter([("0.5 Imax", error_percent(bench, _on_all(bench, fifth)) - reference)]),
    )
    rectified = replace(plain, current=replace(plain.current, tones=_half_wave(half_max, -90.0)))
    yield _worst(
        "8.2, table 8",
        "half-wave rectified current (direct current and even harmonics), Imax/sqrt 2",
        3.0,
        iter([("Imax/sqrt 2", error_percent(bench, _on_all(bench, rectified)) - reference)]),
    )


def _half_wave(fundamental_a: float, turn_deg: float) -> tuple[Tone, ...]:
    """The tones, up to the 20th, of a half-wave rectified sine (annex A of the standard)."""
    peak = 2 * sqrt(2) * fundamental_a
    even = (
        Tone(n, peak * sqrt(2) / (pi * (n * n - 1)), n * turn_deg + (0.0 if n % 4 == 2 else 180.0))
        for n in range(2, 21, 2)
    )
    return (Tone(0, peak / pi), Tone(1, fundamental_a, turn_deg), *even)


def _starting(bench: Bench) -> Iterator[Row]:
    start_ib = STARTING_CURRENT_MA / BASIC_CURRENT_MA
    error = error_percent(bench, bench.loads(start_ib))
    yield Row("8.3.3", "starting at 0.004 Ib, power factor 1", error, _ib(start_ib), STARTING_LIMIT_PERCENT)
    seconds = no_load_s(bench.design)
    state = bench.run(bench.loads(0.0, volts=1.15), seconds)
    pulses = state.forward_pulses + state.reverse_pulses
    yield Row("8.3.2", "no load at 1.15 Un", float(pulses), f"{seconds / 60:.1f} min", 1.0, "pulses")


def _on_all(bench: Bench, phase: PhaseLoad) -> Loads:
    return (phase,) if len(bench.design.pieces) == 1 else balanced(phase)


def _only(loads: Loads, k: int) -> Loads:
    """The same voltages, current in phase ``k`` alone."""
    return [phase if j == k else replace(phase, current=_off(phase)) for j, phase in enumerate(loads)]


def _dark(loads: Loads, phases: tuple[int, ...]) -> Loads:
    """Those phases (from 1) without voltage; their current has nothing to flow from."""
    silent = [PhaseLoad(replace(phase.voltage, tones=()), _off(phase)) for phase in loads]
    return [silent[j] if j + 1 in phases else phase for j, phase in enumerate(loads)]


def _off(phase: PhaseLoad) -> Waveform:
    return replace(phase.current, tones=())


def _ib(current_ib: float) -> str:
    return "Imax" if current_ib == CURRENTS_IB[-1] else f"{current_ib:g} Ib"
