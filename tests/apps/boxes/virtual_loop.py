"""An event loop that never waits: where nothing is to be done now, its clock jumps to what is next."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Jumping(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found:
            assert timeout is not None, "nothing will ever happen again"
            self.now_s += max(timeout, 0)
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """For what lives in this one process and thread; sockets and other processes have no part in it."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


class LoopClock:
    """A box's clock that goes with such a loop; see `prewatt.apps.boxes.clock.BoxClock`."""

    speed = 1

    def __init__(self, start_s: int) -> None:
        self._start_s = start_s

    def line_ms(self) -> int:
        return int(asyncio.get_running_loop().time() * 1_000)

    def now_s(self) -> int:
        return self._start_s + int(asyncio.get_running_loop().time())


def run_virtually(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(work)
