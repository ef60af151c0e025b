"""Energy: codes in; pulses of 0.1 Wh, powers and angles out. From here on there are integers only.

Each window's power, times a calibrated gain, is a whole number of grains. Grains add up; whenever a pulse's worth is
there, a pulse is due, and the rest stays: no rounding, ever. The phases' energies are added with their signs first, as
IEC 62053-21 asks of a polyphase meter. Where the sum is below zero (energy flows back, or the wires are crossed) it
goes to a register of its own: the forward one, which burns value, never falls, and nobody's value is turned back.

The pulses of a window leave evenly over the next one, so even with every converter at its end a pulse has its full
width and a pause after it. The state is a small value: cut the same samples into any blocks and the same pulses come at
the same samples.
"""

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

import numpy as np

from prewatt.device.metrology.calibration import (
    GRAINS_PER_JOULE,
    PULSE_GRAINS,
    RMS_SHIFT,
    Calibration,
)
from prewatt.device.metrology.frontend import Codes
from prewatt.device.metrology.parts import VOLTAGE_BITS
from prewatt.device.metrology.rating import FREQUENCIES_HZ, PHASES, allowed_one
from prewatt.device.metrology.reading import PhaseWindow, Reading, Window
from prewatt.device.metrology.window import (
    WINDOW_SAMPLES,
    WINDOWS_PER_SECOND,
    RawWindow,
    late_current,
    mains_tables,
    raw_window,
    window_sums,
)
from prewatt.units import Pulses

__all__ = [
    "PULSES_PER_WINDOW_MAX",
    "PULSE_PAUSE_SAMPLES",
    "PULSE_WIDTH_SAMPLES",
    "Metrology",
    "State",
]

# A test pulse is on for 0.83 ms and then off for 0.42 ms at least; IEC 62052-11 asks 0.2 ms of either. (The 30 ms of a
# pulse output after IEC 62053-31 would end at 6 kW: its output divides these pulses.)
PULSE_WIDTH_SAMPLES: Final = 4
PULSE_PAUSE_SAMPLES: Final = 2
# 160 pulses in 200 ms are 288 kW; three phases at Imax and 115 % of 240 V are 50 kW, 28 pulses.
PULSES_PER_WINDOW_MAX: Final = WINDOW_SAMPLES // (PULSE_WIDTH_SAMPLES + PULSE_PAUSE_SAMPLES)
_MILLI: Final = 1_000


