"""Choosing among the changes of a suggestion by keys; each choice is on the disk before it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.hunk_wording import wording
from cekura_tui.model.prose_diff import Hunk
from cekura_tui.model.staging import Choice, Choices
from cekura_tui.ui.board import Board
from cekura_tui.ui.screens.improving import Improving
from cekura_tui.ui.screens.page import Page
from cekura_tui.ui.widgets.keys_in_order import KeysInOrder
from cekura_tui.ui.widgets.prose_diff import ProseDiffView
from cekura_tui.ui.widgets.suggestion_words import accepted_words, undone_words

if TYPE_CHECKING:
    from cekura_tui.workspace.session import Session
    from cekura_tui.workspace.suggestions import Reading, Step

_CHOOSING = ("accept", "reject", "edit", "accept_all", "undo")
_Told = Callable[[Choices, Choices], str]
"""What to say of choices before and after; perhaps nothing."""


class SuggestionKeys(KeysInOrder, Improving):
    """A page with one suggestion, of which each change may be taken, left or worded otherwise."""

    def __init__(self, board: Board, number: int) -> None:
        super().__init__(board)
        self.number = number
        self.reading: Reading | None = None
        self._typed: dict[str, str] = {}
        """What was typed into a change and not taken, by the key of the change; it is on the disk, too."""

    def draw(self) -> None:
        """Show the suggestion as it is known."""
        raise NotImplementedError

    @property
    def hunk(self) -> Hunk | None:
        """The change under the cursor."""
        return self.query_one(ProseDiffView).hunk if self.reading is not None else None

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to choose."""
        return self.reading is not None and not self.reading.diff.is_same

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is chosen where nothing changes, or before it is read."""
        return self.has_changes if action in _CHOOSING else super().check_action(action, parameters)

    def action_accept(self) -> None:
        """Take the change under the cursor."""
        self._choose("accepted")

    def action_reject(self) -> None:
        """Leave the change under the cursor out."""
        self._choose("rejected")

    def _choose(self, what: Literal["accepted", "rejected"]) -> None:
        if (hunk := self._meant()) is not None:
            self._put(hunk, Choice(what))

    def _meant(self) -> Hunk | None:
        if (hunk := self.hunk) is None and self.has_changes:
            self.tell("The cursor is on no change: n goes to the next, N to the one before.")
        return hunk

    def _put(self, hunk: Hunk, choice: Choice, told: _Told = lambda before, after: "") -> None:
        if (reading := self.reading) is not None:
            made = {hunk.number: choice}
            self._stage(lambda session: session.suggestions.choose(self.number, reading.diff, made), told)

    def action_accept_all(self) -> None:
        """Take every change: what is staged is the proposal then, to the byte."""
        if (reading := self.reading) is None:
            return
        diff, all_of_them = reading.diff, {hunk.number: Choice("accepted") for hunk in reading.diff.hunks}
        self._stage(lambda session: session.suggestions.choose(self.number, diff, all_of_them), accepted_words)

    def action_undo(self) -> None:
        """Take the last step back."""
        if (reading := self.reading) is None:
            return

        def told(before: Choices, after: Choices) -> str:
            """What was typed and is no longer chosen is not lost."""
            for number, choice in before.items():
                if choice.what == "edited" and after.get(number) != choice:
                    self._keep_typed(reading.diff.hunks[number - 1].key, choice.text)
            return undone_words(before, after)

        self._stage(lambda session: session.suggestions.undo(self.number, reading.diff), told)

    def _stage(self, ask: Callable[[Session], Awaitable[Step]], told: _Told = lambda before, after: "") -> None:
        """Have it done in turn, also where this page is left meanwhile."""
        try:
            done = self.board.workspace.send(ask)
        except CekuraTuiError as error:
            self.tell(error.sentence(), warning=True)
            return
        self.app.run_worker(self._await_choices(done, told), group="staging")

    async def _await_choices(self, done: Future[Step], told: _Told) -> None:
        try:
            step = await asyncio.shield(asyncio.wrap_future(done))
        except CekuraTuiError as error:
            pages = [screen for screen in self.app.screen_stack if isinstance(screen, Page)]
            page = self if self.is_attached or not pages else pages[-1]
            page.tell(f"Nothing was chosen, for it could not be kept. {error.sentence()}", warning=True)
            return
        if self.gone or self.reading is None:
            return
        self.reading = replace(self.reading, choices=step.now)
        self.draw()
        if words := told(step.before, step.now):
            self.tell(words)

    # Editing

    def action_edit(self) -> None:
        """Word the change under the cursor otherwise."""
        hunk, reading = self._meant(), self.reading
        if hunk is None or reading is None:
            return
        if not hunk.has_text:
            self.tell("There are no words to edit in this change: take it or leave it.")
            return
        from cekura_tui.ui.dialogs.edit_hunk import Edited, EditHunkDialog

        chosen = reading.choices.get(hunk.number)
        words = wording(reading.diff, hunk)
        text = chosen.text if chosen and chosen.what == "edited" else words.begin
        title = f"Edit change {hunk.number} of {len(reading.diff.hunks)} · {hunk.place}"
        typed, home = self._typed.get(hunk.key, text), self.board.workspace.setup.paths.home

        def keep(now: str | None) -> None:
            """Keep what is typed, also for who comes back after a crash."""
            self._keep_typed(hunk.key, now if now != text else None)

        def taken(before: Choices, after: Choices) -> str:
            keep(None)
            return ""

        def ended(edited: Edited | None) -> None:
            if edited is not None and edited.taken:
                self._typed[hunk.key] = edited.text  # until that is kept
                self._put(hunk, words.choice(edited.text), taken)
            elif edited is not None:
                keep(edited.text)
                if hunk.key in self._typed:
                    self.tell("What you typed is not taken, but kept: e opens it again.")

        # At once, not by a worker: the keys that came together with this one are for the box.
        self.app.push_screen(EditHunkDialog(title, words.sent, typed, home, keep, others=words.others), ended)

    def _keep_typed(self, key: str, text: str | None) -> None:
        if text is None and key not in self._typed:
            return
        if text is None:
            del self._typed[key]
        else:
            self._typed[key] = text
        try:
            done = self.board.workspace.send(lambda session: session.suggestions.keep_typed(self.number, key, text))
        except CekuraTuiError:
            return  # the program is closing
        self.app.run_worker(self._await_typed(done), group="typed")

    async def _await_typed(self, done: Future[None]) -> None:
        try:
            await asyncio.shield(asyncio.wrap_future(done))
        except CekuraTuiError as error:
            self.tell(f"What you typed is not on the disk yet. {error.sentence()}", warning=True)
