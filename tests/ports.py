"""Ports for servers that tests start, stop and start again.

They lie below the ports that the kernel gives to whoever calls out. One of those would be taken by the next connection,
such as that of a box or a server that looks for its neighbour, before the server that it was found for listens there,
or while that one is down.
"""

import random
import socket
from pathlib import Path

__all__ = ["free_port"]

_FIRST, _AFTER = 10_000, 32_768
_given: set[int] = set()


def free_port() -> int:
    """A port that was free a moment ago; never the same twice in this process."""
    while True:
        port = random.SystemRandom().randrange(_FIRST, _after())
        if port in _given:
            continue
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        _given.add(port)
        return port


def _after() -> int:
    """The first port that the kernel takes for calling out, where there is room below it."""
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return _AFTER
    return first if first > 2 * _FIRST else _AFTER
