"""The buzzer: it warns before the light goes out, first at a balance that the settings name, then at the last tokens.

The last tokens are what the exchanger holds when tank and SVM are empty: nothing can be granted any more.
"""

from prewatt.device.meter.events import Buzzing
from prewatt.device.meter.money import Money

__all__ = ["buzzing_of"]


def buzzing_of(money: Money, low_balance_micro: int) -> Buzzing:
    """The pattern for this money; silent when nothing is left, since the open relay says it all."""
    balance = money.balance_micro
    if not balance or balance > max(low_balance_micro, money.exchanger_micro):
        return Buzzing.SILENT
    if not money.svm_micro and not money.tank_micro:
        return Buzzing.LAST_TOKENS
    return Buzzing.LOW_BALANCE if balance <= low_balance_micro else Buzzing.SILENT
