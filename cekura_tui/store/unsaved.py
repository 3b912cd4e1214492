"""Saves what the user typed and decided, in order, and retries while the database is locked or the disk is full."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cekura_tui.config.atomic_file import atomic_file
from cekura_tui.config.own_file import read_own
from cekura_tui.model.text import count
from cekura_tui.store.errors import RestartNeeded, Unavailable

RETRY, MOMENT = 1.0, 1.0
"""Seconds between two tries while the database is unavailable, and to wait for input when the user leaves."""
_NAMES = {"draft": "draft", "choice": "decision", "undo": "decision", "typed": "text", "note": "note"} | {
    "note-draft": "typed note",
    "view": "view",
    "columns": "choice of columns",
}
"""Names of inputs by kind. Inputs of other kinds are retried, but neither shown nor kept in the file."""

Slot = tuple[Any, ...]
"""What an input replaces: the kind of the input, then its place, such as ("note", 48213)."""


@dataclass(eq=False, slots=True)
class _Input:
    value: Any
    write: Callable[[], Awaitable[Any]]
    futures: list[Future[Any]]


class UnsavedInput:
    """The latest input of each slot that is not saved yet. While the database is unavailable, a file has them too, for
    the next start. `changed` is called on the event loop when `sentence` changes."""

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self._inputs: dict[Slot, _Input] = {}
        self._lock, self._saving, self._is_retrying = threading.RLock(), asyncio.Lock(), False
        self._reason, self._file, self._header = "", Path(), [""]
        self.kept: Path | None = None
        """The file with the inputs; None if there is no file."""

    def open(self, database: Path, account: tuple[str, str], owner: str) -> None:
        """Use another database. `owner` names this process."""
        self._inputs, self.kept, self._header = {}, None, [*account, owner]
        self._file = database.with_name(f"{database.name}-unsaved-{os.urandom(4).hex()}.json")

    def put(self, slot: Slot, value: Any, write: Callable[[], Awaitable[Any]]) -> Future[Any]:
        """Replace the input of a slot; thread-safe. The future gets the result or the error of `write`, or of a later
        input of the slot, and stays open while the database is unavailable. The file has `value`."""
        future = Future[Any]()
        future.set_running_or_notify_cancel()  # a caller that stops waiting does not cancel it
        with self._lock:
            former = self._inputs.pop(slot, None)
            self._inputs[slot] = _Input(value, write, [*(former.futures if former else ()), future])
        return future

    def drop(self, slot: Slot) -> None:
        self._inputs.pop(slot, None)

    def latest(self, slot: Slot, saved: Any) -> Any:
        """The unsaved value of a slot, or `saved` if there is none."""
        return unsaved.value if (unsaved := self._inputs.get(slot)) is not None else saved

    @property
    def _shown(self) -> dict[Slot, _Input]:
        return {slot: one for slot, one in list(self._inputs.items()) if slot[0] in _NAMES}

    @property
    def sentence(self) -> str:
        """What can't be saved now and why; empty if all can be saved."""
        names = Counter(_NAMES[slot[0]] for slot in self._shown)
        what = ", ".join(count(number, name) for name, number in names.items())
        return f"Not saved yet: {what} ({self._reason})." if what and self._reason else ""

    async def save(self) -> None:
        """Save all inputs; retry until all are saved, unless another call retries already."""
        retries, self._is_retrying = not self._is_retrying, True
        try:
            while not await self.try_once() and retries:
                self._changed()
                await asyncio.sleep(RETRY)
        finally:
            self._is_retrying = self._is_retrying and not retries

    async def try_once(self) -> bool:
        """Save all inputs in order; return False if the database is unavailable."""
        async with self._saving:
            before, self._reason = self._reason, ""
            while self._inputs and not self._reason:
                slot, one = next(iter(list(self._inputs.items())))
                try:
                    result = await one.write()
                except (Unavailable, RestartNeeded) as error:
                    self._reason = error.reason
                except Exception as error:  # for the callers, even an unexpected one
                    self._end(slot, one, None, error)
                else:
                    self._end(slot, one, result, None)
            self.keep()
        if before and not self._reason:
            self._changed()
        return not self._reason

    def _end(self, slot: Slot, one: _Input, result: Any, problem: Exception | None) -> None:
        with self._lock:
            if self._inputs.get(slot) is one:
                del self._inputs[slot]
        for future in one.futures:
            if not future.done():
                future.set_result(result) if problem is None else future.set_exception(problem)

    async def settled(self) -> bool:
        """Wait a moment until all inputs are saved; return whether they are saved, or at least in the file."""
        if waiting := [asyncio.wrap_future(one.futures[-1]) for one in self._shown.values()]:
            await asyncio.wait(waiting, timeout=MOMENT)
        return self.keep()

    def keep(self) -> bool:
        """Write the file, or delete the file if all inputs are saved; return whether that succeeded; thread-safe."""
        with self._lock, contextlib.suppress(OSError):
            if inputs := [(slot, one.value) for slot, one in self._shown.items()]:
                with atomic_file(self._file) as file:
                    file.write(json.dumps({"of": self._header, "inputs": inputs}, default=asdict).encode())
                self.kept = self._file
            elif self.kept is not None:
                self.kept.unlink(missing_ok=True)
                self.kept = None
            return True
        return False

    def left_behind(self, is_alive: Callable[[str], bool]) -> Iterator[tuple[Path, Slot, Any]]:
        """The inputs that ended processes of this account could not save, each with its file."""
        for path in sorted(self._file.parent.glob(f"{self._file.name.rpartition('-')[0]}-*.json")):
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
                found = json.loads(read_own(path))
                if found["of"][:-1] == self._header[:-1] and not is_alive(found["of"][-1]):
                    yield from ((path, tuple(slot), value) for slot, value in found["inputs"])
