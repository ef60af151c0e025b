"""The panel: what keys do, which page is shown, and what the last key brought.

A value code is applied in one record and only then told; a request for value goes out under a counter that is stored
first. The panel forgets everything with the power: it holds nothing of worth.
"""

from functools import partial

from prewatt.codec.events import EventCode
from prewatt.crypto import MessageKind
from prewatt.device.meter.commands import Commands
from prewatt.device.meter.core import Core
from prewatt.device.meter.keypad import CodeTyped, EmergencyCall, Keypad, MessageTyped, PageAsked, ValueAsked
from prewatt.device.meter.lcd import PAGES
from prewatt.device.meter.money import MONEY_MAX_MICRO
from prewatt.device.meter.report import Outbox
from prewatt.device.meter.valuecode import CodeOutcome, CodeTerms, enter_code

__all__ = ["Panel"]


class Panel:
    """Keypad and display of the meter whose parts it is given. ``page`` and ``notice`` are for the display."""

    __slots__ = ("_commands", "_core", "_keypad", "_outbox", "notice", "page")

    def __init__(self, core: Core, commands: Commands, outbox: Outbox) -> None:
        self._core = core
        self._commands = commands
        self._outbox = outbox
        self._keypad = Keypad()
        self.page = 0
        self.notice = ""

    @property
    def prompt(self) -> tuple[str, str] | None:
        """What is being typed, if anything is."""
        return self._keypad.prompt

    def press(self, key: str, line_ms: int) -> bytes | None:
        """One key; a payload to send up, if it asks for one. ValueError for a key that the keypad does not have."""
        action = self._keypad.press(key)
        self.notice = ""
        if isinstance(action, ValueAsked):
            return self._ask_value(action)
        if isinstance(action, PageAsked):
            self.page = (self.page + 1 if action.number == 0 else action.number - 1) % len(PAGES)
        elif isinstance(action, CodeTyped):
            self._type_code(action.digits, line_ms)
        elif isinstance(action, EmergencyCall):
            self._core.log(EventCode.EMERGENCY_CALL)
            self.notice = "help is called"
        elif isinstance(action, MessageTyped):
            self._core.log(EventCode.CUSTOMER_MESSAGE, bytes((action.number,)))
            self.notice = f"message {action.number} sent"
        return None

    def _ask_value(self, action: ValueAsked) -> bytes | None:
        amount_micro = action.amount_minor * self._core.settings.minor_micro
        if amount_micro > MONEY_MAX_MICRO:
            self.notice = "amount too large"
            return None
        payload = self._outbox.wish_payload(amount_micro, action.pin)
        without = "no key" if self._core.money.commissioned else "not in use yet"
        self.notice = without if payload is None else "asked for value"
        return payload

    def _type_code(self, digits: str, line_ms: int) -> None:
        core = self._core
        macs = tuple(partial(core.suite.message_keys(key).tag, MessageKind.CODE) for key in core.keys.values())
        terms = CodeTerms(core.certificate.meter_id, macs, core.settings.minor_micro)
        entry = enter_code(core.money, core.code_lock, digits, terms, core.limits, line_ms)
        core.code_lock, core.wrong_codes = entry.lock, entry.lock.wrong
        self.notice = f"code {entry.outcome.value}"
        if entry.outcome is CodeOutcome.STORED:
            self.page = 0
            self._commands.hold(entry.money, entry.amount_micro)
        elif entry.outcome is CodeOutcome.WRONG:
            core.log(EventCode.WRONG_CODE, bytes((entry.lock.wrong,)))
            core.store()
