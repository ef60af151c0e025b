"""What the pages ask of the running `up`: faces, clock, keys and sales, as one protocol.

The pages know neither street nor host, so they are tested on a fake and serve whatever implements this.
"""

from typing import Any, Protocol

from prewatt.apps.faces import Face
from prewatt.host.staff.actor import Actor

__all__ = ["PageSource"]


class PageSource(Protocol):
    """Calls are quick and made from threads. Errors: ValueFieldError (RefusedError among them) and HostError."""

    def acting(self, actor: Actor, origin: str) -> "PageSource":
        """The same for one person: what is sold through it is sold in that name."""
        ...

    def faces(self) -> list[Face]:
        """The face of every meter, by id."""
        ...

    def face(self, meter: str) -> Face:
        """The face of one meter; ValueFieldError where there is no such meter."""
        ...

    def clock_s(self) -> int:
        """The world's UTC second."""
        ...

    def speed(self) -> int:
        """World seconds a second."""
        ...

    def set_speed(self, speed: int) -> None:
        """Changes the speed; ValueFieldError outside 1 to 3,600."""
        ...

    def press(self, meter: str, keys: str) -> Face:
        """Presses keys one after the other, ``!`` for the button beside the relay; the face afterwards."""
        ...

    def sell(self, meter: str, amount: str, order: str | None = None) -> dict[str, Any]:
        """Sells ``amount`` (a decimal of the currency) to a meter; the JSON of a vend: order, transfer, state, ...

        The page gives each form its ``order``, so that a form sent twice sells once.
        """
        ...

    def read_transfer(self, order: str) -> dict[str, Any]:
        """What became of a sale: the JSON of a transfer (state, step, amount_micro, ...)."""
        ...
