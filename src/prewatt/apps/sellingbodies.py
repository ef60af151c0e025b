"""The calls about bodies that end, value codes, and suspense that a person matches; a part of `Selling`."""

from typing import Any

from prewatt.host.bodyanswers import SignOverTarget
from prewatt.host.host import Host
from prewatt.units import ValueFieldError

__all__ = ["REASON", "SellingBodies"]

REASON = "asked by the owner"
Json = dict[str, Any]


class SellingBodies:
    """See `prewatt.apps.selling.Selling`."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def read_bodies(self, meter: str) -> list[Json]:
        """Bodies of this id that were asked to retire or were lost, newest first."""
        return [each.as_dict() for each in self._host.bodies.read(meter)]

    def retire_meter(self, meter: str, reason: str = REASON) -> Json:
        """Asks the meter's body to take no more value, so that another can follow it."""
        return self._host.bodies.retire(meter, reason).as_dict()

    def replace_meter(self, meter: str, to_meter: str | None = None, reason: str = REASON) -> Json:
        """The value of a retired body follows: to the next body of the same id, or to another meter."""
        return self._host.bodies.replace(meter, reason, to_meter=to_meter).as_dict()

    def lose_meter(self, meter: str, reason: str) -> Json:
        """A person says that this body can never be read again."""
        return self._host.bodies.lose(meter, reason).as_dict()

    def sign_over(
        self,
        meter: str,
        lot: str,
        reason: str,
        to_meter: str | None = None,
        refund: bool = False,
        write_off: str | None = None,
    ) -> Json:
        """A person says where value of a lost body goes: to a meter, back to the customer, or off as a loss.

        ``lot``: the id of an order that was lost with it, or `balance`. Exactly one of the three targets.
        """
        given = {
            SignOverTarget.METER: to_meter,
            SignOverTarget.REFUND: "" if refund else None,
            SignOverTarget.WRITE_OFF: write_off,
        }
        chosen = [(target, name) for target, name in given.items() if name is not None]
        if len(chosen) != 1:
            named = " and ".join(target.value for target, _ in chosen) or "nothing"
            raise ValueFieldError("target", named, "exactly one of a meter, a refund, an account to write off to")
        ((target, name),) = chosen
        return self._host.bodies.sign_over(meter, lot, target, name, reason).as_dict()

    def issue_code(self, order: str) -> Json:
        """An order on paper: the twenty digits for the customer to type. The same order has the same digits."""
        return self._host.codes.issue(order).as_dict()

    def match_suspense(self, meter: str, sequence: int, order: str, reason: str = REASON) -> Json:
        """A person says that value in suspense was this open order, typed as a code that a restore forgot."""
        return self._host.transfers.match_suspense(meter, sequence, order, reason).as_dict()
