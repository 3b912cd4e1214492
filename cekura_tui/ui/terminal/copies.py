"""Copy texts to the clipboard in the background, and report each result."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from cekura_tui.ui.terminal.notifications import write_between_frames

if TYPE_CHECKING:
    from cekura_tui.ui.terminal.clipboard import Copied


class Copies:
    """Copies texts one at a time. `text` is the text copied last; an unconfirmed copy is also saved to `file`."""

    def __init__(self, app: App[None], file: Path) -> None:
        self.text = ""
        self._app, self._file = app, file
        self._lock = asyncio.Lock()

    def copy(self, text: str, what: str) -> None:
        """Copy an exact text and report the result; `what` names the text, for example "the prompt"."""
        self.text = text
        self._app.run_worker(self._copy(text, what), name=f"copying {what}", group="copy")

    async def _copy(self, text: str, what: str) -> None:
        from cekura_tui.ui.terminal.clipboard import LARGE

        async with self._lock:  # in order: the last copy must win
            sent: list[str] = []
            copied, message = await asyncio.to_thread(self._copy_in_thread, text, what, sent.append)
            write_between_frames(self._app, "".join(sent))  # a blocked write in the thread would delay quitting
        warns = not copied.methods or (copied.size > LARGE and not copied.confirmed)
        self._app.notify(message, severity="warning" if warns else "information", markup=False, timeout=8)

    def _copy_in_thread(self, text: str, what: str, write: Callable[[str], None]) -> tuple[Copied, str]:
        from cekura_tui.ui.terminal.clipboard import copy, copy_message, copy_methods, save_copied

        env = dict(os.environ)
        copied = copy(text, copy_methods(env), env, write)
        if copied.confirmed or not text:
            return copied, copy_message(copied, what, None)
        save_error = save_copied(text, self._file)
        return copied, copy_message(copied, what, None if save_error else self._file, save_error)
