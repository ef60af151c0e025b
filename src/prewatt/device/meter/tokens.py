"""Token arithmetic: how stored value is turned into tokens and burned against energy, exactly.

A pulse adds unit price x step percent x quality percent to ``acc``; every 10^8 of acc burns one micro-unit. The
micro-unit comes out of the token exchanger. When that is empty and one is needed, the tank grants it ten tokens; when
the tank is empty, the SAM authorises a hundred more out of the SVM, but only against a balance that stands in the
journal. The last grant may be partial. When nothing is left, what burns is owed, up to a limit; beyond the limit energy
flows unpaid.

Grants are made only at the micro-unit that needs them, so the state depends on how much was burned and not on how the
pulses were grouped: a run of pulses at one rate is one division, and equals the same pulses one by one. ``burn`` stops
at the first pulse after which the journal has to be written (a grant of ten tokens, the last value, ten tokens' worth
of owed); ``burn_through`` does not stop, for minutes burned after a power cut and stored once at the end.
"""

from dataclasses import dataclass
from typing import Final, NewType

from prewatt.device.meter.money import ACC_PER_MICRO, Money, MoneyError, MoneyLimits
from prewatt.units.value import VALUE_MAX_MICRO

__all__ = [
    "PERCENT_MAX",
    "Burned",
    "Rate",
    "Sam",
    "SamRefusedError",
    "burn",
    "burn_through",
    "pulses_until_boundary",
    "pulses_until_zero",
    "rate_of",
]

Rate = NewType("Rate", int)
"""What one pulse adds to acc."""

# Step and quality percents are u16 on the wire.
PERCENT_MAX: Final = 0xFFFF


def rate_of(unit_price_micro: int, step_percent: int, quality_percent: int) -> Rate:
    """The rate of a unit price (micro-units per kWh) at a price step and a load quality, both in percent."""
    for field, given, most in (
        ("unit_price_micro", unit_price_micro, VALUE_MAX_MICRO),
        ("step_percent", step_percent, PERCENT_MAX),
        ("quality_percent", quality_percent, PERCENT_MAX),
    ):
        if not 0 <= given <= most:
            raise MoneyError(f"{field}: {given} is not allowed; allowed is 0 to {most}")
    return Rate(unit_price_micro * step_percent * quality_percent)


class SamRefusedError(MoneyError):
    """The SVM offered value that does not stand in its journal."""


@dataclass(frozen=True, slots=True)
class Sam:
    """The part of the secure access module that lets value out of the SVM.

    It knows what the SVM held when it was last journalled, and authorises hundreds of tokens only out of that: value
    that exists in RAM alone (a transfer not yet stored) can never be burned.
    """

    journalled_svm_micro: int

    def authorise(self, svm_micro: int, hundreds: int, limits: MoneyLimits) -> int:
        """The micro-units granted for ``hundreds`` of a hundred tokens each; the last one may be partial."""
        if svm_micro > self.journalled_svm_micro:
            raise SamRefusedError(f"SVM: {svm_micro} micro-units offered, {self.journalled_svm_micro} are journalled")
        return min(hundreds * limits.hundred_micro, svm_micro)


@dataclass(frozen=True, slots=True)
class Burned:
    """What a run of pulses did. ``money`` is the new state; ``pulses`` of those given were taken."""

    money: Money
    pulses: int
    tens: int
    """Grants of ten tokens to the exchanger."""
    hundreds: int
    """Grants of a hundred tokens to the tank, each authorised by the SAM."""
    reached_zero: bool
    """The balance became zero at the last pulse that ``burn`` took."""
    owed_step: bool
    """Owed passed a multiple of ten tokens, or reached its limit."""
    forgone_micro: int
    """What these pulses would have cost beyond the limit of owed: energy that nobody pays."""

    @property
    def write_due(self) -> bool:
        """Whether the journal is to be written now, before more is burned."""
        return self.tens > 0 or self.reached_zero or self.owed_step


