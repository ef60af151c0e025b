"""What people and homes do: sell, cancel, refund, set prices, order relays, type, switch, lift covers.

Some of it is wrong on purpose: amounts that are none, meters that are not there, an order's id used twice or for
another sale, cancels of everything, refunds of what was not cancelled, codes with a slip, typed again or at another
meter. Every sale is told to the auditor before the host hears of it.
"""

from random import Random
from typing import TYPE_CHECKING, Final

from prewatt.codec.bodies import RelayOrder
from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.codec.settings import SettingsChange
from prewatt.device.meter import Button, Cover, KeyPress, Sense, Surge
from prewatt.device.meter.nvm import Torn
from prewatt.host.campaigns.wishes import CampaignWish
from prewatt.sim.stranger import RANDOM_BYTES, take_back
from prewatt.sim.wishes import LOADS, some_amount, some_setting
from prewatt.units import ValueFieldError, parse_value

if TYPE_CHECKING:
    from prewatt.sim.world import World

__all__ = ["People"]

# Shares of the sales: put on paper at once; given up where they are refused, and when.
_PAPER_SHARE, _GIVE_UP_SHARE, _GIVE_UP_MS = 0.2, 0.97, 600_000
_WRONG_AMOUNTS: Final = ("0", "-1", "1.001", "nan", "1e3", "", "999999999", "0x1", "1,50", "10001")
_PRICES: Final = ("0.25", "2.5", "2.5", "12.345678")
_ORDERS_OPEN_MAX: Final = 6
_CONTROLS_OPEN_MAX: Final = 6
_EACH_COUNTS: Final = ("text", "settings")
_NEWEST_COUNTS: Final = ("relay", "key")
_CAMPAIGNS_OPEN_MAX: Final = 3
_KEYS: Final = {"aes-2026": (0, 1, 2), "tdes-1998": (3, 4, 5)}


