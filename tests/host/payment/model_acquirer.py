"""An acquirer as simple as can be, written apart from the product: what it holds and has taken for each RRN.

It is honest about money and a liar about everything else: what it answers is chosen from outside.
"""

from dataclasses import dataclass, field

from prewatt.host.payment.iso8583.fields import De
from prewatt.host.payment.iso8583.messages import Message

KEPT = (De.PROCESSING_CODE, De.TRANSMITTED, De.STAN, De.RRN, De.TERMINAL, De.MERCHANT, De.CURRENCY)
AUTHORIZATIONS = ("approve", "decline", "part", "late", "no number", "nonsense", "other amount")
COMPLETIONS = ("ok", "refuse", "busy", "busy but done")
REVERSALS = ("ok", "busy", "busy but done")


@dataclass
class Record:
    amount: int = 0
    held: int = 0
    taken: int = 0
    takings: int = 0
    undone: bool = False
    answer: Message | None = None


@dataclass
class ModelAcquirer:
    remembers: bool = True
    """Whether a reversal of what it has never seen is remembered; else it says so (25)."""
    records: dict[str, Record] = field(default_factory=dict)
    numbers: int = 0

    def handle(self, message: Message, mood: str) -> Message:
        rrn = message.get(De.RRN)
        if message.mti == "0100":
            return self.authorize(message, rrn, mood)
        record = self.records.get(rrn)
        if message.mti in ("0220", "0221"):
            return self.reply(message, self.complete(record, mood), {De.SETTLEMENT_DATE: "0615"})
        assert message.mti in ("0400", "0401", "0420", "0421")
        return self.reply(message, self.reverse(record, rrn, mood), {})

    def authorize(self, message: Message, rrn: str, mood: str) -> Message:
        record = self.records.setdefault(rrn, Record())
        if record.undone:
            return self.reply(message, "12", {})
        if record.answer is not None:
            return record.answer
        record.amount = int(message.get(De.AMOUNT))
        self.numbers += 1
        number = {De.APPROVAL: f"{self.numbers:06d}"}
        record.held = {"decline": 0, "part": record.amount // 2, "other amount": record.amount + 1}.get(
            mood, record.amount
        )
        code, more = {
            "approve": ("00", number),
            "decline": ("51", {}),
            "part": ("10", number | {De.AMOUNT: f"{record.held:012d}"}),
            "late": ("68", number),
            "no number": ("00", {}),
            "nonsense": ("Q7", number),
            "other amount": ("00", number | {De.AMOUNT: f"{record.held:012d}"}),
        }[mood]
        record.answer = self.reply(message, code, more)
        return record.answer

    def complete(self, record: Record | None, mood: str) -> str:
        if record is None:
            return "25"
        if record.taken:
            return "00"
        if record.undone or mood == "refuse":
            return "12"
        if mood != "busy":
            record.taken, record.held = record.held, 0
            record.takings += 1
        return "00" if mood == "ok" else "96"

    def reverse(self, record: Record | None, rrn: str, mood: str) -> str:
        if record is None:
            if not self.remembers:
                return "25"
            record = self.records[rrn] = Record()
        if mood != "busy":
            record.held = record.taken = 0
            record.undone = True
        return "00" if mood == "ok" else "96"

    @staticmethod
    def reply(message: Message, code: str, more: dict) -> Message:
        mti = f"{message.mti[:2]}{int(message.mti[2]) + 1}0"
        kept = {number: message.get(number) for number in (*KEPT, De.AMOUNT) if message.get(number)}
        return Message(mti, {**kept, De.RESPONSE: code, **more})
