"""The face: what a person standing before the meter sees, gathered from core and consumption."""

from dataclasses import replace

from prewatt.device.meter.buzzer import buzzing_of
from prewatt.device.meter.consumption import Consumption
from prewatt.device.meter.core import Core
from prewatt.device.meter.lcd import render_lcd
from prewatt.device.meter.registers import Period
from prewatt.device.meter.relay import Cause
from prewatt.device.meter.view import MeterState, MeterView
from prewatt.units import format_stamp

__all__ = ["render_face"]


def render_face(
    core: Core, consumption: Consumption, page: int, prompt: tuple[str, str] | None, notice: str
) -> MeterView:
    """The view, with the lines of the display made from all the rest of it."""
    settings = core.settings
    view = _facts(core, consumption, notice)
    lcd = render_lcd(view, page, wide=bool(settings.lcd_wide), digits=settings.currency_digits, prompt=prompt)
    return replace(view, lcd=lcd)


def _facts(core: Core, consumption: Consumption, notice: str) -> MeterView:
    control, money, tariff = core.control, core.money, core.tariff
    own_s, at = core.own_s, control.source_at
    run = tariff.price_run(own_s)
    quality = 100 + core.surcharge_percent
    closed = tuple(core.closed(source) for source in range(core.sources))
    return MeterView(
        meter_id=core.certificate.meter_id,
        m_id=core.certificate.m_id,
        lcd=(),
        state=_state(core),
        relay_closed=any(closed),
        relays_closed=closed,
        causes=tuple(cause.name.lower().replace("_", " ") for cause in control.causes[at] if cause.name),
        buzzing=buzzing_of(money, core.settings.low_balance_micro),
        balance_micro=money.balance_micro,
        svm_micro=money.svm_micro,
        tank_micro=money.tank_micro,
        exchanger_micro=money.exchanger_micro,
        received_micro=money.received_micro,
        burned_micro=money.burned_micro,
        returned_micro=money.returned_micro,
        owed_micro=money.owed_micro,
        unit_price_micro=tariff.unit_price_micro,
        step_percent=run.percent,
        quality_percent=quality,
        price_micro=tariff.source_price_micro(at) * run.percent * quality // 10_000,
        power_w=consumption.read_power_w(),
        minute_pulses=consumption.minute_done_pulses,
        day_pulses=control.registers.read_period(Period.DAY),
        month_pulses=control.registers.read_period(Period.MONTH),
        total_pulses=control.registers.total_pulses,
        clock_s=own_s,
        clock_stamp=format_stamp(own_s, offset_s=tariff.calendar.read_offset_s(own_s)),
        last_sequence=money.last_sequence,
        last_amount_micro=money.last_amount_micro,
        last_control=money.last_control,
        commissioned=money.commissioned,
        table_version=tariff.table.version,
        waiting_version=core.waiting.table.version if core.waiting else None,
        events_waiting=core.events.newest - control.events_acknowledged,
        alarms_waiting=len(control.alarms),
        notice=notice,
        messages=tuple(text for text in (core.text,) if text),
    )


def _state(core: Core) -> MeterState:
    causes = core.control.causes[core.control.source_at]
    found = (
        (not core.money.commissioned, MeterState.NEW),
        (core.money.retired, MeterState.RETIRED),
        (bool(causes & Cause.TAMPER), MeterState.TAMPER),
        (bool(causes & Cause.OVER_CURRENT), MeterState.OVER_CURRENT),
        (bool(causes & Cause.ARMED), MeterState.ARMED),
        (bool(causes & Cause.ORDERED), MeterState.ORDERED_OFF),
        (bool(causes & Cause.ZERO), MeterState.NO_VALUE),
        (bool(causes & Cause.LOAD_LIMIT), MeterState.LOAD_LIMIT),
        (core.control.emergency, MeterState.EMERGENCY),
    )
    return next((state for true, state in found if true), MeterState.SUPPLYING)
