"""Samples per second from converter codes to pulses, against the one product a sample that no meter can do without.

The baseline adds up voltage times current of the same block with NumPy; ours does that and all the rest: the delay,
the offsets, both rms values, the fundamental's phasors, the integer energy and the pulses. The minute-file input is a
figure.
"""

import numpy as np

from bench.harness import Result, best_rate, compare, figure, rates_at_least
from prewatt.device.metrology import (
    SAMPLE_RATE_HZ,
    Design,
    Extreme,
    FrontEnd,
    Metrology,
    Noise,
    State,
    balanced,
    calibrated,
    load,
    pulses_of_minutes,
    worst_piece,
)

__all__ = ["run"]

BLOCK_S = 10
DAY_MINUTES = 1_440


def run() -> list[Result]:
    design = Design(pieces=(worst_piece(Extreme.HIGH),) * 3)
    front_end = FrontEnd(design)
    metrology = Metrology(design.frequency_hz, calibrated(front_end))
    samples = BLOCK_S * SAMPLE_RATE_HZ
    noise = Noise.drawn(np.random.default_rng(1), 3, samples)
    v_codes, i_codes = front_end.sample(balanced(load(220, 20, 50, lag_deg=30)), samples, noise=noise)
    rates = compare(
        lambda: metrology.feed(State(), v_codes, i_codes),
        lambda: (v_codes * i_codes).sum(axis=1),
        items=3 * samples,
    )
    watts = np.random.default_rng(2).uniform(0, 5_000, DAY_MINUTES)
    return [
        rates_at_least("core.metrology_samples", rates, "samples/s"),
        figure(
            "core.metrology_meter_seconds",
            rates.ours_per_s / (3 * SAMPLE_RATE_HZ),
            "s of a three-phase meter/s",
        ),
        figure("core.metrology_minutes", best_rate(lambda: pulses_of_minutes(watts), items=DAY_MINUTES), "minutes/s"),
    ]
