"""A box's name is read back exactly, and nothing that is not one is taken for one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.link.names import (
    EDITION_MAX,
    Bearer,
    BoxName,
    Role,
    area_name,
    host_name,
    server_name,
    servers_uri,
    station_name,
)
from prewatt.units import Address, ValueFieldError

HERE = "0123456789abcdef" * 2
numbers = st.integers(0, 255)
names = st.one_of(
    st.just(host_name(HERE)),
    numbers.map(lambda number: area_name(HERE, number)),
    numbers.map(lambda number: server_name(HERE, number)),
    st.builds(Address, numbers, numbers).map(lambda address: station_name(HERE, address)),
)


@settings(deadline=None, max_examples=100)
@given(names)
def test_a_name_is_read_back_as_it_was_written(name):
    assert BoxName.parse(name.uri) == name


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(max_size=60), st.text("/0123456789aehostrin", max_size=30).map(f"prewatt://{HERE}/".__add__)))
def test_text_is_a_name_only_if_it_is_how_that_name_is_written(text):
    try:
        assert BoxName.parse(text).uri == text
    except ValueFieldError as error:
        assert "allowed" in str(error)


@pytest.mark.parametrize(
    "uri",
    [
        f"prewatt://{HERE}/area/256", f"prewatt://{HERE}/area/01", f"prewatt://{HERE}/area/-1", f"prewatt://{HERE}/area",
        f"prewatt://{HERE}/area/1/station", f"prewatt://{HERE}/host/", f"prewatt://{HERE[:-1]}/host", f"{HERE}/host",
        f"https://{HERE}/host", f"prewatt://{HERE.upper()}/host", f"prewatt://{HERE}/area/1/station/256", "",
        f"prewatt://{HERE}/area/\u0661", f"prewatt://prewatt://{HERE}/host",
    ],
)  # fmt: skip
def test_what_is_nearly_a_name_is_refused(uri):
    with pytest.raises(ValueFieldError):
        BoxName.parse(uri)


def test_a_name_has_the_numbers_of_its_role():
    with pytest.raises(ValueFieldError):
        BoxName(HERE, Role.HOST, (1,))
    with pytest.raises(ValueFieldError):
        BoxName(HERE, Role.AREA)
    with pytest.raises(ValueFieldError):
        area_name(HERE, 256)
    assert str(station_name(HERE, Address(255, 0))) == "station 255.0"
    assert str(host_name(HERE)) == "host"


def test_a_box_speaks_through_message_servers_and_its_own_areas_leaf_alone():
    station, area, other = station_name(HERE, Address(1, 2)), area_name(HERE, 1), area_name(HERE, 2)
    host, server = host_name(HERE), server_name(HERE, 0)
    assert all(each.meets_at(server) for each in (station, area, host))
    assert all(each.meets_at(area) for each in (station, area))
    assert not any(each.meets_at(other) for each in (station, area, host))
    assert not any(each.meets_at(found) for each in (station, area, host) for found in (host, station, None))
    assert not host.meets_at(server_name("cd" * 16, 0))


@settings(deadline=None, max_examples=100)
@given(names, st.integers(0, EDITION_MAX))
def test_a_bearer_is_read_back_and_its_first_edition_is_written_like_the_name(name, edition):
    bearer = Bearer(name, edition)
    assert Bearer.parse(bearer.uri) == bearer
    assert (bearer.uri == name.uri) == (edition == 0)


@pytest.mark.parametrize(
    "edition", ["#", "#0", "#01", "#-1", "#1#1", "# 1", "#1.0", "#\u0661", f"#{EDITION_MAX + 1}", "#x"]
)
def test_what_is_nearly_an_edition_is_refused(edition):
    assert Bearer.parse(f"{area_name(HERE, 1).uri}#{EDITION_MAX}").edition == EDITION_MAX
    with pytest.raises(ValueFieldError):
        Bearer.parse(area_name(HERE, 1).uri + edition)


def test_an_edition_beyond_the_last_is_refused():
    with pytest.raises(ValueFieldError, match="edition"):
        Bearer(area_name(HERE, 1), EDITION_MAX + 1)


def test_the_name_that_servers_share_is_no_boxs_name():
    for edition in (0, 1):
        with pytest.raises(ValueFieldError):
            Bearer.parse(servers_uri(HERE, edition))
