"""The user's notes, saved views and used filters on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable

from cekura_tui.model.errors import UsageError
from cekura_tui.model.filter.filter import BUILT_IN_VIEWS
from cekura_tui.model.run.columns import RunColumns, read_columns
from cekura_tui.model.text import clean_line
from cekura_tui.store.store import Store

LONGEST_NOTE, LONGEST_NAME, LONGEST_FILTER = 4_000, 60, 2_000
"""Maximum number of characters of a note, of a view's name, and of a filter."""


class RunNotes:
    """Notes on runs. Methods raise StoreError, and UsageError for a text that is too long."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._notes, self._clock = store.notes, clock

    async def save(self, run_id: int, text: str) -> None:
        """Save a run's note as typed; a blank text deletes the note."""
        self._notes.put(run_id, _bounded("note", text, LONGEST_NOTE) if text.strip() else "", self._clock())

    async def save_draft(self, run_id: int, text: str) -> None:
        """Save the unfinished text of a run's note, of any length; an empty text deletes the saved draft."""
        self._notes.put_draft(run_id, text)


class SavedViews:
    """Saved views, used filters and columns. Methods raise StoreError, and UsageError for too long a text."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._views, self._clock = store.views, clock
        self._remembers = not store.database.unwritable

    async def save(self, name: str, text: str | None) -> None:
        """Save a view, or delete it if `text` is None. Raises UsageError for an empty or a built-in view's name."""
        if text is None:
            self._views.forget(name)
            return
        name = name.strip()
        if not name:
            raise UsageError("The view has no name.", "Type a name.")
        if any(view.name.casefold() == name.casefold() for view in BUILT_IN_VIEWS):
            raise UsageError(f"Can't change the built-in view {clean_line(name)}.", "Choose another name.")
        name, text = _bounded("name", name, LONGEST_NAME), _bounded("filter", text, LONGEST_FILTER)
        self._views.save(name, text, self._clock())

    async def save_filter(self, scope: str, text: str) -> None:
        """Save the last filter of a scope and, without the group after a tab, in the history; not if read-only."""
        if self._remembers:
            self._views.save_last_filter(scope, _bounded("filter", text, LONGEST_FILTER))
            if text:
                self._views.use(text.partition("\t")[0], self._clock())

    async def columns(self) -> dict[str, RunColumns]:
        """The chosen columns of the run list by filter. The entry "" applies to filters without an entry."""
        return {text: read_columns(stored) for text, stored in self._views.columns().items()}

    async def save_columns(self, text: str, columns: str) -> None:
        """Save the columns for a filter as text; an empty text deletes the filter's saved columns."""
        self._views.save_columns(_bounded("filter", text, LONGEST_FILTER), columns)


def _bounded(what: str, text: str, limit: int) -> str:
    if len(text) > limit:
        raise UsageError(f"The {what} has {len(text):,} characters; the limit is {limit:,}.", f"Shorten the {what}.")
    return text
