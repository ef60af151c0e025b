"""What people and homes do: sell, cancel, refund, set prices, order relays, type, switch, lift covers, restore."""

from prewatt.codec.bodies import RelayOrder
from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.codec.settings import SettingsChange
from prewatt.device.meter import Button, Cover, KeyPress, Sense, Surge
from prewatt.device.meter.nvm import Torn
from prewatt.host.store.books import read_book

AMOUNTS = ("0.01", "0.50", "1", "1", "2.37", "5", "5", "10", "25", "400")
PRICES = ("0.25", "2.5", "2.5", "12.345678")
LOADS = (0, 0, 1, 60, 300, 900, 1_500, 4_000)
ORDERS_OPEN_MAX = 6
CONTROLS_OPEN_MAX = 6


class People:
    """Operations on the world they are given; each takes its own chance."""

    def __init__(self, world):
        self.world = world
        self.sales = 0
        self.codes = {}

    # -- at the counter

    def op_vend(self, chance):
        world, body = self.world, self.world.some_body(chance)
        if len(world.open_orders(body.meter)) < ORDERS_OPEN_MAX:
            self.sales += 1
            order, amount = f"p{self.sales}", chance.choice(AMOUNTS)
            world.call(lambda host: host.vending.vend(body.meter, amount, order=order))
            if chance.random() < 0.2:
                world.call(lambda host: host.vending.vend(body.meter, amount, order=order))
            world.note_orders()

    def op_cancel(self, chance):
        body = self.world.some_body(chance)
        orders = self.world.open_orders(body.meter)
        if orders:
            order = chance.choice(orders)
            self.world.call(lambda host: host.transfers.cancel(order))

    def op_refund(self, chance):
        rows = self.world.rows("SELECT id FROM orders WHERE step = 'cancelled' AND place = 'wallet'")
        if rows:
            order = chance.choice(rows)[0]
            self.world.call(lambda host: host.transfers.refund(order))

    def op_code(self, chance):
        """The order on paper. The customer gets the digits once the host has answered, which is after its commit: an
        answer that a crash swallowed is asked for again."""
        world, body = self.world, self.world.some_body(chance)
        orders = world.open_orders(body.meter)
        if orders:
            order = chance.choice(orders)
            answer = world.call(lambda host: host.codes.issue(order))
            if answer is not None:
                world.events["codes"] += 1
                world.note_code(answer)
                self.codes.setdefault(body.meter, []).append(answer.digits)

    def op_type(self, chance):
        """A value code typed, sometimes with a slip, sometimes again, sometimes at another meter."""
        body = self.world.some_body(chance)
        codes = self.codes.get(body.meter if chance.random() < 0.95 else self.world.some_body(chance).meter, [])
        digits = chance.choice(codes[-9:]) if codes else f"{chance.randrange(10**19):020d}"
        if chance.random() < 0.05:
            place = chance.randrange(20)
            digits = digits[:place] + str(chance.randrange(10)) + digits[place + 1 :]
        self.world.hear(body, *(KeyPress(key) for key in digits))

    def op_people(self, chance):
        """The office looks at what waits for a person."""
        self.world.office()

    def op_controls(self, chance):
        world, body = self.world, self.world.some_body(chance)
        waiting = world.rows(f"SELECT count(*) FROM controls WHERE state = 'waiting' AND meter = '{body.meter}'")
        if waiting[0][0] >= CONTROLS_OPEN_MAX:
            return
        what = chance.randrange(5)
        if what == 0:
            order = chance.choice(tuple(RelayOrder))
            world.call(lambda host: host.controls.order_relay(body.meter, order))
        elif what == 1:
            text = f"text {chance.randrange(4)} ä"
            world.call(lambda host: host.controls.send_text(body.meter, text))
        elif what == 2:
            change = SettingsChange(self._setting(chance))
            world.call(lambda host: host.controls.change_settings(body.meter, change))
        elif what == 3:
            key_set = chance.choice(world.sets(body))
            world.call(lambda host: host.controls.change_key(body.meter, key_set))
        else:
            body.pulses_per_minute = chance.choice(LOADS)

    def _setting(self, chance):
        return chance.choice(
            (
                {"low_balance_micro": chance.randrange(5_000_000)},
                {"ceiling_micro": chance.choice((3_000_000, 20_000_000, 10**12))},
                {"owed_max_micro": chance.choice((0, 1_000, 1_000_000))},
                {"emergency_micro": chance.choice((0, 500_000))},
                {"close_arms": chance.randrange(2), "cover_trips": chance.randrange(2)},
                {"load_limit_w": chance.choice((0, 3_000)), "load_pause_s": 60},
                {"session_life_s": chance.choice((30, 1_200)), "alarm_repeat_s": chance.choice((1, 60))},
            )
        )

    def op_tariff(self, chance):
        price, now_s = chance.choice(PRICES), self.world.host_s()
        from_s = chance.choice((None, None, now_s + 600, now_s + 86_400))
        table = chance.choice((None, EXAMPLE_TABLE))
        some = None if chance.random() < 0.7 else [self.world.some_body(chance).meter]
        self.world.call(lambda host: host.tariffs.set(price, table=table, valid_from_s=from_s, meters=some))
        self.world.note_tariffs()

    # -- in the homes

    def op_load(self, chance):
        self.world.some_body(chance).pulses_per_minute = chance.choice(LOADS)

    def op_home(self, chance):
        body, happened = self.world.some_body(chance), chance.randrange(6)
        if happened == 0:
            self.world.hear(body, Button())
        elif happened == 1:
            self.world.hear(body, Cover(chance.random() < 0.5))
        elif happened == 2:
            self.world.hear(body, Sense(chance.random() < 0.5, chance.random() < 0.5, chance.random() < 0.3))
        elif happened == 3:
            self.world.hear(body, Surge())
        elif happened == 4:
            self.world.hear(body, *(KeyPress(key) for key in "A500#1234#"))
        else:
            self.world.hear(body, KeyPress(chance.choice("CD*3#")))

    def op_power(self, chance):
        """A hard cut at some byte of what is written next, or now; with last gasp or without."""
        body, how = self.world.some_body(chance), chance.random()
        if not body.on:
            body.restore_power()
        elif how < 0.7:
            reach = chance.choice((30, 1_000, 4_000))
            body.cut_after(chance.randrange(reach), chance.choice(tuple(Torn)))
        else:
            body.power_off(gasp=how < 0.85)

    def op_power_back(self, chance):
        for body in self.world.bodies.values():
            if not body.on and chance.random() < 0.7:
                body.restore_power()

    # -- in the host's room

    def op_crash(self, chance):
        """The process dies at one of the next points between durable writes, or here."""
        if chance.random() < 0.8:
            self.world.faults.crash_in = chance.randrange(12)
        else:
            self.world.restart(cleanly=chance.random() < 0.3)

    def op_skew(self, chance):
        """Somebody sets the host's clock."""
        self.world.skewed = True
        self.world.skew_s = chance.choice((0, 0, 5, -5, 600, -600, 7_200, -7_200))

    def op_backup(self, chance):
        world = self.world
        with world.install.host.context.store.reading() as connection:
            known = {meter: read_book(connection, meter).settled for meter in world.enrolled}
        world.backups = [*world.backups, (known, world.install.back_up())][-4:]

    def op_restore(self, chance):
        """A backup is put back, as long as every meter's ring still reaches back to it (else a person has to know)."""
        world = self.world
        if not world.backups:
            return
        known, files = chance.choice(world.backups)
        for body in world.bodies.values():
            held = [entry for entry in body.history if entry.sequence > known.get(body.meter, -1)]
            if len(held) > world.FORGOTTEN_MAX:
                return
        world.restore(files)

    def op_lose_state(self, chance):
        """The data folder goes to another computer: the state folder is not there."""
        self.world.install.end(cleanly=True)
        self.world.install.lose_state()
        self.world.restores += 1
        self.world.start()

    def op_enrol(self, chance):
        self.world.new_meter()
