"""What goes to a meter next, where something stands in the way of everything else."""

from prewatt.device.meter.money import MoneyLimits
from prewatt.host.answers import TransferState
from prewatt.host.days import local_day

DAY_S = 86_400


def test_an_order_that_a_meter_refuses_goes_behind_all_other_work(make_world):
    world = make_world(meters=0)
    world.add_meter("000001", limits=MoneyLimits(ceiling_micro=5_000_000))
    world.settle(3)
    order = world.host.vending.vend("000001", "10").order
    world.settle(3)
    assert world.host.transfers.read(order).state is TransferState.REFUSED
    world.host.tariffs.set("0.5")
    world.host.controls.send_text("000001", "your meter is full")
    world.now_s += 6 * 3_600
    world.settle(6)
    assert world.bodies["000001"].price == 500_000
    assert world.bodies["000001"].texts == ["your meter is full"]
    assert world.bodies["000001"].clock_s == world.now_s
    assert world.host.transfers.read(order).state is TransferState.REFUSED
    world.bodies["000001"].limits = MoneyLimits()
    world.settle(6)
    assert world.host.transfers.read(order).state is TransferState.CONFIRMED


def test_several_refused_orders_leave_room_for_other_work_and_for_an_order_that_fits(make_world):
    world = make_world(meters=0)
    world.add_meter("000001", limits=MoneyLimits(ceiling_micro=5_000_000))
    world.settle(3)
    for amount in ("10", "11", "12"):
        world.host.vending.vend("000001", amount)
    world.settle(12)
    world.host.tariffs.set("0.5")
    fits = world.host.vending.vend("000001", "4").order
    world.settle(12)
    assert world.host.transfers.read(fits).state is TransferState.CONFIRMED
    assert world.bodies["000001"].price == 500_000
    assert world.host.audit.run().ok


def test_days_are_fetched_again_after_the_hosts_clock_was_weeks_ahead(make_world):
    world = make_world(meters=1)
    world.pump()
    first = local_day(world.now_s, world.host.context.zone)

    def poll():
        world.now_s += world.settings.poll_s + 5
        world.pass_line(60_000)
        world.pump()

    world.now_s += 60 * DAY_S
    for _ in range(6):
        poll()
    world.now_s -= 60 * DAY_S
    body = world.bodies["000001"]
    body.days = {first + day: ((first + day) * DAY_S, [7] * 1_440) for day in range(3)}
    world.now_s += 3 * DAY_S
    for _ in range(8):
        poll()
    found = {row.label: row.minutes for row in world.host.usage.read("000001").rows}
    assert found == {"2026-03-01": 1_440, "2026-03-02": 1_440, "2026-03-03": 1_440}
