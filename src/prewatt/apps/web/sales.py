"""The last sale to each meter that was made on these pages, and how it stands now.

A sale is pending until the meter has shown that it holds the value, so what a page showed when the button was pressed
is soon out of date. Each look asks again for some of the unsettled ones, those first that were asked longest ago.
"""

import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from prewatt.apps.web.source import PageSource
from prewatt.host.refusals import HostError
from prewatt.units import ValueFieldError, format_value

__all__ = ["Sale", "Sales"]

# Reads of the store at one look: a look comes about twice a second, and has to stay quick with 256 meters.
_READS_MAX: Final = 16
_SETTLED: Final = frozenset({"confirmed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale as it stood when it was last asked for."""

    order: str
    state: str
    amount: str
    existed: bool
    """The same form was sent before; nothing was sold again."""

    @property
    def text(self) -> str:
        """A line for the seller."""
        words = {
            "pending": f"{self.amount} sold, on its way to the meter",
            "confirmed": f"{self.amount} sold, the meter holds it",
            "cancelled": f"{self.amount} cancelled, nothing reached the meter",
            "refused": f"{self.amount} sold, the meter refused it for now",
        }
        text = words.get(self.state, f"{self.amount} sold, {self.state}")
        return f"This form was sent before; nothing was sold again: {text}" if self.existed else text

    def as_json(self) -> dict[str, Any]:
        """For the script."""
        return asdict(self) | {"text": self.text}


class Sales:
    """The last sale by meter; called from many threads."""

    def __init__(self, source: PageSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._last: OrderedDict[str, Sale] = OrderedDict()

    def sell(self, meter: str, amount: str, order: str, source: PageSource | None = None) -> Sale:
        """Sells, through ``source`` where that acts for whoever asked, and remembers.

        ValueFieldError or HostError where it is refused, and then nothing is remembered.
        """
        answer = (source or self._source).sell(meter, amount, order)
        sale = Sale(
            order=str(answer["order"]),
            state=str(answer["state"]),
            amount=format_value(answer["amount_micro"]),
            existed=bool(answer.get("existed")),
        )
        with self._lock:
            self._last[meter] = sale
        return sale

    def look(self, meter: str | None = None) -> dict[str, Sale]:
        """The last sale by meter (of one, or of all), after asking how the unsettled ones stand."""
        with self._lock:
            seen = [(each, sale) for each, sale in self._last.items() if meter in (None, each)]
        unsettled = [(each, sale) for each, sale in seen if sale.state not in _SETTLED]
        for each, sale in unsettled[:_READS_MAX]:
            state = sale.state
            # A store that cannot answer now is asked again at a later look.
            with suppress(ValueFieldError, HostError):
                state = str(self._source.read_transfer(sale.order)["state"])
            self._update(each, sale, state)
        with self._lock:
            return {each: sale for each, sale in self._last.items() if meter in (None, each)}

    def _update(self, meter: str, sale: Sale, state: str) -> None:
        with self._lock:
            if self._last.get(meter) == sale:
                self._last[meter] = replace(sale, state=state)
                self._last.move_to_end(meter)
