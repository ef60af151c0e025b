"""Holes in what a meter burns, and in how a host meets a disk that damages its database."""

from dataclasses import replace

from sim_holes import SEEDS, hole, unread

import prewatt.device.meter.consumption as consumption
import prewatt.device.meter.core as core
import prewatt.device.meter.minutes as minutes
import prewatt.device.meter.resume as resume
import prewatt.device.meter.tariff as tariff
import prewatt.sim.looking as looking
import prewatt.sim.store as store
from prewatt.sim.looking import Looked

MINUTES = (5, 200, 31_000, 300_000, 1_200_000)
HOURS = (200, 31_000, 1_200_000, 3_600_000)
BURNS = {
    "people.load": 6,
    "people.tariff": 6,
    "people.vend": 3,
    "people.tick_homes": 6,
    "people.power": 3,
    "people.power_back": 2,
    "gaps": MINUTES,
}
# A minute's write comes to nothing, others follow, and the power goes before a record is stored.
WORN_MINUTES = (
    ((1_200, 5_000), "people.load"),
    ((5, 50), "people.memory"),
    ((130_000, 190_000, 310_000), "people.tick_homes"),
    ((50, 200), "people.power"),
    ((5_000,), "people.power_back"),
)
DAMAGE = {"damage.rot": 20, "damage.astray": 20, "people.vend": 3, "people.campaign": 3}
SEEDS |= {
    "the_price_of_the_hour_before": 2,
    "a_remainder_is_dropped": 6,
    "minutes_before_a_cut_are_paid_twice": 23,
    "a_price_begins_at_once": 1,
    "a_minute_is_not_read_back": 12,
    "damage_is_not_looked_for": 1,
    "a_rotten_log_is_believed_as_far_as_it_goes": 3,
}


@hole({**BURNS, "people.load": 12, "gaps": HOURS}, steps=4_000)
def the_price_of_the_hour_before():
    """Energy at noon costs what the morning did: the bill is wrong by as much as the steps differ."""
    real = tariff.Tariff.price_run

    def price_run(self, second):
        run = real(self, second - 3_600)
        return run._replace(from_s=run.from_s + 3_600, until_s=run.until_s + 3_600)

    return [(tariff.Tariff, "price_run", price_run)]


@hole(BURNS)
def a_remainder_is_dropped():
    """What is left of a micro-unit is forgotten at each write: nobody notices, and the seller loses it every time."""
    real = consumption.burn

    def burn(*given):
        burned = real(*given)
        return replace(burned, money=replace(burned.money, acc=0)) if burned.write_due else burned

    return [(consumption, "burn", burn)]


@hole(BURNS)
def minutes_before_a_cut_are_paid_twice():
    """What a home took before the power went costs double when it is burned after the power is back."""
    real = resume.burn_through

    def burn_through(money, rate, pulses, limits, sam):
        return real(money, 2 * rate, pulses, limits, sam)

    return [(resume, "burn_through", burn_through)]


@hole(BURNS)
def a_price_begins_at_once():
    """A price for tomorrow holds from the moment on at which it arrives."""
    real = core.Core.put_tariff

    def put_tariff(self, given):
        real(self, given)
        self.promote_tariff()

    return [(core.Core, "put_tariff", put_tariff)]


@hole({**BURNS, "tale": WORN_MINUTES})
def a_minute_is_not_read_back():
    """A minute was not stored, and nobody looked: at the next power cut all that came after it was never paid."""
    return [(minutes.MinuteMemory, "write", unread(minutes.MinuteMemory.write))]


@hole(DAMAGE)
def damage_is_not_looked_for():
    """A page of the books was written to the wrong place: what is read there from now on is somebody else's."""
    return [(store, "look_through", lambda files: Looked("", {}))]


@hole(DAMAGE)
def a_rotten_log_is_believed_as_far_as_it_goes():
    """A sector of the log rots, and a day of sales is gone without a word."""
    return [(looking, "look_at_log", lambda *given: "")]
