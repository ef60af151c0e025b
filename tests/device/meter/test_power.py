"""Power cuts, hostile frames and wrong clocks during a meter's whole day: the law holds, energy and money never part.

At one price for everything three independent counts have to agree at every moment: what the money says was burned,
what the total register counted, and what stands in the minute memory with the unfinished minute.
"""

import random
from dataclasses import replace

import pytest

from prewatt.codec.bodies import RelayOrder, Text, Transfer, UsageQuery
from prewatt.codec.commands import Code, Command
from prewatt.codec.events import EventCode
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.codec.settings import Settings
from prewatt.device.meter import Button, Cover, LastGasp, LineFrame, Load, Meter, Tick
from prewatt.device.meter.body import latch_cover
from prewatt.device.meter.minutes import NO_POWER
from prewatt.device.meter.money import ACC_PER_MICRO
from prewatt.device.meter.nvm import PowerCut, Torn
from prewatt.protocol.host import Done, Send

UNIT = 1_000_000
PRICE = 2_000_000
RATE = PRICE * 100 * 100
METER = b"\0\0\1"


def check_counts(rig, begun_minute=None):
    """Money, register and minute memory agree."""
    core = rig.meter._core
    money = core.money
    money.check()
    assert money.burned_micro * ACC_PER_MICRO + money.acc == core.control.registers.total_pulses * RATE
    assert sum(core.control.registers.step_pulses) == core.control.registers.total_pulses
    assert money.balance_micro or not rig.meter.view().relay_closed
    if begun_minute is not None:
        stored = core.memories[0].read(begun_minute, core.minute - begun_minute)
        assert sum(one for one in stored if one != NO_POWER) + sum(core.pulses) == core.control.registers.total_pulses


class Seller:
    """A host that wants money to arrive exactly once: the same order until a receipt shows who holds its sequence."""

    def __init__(self, rig, chance):
        self.rig, self.chance = rig, chance
        self.paid_micro = 0
        self.order = None

    def work(self):
        rig = self.rig
        if self.order is None:
            tag = bytes((self.chance.randrange(0x80), *self.chance.randbytes(7)))
            self.order = Transfer(self.chance.randrange(1, 40_000), tag)
        outcome = rig.order(Code.VALUE, rig.last + 1, self.order.build())
        assert outcome.receipt.last_tag == self.order.tag
        self.paid_micro += self.order.amount_micro
        rig.last, self.order = outcome.receipt.last_sequence, None

    def check(self):
        """What was received is what was confirmed, and perhaps the order whose receipt was lost with the power."""
        lost = self.order.amount_micro if self.order is not None else 0
        assert self.rig.meter.money.received_micro in {self.paid_micro, self.paid_micro + lost}


