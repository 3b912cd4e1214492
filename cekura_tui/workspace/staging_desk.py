"""Choosing among the hunks of a suggestion; what was chosen, and the text that it makes, survive everything."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from cekura_tui.model.prose_diff import ProseDiff
from cekura_tui.model.staging import Choice, Choices, staged
from cekura_tui.model.text import Prompt
from cekura_tui.store.stagings import TextOf
from cekura_tui.store.store import Store


class StagingDesk:
    """Of one session, on its loop. Methods raise StoreError.

    `number` is a job, `diff` what it proposes. Choices are by the number of a hunk of this diff, and are kept by what
    the hunk does, so that they are found again in a later diff of the same texts; those of other hunks are left alone.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._stagings, self._clock = store.stagings, clock

    async def choices(self, number: int, diff: ProseDiff) -> Choices:
        """What is chosen now, in any window."""
        return _by_number(diff, self._stagings.choices(number))

    async def staged(self, number: int) -> Prompt | None:
        """The text that was staged last, as a whole; None where nothing was chosen yet."""
        return self._stagings.staged(number)

    async def typed(self, number: int) -> dict[str, str]:
        """What was typed into hunks and not taken, and into conflicts with the agent's prompt, by their keys."""
        return self._stagings.typed(number)

    async def keep_typed(self, number: int, hunk: str, text: str | None) -> None:
        """Keep what is typed into the hunk or the conflict of this key; None forgets it."""
        self._stagings.keep_typed(number, hunk, text)

    async def choose(self, number: int, diff: ProseDiff, made: Mapping[int, Choice | None]) -> Choices:
        """Choose, as one step, and keep the text that comes of it; None puts a hunk back to undecided.

        Returns what is chosen now, with what another window chose meanwhile.
        """
        keys = {hunk.number: hunk.key for hunk in diff.hunks}
        by_key = {keys[hunk]: choice for hunk, choice in made.items()}
        return _by_number(diff, self._stagings.choose(number, by_key, self._clock(), _text_of(diff)))

    async def undo(self, number: int, diff: ProseDiff) -> Choices:
        """Take back the last step, whichever window took it; where there is none, nothing changes."""
        keys = {hunk.key for hunk in diff.hunks}
        return _by_number(diff, self._stagings.undo(number, keys, self._clock(), _text_of(diff)))


def _by_number(diff: ProseDiff, chosen: Mapping[str, Choice]) -> dict[int, Choice]:
    return {hunk.number: chosen[hunk.key] for hunk in diff.hunks if hunk.key in chosen}


def _text_of(diff: ProseDiff) -> TextOf:
    return lambda chosen: staged(diff, _by_number(diff, chosen))
