"""Looking for garbage while nobody waits for an answer."""

from __future__ import annotations

import gc
import time

from textual.app import App
from textual.timer import Timer

IDLE = 1.0
"""Seconds without a key after which nobody waits."""
_DUE = 20
"""Collections of the middle generation after which there is something to find: about a hundred keys."""
_RARELY = (700, 10, 50)
"""Thresholds by which Python looks through everything by itself."""


class GarbageWhenIdle:
    """What is drawn is garbage soon, and to find it Python looks through all that there is: for a tenth of a second, in
    which no key is answered, once a second while keys are held. Here that is done in a pause, and what is left after it
    is not looked at again before the next one."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._busy_at = 0.0
        self._timer: Timer | None = None
        gc.set_threshold(*_RARELY)

    def busy(self) -> None:
        """Somebody pressed a key, or the first frame is being made."""
        self._busy_at = time.monotonic()
        if self._timer is None:
            self._timer = self._app.set_timer(IDLE, self._look)

    def _look(self) -> None:
        left = self._busy_at + IDLE - time.monotonic()
        self._timer = self._app.set_timer(left, self._look) if left > 0 else None
        if self._timer is None and gc.get_count()[2] >= _DUE:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
