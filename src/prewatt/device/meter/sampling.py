"""Sampled input: converter codes of one source in, events of the meter out, second by second.

The metrology turns codes into pulses and powers; a second of it becomes one Measured event. The meter behind it is the
same as with minute energy from a file: the same pulses in the same seconds are the same integers everywhere.
"""

from prewatt.device.meter.events import Measured
from prewatt.device.metrology import SAMPLE_RATE_HZ, Codes, Metrology, State, mean_angle_cdeg

__all__ = ["SampledSource"]


class SampledSource:
    """The metrology of one source and its state, which lives in RAM as in a real front end."""

    __slots__ = ("_metrology", "_source", "_state")

    def __init__(self, source: int, metrology: Metrology) -> None:
        self._source = source
        self._metrology = metrology
        self._state = State()

    def feed_second(self, second_s: int, v_codes: Codes, i_codes: Codes) -> Measured:
        """One second of codes, shape (phases, SAMPLE_RATE_HZ) each; ValueError for another length.

        The angle is that of the second's summed powers, None under 0.05 Ib.
        """
        if v_codes.shape[-1] != SAMPLE_RATE_HZ:
            raise ValueError(f"v_codes: {v_codes.shape[-1]} samples are not allowed; allowed is {SAMPLE_RATE_HZ}")
        self._state, reading = self._metrology.feed(self._state, v_codes, i_codes)
        angle_cdeg = mean_angle_cdeg(phase for window in reading.windows for phase in window.phases)
        return Measured(self._source, second_s, reading.pulses, angle_cdeg)