def busy_minute(rig, seller, chance):
    """A minute of load with something going on in it."""
    rig.step(Load(0, rig.now_s, chance.choice((0, 0, 5, 40, 300, 2_000)), chance.choice((None, 0, 4_000))))
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        rig.now_s += chance.randrange(20)
        what = chance.randrange(8)
        if what < 3:
            seller.work()
        elif what == 3:
            rig.order(Code.USAGE, 0, UsageQuery(rig.now_s, rig.now_s // 86_400, 0, bytes(8), 2**32 - 1).build())
        elif what == 4:
            rig.command(Code.RELAY, chance.choice(list(RelayOrder)).build())
            rig.step(Button())
        elif what == 5:
            rig.command(Code.TEXT, Text(str(chance.random())).build())
        elif what == 6:
            rig.step(Cover(chance.random() < 0.5))
    rig.now_s += 60 - rig.now_s % 60
    rig.line_ms += 60_000
    rig.step(Tick())


def power_up_again(rig, chance):
    """Power comes back, and may go again while the meter wakes."""
    while True:
        rig.nvm.restore_power()
        if chance.random() < 0.3:
            rig.nvm.cut_after(chance.randrange(3_000), chance.choice(list(Torn)), chance.randrange(256))
        try:
            rig.meter = Meter.power_up(rig.nvm, rig.now, chance.randbytes(32))
            return
        except PowerCut:
            rig.now_s += chance.randrange(100)


@pytest.mark.parametrize("seed", range(4))
def test_power_cut_at_random_bytes_of_a_day_with_communication_loses_and_mints_nothing(make_rig, seed):
    chance = random.Random(seed)
    rig = make_rig(
        ("aes-2026", "tdes-1998")[seed % 2], unit_price_micro=PRICE, settings=Settings(owed_max_micro=10**12)
    )
    seller, begun, cuts = Seller(rig, chance), rig.now_s // 60, 0
    seller.work()
    end_s = rig.now_s + 86_400
    while rig.now_s < end_s:
        if chance.random() < 0.25:
            rig.nvm.cut_after(chance.randrange(4_000), chance.choice(list(Torn)), chance.randrange(256))
        try:
            busy_minute(rig, seller, chance)
        except PowerCut:
            cuts += 1
            rig.now_s += chance.choice((0, 1, 30, 200))
            power_up_again(rig, chance)
            # A control command whose answer was lost may or may not have been done.
            rig.control = rig.meter.money.last_control
            if seller.order is not None and rig.meter.money.last_tag == seller.order.tag:
                seller.paid_micro += seller.order.amount_micro
                rig.last, seller.order = rig.meter.money.last_sequence, None
        rig.now_s += -rig.now_s % 60
        seller.check()
        check_counts(rig, begun)
    assert cuts > 20


@pytest.mark.parametrize("seed", range(4))
def test_a_hard_cut_loses_only_the_unfinished_minute(make_rig, seed):
    chance = random.Random(seed)
    rig = make_rig(unit_price_micro=PRICE, settings=Settings(owed_max_micro=10**12, over_current_w=10**6))
    rig.store(100 * UNIT)
    begun, wanted = rig.now_s // 60, 0
    for _ in range(300):
        pulses = chance.randrange(500)
        rig.step(Load(0, rig.now_s, pulses))
        if chance.random() < 0.2:
            rig.now_s += chance.randrange(60)
            rig.step(Tick())
            before = rig.meter._core.pulses[0]
            rig.power_up()
            after = rig.meter._core.pulses[0]
            assert 0 <= before - after <= before
            wanted += after
            rig.now_s += 60 - rig.now_s % 60
            rig.step(Tick())
        else:
            rig.now_s += 60
            rig.step(Tick())
            wanted += pulses
        check_counts(rig, begun)
        assert rig.meter.view().total_pulses == wanted


def test_minutes_stored_after_the_last_record_are_burned_at_their_own_prices(make_rig):
    """Small pulses never reach a grant, so nothing is journalled for hours: the replay has to find every price."""
    table = replace(EXAMPLE_TABLE, zone_quarters=0)
    rigs = [make_rig(unit_price_micro=200, table=table) for _ in range(2)]
    for rig in rigs:
        rig.store(UNIT)
    steady, cut = rigs
    for minute in range(600):
        angle = (None, 2_700, 4_000)[minute // 7 % 3]
        for rig in rigs:
            rig.live(1, minute % 50, angle)
    cut.power_up()
    assert cut.meter.money == steady.meter.money
    assert cut.meter._core.control.registers == steady.meter._core.control.registers


def test_a_last_gasp_loses_nothing_at_all(make_rig):
    rig = make_rig(unit_price_micro=PRICE)
    rig.store(UNIT)
    begun = rig.now_s // 60
    for gap in (5, 30, 90, 7_200):
        rig.step(Load(0, rig.now_s, 240))
        rig.now_s += 17
        rig.step(LastGasp())
        total = rig.meter.view().total_pulses
        rig.now_s += gap
        rig.power_up()
        assert rig.meter.view().total_pulses == total
        check_counts(rig, begun)
        rig.now_s += -rig.now_s % 60
        rig.step(Tick())
        check_counts(rig, begun)
    codes = [event.code for event in rig.meter._core.events.read_after(0, 100)]
    assert codes.count(EventCode.POWER_LOST) == 4


def test_minutes_without_power_read_as_such_and_never_as_zero(make_rig):
    rig = make_rig()
    rig.store(UNIT)
    begun = rig.now_s // 60
    rig.live(2, 5)
    rig.step(LastGasp())
    rig.now_s += 180
    rig.power_up()
    rig.live(2, 0)
    assert rig.meter._core.memories[0].read(begun, 7) == [5, 5, NO_POWER, NO_POWER, NO_POWER, 0, 0]


def test_a_cover_lifted_without_power_is_told_when_power_comes_back(make_rig):
    rig = make_rig(settings=Settings(cover_trips=1))
    rig.store(UNIT)
    rig.step(LastGasp())
    latch_cover(rig.nvm)
    rig.power_up()
    assert rig.meter.view().state == "tamper"
    assert any(payload[0] == 0x15 for payload in rig.payloads(rig.step(Tick())))
    newest = rig.meter._core.events.newest
    rig.power_up()
    later = [event.code for event in rig.meter._core.events.read_after(newest, 9)]
    assert EventCode.COVER_OPENED not in later


def _holds_keys(rig):
    memory = b"".join(rig.memory().values())
    return any(key in memory for key in rig.keys.values())


def test_a_cover_lifted_without_power_erases_the_keys_where_set_so(make_rig):
    rig = make_rig(settings=Settings(cover_zeroises=1))
    rig.store(UNIT)
    latch_cover(rig.nvm)
    rig.power_up()
    assert not _holds_keys(rig)
    assert any(payload[0] == 0x15 for payload in rig.payloads(rig.step(Tick())))
    assert rig.meter.money.balance_micro == UNIT


def test_a_power_cut_saves_no_key_from_an_opened_cover(make_rig):
    made = make_rig(settings=Settings(cover_zeroises=1))
    made.store(UNIT)
    whole, cut, done = made.nvm, 0, False
    while not done:
        made.nvm = whole.copy()
        made.power_up()
        latch_cover(made.nvm)
        made.nvm.cut_after(cut)
        try:
            made.step(Cover(True))
            done = True
        except PowerCut:
            pass
        made.power_up()
        assert not _holds_keys(made), cut
        cut += 97


def test_communication_does_not_disturb_consumption(make_rig):
    quiet, talking = (make_rig(unit_price_micro=PRICE) for _ in range(2))
    for rig in (quiet, talking):
        rig.store(10 * UNIT)
    for minute in range(60):
        for rig in (quiet, talking):
            rig.step(Load(0, rig.now_s, 37 + minute))
        for second in range(60):
            talking.now_s += 1
            if second % 7 == 0:
                talking.order(Code.RING, 0, b"")
            else:
                talking.step(LineFrame(talking.chance.randbytes(40)))
        quiet.now_s += 60
    for rig in (quiet, talking):
        rig.step(Tick())
    assert talking.meter.money == quiet.meter.money
    assert talking.meter.view().total_pulses == quiet.meter.view().total_pulses


def forged_frames(rig, chance):
    """Frames that prove nothing: bent commands of real sessions, foreign ids, fragments, noise, copies."""

    def framed(payload, meter_id=METER, m_id=5, flags=FrameFlags.NONE):
        return Frame(m_id, flags, 1, meter_id, payload).build()

    host = rig.session(Command(Code.VALUE, rig.last + 1, Transfer(UNIT, bytes(8)).build()))
    command = host.receive(rig.say(host.hello())[0])
    assert isinstance(command, Send)
    whole = command.payload
    yield framed(whole, meter_id=b"\0\0\2")
    yield framed(whole, m_id=6)
    yield framed(whole, meter_id=b"\0\0\2", m_id=6)
    yield framed(whole, flags=FrameFlags.UP)
    yield framed(whole, flags=FrameFlags.MORE)
    yield framed(whole)[:-1]
    yield framed(whole) + b"\0"
    for _ in range(40):
        bent = bytearray(whole)
        bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
        yield framed(bytes(bent))
        if chance.random() < 0.4:
            yield framed(rig.session(Command(Code.RING, 0, b"")).hello())
    for kind in (0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x1F):
        for _ in range(10):
            yield framed(bytes((kind,)) + chance.randbytes(chance.randrange(80)))
        yield framed(bytes((kind,)) + METER + chance.randbytes(20))
    for _ in range(50):
        yield chance.randbytes(chance.randrange(200))


def test_forged_frames_change_no_durable_byte(rig):
    chance = random.Random(5)
    rig.store(UNIT)
    rig.step(Cover(True))
    rig.live(3, 20)
    before, money = rig.memory(), rig.meter.money
    for frame in forged_frames(rig, chance):
        rig.line_ms += 400
        rig.step(LineFrame(frame))
        assert rig.memory() == before
    assert rig.meter.money == money
    rig.line_ms += 20_000
    assert rig.store(UNIT).receipt.balance_micro == money.balance_micro + UNIT
    # The next true command takes the number of false ones into the log.
    codes = [event.code for event in rig.meter._core.events.read_after(0, 999)]
    assert EventCode.FORGERY_SUSPECTED in codes


def test_a_command_of_an_old_session_is_no_command_of_a_new_one(rig):
    host = rig.session(Command(Code.VALUE, rig.last + 1, Transfer(UNIT, bytes(8)).build()))
    command = host.receive(rig.say(host.hello())[0])
    rig.power_up()
    rig.line_ms += 5_000
    before = rig.memory()
    replies = rig.say(command.payload)
    other = rig.session(Command(Code.RING, 0, b""))
    rig.say(other.hello())
    replies += rig.say(command.payload)
    assert not any(isinstance(host.receive(reply), Done) for reply in replies)
    assert rig.memory() == before


JUMPS = (
    1,
    -1,
    59,
    -59,
    61,
    -61,
    119,
    -119,
    121,
    -121,
    200,
    -200,
    3_600,
    -3_600,
    86_400,
    -86_400,
    40 * 86_400,
    -40 * 86_400,
)


@pytest.mark.parametrize("seed", range(4))
def test_however_the_clock_is_set_nothing_is_burned_twice_or_lost(make_rig, seed):
    """Times go forward and back with load running and power failing; money and energy stay together."""
    chance = random.Random(seed)
    rig = make_rig(unit_price_micro=PRICE, settings=Settings(owed_max_micro=10**12, over_current_w=10**6))
    rig.store(500 * UNIT)
    wanted = 0
    for _ in range(400):
        pulses = chance.randrange(300)
        rig.step(Load(0, rig.now_s, pulses))
        if chance.random() < 0.3:
            rig.now_s += chance.randrange(1, 60)
            aim_s = rig.meter.view().clock_s + chance.choice(JUMPS)
            rig.order(Code.USAGE, 0, UsageQuery(aim_s, 0, 0, bytes(8), 2**32 - 1).build())
            rig.now_s += 60 - rig.now_s % 60
        else:
            rig.now_s += 60
        rig.step(Tick())
        wanted += pulses
        assert rig.meter.view().total_pulses == wanted
        check_counts(rig)
        if chance.random() < 0.1:
            rig.step(LastGasp())
            rig.power_up()
            assert rig.meter.view().total_pulses == wanted
        if chance.random() < 0.1:
            before = rig.meter.view().total_pulses
            rig.power_up()
            check_counts(rig)
            # What the unfinished minute had taken since the last record may be lost, never more and never found.
            assert before - 900 <= rig.meter.view().total_pulses <= before
            wanted = rig.meter.view().total_pulses


def test_a_step_of_the_clock_above_two_minutes_is_an_event(make_rig):
    rig = make_rig()
    for ahead, expected in ((100, 0), (-100, 0), (121, 1), (-300, 2)):
        aim_s = rig.meter.view().clock_s + ahead
        rig.order(Code.USAGE, 0, UsageQuery(aim_s, 0, 0, bytes(8), 0).build())
        codes = [event.code for event in rig.meter._core.events.read_after(0, 100)]
        assert codes.count(EventCode.CLOCK_STEPPED) == expected


def test_a_meter_whose_clock_is_wrong_or_drifts_still_counts_everything(make_rig):
    for options in ({"clock_ahead_s": 4_711}, {"clock_ahead_s": -17}, {"drift_ppm": 900, "made_s": 1_767_000_000}):
        rig = make_rig(unit_price_micro=PRICE, **options)
        rig.store(50 * UNIT)
        rig.live(600, 13)
        assert rig.meter.view().total_pulses == 600 * 13
        check_counts(rig)
        rig.step(LastGasp())
        rig.power_up()
        assert rig.meter.view().total_pulses == 600 * 13


def test_minutes_that_come_again_after_the_clock_was_set_back_are_kept_under_their_new_time(make_rig):
    rig = make_rig(unit_price_micro=PRICE)
    rig.store(10 * UNIT)
    rig.live(90, 10)
    aim_s = rig.now_s - 3_600
    rig.order(Code.USAGE, 0, UsageQuery(aim_s, 0, 0, bytes(8), 0).build())
    rig.live(20, 7)
    own_minute = rig.meter.view().clock_s // 60
    assert rig.meter._core.memories[0].read(own_minute - 20, 20) == [7] * 20
    assert rig.meter._core.memories[0].read(own_minute, 30) == [10] * 30
    burned = rig.meter.money.burned_micro
    rig.power_up()
    assert rig.meter.money.burned_micro == burned


def test_no_answer_shows_a_balance_that_a_power_cut_takes_back(rig):
    """A few pulses never reach a grant; the balance they leave is stored before it is told."""
    rig.store(UNIT)
    for code, sequence, body in (
        (Code.RING, 0, b""),
        (Code.USAGE, 0, UsageQuery(rig.now_s, 0, 0, bytes(8), 0).build()),
        (Code.VALUE, 1, Transfer(UNIT, bytes(8)).build()),
        (Code.TEXT, 0, b""),
    ):
        rig.step(Load(0, rig.now_s, 240))
        rig.now_s += 30
        shown = rig.order(code, sequence, body).receipt.balance_micro
        rig.power_up()
        assert rig.meter.money.balance_micro == shown
        rig.now_s += 30
        rig.step(Tick())


def test_power_cut_at_every_byte_around_zero_leaves_the_contacts_open_when_nothing_is_left(make_rig):
    open_after_cut = 0
    for cut in range(0, 2_600, 41):
        rig = make_rig(unit_price_micro=PRICE)
        rig.store(8_000)
        rig.step(Load(0, rig.now_s, 60))
        rig.nvm.cut_after(cut, list(Torn)[cut % 3])
        rig.now_s += 60
        try:
            rig.step(Tick())
        except PowerCut:
            rig.power_up()
            check_counts(rig)
            open_after_cut += not rig.meter.money.balance_micro
    assert open_after_cut > 5


def test_loads_given_late_and_in_a_row_are_worked_off_each_in_its_own_minute(make_rig):
    late, steady = (make_rig(unit_price_micro=PRICE) for _ in range(2))
    for rig in (late, steady):
        rig.store(10 * UNIT)
    start_s = late.now_s
    steady.live(30, 0)
    for minute in range(30, 40):
        steady.live(1, minute)
    late.now_s = start_s + 40 * 60
    for minute in range(30, 40):
        late.step(Load(0, start_s + 60 * minute, minute))
    late.step(Tick())
    assert late.meter.money == steady.meter.money
    core = late.meter._core
    assert core.memories[0].read(start_s // 60, 40) == [0] * 30 + list(range(30, 40))
