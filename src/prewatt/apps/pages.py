"""What the pages ask, answered by the street and the seller of this process."""

from prewatt.apps.faces import Face
from prewatt.apps.selling import Json, Selling
from prewatt.apps.street.street import Street
from prewatt.host.staff.actor import Actor

__all__ = ["StreetPages"]


class StreetPages:
    """See `prewatt.apps.web.PageSource`."""

    def __init__(self, selling: Selling, street: Street) -> None:
        self._selling = selling
        self._street = street
        self.faces = street.faces
        self.press = street.press
        self.set_speed = street.set_speed
        self.read_transfer = selling.read_transfer

    def acting(self, actor: Actor, origin: str) -> "StreetPages":
        """See PageSource."""
        return StreetPages(Selling(self._selling.host.acting(actor, origin)), self._street)

    def face(self, meter: str) -> Face:
        """The face of one meter."""
        return self._street.face(meter)

    def clock_s(self) -> int:
        """The street's UTC second."""
        return self._street.clock.now_s()

    def speed(self) -> int:
        """World seconds a second."""
        return self._street.clock.speed

    def sell(self, meter: str, amount: str, order: str | None = None) -> Json:
        """Sells value for cash."""
        return self._selling.vend(meter, amount, order)
