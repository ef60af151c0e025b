"""Coverage as it is counted, where the clock it is counted by was wrong."""

DAY_S = 86_400


def test_a_meter_that_was_read_while_the_hosts_clock_was_ahead_counts_as_read_on_no_day_until_then(make_world):
    world = make_world(meters=2)
    world.pump()
    world.now_s += 30 * DAY_S
    world.pass_line(60_000)
    world.pump()
    assert world.host.polling.coverage("S1").coverage.read_today == 2
    world.now_s -= 29 * DAY_S
    found = world.host.polling.coverage("S1")
    assert (found.coverage.read_today, found.coverage.polled_today) == (0, 0)
    assert [each.id for each in found.stragglers] == ["000001", "000002"]
