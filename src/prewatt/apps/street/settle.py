"""Settles a street: a tariff, meters enrolled at the host, made by the factory, and powered up.

What is there already stays as it is, so that the second start finds the street of the first. Keys go the way they go
in production: the factory gets each meter's terminal keys from the vault, writes them into the meter's memory, and the
host derives them again when it needs them.
"""

from pathlib import Path
from typing import Final

from prewatt.apps.maker import maker_of
from prewatt.apps.settings import Settings
from prewatt.apps.street.street import Street, manufacture
from prewatt.apps.tables import named_table
from prewatt.apps.zones import installation_rule
from prewatt.device.meter import Birth
from prewatt.host.host import Host
from prewatt.host.keys import KeySetState
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import Enrolment
from prewatt.units import MeterId, format_meter_id, parse_meter_id

__all__ = ["STREET_PRICE", "settle_street"]

# A price per kWh of the order of many countries', so that 10.00 lasts a home about a day and a half.
STREET_PRICE: Final = "0.25"
_STREET_TABLE: Final = "example"


def settle_street(host: Host, street: Street, settings: Settings) -> None:
    """Makes the street ready to run: every meter that was ever made here, and at least ``settings.meters``."""
    try:
        tariff = host.tariffs.read()
    except RefusedError as error:
        if error.outcome is not RefusalOutcome.NO_TARIFF:
            raise
        tariff = host.tariffs.set(STREET_PRICE, table=named_table(_STREET_TABLE, installation_rule(host)))
    numbers = {MeterId(number.to_bytes(3, "big")) for number in range(1, settings.meters + 1)}
    enrolled = {meter.id: meter for meter in host.registry.read_meters()}
    for meter_id in sorted(numbers | made_before(street.folder)):
        name = format_meter_id(meter_id)
        meter = enrolled.get(name) or host.registry.enrol(Enrolment(name, customer=f"home-{name}"))
        keys = _terminal_keys(host, meter_id, meter.suite)
        price, maker = tariff.unit_price_micro, maker_of(settings)
        manufacture(street.folder, Birth(meter_id, meter.m_id, meter.suite, keys, price, maker_key=maker))
        street.add(meter_id)


def made_before(folder: Path) -> set[MeterId]:
    """The meters whose memories lie in ``folder``."""
    return {parse_meter_id(path.stem) for path in folder.glob("??????.nvm")}


def _terminal_keys(host: Host, meter_id: MeterId, suite: str) -> dict[int, bytes]:
    vault = host.context.vault
    active = [each.index for each in vault.sets() if each.state is KeySetState.ACTIVE and each.suite == suite]
    return {index: vault.terminal_key(index, meter_id) for index in active}
