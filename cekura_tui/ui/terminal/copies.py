"""Copy texts in the background, one after the other, and report each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from cekura_tui.ui.terminal.notifications import write_around

if TYPE_CHECKING:
    from cekura_tui.ui.terminal.clipboard import Copied


class Copies:
    """`text` is the last copied text; `file` keeps a text whose copy is not confirmed."""

    def __init__(self, app: App[None], file: Path) -> None:
        self.text = ""
        self._app, self._file = app, file
        self._turn = asyncio.Lock()

    def copy(self, text: str, what: str) -> None:
        """Copy an exact text and report the result; `what` names it: "the prompt"."""
        self.text = text
        self._app.run_worker(self._copy(text, what), name=f"copying {what}", group="copy")

    async def _copy(self, text: str, what: str) -> None:
        from cekura_tui.ui.terminal.clipboard import LARGE

        async with self._turn:  # the last copy must win
            sent: list[str] = []
            copied, message = await asyncio.to_thread(self._carry_out, text, what, sent.append)
            write_around(self._app, "".join(sent))  # not in the thread: the end of the program waits for that
        doubtful = not copied.ways or (copied.size > LARGE and not copied.sure)
        self._app.notify(message, severity="warning" if doubtful else "information", markup=False, timeout=8)

    def _carry_out(self, text: str, what: str, write: Callable[[str], None]) -> tuple[Copied, str]:
        from cekura_tui.ui.terminal.clipboard import copy, copy_message, save_copied, ways

        env = dict(os.environ)
        copied = copy(text, ways(env), env, write)
        if copied.sure or not text:
            return copied, copy_message(copied, what, None)
        trouble = save_copied(text, self._file)
        return copied, copy_message(copied, what, None if trouble else self._file, trouble)
