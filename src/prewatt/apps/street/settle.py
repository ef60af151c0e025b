"""Settles a street: a tariff, meters enrolled at the host, made by the factory, and powered up.

What is there already stays as it is, so that the second start finds the street of the first. Keys go the way they go
in production: the factory gets each meter's terminal keys from the vault, writes them into the meter's memory, and the
host derives them again when it needs them.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from prewatt.apps.boxes.meters import MEMORY_SUFFIX
from prewatt.apps.maker import maker_of
from prewatt.apps.settings import Settings
from prewatt.apps.street.street import Street
from prewatt.apps.tables import named_table
from prewatt.apps.zones import installation_rule
from prewatt.device.meter import Birth, ct_birth
from prewatt.host.answers import MeterAnswer
from prewatt.host.host import Host
from prewatt.host.keys import KeySetState
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import CT, Enrolment
from prewatt.host.topology import STATION_DEFAULT
from prewatt.units import MeterId, format_meter_id, parse_meter_id

__all__ = ["STREET_PRICE", "TRANSFORMER", "settle_street"]

_log = structlog.get_logger("prewatt.up")

# A price per kWh of the order of many countries', so that 10.00 lasts a home about a day and a half.
STREET_PRICE: Final = "0.25"
_STREET_TABLE: Final = "example"
TRANSFORMER: Final = "C00001"
"""The id of the transformer's own meter."""
# The last address, out of the way of homes, which get the lowest free one.
_TRANSFORMER_M_ID: Final = 255


def settle_street(host: Host, street: Street, settings: Settings) -> None:
    """Makes the street ready to run: every meter that was ever made here, at least ``settings.meters``, and the
    transformer's own meter above them."""
    try:
        tariff = host.tariffs.read()
    except RefusedError as error:
        if error.outcome is not RefusalOutcome.NO_TARIFF:
            raise
        tariff = host.tariffs.set(STREET_PRICE, table=named_table(_STREET_TABLE, installation_rule(host)))
    numbers = {MeterId(number.to_bytes(3, "big")) for number in range(1, settings.meters + 1)}
    enrolled = {meter.id: meter for meter in host.registry.read_meters()}
    transformers = {parse_meter_id(meter.id) for meter in enrolled.values() if meter.kind == CT}
    homes = sorted((numbers | made_before(street.folder)) - transformers)
    for meter_id in homes:
        name = format_meter_id(meter_id)
        meter = enrolled.get(name) or host.registry.enrol(Enrolment(name, customer=f"home-{name}"))
        keys = _terminal_keys(host, meter_id, meter.suite)
        price, maker = tariff.unit_price_micro, maker_of(settings)
        street.make(Birth(meter_id, meter.m_id, meter.suite, keys, price, maker_key=maker))
    # First the transformer's, so that it has power while the first home takes anything.
    _settle_transformer(host, street, settings, enrolled.get(TRANSFORMER))
    for meter_id in homes:
        street.settle(meter_id)


def made_before(folder: Path) -> set[MeterId]:
    """The meters whose memories lie in ``folder``."""
    return {parse_meter_id(path.stem) for path in folder.glob(f"??????{MEMORY_SUFFIX}")}


def _settle_transformer(host: Host, street: Street, settings: Settings, meter: MeterAnswer | None) -> None:
    """A street whose every address or whose ceiling is taken, or where a home has its id, stays without one."""
    if meter is None:
        taken = {each.m_id for each in host.registry.read_meters(station=STATION_DEFAULT)}
        m_id = None if _TRANSFORMER_M_ID in taken else _TRANSFORMER_M_ID
        try:
            meter = host.registry.enrol(Enrolment(TRANSFORMER, m_id=m_id, kind=CT))
        except RefusedError as error:
            _log.warning("the street stays without a transformer's meter", cause=str(error))
            return
    if meter.kind != CT:
        _log.warning("the street stays without a transformer's meter", cause=f"{TRANSFORMER} is a home's")
        return
    meter_id = parse_meter_id(meter.id)
    keys, table = _terminal_keys(host, meter_id, meter.suite), named_table(_STREET_TABLE, installation_rule(host))
    birth = ct_birth(meter_id, meter.m_id, meter.suite, keys, table=table)
    street.make(replace(birth, maker_key=maker_of(settings)))
    street.settle(meter_id)


def _terminal_keys(host: Host, meter_id: MeterId, suite: str) -> dict[int, bytes]:
    vault = host.context.vault
    active = [each.index for each in vault.sets() if each.state is KeySetState.ACTIVE and each.suite == suite]
    return {index: vault.terminal_key(index, meter_id) for index in active}
