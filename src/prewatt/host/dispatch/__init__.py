"""Dispatch: sends what waits and books what comes back, for every meter, for ever.

`Dispatch` is the engine: given now and arrivals it gives payloads to post; it has no socket and no clock of its own.
`Network` puts it into the field: box messages in and out. `DispatchDriver` runs that in a thread over a `Field`.
"""

from prewatt.host.dispatch.driver import DispatchDriver, Field
from prewatt.host.dispatch.engine import Dispatch
from prewatt.host.dispatch.network import Hop, Network
from prewatt.host.dispatch.posts import DispatchSettings, Post

__all__ = ["Dispatch", "DispatchDriver", "DispatchSettings", "Field", "Hop", "Network", "Post"]
