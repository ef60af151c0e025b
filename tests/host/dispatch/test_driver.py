"""The engine's thread: what waits for it is bounded, and taken as soon as it goes on."""

import time

import pytest

from prewatt.codec.hop import HOP_BYTES_MAX
from prewatt.host.dispatch.arrivals import ARRIVALS_BYTES_MAX, ARRIVALS_MAX
from prewatt.host.dispatch.driver import DispatchDriver


class Nowhere:
    def post(self, area, data):
        pass


@pytest.mark.parametrize(
    ("data", "most"), [(b"", ARRIVALS_MAX), (bytes(HOP_BYTES_MAX), ARRIVALS_BYTES_MAX // HOP_BYTES_MAX)]
)
def test_what_waits_for_an_engine_that_stands_still_has_its_room_and_no_more(make_field, data, most):
    network = make_field(below=(1,)).host.network
    driver = DispatchDriver(network, Nowhere())
    for _ in range(most + 1):
        driver.arrived(0, data)
    assert driver.waiting == most
    driver.start()
    until_s = time.monotonic() + 30
    while network.counts["unreadable"] < most and time.monotonic() < until_s:
        time.sleep(0.01)
    driver.arrived(0, data)
    driver.stop()
    assert network.counts["unreadable"] in (most, most + 1)
    assert driver.waiting <= 1
