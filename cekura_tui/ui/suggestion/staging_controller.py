"""Decides on the hunks of a suggestion. Each decision is saved before the decision is shown."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cekura_tui.model.text import Prompt, count
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.staging import Choices, HunkChoice, wording
from cekura_tui.ui.keymap import with_keys
from cekura_tui.workspace.suggestions import OpenedSuggestion, StagingStep, SuggestionReasons, dismissal
from cekura_tui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from cekura_tui.workspace.session import Session

Step = Coroutine[Any, Any, str]
"""A decision being saved. Awaiting the step returns the message to show, or ""."""
Write = Callable[["Session"], Coroutine[Any, Any, StagingStep]]
CHANGED_ELSEWHERE = "Another window or command changed the staged prompt."


class StagingController:
    """The choices of one suggestion and its unapplied texts, without widgets. Steps are saved in order, even unawaited,
    and retried. Starting one raises Closed while the app shuts down; awaiting one raises StoreError."""

    def __init__(self, workspace: Workspace, number: int) -> None:
        self.number = number
        self.opened: OpenedSuggestion | None = None
        self._workspace = workspace
        self._serial = 0
        """Serial number of the newest step that is shown."""
        self._typed: dict[str, str] = {}
        """Unapplied texts of this window, by hunk key. `opened.typed` has the saved texts."""
        self._pending: Counter[str] = Counter()
        """Number of choices that are being saved, by hunk key."""
        self.undone_key = ""
        """Key of the first hunk that the last undo changed; "" if the undo changed no hunk."""

    async def load(self) -> str:
        """Load the suggestion, unless it is loaded, then `reload_choices`; raises CekuraTuiError."""
        if self.opened is None:
            opened = await self._workspace.call(lambda session: session.suggestions.open(self.number))
            self.opened = self.opened or opened
        return await self.reload_choices()

    async def reload_choices(self) -> str:
        """Load the choices; return a sentence if another window changed them, else "". Raises StoreError."""
        diff = self.diff
        step, typed = await self._workspace.call(lambda session: session.staging.current(self.number, diff))
        self.opened = replace(self._loaded, typed=typed)
        return self._show(step)

    @property
    def has_changes(self) -> bool:
        return self.opened is not None and not self.opened.diff.is_same

    @property
    def _loaded(self) -> OpenedSuggestion:
        assert self.opened is not None
        return self.opened

    @property
    def diff(self) -> ProseDiff:
        return self._loaded.diff

    @property
    def staged(self) -> Prompt:
        return self._loaded.staged

    @property
    def undecided(self) -> list[int]:
        """Numbers of the undecided hunks, without hunks whose choice is being saved."""
        open_hunks = self.opened.undecided if self.opened is not None else []
        return [hunk.number for hunk in open_hunks if not self._pending[hunk.key]]

    def next_undecided(self, hunk: Hunk) -> int | None:
        """The number of the next undecided hunk after `hunk`, wrapping around; None if no other hunk is undecided."""
        numbers = [number for number in self.undecided if number != hunk.number]
        return next((number for number in numbers if number > hunk.number), next(iter(numbers), None))

    def choose(self, hunk: Hunk, choice: HunkChoice) -> Step:
        return self._choose(self.diff, {hunk.number: choice}, hunk.key)

    def accept_all(self) -> Step:
        """Accept every undecided hunk except text that the model put around its answer."""

        def accepted(step: StagingStep) -> str:
            return step.accepted_words + (with_keys(" · {suggestion.undo} undo") if step.changed else "")

        diff, made = self.diff, dict.fromkeys(self.undecided, HunkChoice("accepted"))
        write: Write = lambda session: session.staging.choose_all(self.number, diff)  # noqa: E731
        return self._choose(diff, made, message=accepted, write=write)

    def why_not_split(self, hunk: Hunk) -> str | None:
        """Why a hunk cannot be split, or why a part cannot be joined, as a sentence; None if there is no reason."""
        return replace(self._loaded, typed={**self._loaded.typed, **self._typed}).why_not_split(hunk)

    def split(self, hunk: Hunk) -> Step:
        """Split a hunk into its parts, or join a part with the other parts of the hunk. Choices are kept."""
        key, is_part = hunk.whole or hunk.key, bool(hunk.whole)

        def done(step: StagingStep) -> str:
            numbers = [one.number for one in step.diff.hunks if key in (one.key, one.whole)]
            if is_part or len(numbers) < 2:
                return ""
            return f"Split into {count(len(numbers), 'change')} · {with_keys('{suggestion.split} joins the parts')}"

        diff = self.diff
        split = self._workspace.send(lambda session: session.staging.split(self.number, diff, key, joined=is_part))
        return self._end(split, done)

    def undo(self) -> Step:
        """Undo the last step of this window. The text of an undone edit becomes an unapplied text."""

        def undone(step: StagingStep) -> str:
            self.undone_key = step.diff.hunks[step.changed[0] - 1].key if step.changed else ""
            for key, text in step.undone_texts.items():
                self._set_typed(key, text)
            hint = with_keys(" {suggestion.edit} opens your text.") if step.undone_texts else ""
            return step.undone_words + hint * (len(step.changed) == 1)

        diff = self.diff
        slot = ("decision", self.number, time.time_ns())
        step = self._workspace.save(slot, None, lambda session: session.staging.undo(self.number, diff))
        return self._end(step, undone)

    # `diff` is the one that the hunk's number belongs to: another window may split the hunk while it is edited.

    def edit(self, diff: ProseDiff, hunk: Hunk, text: str) -> Step:
        self._typed[hunk.key] = text  # kept until the choice is saved
        choice = wording(diff, hunk).choice(text)

        def applied(step: StagingStep) -> str:
            self._set_typed(hunk.key, None)
            return ""

        return self._choose(diff, {hunk.number: choice}, hunk.key, applied)

    def text_to_edit(self, diff: ProseDiff, hunk: Hunk) -> str:
        """The initial text for editing a hunk: the unapplied text if there is one, else the chosen or proposed text."""
        return self._typed.get(hunk.key, self._loaded.typed.get(hunk.key, self._chosen_text(diff, hunk)))

    def save_typed(self, diff: ProseDiff, hunk: Hunk, text: str) -> bool:
        """Save `text` as unapplied, unless it is the chosen text; return whether the hunk has unapplied text now."""
        self._set_typed(hunk.key, None if text == self._chosen_text(diff, hunk) else text)
        return hunk.key in self._typed or hunk.key in self._loaded.typed

    def _chosen_text(self, diff: ProseDiff, hunk: Hunk) -> str:
        return replace(self._loaded, diff=diff).text_of(hunk)

    def dismiss(self, hunk: Hunk, explained: SuggestionReasons) -> str:
        """Dismiss the facts of one call in a hunk, or show them again if all are dismissed; returns a message."""
        left = self._loaded.own_facts(explained, hunk)
        owners = (hunk.key,) if left else (hunk.key, hunk.whole, *hunk.parts)
        saved = {dismissal(key, fact) for key in owners for fact in left or explained.own_facts[hunk.key]}
        kept = {key: text for key, text in self._loaded.typed.items() if key not in saved}
        self.opened = replace(self._loaded, typed=kept | dict.fromkeys(saved if left else (), ""))
        for key in saved:
            self._workspace.put(("text", self.number, key), "" if left else None)
        return with_keys("Warning dismissed · {suggestion.dismiss} shows it again") if left else "Warning shown again"

    def _set_typed(self, key: str, text: str | None) -> None:
        if key not in self._typed and text == self._loaded.typed.get(key):
            return
        self._typed.pop(key, None)
        if text is not None:
            self._typed[key] = text
        self.opened = replace(self._loaded, typed={k: v for k, v in self._loaded.typed.items() if k != key})
        self._workspace.put(("text", self.number, key), text)

    def _choose(
        self,
        diff: ProseDiff,
        made: Choices,
        key: str = "",
        message: Callable[[StagingStep], str] = lambda step: "",
        write: Write | None = None,
    ) -> Step:
        """Start saving choices as one step. `key` is the key of the only hunk, or "" if there are several. `message`
        makes the message of the saved step. `write` saves the choices; by default, exactly those in `made`."""
        step = self._workspace.save(
            ("decision", self.number, time.time_ns()),
            {hunk.key: made[hunk.number] for hunk in diff.hunks if hunk.number in made},
            write or (lambda session: session.staging.choose(self.number, diff, made)),
        )
        return self._end(step, message, key)

    def _end(self, step: Future[StagingStep], message: Callable[[StagingStep], str], key: str = "") -> Step:
        self._pending[key] += 1

        async def end() -> str:
            try:
                done = await asyncio.shield(asyncio.wrap_future(step))
            finally:
                self._pending -= Counter((key,))
            return " ".join(filter(None, (self._show(done), message(done))))

        return end()

    def _show(self, step: StagingStep) -> str:
        """Use a step's choices, unless a newer step is shown; return a sentence if another window made changes."""
        if step.serial > self._serial:
            self._serial = step.serial
            self.opened = replace(self._loaded, diff=step.diff, chosen=step.after_by_key)
        return CHANGED_ELSEWHERE if step.changed_elsewhere else ""
