"""Minutes of one whole meter simulated per second, on the weeks of a real house: a figure, without a claim.

Every minute is a Load event: pulses at their prices, tokens, journal writes at each grant, minute memory, registers and
the daily report, which is what a street or a simulator pays for a meter. Once at one price, once with the example
table of seven price changes a day.
"""

from collections.abc import Sequence

from bench.harness import Result, best_rate, figure
from prewatt.apps.street.loads import home_load
from prewatt.codec.bodies import Commission, Transfer
from prewatt.codec.commands import Code, Command
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.codec.modetable import ModeTable, flat_table
from prewatt.crypto import suite
from prewatt.device.meter import Birth, LineFrame, LineSend, Load, Meter
from prewatt.device.meter.nvm import MemoryNvm
from prewatt.device.now import Now
from prewatt.protocol.host import Done, HostSession, Send
from prewatt.units import MINUTE_S, MeterId
from prewatt.units import Sequence as MoneySequence

__all__ = ["run"]

_METER = MeterId(b"\x00\x00\x01")
_START_S = 1_767_225_600
_MINUTES = 1_440
_UNIT_PRICE_MICRO = 150_000
_VALUE_MICRO = 900_000 * 1_000_000
_RANDOM = bytes(range(32))


class _Living:
    """A meter with value in it and a home that never sleeps."""

    def __init__(self, table: ModeTable) -> None:
        self._key = bytes(32)
        self._now_s, self._line_ms = _START_S, 0
        nvm = MemoryNvm()
        Meter.manufacture(nvm, Birth(_METER, 1, "aes-2026", {1: self._key}, _UNIT_PRICE_MICRO, table))
        self._meter = Meter.power_up(nvm, Now(0, self._now_s), _RANDOM)
        self._home = home_load(0)
        self._order(Code.COMMISSION, 1, Commission(1, b"\x80" * 8).build())
        self._order(Code.VALUE, (1 << 24) + 1, Transfer(_VALUE_MICRO, bytes(8)).build())

    def live(self) -> None:
        """A day of minutes."""
        step, home = self._meter.step, self._home
        for _ in range(_MINUTES):
            pulses, angle_cdeg = home.at(self._now_s)
            step(Load(0, self._now_s, pulses, angle_cdeg), Now(self._line_ms, self._now_s), _RANDOM)
            self._now_s += MINUTE_S
            self._line_ms += MINUTE_S * 1_000

    def _order(self, code: Code, sequence: int, body: bytes) -> None:
        host = HostSession(
            _METER, suite("aes-2026"), 1, self._key, Command(code, MoneySequence(sequence), body), _RANDOM
        )
        reply = host.receive(self._say(host.hello()))
        if not isinstance(reply, Send) or not isinstance(host.receive(self._say(reply.payload)), Done):
            raise RuntimeError(f"{code.name}: the meter did not answer")

    def _say(self, payload: bytes) -> bytes:
        self._line_ms += 2_000
        frame = Frame(1, FrameFlags.NONE, 0, _METER, payload).build()
        effects = self._meter.step(LineFrame(frame), Now(self._line_ms, self._now_s), _RANDOM)
        return Frame.parse(next(effect.data for effect in effects if isinstance(effect, LineSend))).payload


def run() -> Sequence[Result]:
    """Both tables."""
    tables = {"flat": flat_table(), "time_of_use": EXAMPLE_TABLE}
    return [
        figure(f"core.meter_{name}", best_rate(_Living(table).live, 2.0, items=_MINUTES), "minutes/s")
        for name, table in tables.items()
    ]
