"""Holes in the rules of bodies: an id that is sold to, and the things on walls that answer for it (R8)."""

from dataclasses import replace

from sim_holes import SAYS, hole

import prewatt.host.bodies as bodies
import prewatt.host.dispatch.results as results
import prewatt.host.signing as signing
from prewatt.protocol.transfer import BodyState
from prewatt.protocol.transfer_book import burn_tag
from prewatt.sim.script import BODIES

ALL = {name: 4 for name, _ in BODIES if name not in ("bodies.image", "bodies.twin", "office.lose")}
REPLACED = {**ALL, "office.retire": 8, "bodies.exchange": 8, "people.office": 6, "people.vend": 2}


@hole(REPLACED)
def replacement_without_an_epoch_of_its_own():
    """The new meter counts where the old one did: a sale that was sent to the old one fits into both."""

    def ask_commission(book, epoch, tag, *, keeps_value=False):
        same = max(book.epoch, 1)
        return replace(book, body=BodyState.COMMISSIONING, epoch=same, body_tag=burn_tag(tag), keeps_value=keeps_value)

    return [(results, "ask_commission", ask_commission)]


SAYS["replacement_without_an_epoch_of_its_own"] = "begins epoch"


@hole({**REPLACED, "office.replace": 12, "people.load": 4})
def value_follows_before_the_body_is_final():
    """The balance goes on while the old meter still takes sales and burns: the same value is used up twice."""

    def final(writing, meter, epoch, book):
        standings = bodies.schema.standings.c
        shown = bodies.select(standings.balance_micro).where(standings.meter == meter)
        return writing.connection.execute(shown).scalar_one()

    return [(bodies, "_final", final)]


@hole({**ALL, "office.lose": 8, "office.sign_over": 20, "people.vend": 4, "people.load": 0.2, "people.take_back": 0})
def a_lot_is_signed_over_twice():
    """What a burned meter had left is paid back, and goes on to the next meter as well."""
    real = signing.change_body

    def change_body(writing, meter, epoch, **values):
        real(writing, meter, epoch, **{name: value for name, value in values.items() if name != "lost_micro"})

    return [(signing, "change_body", change_body)]