def burn(money: Money, rate: Rate, pulses: int, limits: MoneyLimits, sam: Sam) -> Burned:
    """Burns up to ``pulses`` pulses, stopping after the first one that makes a journal write due."""
    boundary = pulses_until_boundary(money, rate, limits)
    return burn_through(money, rate, pulses if boundary is None else min(pulses, boundary), limits, sam)


def burn_through(money: Money, rate: Rate, pulses: int, limits: MoneyLimits, sam: Sam) -> Burned:
    """Burns all ``pulses``, through every grant; raises SamRefusedError for value that is not journalled."""
    if pulses < 0 or rate < 0:
        raise MoneyError(f"burn: {pulses} pulses at rate {rate} are not allowed; allowed is 0 or more")
    micro, acc = divmod(money.acc + rate * pulses, ACC_PER_MICRO)
    balance = money.balance_micro
    paid = min(micro, balance)
    owing = min(micro - paid, max(0, limits.owed_max_micro - money.owed_micro))
    owed = money.owed_micro + owing
    svm, tank, exchanger, tens, hundreds = _draw(money, paid, limits, sam)
    return Burned(
        money=Money(
            svm_micro=svm,
            tank_micro=tank,
            exchanger_micro=exchanger,
            acc=acc,
            received_micro=money.received_micro,
            burned_micro=money.burned_micro + paid + owing,
            returned_micro=money.returned_micro,
            owed_micro=owed,
            ring=money.ring,
            last_control=money.last_control,
            control_digest=money.control_digest,
        ),
        pulses=pulses,
        tens=tens,
        hundreds=hundreds,
        reached_zero=0 < balance == paid,
        owed_step=owing > 0
        and (owed // limits.ten_micro > money.owed_micro // limits.ten_micro or owed == limits.owed_max_micro),
        forgone_micro=micro - paid - owing,
    )


def pulses_until_boundary(money: Money, rate: Rate, limits: MoneyLimits) -> int | None:
    """After how many more pulses at this rate the journal is due; None where never."""
    balance = money.balance_micro
    if balance:
        # A grant comes with the first micro-unit beyond the exchanger; without tank and SVM the last one ends it all.
        return _pulses_to_burn(money, rate, min(money.exchanger_micro + 1, balance))
    room = limits.owed_max_micro - money.owed_micro
    if room <= 0:
        return None
    return _pulses_to_burn(money, rate, min(limits.ten_micro - money.owed_micro % limits.ten_micro, room))


def pulses_until_zero(money: Money, rate: Rate) -> int | None:
    """After how many more pulses at this rate the balance is zero; 0 when it is, None where never."""
    balance = money.balance_micro
    return _pulses_to_burn(money, rate, balance) if balance else 0


def _pulses_to_burn(money: Money, rate: Rate, micro: int) -> int | None:
    return None if rate == 0 else -(-(micro * ACC_PER_MICRO - money.acc) // rate)


def _draw(money: Money, paid: int, limits: MoneyLimits, sam: Sam) -> tuple[int, int, int, int, int]:
    """SVM, tank, exchanger after ``paid`` micro-units left it, and how many grants of ten and hundred that took.

    ``paid`` is at most the balance. Each level is drawn on only for the part that the level before could not give.
    """
    ten, hundred = limits.ten_micro, limits.hundred_micro
    svm, tank, need = money.svm_micro, money.tank_micro, paid - money.exchanger_micro
    if need <= 0:
        return svm, tank, -need, 0, 0
    tens = hundreds = 0
    if need > tank:
        # The tank is emptied in tens; then whole hundreds pass through it until the last one, which it keeps part of.
        need -= tank
        tens = -(-tank // ten)
        hundreds = -(-need // hundred)
        granted = sam.authorise(svm, hundreds, limits)
        svm -= granted
        passed = (hundreds - 1) * hundred
        tens += (hundreds - 1) * (hundred // ten)
        need -= passed
        tank = granted - passed
    grants = -(-need // ten)
    drawn = min(grants * ten, tank)
    return svm, tank - drawn, drawn - need, tens + grants, hundreds
