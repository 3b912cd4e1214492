"""Call a function once after a burst of key presses or other events."""

from __future__ import annotations

from collections.abc import Callable

from textual.message_pump import MessagePump
from textual.timer import Timer


class Debounce:
    """Calls `call` once, `seconds` after the last `start()`, or with `postponed=False` after the first."""

    def __init__(
        self, node: MessagePump, seconds: float, call: Callable[[], object], *, postponed: bool = True
    ) -> None:
        self._node, self._seconds, self._call, self._postponed = node, seconds, call, postponed
        self._timer: Timer | None = None

    @property
    def is_waiting(self) -> bool:
        return self._timer is not None

    def start(self) -> None:
        if self._postponed:
            self.stop()
        if self._timer is None:
            self._timer = self._node.set_timer(self._seconds, self._end)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _end(self) -> None:
        self._timer = None
        self._call()
