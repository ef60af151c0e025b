"""The error table: class 1 is kept by every design, the table notices what would break it, and the page tells it."""

import importlib.util
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from prewatt.device.metrology import (
    SAMPLE_RATE_HZ,
    CurrentBits,
    Design,
    Extreme,
    FrontEnd,
    Metrology,
    Noise,
    Piece,
    State,
    worst_piece,
)
from prewatt.device.metrology.classone import Bench, Row, error_percent, no_load_s, type_test

ROOT = Path(__file__).resolve().parents[3]
NUMBER = re.compile(r"[+-]\d+\.\d+")


def bench_of(design: Design, seed: int = 1) -> Bench:
    return Bench.of(design, np.random.default_rng(seed))


@pytest.mark.parametrize(
    "design",
    [
        Design(110, 60, CurrentBits.SIXTEEN, (worst_piece(Extreme.LOW),)),
        Design(117, 60, CurrentBits.TWENTY, (worst_piece(Extreme.HIGH),)),
        Design(240, 60, CurrentBits.TWENTY, (worst_piece(Extreme.HIGH), Piece(), worst_piece(Extreme.LOW))),
    ],
    ids=lambda design: f"{design.range_v} V, {len(design.pieces)} phase",
)
def test_every_error_is_inside_class_1(design: Design) -> None:
    outside = [row for row in type_test(bench_of(design)) if not row.inside]
    assert outside == []


def test_sixteen_bits_keep_class_1_without_any_noise_to_dither_them() -> None:
    design = Design(240, 50, CurrentBits.SIXTEEN, (worst_piece(Extreme.LOW),))
    assert all(row.inside for row in type_test(Bench.of(design)))


def test_the_table_notices_a_meter_without_its_delay() -> None:
    bench = bench_of(Design(pieces=(worst_piece(Extreme.HIGH),)))
    bare = replace(
        bench,
        metrology=Metrology(50, tuple(replace(each, delay=0) for each in bench.metrology.calibrations)),
    )
    right, wrong = (abs(error_percent(each, each.loads(4.0, 60.0))) for each in (bench, bare))
    assert right < 0.05
    assert wrong > 0.5


def test_the_table_notices_constants_of_another_piece() -> None:
    bench = bench_of(Design(pieces=(worst_piece(Extreme.HIGH),)))
    swapped = replace(bench, front_end=FrontEnd(Design(pieces=(worst_piece(Extreme.LOW),))))
    assert {row.condition for row in type_test(swapped) if not row.inside} >= {
        "power factor 1, 0.1 Ib <= I <= Imax",
        "power factor 0.5 inductive, 0.2 Ib <= I <= Imax",
    }


def test_the_table_notices_parts_that_drift_five_times_as_much() -> None:
    piece = worst_piece(Extreme.HIGH)
    drifting = replace(piece, shunt_ppm_per_k=500.0, amplifier_ppm_per_k=100.0)
    rows = type_test(bench_of(Design(pieces=(drifting,))))
    assert {row.unit for row in rows if not row.inside} == {"%/K"}


def test_without_a_no_load_threshold_noise_would_creep() -> None:
    """The threshold is needed, and noise stays under a third of it in every window of the standard's time."""
    bench = bench_of(Design(pieces=(worst_piece(Extreme.HIGH),)))
    bare = replace(
        bench,
        metrology=Metrology(50, tuple(replace(each, no_load_mw=0) for each in bench.metrology.calibrations)),
    )
    loads = bench.loads(0.0, volts=1.15)
    assert bench.run(loads, 20).forward_grains == 0
    assert bare.run(loads, 20).forward_grains > 0
    samples = round(no_load_s(bench.design)) * SAMPLE_RATE_HZ
    noise = Noise.drawn(np.random.default_rng(2), 1, samples)
    _, reading = bench.metrology.feed(State(), *bench.front_end.sample(loads, samples, noise=noise))
    assert max(abs(window.active_mw) for window in reading.windows) * 3 < bench.metrology.calibrations[0].no_load_mw


def test_the_no_load_test_lasts_as_long_as_the_standard_asks() -> None:
    assert no_load_s(Design(240)) / 60 == pytest.approx(600e6 / (10_000 * 1 * 240 * 60))


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_metrology", ROOT / "tools" / "docs_metrology.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_tells_what_the_type_test_finds_and_all_of_it_is_inside(generator: ModuleType) -> None:
    columns: dict[str, tuple[Row, ...]] = {
        name: generator.rows_of(bits, phases) for name, (bits, phases) in generator.COLUMNS.items()
    }
    assert all(row.inside for rows in columns.values() for row in rows)
    fresh, kept = generator.page(columns), (ROOT / "docs" / "reference" / "metrology.md").read_text()
    assert NUMBER.sub("#", fresh) == NUMBER.sub("#", kept), "run make docs"
    # Another processor may round a cosine's last bit, and so one code, the other way.
    assert np.allclose(
        [float(found) for found in NUMBER.findall(fresh)],
        [float(found) for found in NUMBER.findall(kept)],
        atol=0.02,
    ), "run make docs"
