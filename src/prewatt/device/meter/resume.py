"""Resume: from a memory that lost its power at any byte to a meter that goes on.

What the journal says is the truth. Whole minutes stored after it were consumed and are burned now, each pulse at the
price of its own second and with the quality stored beside its minute; what the unfinished minute had taken after the
last record is lost in energy and money alike. All of it is stored as one record before anything else happens, so power
that goes meanwhile only makes the same plan be made again.
"""

from prewatt.codec.events import EventCode
from prewatt.device.meter.consumption import LATE_MINUTES_MAX
from prewatt.device.meter.core import Core
from prewatt.device.meter.minutes import Replay, close_minute, plan_resume, turn_back
from prewatt.device.meter.relay import RelayEvent
from prewatt.device.meter.tariff import Tariff
from prewatt.device.meter.tokens import burn_through, rate_of
from prewatt.units import MINUTE_S

__all__ = ["resume"]


def resume(core: Core, world_s: int) -> None:
    """Burns what is owed to the minute memory, begins the present minute, and stores it all."""
    lost_s = core.minute * MINUTE_S
    plan = plan_resume(core.position, core.memories)
    for replay in plan.replays:
        _burn_replay(core, replay)
    _begin_minute(core, plan.position.minute, plan.position.pulses, world_s)
    if not core.money.balance_micro and not _emergency_left(core):
        core.control.emergency = False
        core.relay(RelayEvent.BALANCE_ZERO)
    core.roll_registers(core.own_s)
    core.control.boots += 1
    core.log(EventCode.POWER_RESTORED, lost_s.to_bytes(4, "big"))
    core.store()


def _emergency_left(core: Core) -> bool:
    return core.control.emergency and core.money.owed_micro < core.settings.emergency_micro


def _begin_minute(core: Core, minute: int, pulses: tuple[int, ...], world_s: int) -> None:
    core.minute, core.pulses = minute, list(pulses)
    core.world_s = world_s
    now_minute = core.own_s // MINUTE_S
    if now_minute > minute:
        position = close_minute(core.memories, core.position, 0, now_minute, cut_short=True).position
    elif now_minute < minute - LATE_MINUTES_MAX:
        position = turn_back(core.position, now_minute)
    else:
        return
    core.minute, core.era, core.pulses = position.minute, position.era, list(position.pulses)


def _burn_replay(core: Core, replay: Replay) -> None:
    """Burns the pulses of one stored minute, in runs of one price."""
    registers = core.control.registers
    minute_s = replay.minute * MINUTE_S
    if core.waiting is not None and minute_s >= core.waiting.table.valid_from_s:
        core.promote_tariff()
    core.roll_registers(minute_s)
    at = replay.first
    while at < replay.total:
        second = minute_s + at * MINUTE_S // replay.total
        tariff, until_s = _tariff_at(core, second)
        run = tariff.price_run(second)
        until_s = min(until_s, run.until_s, minute_s + MINUTE_S)
        end = min(replay.total, -(-replay.total * (until_s - minute_s) // MINUTE_S))
        rate = rate_of(tariff.source_price_micro(replay.source), run.percent, 100 + replay.surcharge_percent)
        core.money = burn_through(core.money, rate, end - at, core.limits, core.sam).money
        registers.total_pulses += end - at
        registers.step_pulses[run.step] += end - at
        registers.source_pulses[replay.source] += end - at
        at = end


def _tariff_at(core: Core, second: int) -> tuple[Tariff, int]:
    """The table of a second, and until when: a waiting one may begin in the middle of a minute."""
    waiting = core.waiting
    if waiting is None:
        return core.tariff, second + MINUTE_S
    begins_s = waiting.table.valid_from_s
    return (waiting, second + MINUTE_S) if second >= begins_s else (core.tariff, begins_s)
