"""A seller, its disk, a hostile network and a model acquirer, in one process and with no clock but its own."""

from dataclasses import dataclass, field, replace

from tests.host.payment.model_acquirer import ModelAcquirer

from prewatt.host.payment.iso8583.acquirer import Acquirer
from prewatt.host.payment.iso8583.card import Card, TokenKey
from prewatt.host.payment.iso8583.messages import parse_message
from prewatt.host.payment.iso8583.profile import AcquirerProfile, Moment
from prewatt.host.payment.iso8583.rows import Trace, parse_row, parse_trace
from prewatt.host.payment.iso8583.steps import (
    Answer,
    Ask,
    Capture,
    Dial,
    HangUp,
    LineLost,
    LineUp,
    Note,
    Received,
    Refuse,
    Reverse,
    Save,
    SaveTrace,
    Send,
    SignOver,
    Started,
    Tell,
    Tick,
)
from prewatt.host.payment.port import Captured, Declined, Guaranteed, PaymentState, Reversed

KEY = TokenKey(bytes(range(32)))
PAN = "9999990000000006"
CARD = Card(PAN, "3012")
START_S = 1_780_000_000
PROFILE = AcquirerProfile("TERM0001", "MERCHANT0000001", "123456", "840", signs_on=False, travel_ms=600_000)


@dataclass
class Flying:
    to_them: bool
    data: bytes
    connection: int
    sent_ms: int


