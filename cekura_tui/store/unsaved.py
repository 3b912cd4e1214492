"""Saves what the user typed and decided, in order, and retries while the database is unavailable."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from cekura_tui.config.atomic_file import atomic_file
from cekura_tui.config.own_file import read_own
from cekura_tui.model.text import count
from cekura_tui.store.errors import RestartNeeded, Unavailable

RETRY, MOMENT = 1.0, 1.0
"""Seconds between two tries while the database is unavailable, and to wait for input when the user leaves."""

Slot = tuple[Any, ...]
"""What an input replaces: the input's name on screen, then its place, such as ("note", 48213)."""


class _Input(NamedTuple):
    value: Any
    write: Callable[[], Awaitable[Any]]
    saved: Future[Any]


class UnsavedInput:
    """The latest input of each slot that is not saved yet. While the database is unavailable, a file has them too, for
    the next start. `changed` is called on the event loop when `sentence` changes."""

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self._inputs: dict[Slot, _Input] = {}
        self._lock, self._saving, self._is_retrying = threading.RLock(), asyncio.Lock(), False
        self._reason, self._header = "", [""]
        self.file = Path()
        """The file with the inputs; missing if all are saved."""

    def open(self, database: Path, account: tuple[str, str], owner: str) -> None:
        """Use another database. `owner` names this process."""
        self._inputs, self._header = {}, [*account, owner]
        self.file = database.with_name(f"{database.name}-unsaved-{time.time_ns()}.json")

    def put(self, slot: Slot, value: Any, write: Callable[[], Awaitable[Any]]) -> Future[Any]:
        """Replace the input of a slot; thread-safe. The future gets the result or the error of `write`, or of a later
        input of the slot, and stays open while the database is unavailable. The file has `value`."""
        with self._lock:
            former = self._inputs.pop(slot, None)
            saved = former.saved if former else Future[Any]()
            self._inputs[slot] = _Input(value, write, saved)
        return saved

    def drop(self, slot: Slot) -> None:
        self._inputs.pop(slot, None)

    def latest(self, slot: Slot, saved: Any) -> Any:
        """The unsaved value of a slot, or `saved` if there is none."""
        return unsaved.value if (unsaved := self._inputs.get(slot)) is not None else saved

    @property
    def sentence(self) -> str:
        """What can't be saved now and why; empty if all can be saved."""
        names = Counter(name for name, *_ in list(self._inputs))
        what = ", ".join(count(number, name) for name, number in names.items())
        return f"Not saved yet: {what} ({self._reason})." if what and self._reason else ""

    async def save(self) -> None:
        """Save all inputs; retry until all are saved, unless another call retries already."""
        while not await self._try() and not self._is_retrying:
            self._is_retrying = True
            await asyncio.sleep(RETRY)
            self._is_retrying = False

    async def _try(self) -> bool:
        """Save all inputs in order; return False if the database is unavailable."""
        async with self._saving:
            reason, result, problem = "", None, None
            while self._inputs and not reason:
                slot, one = next(iter(list(self._inputs.items())))
                try:
                    result, problem = await one.write(), None
                except (Unavailable, RestartNeeded) as error:
                    reason = error.reason
                    continue
                except Exception as error:  # for the callers, even an unexpected one
                    result, problem = None, error
                with self._lock:
                    if self._inputs.get(slot) is not one:
                        continue  # a later input has replaced this one
                    del self._inputs[slot]
                one.saved.set_result(result) if problem is None else one.saved.set_exception(problem)
            self.keep()
            before, self._reason = self._reason, reason
        if before or reason:
            self._changed()
        return not reason

    async def settled(self) -> bool:
        """Wait a moment until all inputs are saved; return whether they are saved, or at least in the file."""
        await asyncio.to_thread(wait, [one.saved for one in list(self._inputs.values())], MOMENT)
        return self.keep()

    def keep(self) -> bool:
        """Write the file, or delete the file if all inputs are saved; return whether that succeeded; thread-safe."""
        with self._lock, contextlib.suppress(OSError):
            if inputs := [(slot, one.value) for slot, one in self._inputs.items()]:
                with atomic_file(self.file) as file:
                    file.write(json.dumps({"of": self._header, "inputs": inputs}, default=asdict).encode())
            else:
                self.file.unlink(missing_ok=True)
            return True
        return False

    def left_behind(self, is_alive: Callable[[str, float], bool]) -> Iterator[tuple[Slot, Any]]:
        """Take over the inputs that ended processes of this account, or this process before it changed the account,
        could not save. `is_alive` gets an owner and the seconds since its last try."""
        for path in sorted(self.file.parent.glob(f"{self.file.name.rpartition('-')[0]}-*.json")):
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
                found, age = json.loads(read_own(path)), time.time() - path.stat().st_mtime
                *account, owner = found["of"]
                if account == self._header[:-1] and (owner == self._header[-1] or not is_alive(owner, age)):
                    path.rename(self.file)  # succeeds in one of several processes
                    yield from ((tuple(slot), value) for slot, value in found["inputs"])
