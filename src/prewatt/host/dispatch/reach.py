"""Which stations can be reached, as far as boxes have told: what changed is worth acting on, what is as it was is not.

A station is back when its area server says that it is connected and said before that it was not, or when it counts
another start of itself than the last time: whatever was under way below it died with its earlier life. The first word
after a start of this host, or after the way to the area server was new, ends nothing: what was begun since is well. A
station is away when its area server says so, or refuses a message because of it.
"""

from collections.abc import Iterator

from prewatt.codec.hop import AreaHealth, Health, Refused, RefusedReason
from prewatt.units import Address

__all__ = ["Reach"]


class Reach:
    """What the last messages said. Nothing of it has to survive."""

    def __init__(self) -> None:
        self._boots: dict[Address, int] = {}
        self._there: dict[Address, bool] = {}

    def turned(self, told: Health | AreaHealth | Refused) -> Iterator[tuple[Address, bool]]:
        """Each station that this message shows to be back (True) or away (False), and was not known to be."""
        if isinstance(told, AreaHealth):
            for state in told.stations:
                address = Address(told.address.area, state.station)
                known = self._there.get(address)
                self._there[address] = state.connected
                if known is not state.connected and not (known is None and state.connected):
                    yield address, state.connected
        elif isinstance(told, Health):
            before = self._boots.get(told.address)
            self._boots[told.address] = told.boots
            if before is not None and before != told.boots:
                yield told.address, True
        elif told.reason is RefusedReason.AWAY:
            self._there[told.address] = False
            yield told.address, False

    def forget(self, area: int) -> None:
        """The way to an area server is new or gone: what was known of its stations may be so no more."""
        self._there = {address: there for address, there in self._there.items() if address.area != area}