@dataclass
class World:
    """``bounded``: the network delivers nothing later than ``travel_ms``, and the acquirer forgets reversals of what it
    has never seen; else it may deliver anything at any time, and the acquirer remembers."""

    bounded: bool = False
    profile: AcquirerProfile = PROFILE
    ms: int = 0
    rows: dict[str, bytes] = field(default_factory=dict)
    trace: bytes = field(default_factory=lambda: Trace().build())
    told: dict[str, list] = field(default_factory=dict)
    answers: dict[int, object] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    flying: list[Flying] = field(default_factory=list)
    connection: int = 0
    up: bool = False
    dialling: bool = False
    calls: int = 0
    sends_first = False
    """Planted by a test: bytes leave before the rows are durable."""
    crash_after: int | None = None
    """After how many effects of the next step the process dies; -1: before its saves are durable."""

    def __post_init__(self):
        self.acquirer = ModelAcquirer(remembers=not self.bounded)
        self.start()

    @property
    def now(self) -> Moment:
        return Moment(self.ms, START_S + self.ms // 1000)

    def row(self, payment_id):
        data = self.rows.get(payment_id)
        return None if data is None else parse_row(data)

    def all_rows(self):
        return [parse_row(data) for data in self.rows.values()]

    def start(self):
        """The process begins, with what the disk has."""
        self.up = self.dialling = False
        self.connection += 1
        self.machine = Acquirer(self.profile, KEY, self.all_rows(), parse_trace(self.trace))
        self.step(Started())

    def step(self, event):
        effects = self.machine.step(event, self.now)
        crash_after, self.crash_after = self.crash_after, None
        if crash_after == -1:
            for effect in effects if self.sends_first else ():
                if isinstance(effect, Send):
                    self.carry_out(effect)
            self.start()
            return
        for effect in effects:
            self.store(effect)
        for count, effect in enumerate(effects):
            if crash_after is not None and count >= crash_after:
                self.start()
                return
            self.carry_out(effect)

    def store(self, effect):
        if isinstance(effect, Save):
            stored = self.row(effect.row.payment_id)
            assert (None if stored is None else stored.state) == effect.before
            self.rows[effect.row.payment_id] = effect.row.build()
        elif isinstance(effect, SaveTrace):
            self.trace = effect.trace.build()

    def carry_out(self, effect):
        match effect:
            case Send(data):
                assert PAN not in repr(effect)
                if self.up:
                    self.flying.append(Flying(True, bytes(data), self.connection, self.ms))
            case Tell(payment_id, outcome):
                self.hear_outcome(payment_id, outcome)
            case Answer(call, outcome) | Refuse(call, outcome):
                self.answers[call] = outcome
            case Dial():
                self.dialling = True
            case HangUp():
                self.lose()
            case Note(what):
                self.notes.append(what)

    def hear_outcome(self, payment_id, outcome):
        told = self.told.setdefault(payment_id, [])
        ended = [each for each in told if isinstance(each, Captured | Declined | Reversed)]
        assert not ended, f"{payment_id} ended {ended}, and then {outcome}"
        told.append(outcome)
        if isinstance(outcome, Guaranteed):
            assert self.row(payment_id).authorization == outcome.authorization

    # What the seller does.

    def call(self, event_type, payment_id, **more):
        self.calls += 1
        known = self.row(payment_id)
        known = known if known is not None and known.has_ended else None
        call = self.calls
        self.step(event_type(call, payment_id, known=known, **more))
        return self.answers.get(call)

    def ask(self, payment_id, amount=1_000, card=CARD):
        return self.call(Ask, payment_id, amount_minor=amount, card=card)

    def capture(self, payment_id):
        return self.call(Capture, payment_id)

    def reverse(self, payment_id):
        return self.call(Reverse, payment_id)

    def sign_over(self, payment_id, state):
        return self.call(SignOver, payment_id, state=state)

    # What the world does.

    def connect(self):
        if self.dialling:
            self.dialling, self.up = False, True
            self.connection += 1
            self.step(LineUp())

    def lose(self):
        if self.up or self.dialling:
            self.up = self.dialling = False
            # Answers die with their connection; what went to them may still be under way.
            self.flying = [each for each in self.flying if each.to_them]
            self.step(LineLost())

    def wait(self, wait_ms):
        self.ms += wait_ms
        self.forget_old()
        self.step(Tick())

    def forget_old(self):
        if self.bounded:
            self.flying = [f for f in self.flying if self.ms - f.sent_ms < self.profile.travel_ms]

    def deliver(self, index, mood="approve", keep=False):
        if not self.flying:
            return
        index %= len(self.flying)
        flying = self.flying[index]
        if not keep:
            del self.flying[index]
        if flying.to_them:
            message = parse_message(flying.data, self.profile.dialect)
            if message.mti == "0800":
                answer = self.acquirer.reply(message, "00", {})
            else:
                answer = self.acquirer.handle(message, fitting(message.mti, mood))
            if self.up:
                data = bytes(answer.build(self.profile.dialect))
                self.flying.append(Flying(False, data, self.connection, self.ms))
        elif self.up:
            self.step(Received(flying.data))

    def drop(self, index):
        if self.flying:
            del self.flying[index % len(self.flying)]

    def settle(self, decide=lambda row: True):
        """The network is healed, the acquirer well, and the owner decides what it had left open."""
        for _ in range(400):
            for row in self.all_rows():
                if row.state is PaymentState.GUARANTEED:
                    (self.capture if decide(row) else self.reverse)(row.payment_id)
            self.connect()
            while self.flying:
                self.deliver(0, "ok")
            if all(row.has_ended for row in self.all_rows()):
                return
            wake_ms = self.machine.wake_ms
            self.wait(max(1, min(wake_ms - self.ms, 60_000)) if wake_ms is not None else 1_000)
        raise AssertionError(f"not settled: {[row for row in self.all_rows() if not row.has_ended]}")

    # What must hold.

    def check(self):
        by_rrn = {row.rrn: row for row in self.all_rows()}
        assert len(by_rrn) == len(self.rows), "two payments with one RRN"
        for rrn, record in self.acquirer.records.items():
            row = by_rrn[rrn]
            assert record.takings <= 1, f"{row.payment_id} taken twice"
            if record.taken:
                assert row.state in (PaymentState.CAPTURING, PaymentState.CAPTURED, PaymentState.REVERSING)
                assert row.completion_stan
        for row in by_rrn.values():
            record = self.acquirer.records.get(row.rrn)
            money = (record.held, record.taken) if record is not None else (0, 0)
            if row.state is PaymentState.CAPTURED:
                assert money == (0, row.amount_minor)
            elif row.state in (PaymentState.REVERSED, PaymentState.DECLINED):
                assert money == (0, 0), f"{row.payment_id} is {row.state}, and they have {money}"
            elif row.state is PaymentState.GUARANTEED:
                assert money == (row.amount_minor, 0)


def fitting(mti, mood):
    """A mood that this kind of message can meet: what the acquirer is asked decides which it is."""
    moods = {"0100": ("approve", "decline", "part", "late", "no number", "nonsense", "other amount")}.get(
        mti, ("ok", "refuse", "busy", "busy but done") if mti[1] == "2" else ("ok", "busy", "busy but done")
    )
    return mood if mood in moods else moods[0]


def patient(profile=PROFILE, **changes):
    return replace(profile, **changes)
