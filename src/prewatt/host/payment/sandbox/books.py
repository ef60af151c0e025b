"""The books of a sandbox acquirer: what it holds and has taken for each RRN, and what it has answered. Pure.

It does what a careful acquirer does: a message it has seen is answered as before and booked once; a reversal of what
it has never seen is remembered, so that the question is refused when it comes after all. It keeps no card number: the
last four digits, and the script of the card for what follows.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from prewatt.host.payment.iso8583.fields import De
from prewatt.host.payment.iso8583.messages import Message
from prewatt.host.payment.iso8583.reasons import APPROVED, NOT_FOUND
from prewatt.host.payment.iso8583.rows import resolve_day, transmitted
from prewatt.host.payment.port import StatementRow
from prewatt.host.payment.sandbox.behaviour import TEST_CARDS, Behaviour, Script, find_script

__all__ = ["Account", "SandboxBooks", "kind_of"]

_KEPT: Final = (
    De.PROCESSING_CODE, De.AMOUNT, De.TRANSMITTED, De.STAN, De.LOCAL_TIME, De.LOCAL_DATE, De.ACQUIRER_ID, De.RRN,
    De.TERMINAL, De.MERCHANT, De.CURRENCY,
)  # fmt: skip
_BAD_TRANSACTION: Final = "12"
_PART: Final = "10"
_ON_FILE: Final = "SANDBOX-"
_LAST: Final = 4
_KINDS: Final = {"01": "authorization", "02": "completion", "04": "reversal", "08": "network"}


def kind_of(message: Message) -> str:
    """authorization, completion, reversal or network; "" for anything else, and for answers."""
    return _KINDS.get(message.mti[:2], "") if message.mti[2] in "02" else ""


@dataclass(slots=True)
class Account:
    """What is known of one RRN. Amounts in minor units. ``card``: the last four digits of a test card, whose script
    treats what follows; "" for any other card."""

    asked: int = 0
    held: int = 0
    taken: int = 0
    undone: bool = False
    code: str = ""
    approval: str = ""
    card: str = ""
    currency: str = ""
    day: str = ""
    attempts: dict[str, int] = field(default_factory=dict)


class SandboxBooks:
    """All accounts, by RRN. ``lines``: what `dump` gave before."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.accounts: dict[str, Account] = {}
        for line in lines:
            entry: dict[str, Any] = json.loads(line)
            rrn = entry.pop("rrn")
            self.accounts[rrn] = Account(**entry)
        self._numbers = len(self.accounts)

    def dump(self, rrn: str) -> str:
        """One account as a line of text; the newest line of an RRN is its account."""
        return json.dumps({"rrn": rrn} | asdict(self.accounts[rrn]), separators=(",", ":"))

    def script(self, message: Message) -> Script:
        """The script that treats this message: that of its card, or of the card that its RRN was asked with."""
        if message.get(De.PAN):
            return find_script(message.get(De.PAN))
        account = self.accounts.get(message.get(De.RRN))
        last4 = account.card if account is not None else message.get(De.TOKEN)[-_LAST:]
        return next((script for pan, script in TEST_CARDS.items() if pan[-_LAST:] == last4), find_script(""))

    def attempt(self, message: Message) -> int:
        """How many messages of its kind came for its RRN before."""
        account = self.accounts.get(message.get(De.RRN))
        return account.attempts.get(kind_of(message), 0) if account is not None else 0

    def refuse(self, message: Message, code: str) -> Message:
        """Answers a message without booking it."""
        self.count(message)
        return _reply(message, code, {})

    def count(self, message: Message) -> None:
        """A message came that is not booked: it counts as a try, where its RRN is known."""
        account = self.accounts.get(message.get(De.RRN))
        if account is not None:
            account.attempts[kind_of(message)] = account.attempts.get(kind_of(message), 0) + 1

    def receive(self, message: Message, behaviour: Behaviour, utc_s: int) -> Message:
        """Books a message, and answers it."""
        kind = kind_of(message)
        if kind == "network":
            return _reply(message, APPROVED, {De.NETWORK_CODE: message.get(De.NETWORK_CODE)})
        if kind == "authorization":
            return self._authorize(message, behaviour)
        code = self._complete(message, utc_s) if kind == "completion" else self._reverse(message)
        self.count(message)
        more = {De.SETTLEMENT_DATE: transmitted(utc_s)[:4]} if kind == "completion" and code == APPROVED else {}
        return _reply(message, behaviour.code or code, more)

    def statement(self, day: str, minor_micro: int) -> Iterator[StatementRow]:
        """What was captured on a day (``YYYY-MM-DD``, UTC), in the order in which it was asked for."""
        for rrn, account in self.accounts.items():
            if account.taken and account.day == day:
                yield StatementRow(rrn, account.approval, account.taken * minor_micro, "captured")

    def _authorize(self, message: Message, behaviour: Behaviour) -> Message:
        rrn = message.get(De.RRN)
        account = self.accounts.setdefault(rrn, Account())
        if account.undone:
            return _reply(message, _BAD_TRANSACTION, {})
        if not account.code:
            self._open(account, message, behaviour)
        self.count(message)
        number = {De.APPROVAL: account.approval} if account.approval and not behaviour.without_number else {}
        part = {De.AMOUNT: f"{account.held:012d}"} if account.code == _PART else {}
        token = {De.TOKEN: f"{_ON_FILE}{account.card}"} if account.approval else {}
        return _reply(message, account.code, number | part | token)

    def _open(self, account: Account, message: Message, behaviour: Behaviour) -> None:
        """A new account: what is asked for is held, unless the answer says for certain that it is not."""
        account.asked = int(message.get(De.AMOUNT))
        account.currency = message.get(De.CURRENCY)
        card = message.get(De.PAN) or message.get(De.TOKEN)
        account.card = card[-_LAST:] if card in TEST_CARDS or card.startswith(_ON_FILE) else ""
        account.code = behaviour.code or (_PART if behaviour.part else APPROVED)
        if account.code in (APPROVED, _PART, "68", "96"):
            self._numbers += 1
            account.approval = f"{self._numbers % 1_000_000:06d}"
            account.held = account.asked // 2 if behaviour.part else account.asked

    def _complete(self, message: Message, utc_s: int) -> str:
        account = self.accounts.get(message.get(De.RRN))
        if account is None:
            return NOT_FOUND
        if account.taken:
            return APPROVED
        if account.undone or account.held != int(message.get(De.AMOUNT) or 0):
            return _BAD_TRANSACTION
        account.taken, account.held = account.held, 0
        account.day = resolve_day(transmitted(utc_s)[:4], utc_s)
        return APPROVED

    def _reverse(self, message: Message) -> str:
        account = self.accounts.setdefault(message.get(De.RRN), Account())
        account.held = account.taken = 0
        account.undone = True
        return APPROVED


def _reply(message: Message, code: str, more: dict[De, str]) -> Message:
    kept = {number: message.get(number) for number in _KEPT if message.get(number)}
    return Message(f"{message.mti[:2]}{int(message.mti[2]) + 1}0", kept | {De.RESPONSE: code} | more)
