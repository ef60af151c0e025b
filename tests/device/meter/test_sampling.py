"""From waveforms to money: the metrology's pulses burn in the meter as the same energy by the minute does."""

from dataclasses import replace

import numpy as np
import pytest

from prewatt.codec.modetable import AngleBand, flat_table
from prewatt.device.meter import Load, Tick
from prewatt.device.meter.sampling import SampledSource
from prewatt.device.metrology import SAMPLE_RATE_HZ, Design, FrontEnd, Metrology, calibrated, load


def test_a_sampled_minute_and_its_energy_by_the_minute_burn_alike(make_rig):
    table = replace(flat_table(), bands=(AngleBand(1_500, 10),))
    sampled, by_minute = (make_rig(unit_price_micro=1_000_000, table=table) for _ in range(2))
    front_end = FrontEnd(Design())
    source = SampledSource(0, Metrology(50, calibrated(front_end)))
    home = (load(220.0, 20.0, 50, lag_deg=30.0),)
    for rig in (sampled, by_minute):
        rig.store(10_000_000)
    for _ in range(2):
        start_s, pulses, angles = sampled.now_s, 0, []
        for second in range(60):
            v_codes, i_codes = front_end.sample(home, SAMPLE_RATE_HZ, first=second * SAMPLE_RATE_HZ)
            event = source.feed_second(start_s + second, v_codes, i_codes)
            pulses, angles = pulses + event.pulses, [*angles, event.angle_cdeg]
            sampled.step(event)
            sampled.now_s = start_s + second + 1
        sampled.step(Tick())
        assert set(angles) <= {2_999, 3_000, 3_001}
        by_minute.step(Load(0, by_minute.now_s, pulses, sum(angles) // 60))
        by_minute.tick(60)
    # 220 V, 20 A, cos 30 degrees for two minutes, the second one with a surcharge of 10 %.
    true_pulses = 220 * 20 * 0.866 * 120 / 360
    assert sampled.meter.view().total_pulses == pytest.approx(true_pulses, rel=0.002)
    assert sampled.meter.view().quality_percent == 110
    assert sampled.meter.money == by_minute.meter.money


def test_a_second_has_all_its_samples():
    source = SampledSource(0, Metrology(50, calibrated(FrontEnd(Design()))))
    with pytest.raises(ValueError, match="v_codes: 10 samples are not allowed"):
        source.feed_second(0, np.zeros((1, 10), dtype=np.int64), np.zeros((1, 10), dtype=np.int64))
