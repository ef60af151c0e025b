"""What boxes tell of stations is acted on when it changes, and only then."""

from prewatt.codec.hop import AreaHealth, Health, HopKind, Refused, RefusedReason, StationState
from prewatt.host.dispatch.reach import Reach
from prewatt.units import Address

ONE, TWO = Address(3, 1), Address(3, 2)


def health(boots: int, address: Address = ONE) -> Health:
    return Health(address, boots, 0, 0, 0, 0, 0, 0, ())


def area(**connected: bool) -> AreaHealth:
    states = tuple(StationState(int(name[1:]), there, 0, 0, 0) for name, there in connected.items())
    return AreaHealth(Address(3, 0), 1, 0, 0, states)


def test_a_station_turns_when_its_area_server_says_another_thing_than_before():
    reach = Reach()
    assert list(reach.turned(area(s1=True, s2=False))) == [(TWO, False)]
    assert list(reach.turned(area(s1=True, s2=False))) == []
    assert list(reach.turned(area(s1=False, s2=False))) == [(ONE, False)]
    assert list(reach.turned(area(s1=True, s2=True))) == [(ONE, True), (TWO, True)]


def test_a_station_that_started_again_is_back_even_where_nobody_saw_it_go():
    reach = Reach()
    assert list(reach.turned(health(4))) == []
    assert list(reach.turned(health(4))) == []
    assert list(reach.turned(health(5))) == [(ONE, True)]
    assert list(reach.turned(health(1, TWO))) == []


def test_a_refused_round_shows_that_a_station_is_away_until_its_area_server_has_it_again():
    reach = Reach()
    list(reach.turned(area(s1=True)))
    assert list(reach.turned(Refused(ONE, HopKind.ROUND, RefusedReason.AWAY))) == [(ONE, False)]
    assert list(reach.turned(Refused(ONE, HopKind.ROUND, RefusedReason.NOT_MEMBER))) == []
    assert list(reach.turned(area(s1=True))) == [(ONE, True)]


def test_a_new_way_to_an_area_server_forgets_what_was_known_below_it_alone():
    reach = Reach()
    other = AreaHealth(Address(4, 0), 1, 0, 0, (StationState(1, False, 0, 0, 0),))
    list(reach.turned(area(s1=False)))
    list(reach.turned(other))
    reach.forget(3)
    assert list(reach.turned(area(s1=False))) == [(ONE, False)]
    assert list(reach.turned(other)) == []


def test_the_first_word_of_an_area_server_ends_nothing_that_has_just_begun():
    reach = Reach()
    assert list(reach.turned(area(s1=True))) == []
    reach.forget(3)
    assert list(reach.turned(area(s1=True))) == []
