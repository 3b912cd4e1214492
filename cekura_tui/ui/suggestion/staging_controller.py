"""Choosing among the hunks of a suggestion: each choice is on the disk before it is shown."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import count
from cekura_tui.prose.staging import Choices, HunkChoice, wording

if TYPE_CHECKING:
    from cekura_tui.prose.diff import Hunk, ProseDiff
    from cekura_tui.workspace.suggestions import OpenedSuggestion, StagingService, StagingStep
    from cekura_tui.workspace.workspace import Workspace

Step = Coroutine[Any, Any, str]
"""A step that was begun; awaited, it ends on the disk and gives the message for it, perhaps none."""


class TypedTexts:
    """Saves what is typed into the changes of a job's suggestion, and into conflicts with the agent's prompt.

    `run` runs a coroutine to its end, also where a page is left meanwhile. `warn` is called with a sentence where
    something cannot be saved, and with whether that was so the last time as well.
    """

    def __init__(
        self,
        workspace: Workspace,
        number: int,
        run: Callable[[Coroutine[Any, Any, None]], object],
        warn: Callable[[str, bool], object],
    ) -> None:
        self._workspace, self._number = workspace, number
        self._run, self._warn = run, warn
        self._failed = False

    def save(self, key: str, text: str | None) -> None:
        """Save what is typed into the hunk or the conflict of this key; None forgets it."""
        try:
            saving = self._workspace.send(lambda session: session.staging.save_typed(self._number, key, text))
        except CekuraTuiError:
            return  # the program is closing
        self._run(self._finish(saving))

    async def _finish(self, saving: Future[None]) -> None:
        try:
            await asyncio.shield(asyncio.wrap_future(saving))
        except CekuraTuiError as error:
            self._warn(f"What you typed is not on the disk yet. {error.sentence()}", self._failed)
            self._failed = True
        else:
            self._failed = False


class StagingController:
    """One suggestion, what is chosen of it, and what was typed into its hunks and not applied. Knows no widgets.

    Steps are begun in the order in which they are called, and done also where nobody waits. To begin one raises Closed
    while the program closes; to await it raises StoreError, and then nothing was chosen.
    """

    def __init__(self, workspace: Workspace, number: int, saved: TypedTexts) -> None:
        self.number = number
        self.opened: OpenedSuggestion | None = None
        self._workspace, self._saved = workspace, saved
        self._typed: dict[str, str] = {}
        """What was typed and not applied, by the key of the hunk."""

    async def load(self) -> None:
        """Read the suggestion with what is chosen by now, in any window; raises CekuraTuiError."""
        opened = await self._workspace.call(lambda session: session.suggestions.open(self.number))
        if self.opened is None:
            self._typed.update(opened.typed)
        self.opened = opened

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to choose."""
        return self.opened is not None and not self.opened.diff.is_same

    def choose(self, hunk: Hunk, choice: HunkChoice) -> Step:
        """Accept or reject a hunk."""
        return self._begin(lambda staging, diff: staging.choose(self.number, diff, {hunk.number: choice}))

    def accept_all(self) -> Step:
        """Accept every hunk: what is staged then is the proposal, to the byte."""
        made = {hunk.number: HunkChoice("accepted") for hunk in self._diff.hunks}
        return self._begin(lambda staging, diff: staging.choose(self.number, diff, made), accepted_message)

    def undo(self) -> Step:
        """Take the last step back; what was typed and is no longer chosen is not lost."""
        diff = self._diff

        def undone(before: Choices, after: Choices) -> str:
            for number, choice in before.items():
                if choice.what == "edited" and after.get(number) != choice:
                    self._set_typed(diff.hunks[number - 1].key, choice.text)
            return undone_message(before, after)

        return self._begin(lambda staging, diff: staging.undo(self.number, diff), undone)

    def edit(self, hunk: Hunk, text: str) -> Step:
        """Have these words in the place of a hunk."""
        self._typed[hunk.key] = text  # until the choice is saved
        choice = wording(self._diff, hunk).choice(text)

        def applied(before: Choices, after: Choices) -> str:
            self._set_typed(hunk.key, None)
            return ""

        return self._begin(lambda staging, diff: staging.choose(self.number, diff, {hunk.number: choice}), applied)

    def text_to_edit(self, hunk: Hunk) -> str:
        """What to begin with: what was typed and not applied, else what is chosen, else what is proposed."""
        return self._typed.get(hunk.key, self._words_of(hunk))

    def save_typed(self, hunk: Hunk, text: str) -> bool:
        """Save what was typed and not applied; returns whether there is anything that is not chosen anyway."""
        self._set_typed(hunk.key, None if text == self._words_of(hunk) else text)
        return hunk.key in self._typed

    def _words_of(self, hunk: Hunk) -> str:
        assert self.opened is not None
        chosen = self.opened.choices.get(hunk.number)
        return chosen.text if chosen and chosen.what == "edited" else wording(self._diff, hunk).begin

    def _set_typed(self, key: str, text: str | None) -> None:
        if text is not None:
            self._typed[key] = text
        elif self._typed.pop(key, None) is None:
            return
        self._saved.save(key, text)

    @property
    def _diff(self) -> ProseDiff:
        assert self.opened is not None
        return self.opened.diff

    def _begin(
        self,
        choose: Callable[[StagingService, ProseDiff], Awaitable[StagingStep]],
        message: Callable[[Choices, Choices], str] = lambda before, after: "",
    ) -> Step:
        diff = self._diff
        return self._end(self._workspace.send(lambda session: choose(session.staging, diff)), message)

    async def _end(self, step: Future[StagingStep], message: Callable[[Choices, Choices], str]) -> str:
        done = await asyncio.shield(asyncio.wrap_future(step))
        assert self.opened is not None
        self.opened = replace(self.opened, choices=done.after)
        return message(done.before, done.after)


def undone_message(before: Choices, after: Choices) -> str:
    """What became of the choices by taking back a step, as a sentence."""
    changed = [number for number in sorted({*before, *after}) if before.get(number) != after.get(number)]
    if not changed:
        return "There is nothing to take back."
    if len(changed) > 1:
        return f"Taken back: {count(len(changed), 'change')} are as they were before."
    was, now = before.get(changed[0]), after.get(changed[0])
    hint = " e opens what you typed." if was is not None and was.what == "edited" else ""
    return f"Taken back: change {changed[0]} is {now.what if now else 'undecided'} again.{hint}"


def accepted_message(before: Choices, after: Choices) -> str:
    """That all is accepted, and what was chosen otherwise before, as a sentence."""
    if before == after:
        return "All is accepted already."
    chosen = Counter[str](choice.what for choice in before.values())
    others = [f"{chosen[what]:,} {what}" for what in ("rejected", "edited") if chosen[what]]
    were = f" ({' and '.join(others)} before)" if others else ""
    return f"All is accepted: {count(len(after), 'change')}{were}. u takes that back."