@dataclass(frozen=True, slots=True)
class State:
    """All that is carried from block to block; ``State()`` is a new meter's.

    ``forward_pulses`` and ``forward_grains`` are the energy of all whole windows so far (pulses, and less than one in
    grains), likewise reverse. ``due`` of those pulses leave during the window that is now at sample ``position``, of
    which ``sums`` holds what has been seen, phase by phase. ``before`` is each phase's last current code.
    """

    position: int = 0
    due: int = 0
    forward_pulses: int = 0
    forward_grains: int = 0
    reverse_pulses: int = 0
    reverse_grains: int = 0
    before: tuple[int, ...] = ()
    sums: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Metrology:
    """The integer side of one source's metrology: its mains frequency and each phase's calibration."""

    frequency_hz: int
    calibrations: tuple[Calibration, ...]

    def __post_init__(self) -> None:
        """Refuses a frequency or phase count that no meter has, and gains whose pulses could not all leave."""
        allowed_one("frequency_hz", self.frequency_hz, FREQUENCIES_HZ, "Hz")
        allowed_one("phases", len(self.calibrations), PHASES)
        most = sum(calibration.full_scale_grains for calibration in self.calibrations) // PULSE_GRAINS + 1
        if most > PULSES_PER_WINDOW_MAX:
            raise ValueError(
                f"calibrations: {most} pulses a window at full scale are not allowed; "
                f"allowed is {PULSES_PER_WINDOW_MAX}"
            )

    def feed(self, state: State, v_codes: Codes, i_codes: Codes) -> tuple[State, Reading]:
        """The state after a block of codes, and what it brought; shape (phases, any number of samples) each."""
        samples = self._checked(v_codes, i_codes)
        if not samples:
            return state, Reading(Pulses(0), (), Pulses(0), ())
        before = np.array(state.before or i_codes[:, 0], dtype=np.int64)
        delays = np.array([calibration.delay for calibration in self.calibrations], dtype=np.int64)
        late = late_current(i_codes, before, delays)
        sums = window_sums(v_codes, i_codes, late, mains_tables(self.frequency_hz), state.position)
        if state.sums:
            sums[0] += np.array(state.sums, dtype=np.int64)
        whole, position = divmod(state.position + samples, WINDOW_SAMPLES)
        raws = [[raw_window(phase) for phase in window] for window in sums[:whole].tolist()]
        register, dues, reverse = self._counted(state, raws)
        after = State(
            position=position,
            due=dues[-1],
            before=tuple(i_codes[:, -1].tolist()),
            sums=tuple(map(tuple, sums[whole].tolist())) if position else (),
            **register,
        )
        leaving = _leaving(dues, state.position, samples)
        return after, Reading(Pulses(len(leaving)), leaving, Pulses(reverse), self._windows(raws))

    def _checked(self, v_codes: Codes, i_codes: Codes) -> int:
        phases = len(self.calibrations)
        i_bits = max(calibration.current_bits for calibration in self.calibrations)
        for name, codes, bits in (("v_codes", v_codes, VOLTAGE_BITS), ("i_codes", i_codes, i_bits)):
            if codes.ndim != 2 or codes.shape[0] != phases or codes.shape != v_codes.shape:
                raise ValueError(
                    f"{name}: shape {codes.shape} is not allowed; allowed is ({phases}, samples), both alike"
                )
            if codes.dtype.kind != "i":
                raise ValueError(f"{name}: {codes.dtype} is not allowed; allowed is signed integers")
            half = 1 << (bits - 1)
            if codes.size and not (-half <= codes.min() and codes.max() < half):
                raise ValueError(f"{name}: a code beyond {bits} bits is not allowed; allowed is {-half} to {half - 1}")
        return int(v_codes.shape[1])

    def _counted(self, state: State, raws: list[list[RawWindow]]) -> tuple[dict[str, int], list[int], int]:
        """The registers after the windows, the pulses due in each window from the current one on, reverse pulses."""
        net = [sum(map(self._grains, self.calibrations, window)) for window in raws]
        forward = list(accumulate((max(grains, 0) for grains in net), initial=state.forward_grains))
        counts = [total // PULSE_GRAINS for total in forward]
        dues = [state.due, *(after - before for before, after in pairwise(counts))]
        back = state.reverse_grains - sum(min(grains, 0) for grains in net)
        reverse = back // PULSE_GRAINS
        register = {
            "forward_pulses": state.forward_pulses + counts[-1],
            "forward_grains": forward[-1] % PULSE_GRAINS,
            "reverse_pulses": state.reverse_pulses + reverse,
            "reverse_grains": back % PULSE_GRAINS,
        }
        return register, dues, reverse

    @staticmethod
    def _grains(calibration: Calibration, raw: RawWindow) -> int:
        """The energy of one phase's window; none below the no-load power, so that noise never creeps."""
        grains = calibration.energy_gain * raw.active
        return grains if abs(_milliwatts(grains)) >= calibration.no_load_mw else 0

    def _windows(self, raws: list[list[RawWindow]]) -> tuple[Window, ...]:
        return tuple(Window(tuple(map(_phase_window, self.calibrations, window))) for window in raws)


def _milliwatts(grains: int) -> int:
    """Mean power of a window with that energy, rounded toward zero so that either direction reads alike."""
    size = abs(grains) * (WINDOWS_PER_SECOND * _MILLI) // GRAINS_PER_JOULE
    return size if grains >= 0 else -size


def _phase_window(calibration: Calibration, raw: RawWindow) -> PhaseWindow:
    return PhaseWindow(
        v_rms_mv=raw.v_root * calibration.v_gain >> RMS_SHIFT,
        i_rms_ma=raw.i_root * calibration.i_gain >> RMS_SHIFT,
        active_mw=_milliwatts(calibration.energy_gain * raw.active),
        fundamental_mw=_milliwatts(calibration.energy_gain * raw.fundamental),
        reactive_mvar=_milliwatts(calibration.energy_gain * raw.reactive),
    )


def _leaving(dues: list[int], position: int, samples: int) -> tuple[int, ...]:
    """Samples of the block at which pulses leave: pulse j of n at floor(j WINDOW_SAMPLES / n) of its window."""
    leaving: list[int] = []
    for window, due in enumerate(dues):
        start = window * WINDOW_SAMPLES - position
        first, end = max(-start, 0), min(samples - start, WINDOW_SAMPLES)
        # The first pulse at or after a sample: j WINDOW_SAMPLES / due >= sample, rounded up.
        pulses = range(-(-first * due // WINDOW_SAMPLES), -(-end * due // WINDOW_SAMPLES))
        leaving += [start + pulse * WINDOW_SAMPLES // due for pulse in pulses]
    return tuple(leaving)
