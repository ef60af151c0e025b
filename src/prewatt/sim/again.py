"""Value that follows, asked for again of a restored host: what the till's own records say of it by then.

Such an order is known by what it carries (R8). Where it was taken back before the restore, asking again is only half of
what a person does: it is taken back again, before it is sent.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from prewatt.host.host import Host
from prewatt.sim.account import CARRIED, find_carried

if TYPE_CHECKING:
    from prewatt.sim.world import World

__all__ = ["asked_again", "carry"]

T = TypeVar("T")


def asked_again(world: "World", order: str) -> bool:
    """Whether a restored host is still to be asked for this carried value again: then it explains itself. Where it
    has forgotten the sale that went along as well, nobody can ask: that sale is found in the till's records."""
    auditor = world.auditor
    if not order.startswith(CARRIED) or _knows(world, order):
        return False
    source = find_carried(order, auditor.sales, auditor.accounts.values())
    return source is None or source.order is None or _knows(world, source.order)


def carry(world: "World", meter: str, ask: Callable[[Host], T]) -> T | None:
    """Asks for value to follow to a meter, and takes back again what was taken back there; None as ``World.call``."""
    sales = world.auditor.sales
    if world.installation.host is None:
        return None
    back = [each for each in sales if each.startswith(CARRIED) and sales[each].back and sales[each].meter == meter]
    back = [each for each in back if not _knows(world, each)]
    for order in back:
        # Who asks for it wants it there, should the host die before it is told the rest.
        sales[order].back = False
    answer = world.call(ask)
    for order in back if world.installation.host is not None else ():
        sales[order].back = not _knows(world, order)
        if not sales[order].back:
            world.call(lambda host, order=order: host.transfers.cancel(order))  # type: ignore[misc]
    return answer


def _knows(world: "World", order: str) -> bool:
    return bool(world.rows(f"SELECT id FROM orders WHERE id = '{order}'"))