class People:
    """Operations on the world they are given; each takes its own chance."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self._sales = self._taken = 0
        self._codes: dict[str, list[str]] = {}
        self._last: dict[str, str] = {}

    # -- at the counter

    def op_vend(self, chance: Random) -> None:
        """A sale; now and then asked for twice, now and then on paper."""
        world, home = self.world, self.world.some_home(chance)
        if len(self._open_orders(home.meter)) >= _ORDERS_OPEN_MAX:
            return
        self._sales += 1
        order, amount = f"p{self._sales}", some_amount(home, self._last.get(home.meter), chance)
        self._last[home.meter] = amount
        self._sell(home.meter, amount, order)
        if chance.random() < 0.2:
            self._sell(home.meter, amount, order)
        if chance.random() < _PAPER_SHARE:
            self._put_on_paper(order, home.meter)
        if chance.random() < _GIVE_UP_SHARE:
            world.after(_GIVE_UP_MS, lambda: self._give_up(order))
        world.wake_host()

    def op_wrong(self, chance: Random) -> None:
        """Something that has to be refused, whole."""
        world, home, how = self.world, self.world.some_home(chance), chance.randrange(6)
        before = world.rows("SELECT count(*), sum(amount_micro) FROM orders")
        orders = world.rows("SELECT id, meter FROM orders")
        if how == 0:
            self._refused(home.meter, chance.choice(_WRONG_AMOUNTS), f"w{self._sales}")
        elif how == 1:
            self._refused(chance.choice(("ABCDEF", "000000", "FFFFFF", "1", "xyzzyx", "")), "1", f"w{self._sales}")
        elif how == 2 and orders:
            order, meter = chance.choice(orders)
            other = next((each for each in sorted(world.homes) if each != meter), "ABCDEF")
            self._refused(other, "3.33", order)
        elif how == 3 and orders:
            self._refused(chance.choice(orders)[1], "7777.77", chance.choice(orders)[0])
        elif how == 4:
            world.call(lambda host: host.transfers.cancel("no such order"))
        else:
            held = world.rows("SELECT id FROM orders WHERE NOT (step = 'cancelled' AND place = 'wallet')")
            if held:
                order = chance.choice(held)[0]
                answer = world.call(lambda host: host.transfers.refund(order))
                world.check(answer is None, f"order {order} was refunded, and was not to be")
        after = world.rows("SELECT count(*), sum(amount_micro) FROM orders")
        world.check(before == after or not before or not after, f"a wrong request changed orders: {before} {after}")

    def op_cancel(self, chance: Random) -> None:
        """An open order is cancelled, or several."""
        orders = self._open_orders(self.world.some_home(chance).meter)
        for order in orders if chance.random() < 0.15 else orders[:1] and [chance.choice(orders)]:
            self.world.call(lambda host, order=order: host.transfers.cancel(order))  # type: ignore[misc]
        self.world.wake_host()

    def op_take_back(self, chance: Random) -> None:
        """A host that these books never heard of takes value back: as much as there is, less, or more than that."""
        world, home = self.world, self.world.some_home(chance)
        if home.device is None or not home.money.commissioned:
            return
        most = max(home.money.balance_micro, 1)
        amount = chance.choice((1, most, most // 2 or 1, most + 1))
        self._taken += 1
        answer = take_back(world.auditor, home, f"t{self._taken}", amount, chance.randbytes(RANDOM_BYTES))
        world.field.say(home, answer)

    def op_refund(self, chance: Random) -> None:
        """A cancelled sale is paid back."""
        rows = self.world.rows("SELECT id FROM orders WHERE step = 'cancelled' AND place = 'wallet'")
        if rows:
            order = chance.choice(rows)[0]
            self.world.call(lambda host: host.transfers.refund(order))

    def op_code(self, chance: Random) -> None:
        """The order on paper. The customer gets the digits once the host has answered; an answer that a crash
        swallowed is asked for again."""
        home = self.world.some_home(chance)
        orders = self._open_orders(home.meter)
        if orders:
            self._put_on_paper(chance.choice(orders), home.meter)

    def op_type(self, chance: Random) -> None:
        """A value code typed, sometimes with a slip, sometimes again, sometimes at another meter."""
        home = self.world.some_home(chance)
        whose = home.meter if chance.random() < 0.95 else self.world.some_home(chance).meter
        codes = self._codes.get(whose, [])
        digits = chance.choice(codes[-chance.choice((1, 3, 9)) :]) if codes else f"{chance.randrange(10**19):020d}"
        if chance.random() < 0.05:
            place = chance.randrange(20)
            digits = digits[:place] + str(chance.randrange(10)) + digits[place + 1 :]
        self.world.hear(home, *(KeyPress(key) for key in digits))

    def op_office(self, chance: Random) -> None:
        """The office looks at what waits for a person."""
        self.world.office.run()

    def op_controls(self, chance: Random) -> None:
        """A relay, a text, a setting or a key is ordered; where much waits, only what replaces its own kind."""
        world, home = self.world, self.world.some_home(chance)
        meter = home.meter
        waiting = world.rows(f"SELECT count(*) FROM controls WHERE state = 'waiting' AND meter = '{meter}'")
        if not waiting:
            return
        what = chance.choice(_EACH_COUNTS + _NEWEST_COUNTS if waiting[0][0] < _CONTROLS_OPEN_MAX else _NEWEST_COUNTS)
        if what == "relay":
            relay = chance.choice(tuple(RelayOrder))
            world.call(lambda host: host.controls.order_relay(meter, relay))
        elif what == "text":
            text = f"text {chance.randrange(4)} ä"
            world.call(lambda host: host.controls.send_text(meter, text))
        elif what == "settings":
            change = SettingsChange(some_setting(chance))
            world.call(lambda host: host.controls.change_settings(meter, change))
        else:
            key_set = chance.choice(_KEYS[home.suite])
            world.call(lambda host: host.controls.change_key(meter, key_set))
        world.wake_host()

    def op_tariff(self, chance: Random) -> None:
        """Another price, for all or for one, at once or later."""
        price, now_s = chance.choice(_PRICES), self.world.host_s()
        from_s = chance.choice((None, None, now_s + 600, now_s + 86_400))
        table = chance.choice((None, EXAMPLE_TABLE))
        some = None if chance.random() < 0.7 else [self.world.some_home(chance).meter]
        self.world.call(lambda host: host.tariffs.set(price, table=table, valid_from_s=from_s, meters=some))
        self.world.calm.note_tariffs()
        self.world.wake_host()

    def op_campaign(self, chance: Random) -> None:
        """A text, a price, the clock or a key for many meters; or an open campaign is paused, resumed or cancelled."""
        world, until_s = self.world, self.world.host_s() + chance.choice((600, 7_200, 86_400))
        opened = world.rows("SELECT id, state FROM campaigns WHERE state IN ('scheduled', 'running', 'paused')")
        if len(opened) >= _CAMPAIGNS_OPEN_MAX or (opened and chance.random() < 0.3):
            campaign, state = chance.choice(opened)
            if state == "paused":
                world.call(lambda host: host.campaigns.resume(campaign))
            elif state == "running" and chance.random() < 0.5:
                world.call(lambda host: host.campaigns.pause(campaign))
            else:
                world.call(lambda host: host.campaigns.cancel(campaign))
            return
        wish = self._campaign(chance, until_s)
        world.call(lambda host: host.campaigns.start(wish))
        world.calm.note_tariffs()
        world.wake_host()

    def _campaign(self, chance: Random, until_s: int) -> CampaignWish:
        kind = chance.choice(("text", "tariff", "clock", "key"))
        if kind == "text":
            return CampaignWish(kind, text=f"to all {chance.randrange(3)}", until_s=until_s)
        if kind == "tariff":
            price_micro = chance.choice((250_000, 2_500_000, 12_345_678))
            return CampaignWish(kind, price_micro=price_micro, until_s=until_s, per_station=1)
        if kind == "key":
            new, old = chance.sample(_KEYS[chance.choice(sorted(_KEYS))], 2)
            replaces = old if chance.random() < 0.5 else None
            return CampaignWish(kind, key_set=new, replaces=replaces, until_s=until_s)
        return CampaignWish(kind, until_s=until_s)

    # -- in the homes

    def op_load(self, chance: Random) -> None:
        """A home switches something on or off; whoever sits in the dark presses the button first."""
        home = self.world.some_home(chance)
        if home.device is not None and not home.money.balance_micro:
            self.world.hear(home, Button())
        home.pulses_per_minute = chance.choice(LOADS)

    def op_home(self, chance: Random) -> None:
        """Hands on the meter: button, cover, sensors, keypad."""
        home, happened = self.world.some_home(chance), chance.randrange(6)
        if happened == 0:
            self.world.hear(home, Button())
        elif happened == 1:
            self.world.hear(home, Cover(chance.random() < 0.5))
        elif happened == 2:
            self.world.hear(home, Sense(chance.random() < 0.5, chance.random() < 0.5, chance.random() < 0.3))
        elif happened == 3:
            self.world.hear(home, Surge())
        elif happened == 4:
            self.world.hear(home, *(KeyPress(key) for key in "A500#1234#"))
        else:
            self.world.hear(home, KeyPress(chance.choice("CD*3#")))

    def op_power(self, chance: Random) -> None:
        """A hard cut at some byte of what is written next, or now; with last gasp or without."""
        home, how = self.world.some_home(chance), chance.random()
        if not home.on:
            home.restore_power()
        elif how < 0.7:
            home.cut_after(chance.randrange(chance.choice((30, 1_000, 4_000))), chance.choice(tuple(Torn)))
        else:
            home.power_off(gasp=how < 0.85)

    def op_power_back(self, chance: Random) -> None:
        """The power comes back to some homes."""
        for meter in sorted(self.world.homes):
            home = self.world.homes[meter]
            if not home.on and chance.random() < 0.7:
                home.restore_power()

    def op_memory(self, chance: Random) -> None:
        """One of the next writes of a meter comes to nothing, though it returns, or lands elsewhere."""
        home = self.world.some_home(chance)
        if chance.random() < 0.7:
            home.nvm.lose_in = chance.randrange(6)
        else:
            home.nvm.misplace_in = chance.randrange(6)

    def op_tick_homes(self, chance: Random) -> None:
        """Every meter looks at the time."""
        self.world.tick_homes()

    # -- bricks

    def _give_up(self, order: str) -> None:
        """Whoever's purchase was refused comes back to the counter for the money."""
        if self.world.rows(f"SELECT id FROM orders WHERE id = '{order}' AND step = 'refused'"):
            self.world.call(lambda host: host.transfers.cancel(order))
            self.world.wake_host()

    def _put_on_paper(self, order: str, meter: str) -> None:
        world = self.world
        answer = world.call(lambda host: host.codes.issue(order))
        if answer is not None:
            world.auditor.issued(order, meter, answer.digits)
            self._codes.setdefault(meter, []).append(answer.digits)

    def _sell(self, meter: str, amount: str, order: str) -> None:
        self.world.auditor.sold(order, meter, parse_value(amount, digits=2))
        if self.world.call(lambda host: host.vending.vend(meter, amount, order=order)) is not None:
            self.world.auditor.answered(order)

    def _refused(self, meter: str, amount: str, order: str) -> None:
        try:
            answer = self.world.call(lambda host: host.vending.vend(meter, amount, order=order))
        except ValueFieldError:
            return
        self.world.check(answer is None, f"sold {amount!r} to {meter!r} as {order!r}, and was not to be")

    def _open_orders(self, meter: str) -> list[str]:
        where = f"meter = '{meter}' AND settled_s IS NULL"
        return [row[0] for row in self.world.rows(f"SELECT id FROM orders WHERE {where} ORDER BY number")]
