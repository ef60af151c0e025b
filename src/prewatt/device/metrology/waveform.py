"""True voltages and currents, as sums of tones, and the energy they truly carry.

A periodic waveform is its tones: order, rms value, angle. Of such a sum the true power is known exactly (tones of
different orders carry none together), so an error table needs no better meter to compare with; and a linear network
in front of a converter acts on each tone by a complex factor, so filters are exact too. Samples are taken at the end
only. Nothing here is random: noise is added to samples from an array that the caller makes.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["SAMPLE_RATE_HZ", "PhaseLoad", "Tone", "Waveform", "balanced", "load"]

# 96 samples a cycle at 50 Hz and 80 at 60 Hz: coherent with both, and the 40th harmonic of 60 Hz is half of it.
SAMPLE_RATE_HZ: Final = 4_800

_ROOT2: Final = math.sqrt(2)


@dataclass(frozen=True, slots=True)
class Tone:
    """One harmonic: rms value in volts or amperes, angle in degrees of its own order; order 0 is direct current."""

    order: int
    rms: float
    angle_deg: float = 0.0

    @property
    def phasor(self) -> complex:
        """Length and direction of the tone."""
        return self.rms * complex(math.cos(math.radians(self.angle_deg)), math.sin(math.radians(self.angle_deg)))


@dataclass(frozen=True, slots=True)
class Waveform:
    """Tones, each of its own order, over one fundamental frequency in hertz."""

    frequency_hz: float
    tones: tuple[Tone, ...]

    def __post_init__(self) -> None:
        """Refuses a frequency that is none and an order that comes twice."""
        if not 0 < self.frequency_hz < math.inf:
            raise ValueError(f"frequency_hz: {self.frequency_hz} is not allowed; allowed is above 0")
        orders = [tone.order for tone in self.tones]
        if len(set(orders)) != len(orders) or min(orders, default=0) < 0:
            raise ValueError(f"tones: orders {orders} are not allowed; allowed is each order from 0 up once")

    def at(self, second: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Values at those times in seconds."""
        total = np.zeros_like(second)
        for tone in self.tones:
            turn = 2 * math.pi * tone.order * self.frequency_hz * second + math.radians(tone.angle_deg)
            total += (_ROOT2 if tone.order else 1.0) * tone.rms * np.cos(turn)
        return total

    def through(self, factor: Callable[[float], complex]) -> "Waveform":
        """What a linear network makes of it; ``factor`` gives the network's complex gain at a frequency in hertz."""
        passed = []
        for tone in self.tones:
            gain = factor(tone.order * self.frequency_hz)
            turned_deg = math.degrees(math.atan2(gain.imag, gain.real))
            passed.append(Tone(tone.order, tone.rms * abs(gain), tone.angle_deg + turned_deg))
        return replace(self, tones=tuple(passed))


@dataclass(frozen=True, slots=True)
class PhaseLoad:
    """Voltage and current of one phase, of one frequency, with their exact powers."""

    voltage: Waveform
    current: Waveform

    def __post_init__(self) -> None:
        """Refuses two frequencies, whose mean power would be that of nothing."""
        if self.voltage.frequency_hz != self.current.frequency_hz:
            raise ValueError(
                f"current: {self.current.frequency_hz} Hz is not allowed; allowed is the voltage's "
                f"{self.voltage.frequency_hz} Hz"
            )

    @property
    def active_w(self) -> float:
        """The true active power: the sum of V I cos over the orders that both have."""
        return sum(power.real for power in self._powers().values())

    @property
    def reactive_var(self) -> float:
        """The true reactive power of the fundamental; above zero where the current lags."""
        return self._powers().get(1, 0j).imag

    def _powers(self) -> dict[int, complex]:
        currents = {tone.order: tone.phasor for tone in self.current.tones}
        volts = {tone.order: tone.phasor for tone in self.voltage.tones}
        return {order: volts[order] * currents[order].conjugate() for order in volts.keys() & currents.keys()}


def load(
    volts: float,
    amperes: float,
    frequency_hz: float,
    *,
    lag_deg: float = 0.0,
    turn_deg: float = 0.0,
    volt_tones: Mapping[int, tuple[float, float]] | None = None,
    ampere_tones: Mapping[int, tuple[float, float]] | None = None,
) -> PhaseLoad:
    """One phase whose current lags its voltage by ``lag_deg``; ``turn_deg`` is where the voltage stands at time 0.

    Further tones are ``{order: (fraction of the fundamental, angle in degrees)}``; that angle is against the
    fundamental voltage's zero turn, so equal angles in voltage and current make active power.
    """
    volt, ampere = Tone(1, volts, turn_deg), Tone(1, amperes, turn_deg - lag_deg)
    return PhaseLoad(
        Waveform(frequency_hz, (volt, *_further(volts, turn_deg, volt_tones))),
        Waveform(frequency_hz, (ampere, *_further(amperes, turn_deg, ampere_tones))),
    )


def balanced(phase: PhaseLoad, *, reversed_sequence: bool = False) -> tuple[PhaseLoad, PhaseLoad, PhaseLoad]:
    """Three phases, each the given one a third of a cycle after the phase before it (or ahead, if reversed)."""
    third_deg = 120.0 if reversed_sequence else -120.0
    return (phase, _turned(phase, third_deg), _turned(phase, 2 * third_deg))


def _further(rms: float, turn_deg: float, tones: Mapping[int, tuple[float, float]] | None) -> tuple[Tone, ...]:
    return tuple(
        Tone(order, rms * fraction, order * turn_deg + angle_deg)
        for order, (fraction, angle_deg) in (tones or {}).items()
    )


def _turned(phase: PhaseLoad, turn_deg: float) -> PhaseLoad:
    def turned(wave: Waveform) -> Waveform:
        return replace(
            wave, tones=tuple(replace(tone, angle_deg=tone.angle_deg + tone.order * turn_deg) for tone in wave.tones)
        )

    return PhaseLoad(turned(phase.voltage), turned(phase.current))
