"""The host in the field: real boxes and real meters below it, over ways that lose, and power that goes."""

from prewatt.host.answers import TransferState


def test_value_sold_reaches_the_meter_through_every_box(make_field):
    field = make_field()
    field.run(5)
    field.host.vending.vend("000001", "10", order="A")
    field.run_until(lambda: field.host.transfers.read("A").state is TransferState.CONFIRMED, 60)
    assert field.homes["000001"].device.view().balance_micro == 10_000_000
    assert field.host.audit.run().ok
