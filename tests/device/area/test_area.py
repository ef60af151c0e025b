"""The area server: routes down, stores and forwards up, and takes from nobody what is not his."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.hop import (
    Answers,
    AreaHealth,
    Health,
    Kept,
    KeptAck,
    Members,
    Plan,
    Refused,
    RefusedReason,
    Round,
    StationState,
    build_hop,
    parse_hop,
)
from prewatt.device.area import (
    AREA_HEALTH_MS,
    AreaServer,
    FromHost,
    FromStation,
    HostLink,
    StationLink,
    Tick,
    ToHost,
    ToStation,
    WakeAt,
)
from prewatt.device.area.storing import (
    KEPT_RETRY_MS,
    NUMBER_TAKEN_MAX,
    SPOOLS_EACH_MAX,
    STATION_BYTES_MAX,
    STATION_ITEMS_MAX,
    UNDER_WAY_MAX,
)
from prewatt.device.spool import MemorySpools, SpoolError
from prewatt.units import Address, MeterId, ValueFieldError

AREA = 7
SPOOL = b"spool id"
ONE = MeterId(b"\0\0\1")


def item(number: int) -> tuple[MeterId, bytes]:
    return ONE, b"\x14" + number.to_bytes(8, "big")


class Area:
    """An area server with station 3 connected, and the host."""

    def __init__(self, spools: MemorySpools | None = None) -> None:
        self.spools = MemorySpools() if spools is None else spools
        self.now = 0
        self.server = AreaServer(self.spools, AREA, 0)
        self.step(HostLink(True))
        self.step(StationLink(3, True))

    def step(self, event):
        effects = self.server.step(event, self.now)
        self.up = [parse_hop(effect.data) for effect in effects if isinstance(effect, ToHost)]
        self.down = [(effect.station, parse_hop(effect.data)) for effect in effects if isinstance(effect, ToStation)]
        self.wakes = [effect.line_ms for effect in effects if isinstance(effect, WakeAt)]
        return self.up

    def host(self, message):
        return self.step(FromHost(build_hop(message)))

    def station(self, message, number: int = 3):
        return self.step(FromStation(number, build_hop(message)))

    def kept(self, first: int, count: int, *, station: int = 3, spool: bytes = SPOOL, lowest: int | None = None):
        items = tuple(item(first + n) for n in range(count))
        return self.station(Kept(Address(AREA, station), spool, first, lowest or first, items), station)

    def booked(self, number: int, *, station: int = 3, spool: bytes = SPOOL):
        return self.host(KeptAck(Address(AREA, station), spool, number))

    def told(self, kind):
        return [message for message in self.up if isinstance(message, kind)]


@pytest.fixture
def area() -> Area:
    return Area()


HERE = Address(AREA, 3)


def test_rounds_members_and_plans_go_down_to_the_station_they_name(area: Area) -> None:
    for message in (Round(HERE, 1, True, ((ONE, b"\x10"),)), Members(HERE, 1, ((ONE, 1),)), Plan(HERE, 2)):
        area.host(message)
        assert area.down == [(3, message)]
        assert not area.up


def test_nothing_waits_for_a_station_that_is_away_and_the_host_is_told(area: Area) -> None:
    there = Address(AREA, 4)
    for message in (Round(there, 1, True, ()), Members(there, 1, ()), Plan(there, 2)):
        (refused,) = area.host(message)
        assert (refused.address, refused.reason) == (there, RefusedReason.AWAY)
        assert not area.down
    area.step(StationLink(4, True))
    area.host(Plan(there, 2))
    assert area.down == [(4, Plan(there, 2))]
    area.step(StationLink(4, False))
    area.host(Plan(there, 2))
    assert not area.down


def test_256_stations_can_be_served(area: Area) -> None:
    for number in range(256):
        area.step(StationLink(number, True))
        area.host(Plan(Address(AREA, number), 1))
        assert area.down[0][0] == number
    with pytest.raises(ValueFieldError, match="0 to 255"):
        area.step(StationLink(256, True))
    with pytest.raises(ValueFieldError, match="0 to 255"):
        AreaServer(MemorySpools(), 256, 0)


@pytest.mark.parametrize(
    ("event", "reason", "address"),
    [
        (FromHost(build_hop(Plan(Address(8, 3), 1))), RefusedReason.FOREIGN, Address(8, 3)),
        (FromHost(build_hop(Answers(HERE, 1, True, ()))), RefusedReason.DIRECTION, HERE),
        (FromHost(b"\x01"), RefusedReason.UNREADABLE, Address(AREA, 0)),
        (FromHost(b"\x01\x03\x07\x03short"), RefusedReason.UNREADABLE, HERE),
        (FromStation(3, build_hop(Answers(Address(AREA, 4), 1, True, ()))), RefusedReason.FOREIGN, HERE),
        (FromStation(3, build_hop(Answers(Address(8, 3), 1, True, ()))), RefusedReason.FOREIGN, HERE),
        (FromStation(3, build_hop(Plan(HERE, 1))), RefusedReason.DIRECTION, HERE),
        (FromStation(3, b"\x01\x82\x07\x03"), RefusedReason.UNREADABLE, HERE),
        (FromStation(3, b"\x01\x83\x07\x03"), RefusedReason.UNREADABLE, HERE),
        (FromStation(3, b""), RefusedReason.UNREADABLE, HERE),
    ],
)
def test_what_is_foreign_unreadable_or_goes_the_wrong_way_is_refused(area, event, reason, address) -> None:
    (refused,) = area.step(event)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.address) == (reason, address)
    assert not area.down
    area.now = AREA_HEALTH_MS
    assert area.step(Tick())[0].refused == 1


def test_answers_go_up_and_are_not_kept(area: Area) -> None:
    answers = Answers(HERE, 1, True, ((ONE, b"\x11"),))
    assert area.station(answers) == [answers]
    area.step(HostLink(False))
    assert area.station(answers) == []
    assert not [message for message in area.step(HostLink(True)) if isinstance(message, Answers)]


def test_kept_items_are_durable_before_the_station_is_told_and_stay_until_the_host_has_booked_them(area: Area) -> None:
    area.kept(1, 3)
    ((station, ack),) = area.down
    assert (station, ack) == (3, KeptAck(HERE, SPOOL, 3))
    ((_, spool),) = area.spools.held()
    assert spool.read(1, 9) == (item(1), item(2), item(3))
    assert area.told(Kept) == [Kept(HERE, SPOOL, 1, 1, (item(1), item(2), item(3)))]
    area.booked(2)
    assert area.told(Kept) == [Kept(HERE, SPOOL, 3, 3, (item(3),))]
    area.booked(3)
    assert not area.told(Kept)
    assert spool.first == spool.next == 4


def test_without_the_host_items_are_taken_and_are_sent_when_it_is_back_also_after_a_power_cut() -> None:
    area = Area()
    area.step(HostLink(False))
    area.kept(1, 2)
    assert area.down
    assert not area.up
    again = AreaServer(area.spools, AREA, 0)
    said = [parse_hop(effect.data) for effect in again.step(HostLink(True), 0) if isinstance(effect, ToHost)]
    states = (StationState(3, False, 2, 0, 0),)
    assert said == [
        AreaHealth(Address(AREA, 0), 2, 2, 0, states),
        Kept(HERE, SPOOL, 1, 1, (item(1), item(2))),
    ]


def test_what_came_twice_or_overlaps_is_stored_once(area: Area) -> None:
    area.kept(1, 2)
    area.kept(1, 2)
    assert area.down == [(3, KeptAck(HERE, SPOOL, 2))]
    area.kept(1, 4)
    assert area.down == [(3, KeptAck(HERE, SPOOL, 4))]
    ((_, spool),) = area.spools.held()
    assert spool.read(1, 9) == tuple(item(n) for n in range(1, 5))


def test_a_gap_is_taken_only_where_the_station_has_nothing_lower_and_all_before_has_gone_up(area: Area) -> None:
    area.kept(1, 2)
    area.kept(5, 1, lowest=3)
    assert not area.down
    area.kept(5, 1)
    assert not area.down, "items 1 and 2 have to go up first"
    area.booked(2)
    area.kept(5, 1)
    assert area.down == [(3, KeptAck(HERE, SPOOL, 5))]
    assert area.told(Kept) == [Kept(HERE, SPOOL, 5, 5, (item(5),))]


def test_a_spool_that_begins_in_the_middle_is_not_opened_while_the_station_holds_more(area: Area) -> None:
    area.kept(5, 1, lowest=3)
    assert not area.down
    assert not area.spools.held()


def test_a_station_that_counts_too_far_is_refused_and_one_at_the_limit_goes_on(area: Area) -> None:
    area.kept(NUMBER_TAKEN_MAX + 1, 1)
    assert not area.down
    assert [message.reason for message in area.told(Refused)] == [RefusedReason.OUT_OF_RANGE]
    area.kept(NUMBER_TAKEN_MAX, 256)
    assert area.down == [(3, KeptAck(HERE, SPOOL, NUMBER_TAKEN_MAX + 255))]
    area.booked(NUMBER_TAKEN_MAX + 9)
    assert area.told(Kept)[0].first == NUMBER_TAKEN_MAX + 10


def test_a_stations_new_spool_goes_up_behind_its_old_one_which_is_forgotten_when_it_is_empty(area: Area) -> None:
    area.kept(1, 2)
    area.kept(1, 1, spool=b"new one!")
    assert area.down == [(3, KeptAck(HERE, b"new one!", 1))]
    assert not area.told(Kept)
    area.booked(9, spool=b"another!")
    area.booked(2)
    assert area.told(Kept) == [Kept(HERE, b"new one!", 1, 1, (item(1),))]
    assert [spool.id for _, spool in area.spools.held()] == [b"new one!"]
    area.booked(1, spool=b"new one!")
    assert [spool.id for _, spool in area.spools.held()] == [b"new one!"]


def test_a_station_has_a_limited_number_of_spools(area: Area) -> None:
    for number in range(SPOOLS_EACH_MAX):
        area.kept(1, 1, spool=number.to_bytes(8, "big"))
        assert area.down
    area.kept(1, 1, spool=b"one more")
    assert not area.down
    assert [message.reason for message in area.told(Refused)] == [RefusedReason.FULL]


def test_a_station_has_limited_room_and_what_is_not_taken_stays_with_it(area: Area) -> None:
    area.step(HostLink(False))
    for first in range(1, STATION_ITEMS_MAX, 256):
        area.kept(first, 256)
    assert area.down == [(3, KeptAck(HERE, SPOOL, STATION_ITEMS_MAX))]
    area.step(HostLink(True))
    area.kept(STATION_ITEMS_MAX + 1, 1)
    assert not area.down
    assert [message.reason for message in area.told(Refused)] == [RefusedReason.FULL]
    area.kept(1, 1, station=4)
    assert area.down
    area.booked(1)
    area.kept(STATION_ITEMS_MAX + 1, 1)
    assert area.down == [(3, KeptAck(HERE, SPOOL, STATION_ITEMS_MAX + 1))]


def test_a_station_has_limited_bytes_and_what_is_not_taken_stays_with_it(area: Area) -> None:
    area.step(HostLink(False))
    longest, first, left = (ONE, bytes(2_600)), 1, STATION_BYTES_MAX
    while left:
        items = (longest,) * min(256, left // 2_600) or ((ONE, bytes(left)),)
        area.station(Kept(HERE, SPOOL, first, first, items))
        first += len(items)
        left -= sum(len(payload) for _, payload in items)
        assert area.down == [(3, KeptAck(HERE, SPOOL, first - 1))], "it fits to the last byte"
    one_more = Kept(HERE, SPOOL, first, first, ((ONE, b"\x17"),))
    area.step(HostLink(True))
    (sent,) = area.told(Kept)
    area.station(one_more)
    assert not area.down
    assert [message.reason for message in area.told(Refused)] == [RefusedReason.FULL]
    area.kept(1, 1, station=4)
    assert area.down, "another station has room of its own"
    area.server = AreaServer(area.spools, AREA, area.now)
    area.step(StationLink(3, True))
    area.station(one_more)
    assert not area.down, "a restart does not make room"
    area.step(HostLink(True))
    area.booked(len(sent.items))
    area.station(one_more)
    assert area.down == [(3, KeptAck(HERE, SPOOL, first))]


def test_a_memory_that_does_not_take_it_is_never_acknowledged() -> None:
    area = Area(MemorySpools(items_max=2))
    area.kept(1, 2)
    assert area.down
    area.kept(3, 1)
    assert not area.down
    assert [message.reason for message in area.told(Refused)] == [RefusedReason.NOT_STORED]

    class Broken(MemorySpools):
        def open(self, station: int, spool_id: bytes, first: int):
            raise SpoolError("broken")

    area = Area(Broken())
    area.kept(1, 1)
    assert not area.down
    assert [message.reason for message in area.told(Refused)] == [RefusedReason.NOT_STORED]


def test_a_memory_that_fails_for_a_while_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    area = Area()
    area.kept(1, 1)
    area.kept(1, 1, spool=b"new one!")
    ((_, spool), (_, newer)) = area.spools.held()

    def fail(*given: object) -> None:
        raise SpoolError("broken")

    with monkeypatch.context() as broken:
        broken.setattr(type(spool), "drop_through", fail)
        area.booked(1)
        assert spool.next - spool.first == 1
    with monkeypatch.context() as broken:
        broken.setattr(type(spool), "read", fail)
        area.now += KEPT_RETRY_MS
        area.step(Tick())
        assert not area.told(Kept)
    area.now += KEPT_RETRY_MS
    area.step(Tick())
    assert area.told(Kept) == [Kept(HERE, SPOOL, 1, 1, (item(1),))]
    with monkeypatch.context() as broken:
        broken.setattr(type(area.spools), "forget", fail)
        area.booked(1)
    assert area.told(Kept) == [Kept(HERE, b"new one!", 1, 1, (item(1),))]
    area.booked(1, spool=b"new one!")
    assert area.spools.held() == [(3, newer)]


def test_what_the_host_does_not_acknowledge_goes_again_and_a_new_link_sends_at_once(area: Area) -> None:
    area.kept(1, 1)
    area.now = KEPT_RETRY_MS - 1
    area.step(Tick())
    assert not area.told(Kept)
    assert area.wakes == [KEPT_RETRY_MS]
    area.now += 1
    area.step(Tick())
    assert len(area.told(Kept)) == 1
    area.step(HostLink(False))
    area.step(HostLink(True))
    assert len(area.told(Kept)) == 1


def test_only_so_many_messages_wait_for_the_host_and_stations_take_turns(area: Area) -> None:
    sent = []
    for station in range(UNDER_WAY_MAX + 5):
        sent += [message.address.station for message in area.kept(1, 1, station=station) if isinstance(message, Kept)]
    assert sent == list(range(UNDER_WAY_MAX))
    area.booked(1, station=7)
    assert [message.address.station for message in area.told(Kept)] == [UNDER_WAY_MAX]
    area.kept(2, 1, station=7)
    area.booked(1, station=8)
    assert [message.address.station for message in area.told(Kept)] == [UNDER_WAY_MAX + 1]


def test_health_of_stations_goes_up_and_into_the_areas_own(area: Area) -> None:
    health = Health(HERE, 1, 2, 3, 44, 0, 0, 0, (ONE, MeterId(b"\0\0\2")))
    assert area.station(health) == [health]
    area.step(HostLink(False))
    area.kept(1, 2, station=9)
    (again, told, *_) = area.step(HostLink(True))
    assert again == health, "what a station told while the host was away has to reach it"
    states = (StationState(3, True, 0, 44, 2), StationState(9, False, 2, 0, 0))
    assert told == AreaHealth(Address(AREA, 0), 1, 2, 0, states)


def test_links_that_change_are_told_of_soon_and_together(area: Area) -> None:
    area.now = 10_000
    area.step(Tick())
    for number in range(100):
        area.step(StationLink(number, True))
        assert not area.told(AreaHealth)
    assert area.wakes == [11_000]
    area.now = 11_000
    (told,) = area.step(Tick())
    assert sum(state.connected for state in told.stations) == 100


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60).map(FromHost),
            st.tuples(st.integers(0, 255), st.binary(max_size=60)).map(lambda pair: FromStation(*pair)),
            st.tuples(st.sampled_from([1, 2, 3, 4, 0x81, 0x82, 0x83]), st.binary(max_size=60)).map(
                lambda pair: FromHost(bytes((1, pair[0], AREA, 3)) + pair[1])
            ),
            st.tuples(st.sampled_from([0x81, 0x82, 0x83, 0x84]), st.binary(max_size=60)).map(
                lambda pair: FromStation(3, bytes((1, pair[0], AREA, 3)) + pair[1])
            ),
            st.sampled_from([HostLink(True), HostLink(False), StationLink(3, False), StationLink(3, True), Tick()]),
        ),
        max_size=30,
    )
)
def test_noise_never_breaks_an_area_server(events) -> None:
    area = Area()
    for event in events:
        area.now += 100
        area.server.step(event, area.now)
    area.step(HostLink(True))
    area.kept(1, 1, spool=b"the last")
    assert area.down == [(3, KeptAck(HERE, b"the last", 1))]
