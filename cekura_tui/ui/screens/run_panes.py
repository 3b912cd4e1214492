"""The panes of a run and the line that searches them: keys that come together are done in their order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Hashable
from typing import Self, TypeVar

from textual import events
from textual.message import Message
from textual.widgets import Input

from cekura_tui.model.run_details import DetailRow
from cekura_tui.model.turn import Turn
from cekura_tui.ui.widgets.find_line import FindLine
from cekura_tui.ui.widgets.keys_in_order import do_binding, passed_on
from cekura_tui.ui.widgets.run_details import RunDetails
from cekura_tui.ui.widgets.transcript import Transcript
from cekura_tui.ui.widgets.verdicts import VerdictRow, Verdicts
from cekura_tui.ui.widgets.virtual_list import VirtualList

R = TypeVar("R")
_ON_AND_ON = ("left_square_bracket", "right_square_bracket")
"""One may go on to other runs without looking at those between."""
_PATIENCE = 1.0
"""Seconds that a key waits for a run that one is on the way to."""


class _Pane(VirtualList[R]):
    """What is opened is told by a call at once: a message would come after the keys that are already there."""

    _opened: Callable[[Hashable], None] | None = None

    def calling(self, opened: Callable[[Hashable], None]) -> Self:
        """Have this called with the key of what is opened."""
        self._opened = opened
        return self

    async def _on_key(self, event: events.Key) -> None:
        arrived = getattr(self.screen, "arrived", None)
        if isinstance(arrived, asyncio.Event) and not arrived.is_set() and event.key not in _ON_AND_ON:
            # What comes after the key that leads to another run is for that one.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(arrived.wait(), _PATIENCE)
        if not await passed_on(self, event):
            await do_binding(self, event)

    def action_open(self) -> None:
        """Enter on a row that is not unfolded by it."""
        if self.cursor_key is not None and self._opened is not None:
            self._opened(self.cursor_key)


class TranscriptPane(Transcript, _Pane[Turn]):
    """What was said. `moved` is called with the turn of the cursor at once, so that one drawing shows it everywhere."""

    def __init__(self, moved: Callable[[Hashable], None], *, id: str) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._moved = moved

    def cursor_moved(self) -> None:
        """The cursor is on another turn, or on none."""
        self._moved(self.cursor_key)


class VerdictsPane(Verdicts, _Pane[VerdictRow]):
    """How it was judged."""


class DetailsPane(RunDetails, _Pane[DetailRow]):
    """Everything else."""


class RunFind(FindLine):
    """`ended` is called with what was entered, "" for no search after all, and the turn at which it began."""

    def __init__(self, ended: Callable[[str, int | None], None]) -> None:
        super().__init__()
        self._ended = ended

    def begin(self, text: str, at: object) -> None:
        """Show it; the next key is for the line."""
        line = self.query_one(Input)
        line.can_focus = True
        super().begin(text, at)
        self.screen.set_focus(line)

    def close(self, message: Message) -> None:
        """Hide it; the next key is for the pane."""
        super().close(message)
        # Where it was opened a moment ago, the focus is still on its way to it.
        self.query_one(Input).can_focus = False
        text = self.query_one(Input).value if isinstance(message, self.Entered) else ""
        self._ended(text, self._begun_at if isinstance(self._begun_at, int) else None)

    @property
    def is_open(self) -> bool:
        """Whether somebody types in it."""
        return self.has_class("-open")
