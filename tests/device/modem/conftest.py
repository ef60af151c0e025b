"""A station and its meters, each behind a modem, on a line whose faults a test chooses."""

from dataclasses import replace

from prewatt.codec.attention import Attention
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.device.modem import MasterModem, SlaveModem
from prewatt.link.line import PROFILES, ModemLine
from prewatt.units import MeterId

SLOW = replace(PROFILES["powerline-2400"], impulses_s=0, noise_spread_db=0)
FAST = replace(PROFILES["powerline-64k"], impulses_s=0, noise_spread_db=0)
HELLO, RESULT, REPORT, ALARM, WISH = 0x10, 0x13, 0x14, 0x15, 0x17


def meter_id(m_id: int, house: int = 0) -> MeterId:
    return MeterId(bytes((house, 1, m_id)))


class Street:
    """Frames in and out are recorded; ``lose`` says which transmissions nobody hears."""

    def __init__(self, meters=1, profile=FAST, seed=1, distance_m=200, lose=None):
        self.profile, self.timing = profile, profile.timing
        self.line = ModemLine(profile, seed)
        self.ids = {m_id: meter_id(m_id) for m_id in range(meters)}
        self.knows = lambda meter, m_id: self.ids.get(m_id) == meter
        self.master = MasterModem(self.timing, self.knows, 250)
        self.station = self.line.attach(self.master, 0)
        self.modems = {m_id: SlaveModem(self.timing, meter_id(m_id), m_id, 3 * m_id) for m_id in range(meters)}
        self.ends = {m_id: self.line.attach(modem, distance_m) for m_id, modem in self.modems.items()}
        self.up, self.down, self.air, self.answers = [], [], [], {}
        self.lose = lose or (lambda frame: False)
        self._watch()

    def _watch(self):
        medium = self.line.line
        transmit, arrivals = medium.transmit, medium.arrivals

        def watched(at_ms, end, data):
            transmission = transmit(at_ms, end, data)
            self.air.append((at_ms, transmission.end_ms, end, Frame.parse(data)))
            return transmission

        def heard(transmission, ends=None):
            return [] if self.lose(Frame.parse(transmission.data)) else arrivals(transmission, ends)

        medium.transmit, medium.arrivals = watched, heard

    def call(self, m_id, payload, *, urgent=False, at_ms=None):
        frame = Frame(m_id, FrameFlags.NONE, 0, self.ids[m_id], payload)
        self.line.send(self.station, frame.build(), self.line.now_ms if at_ms is None else at_ms, urgent=urgent)

    def say(self, m_id, payload, at_ms=None):
        frame = Frame(m_id, FrameFlags.UP, 0, meter_id(m_id), payload)
        self.line.send(self.ends[m_id], frame.build(), self.line.now_ms if at_ms is None else at_ms)

    def invite(self, slots=8, at_ms=None):
        self.line.send(self.station, Attention(slots, 1).frame(0).build(), at_ms or self.line.now_ms)

    def run(self, until_ms=None):
        """Works off what there is (up to ``until_ms``); a meter answers a call with what `answers` holds for it."""
        while self.line.next_ms is not None and (until_ms is None or self.line.next_ms <= until_ms):
            for delivered in self.line.step():
                frame = Frame.parse(delivered.data)
                if delivered.end == self.station:
                    self.up.append((delivered.at_ms, frame.m_id, frame.payload))
                    continue
                self.down.append((delivered.at_ms, frame.m_id, frame.payload))
                if frame.m_id in self.answers:
                    self.say(frame.m_id, self.answers[frame.m_id])

    @property
    def heard_up(self):
        return [payload for _, _, payload in self.up]

    @property
    def heard_down(self):
        return [payload for _, _, payload in self.down]

    def overlaps(self):
        """Pairs of transmissions that were on the line at the same time."""
        return [
            (one, other)
            for index, one in enumerate(self.air)
            for other in self.air[index + 1 :]
            if one[0] < other[1] and other[0] < one[1]
        ]
