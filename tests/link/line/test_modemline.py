"""The line with its modems, what is predicted of it, and that its history follows from the seed."""

import pytest

from prewatt.codec.frame import Frame, FrameFlags
from prewatt.device.modem import MasterModem, SlaveModem
from prewatt.link.line import PROFILES, ModemLine, answer_within_ms, message_ms, profile_named
from prewatt.link.line.predict import WITHIN_FACTOR
from prewatt.units import MeterId

# How far the mean of a few hundred exchanges may lie from what is predicted.
PREDICTED_WITHIN = 0.12


class Exchange:
    """A station that calls its meters in turn; each answers at once."""

    def __init__(self, name, seed, meters=5, distance_m=300):
        self.profile = PROFILES[name]
        self.line = ModemLine(self.profile, seed)
        self.ids = [MeterId(bytes((0, 1, m_id))) for m_id in range(meters)]
        self.master = MasterModem(self.profile.timing, lambda meter_id, m_id: self.ids[m_id] == meter_id, seed)
        self.station = self.line.attach(self.master, 0)
        for m_id, meter_id in enumerate(self.ids):
            self.line.attach(SlaveModem(self.profile.timing, meter_id, m_id, m_id), distance_m)

    def hold(self, m_id, call_bytes, answer_bytes):
        """How long the exchange took; None where no answer came in time."""
        began_ms, meter_id = self.line.now_ms, self.ids[m_id]
        until_ms = began_ms + answer_within_ms(self.profile, call_bytes, answer_bytes)
        call = Frame(m_id, FrameFlags.NONE, 0, meter_id, bytes(call_bytes))
        self.line.send(self.station, call.build(), began_ms)
        while self.line.next_ms is not None and self.line.next_ms <= until_ms:
            for delivered in self.line.step():
                if delivered.end == self.station:
                    return self.line.now_ms - began_ms
                answer = Frame(m_id, FrameFlags.UP, 0, meter_id, bytes(answer_bytes))
                self.line.send(delivered.end, answer.build(), self.line.now_ms)
        return None


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_predicted_for_a_message_is_what_it_takes(name):
    exchange = Exchange(name, 7)
    took = [exchange.hold(turn % 5, 60, 1_001) for turn in range(200)]
    done = [each for each in took if each is not None]
    assert len(done) >= 196
    predicted_ms = message_ms(exchange.profile, 60) + message_ms(exchange.profile, 1_001)
    assert abs(sum(done) / len(done) / predicted_ms - 1) < PREDICTED_WITHIN


@pytest.mark.parametrize("name", PROFILES)
def test_the_longest_answer_comes_in_the_time_that_a_station_should_wait(name):
    exchange = Exchange(name, 8)
    took = [exchange.hold(turn % 5, 2_600, 2_600) for turn in range(40)]
    assert sum(each is None for each in took) <= 1


def test_predictions_grow_with_the_message_and_are_for_payloads_only():
    for profile in PROFILES.values():
        times = [message_ms(profile, size) for size in range(0, 2_601, 20)]
        assert times == sorted(times)
        assert answer_within_ms(profile) > WITHIN_FACTOR * 2 * message_ms(profile, 2_600)
        for size in (-1, 2_601):
            with pytest.raises(ValueError, match=f"message_bytes: {size}"):
                message_ms(profile, size)


def test_the_same_seed_gives_the_same_history_to_the_millisecond():
    def history(seed):
        exchange = Exchange("powerline-2400", seed, distance_m=2_900)
        return [exchange.hold(turn % 5, 60, 300) for turn in range(30)], exchange.line.now_ms, exchange.line.arrivals

    assert history(3) == history(3)
    assert history(3) != history(4)


def test_a_preset_that_there_is_none_of_is_refused_with_the_names_of_all():
    with pytest.raises(ValueError, match="powerline-2400, powerline-9600, powerline-64k, telephone, radio, cable"):
        profile_named("pigeon")


def test_an_end_that_was_taken_off_can_be_given_nothing():
    exchange = Exchange("cable", 1)
    exchange.line.detach(exchange.station)
    exchange.line.detach(exchange.station)
    with pytest.raises(ValueError, match="not on this line"):
        exchange.line.send(exchange.station, b"", 0)
    assert exchange.line.waiting(exchange.station) == 0
    assert exchange.line.step() == []


def test_events_due_for_an_end_that_has_left_are_dropped():
    exchange = Exchange("cable", 1)
    frame = Frame(0, FrameFlags.NONE, 0, exchange.ids[0], bytes(600))
    exchange.line.send(exchange.station, frame.build(), 0)
    for _ in range(3):
        exchange.line.step()
    exchange.line.detach(exchange.station)
    while exchange.line.next_ms is not None:
        exchange.line.step()
    assert exchange.line.now_ms < 60_000
