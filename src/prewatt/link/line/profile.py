"""What a line is like: every figure of the model with where it comes from.

A line is modelled by its budget: a transmitter's level, less a loss at each end and per kilometre between them, against
the noise at the receiver. What is left decides how often a bit is wrong (non-coherent FSK, or a coded signal that is so
many decibels better). Short impulses are beside that: they break a frame wherever it is. The figures are public ones;
where there is none, the text says "assumed". docs/reference/line.md shows them as a table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prewatt.protocol.airtime import LineTiming

__all__ = ["PROFILES", "LineProfile", "profile_named"]

REACH_M: Final = 3_000


@dataclass(frozen=True)
class LineProfile:
    """One kind of line. Levels in dB over 1 microvolt; ``noise_dbuv`` in a band as wide as the bit rate.

    ``impulses_s``: impulses a second that break a frame; ``impulse_ms``: how long each is; ``bit_errors_least``: a bit
    error rate that no signal gets below. ``sources``: where each figure comes from.
    """

    name: str
    timing: LineTiming
    transmit_dbuv: float
    end_loss_db: float
    attenuation_db_km: float
    noise_dbuv: float
    noise_spread_db: float
    coding_gain_db: float
    impulses_s: float
    impulse_ms: float
    bit_errors_least: float
    crosstalk_db: float
    capture_db: float
    sources: Mapping[str, str]


_FSK: Final = "ST7540 data sheet (STMicroelectronics, FSK power line transceiver)"
_EN: Final = "EN 50065-1, 9 to 95 kHz"
_G3: Final = "ITU-T G.9903 (G3-PLC), CENELEC A"
_HOOIJEN: Final = "assumed, within what Hooijen (IEEE Trans. EMC 40-4, 1998) and Cavdar (IEEE TPWRD 19-1, 2004) report"
_IMPULSES: Final = "Zimmermann and Dostert (IEEE Trans. EMC 44-1, 2002): one each 0.96 s, 0.06 ms, medium disturbance"
_REACH: Final = "assumed: an overhead line with few branches, of which 3 km are the reach the platform is specified for"

_POWER_SOURCES: Final = {
    "end_loss_db": "assumed: coupling and house wiring",
    "attenuation_db_km": _REACH,
    "noise_dbuv": _HOOIJEN,
    "noise_spread_db": _HOOIJEN,
    "impulse_ms": _IMPULSES,
    "bit_errors_least": "assumed: none",
    "crosstalk_db": "assumed: through the medium voltage side, or lines on the same poles",
    "capture_db": "assumed: what an FSK receiver needs to follow the stronger of two",
}

_POWER_2400: Final = LineProfile(
    name="powerline-2400",
    timing=LineTiming(bit_rate=2_400, preamble_bits=48, turnaround_ms=10, latency_ms=0, fragment_bytes=64),
    transmit_dbuv=120,
    end_loss_db=6,
    attenuation_db_km=12.5,
    noise_dbuv=55,
    noise_spread_db=2,
    coding_gain_db=0,
    impulses_s=0.52,
    impulse_ms=0.06,
    bit_errors_least=0,
    crosstalk_db=40,
    capture_db=10,
    sources={
        "bit_rate": f"{_FSK}: 600, 1,200, 2,400 or 4,800 baud, half duplex",
        "preamble_bits": f"{_FSK}: preamble 16 bits and header 16; 16 more for the carrier detector (assumed)",
        "turnaround_ms": "assumed: half a mains cycle",
        "latency_ms": "3 km take 15 microseconds",
        "fragment_bytes": "ours: a frame of 0.27 s, of which an impulse breaks one in eight",
        "transmit_dbuv": f"{_EN}: narrow-band limit, 134 dBuV at 9 kHz falling to 120 at 95 kHz",
        "coding_gain_db": "plain FSK has none",
        "impulses_s": f"{_IMPULSES}; every second one is taken to break a bit of 0.4 ms",
        **_POWER_SOURCES,
    },
)

_POWER_9600: Final = LineProfile(
    name="powerline-9600",
    timing=LineTiming(bit_rate=9_600, preamble_bits=145, turnaround_ms=7, latency_ms=0, fragment_bytes=128),
    transmit_dbuv=134,
    end_loss_db=6,
    attenuation_db_km=12.5,
    noise_dbuv=61,
    noise_spread_db=2,
    coding_gain_db=8,
    impulses_s=0.21,
    impulse_ms=0.06,
    bit_errors_least=0,
    crosstalk_db=40,
    capture_db=10,
    sources={
        "bit_rate": f"{_G3}, robust mode with repetition: about 10 kbit/s net (rounded)",
        "preamble_bits": f"{_G3}: preamble 6.08 ms and frame control 13 symbols of 0.695 ms, 15.1 ms",
        "turnaround_ms": f"{_G3}: contention interframe space of 8 to 10 symbols",
        "latency_ms": "3 km take 15 microseconds",
        "fragment_bytes": "ours: a frame of 0.13 s",
        "transmit_dbuv": f"{_EN}: wide-band limit, 134 dBuV",
        "coding_gain_db": "assumed: convolutional code of rate 1/2 with repetition and interleaving",
        "impulses_s": f"{_IMPULSES}; one in five is taken to defeat the code",
        **_POWER_SOURCES,
    },
)

_POWER_64K: Final = LineProfile(
    name="powerline-64k",
    timing=LineTiming(bit_rate=64_000, preamble_bits=967, turnaround_ms=7, latency_ms=0, fragment_bytes=256),
    transmit_dbuv=134,
    end_loss_db=6,
    attenuation_db_km=12.5,
    noise_dbuv=69.3,
    noise_spread_db=2,
    coding_gain_db=5,
    impulses_s=0.52,
    impulse_ms=0.06,
    bit_errors_least=0,
    crosstalk_db=40,
    capture_db=10,
    sources={
        "bit_rate": "PRIME 1.3.6 (ITU-T G.9904), D8PSK with convolutional code: 64.3 kbit/s",
        "preamble_bits": f"{_G3}: preamble 6.08 ms and frame control 13 symbols of 0.695 ms, 15.1 ms",
        "turnaround_ms": f"{_G3}: contention interframe space of 8 to 10 symbols",
        "latency_ms": "3 km take 15 microseconds",
        "fragment_bytes": "ours: a frame of 0.05 s",
        "transmit_dbuv": f"{_EN}: wide-band limit, 134 dBuV",
        "coding_gain_db": "assumed: convolutional code of rate 1/2",
        "impulses_s": f"{_IMPULSES}; every second one is taken to defeat the code",
        **_POWER_SOURCES,
    },
)

_OTHER_SOURCES: Final = {
    "end_loss_db": "in the signal to noise ratio",
    "fragment_bytes": "ours",
    "noise_spread_db": "assumed",
    "coding_gain_db": "in the signal to noise ratio",
    "crosstalk_db": "assumed",
    "capture_db": "assumed",
}

_TELEPHONE: Final = LineProfile(
    name="telephone",
    timing=LineTiming(bit_rate=2_400, preamble_bits=24, turnaround_ms=20, latency_ms=15, fragment_bytes=128),
    transmit_dbuv=80,
    end_loss_db=0,
    attenuation_db_km=1.5,
    noise_dbuv=55,
    noise_spread_db=1,
    coding_gain_db=0,
    impulses_s=0.01,
    impulse_ms=5,
    bit_errors_least=1e-5,
    crosstalk_db=60,
    capture_db=10,
    sources={
        "bit_rate": "ITU-T V.22bis on a leased line with several drops, one speaking at a time",
        "preamble_bits": "start-stop framing and flags (assumed: 10 ms)",
        "turnaround_ms": "assumed: carrier on to ready to send on a leased line",
        "latency_ms": "assumed: modem filters at 600 baud and the exchange",
        "transmit_dbuv": "as signal to noise ratio 25 dB: ITU-T M.1020 line, V.22bis needs about 17",
        "attenuation_db_km": "0.5 mm copper pair at 1 kHz, rounded up",
        "noise_dbuv": "as signal to noise ratio",
        "impulses_s": "assumed",
        "impulse_ms": "assumed",
        "bit_errors_least": "what leased lines were sold with: 1 in 100,000",
        **_OTHER_SOURCES,
    },
)

_RADIO: Final = LineProfile(
    name="radio",
    timing=LineTiming(bit_rate=9_600, preamble_bits=144, turnaround_ms=25, latency_ms=0, fragment_bytes=128),
    transmit_dbuv=75,
    end_loss_db=0,
    attenuation_db_km=3,
    noise_dbuv=48,
    noise_spread_db=3,
    coding_gain_db=0,
    impulses_s=0.2,
    impulse_ms=40,
    bit_errors_least=1e-6,
    crosstalk_db=20,
    capture_db=10,
    sources={
        "bit_rate": "9,600 bit/s in a 12.5 kHz channel, ETS 300 113 class of data radios",
        "preamble_bits": "assumed: 15 ms of dotting and synchronisation",
        "turnaround_ms": "ETS 300 113: transmitter attack time at most 25 ms",
        "latency_ms": "3 km take 10 microseconds",
        "transmit_dbuv": "as signal to noise ratio 27 dB at the antenna nearby",
        "attenuation_db_km": "assumed: over 3 km, antennas on roofs",
        "noise_dbuv": "as signal to noise ratio",
        "impulses_s": "assumed: fades, one each 5 s",
        "impulse_ms": "assumed: a fade behind a passing lorry",
        "bit_errors_least": "assumed",
        **_OTHER_SOURCES,
    },
)

_CABLE: Final = LineProfile(
    name="cable",
    timing=LineTiming(bit_rate=128_000, preamble_bits=256, turnaround_ms=2, latency_ms=1, fragment_bytes=512),
    transmit_dbuv=85,
    end_loss_db=0,
    attenuation_db_km=0,
    noise_dbuv=60,
    noise_spread_db=1,
    coding_gain_db=3,
    impulses_s=0.05,
    impulse_ms=0.01,
    bit_errors_least=1e-8,
    crosstalk_db=60,
    capture_db=10,
    sources={
        "bit_rate": "a narrow return channel of 0.2 MHz (DOCSIS 1.0: 320 kbit/s QPSK raw), shared",
        "preamble_bits": "assumed: 2 ms",
        "turnaround_ms": "assumed",
        "latency_ms": "DOCSIS 1.0 radio frequency specification: transit at most 0.8 ms",
        "transmit_dbuv": "as carrier to noise ratio 25 dB: DOCSIS 1.0, return path, not less than",
        "attenuation_db_km": "amplifiers make the way even",
        "noise_dbuv": "as carrier to noise ratio",
        "impulses_s": "assumed: bursts of 10 microseconds that defeat the code",
        "impulse_ms": "DOCSIS 1.0: burst noise of 10 microseconds",
        "bit_errors_least": "assumed, behind the code",
        **_OTHER_SOURCES,
    },
)

PROFILES: Final[Mapping[str, LineProfile]] = {
    profile.name: profile for profile in (_POWER_2400, _POWER_9600, _POWER_64K, _TELEPHONE, _RADIO, _CABLE)
}


def profile_named(name: str) -> LineProfile:
    """The preset of this name; ValueError that names all, where there is none."""
    profile = PROFILES.get(name)
    if profile is None:
        raise ValueError(f"profile: {name!r} is not allowed; allowed is {', '.join(PROFILES)}")
    return profile
