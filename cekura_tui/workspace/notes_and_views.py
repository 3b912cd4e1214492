"""What a person wrote about runs on this machine: notes, views and the filters used."""

from __future__ import annotations

import time
from collections.abc import Callable

from cekura_tui.model.errors import UsageError
from cekura_tui.model.filter.filter import GIVEN_VIEWS
from cekura_tui.model.run.columns import RunColumns, read_columns
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import clean_line
from cekura_tui.store.store import Store

LONGEST_NOTE, LONGEST_NAME, LONGEST_FILTER = 4_000, 60, 2_000
"""Characters of what a person types."""


class RunNotes:
    """Notes on runs. Methods raise StoreError, and UsageError for a text that is too long."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._notes, self._clock = store.notes, clock

    async def save(self, run_id: int, text: str) -> None:
        """Save the note of a run as typed; a blank one removes it."""
        self._notes.put(run_id, _bounded("note", text, LONGEST_NOTE) if text.strip() else "", self._clock())

    async def save_draft(self, run_id: int, text: str) -> None:
        """Save an unfinished note, however long; an empty text discards it."""
        self._notes.put_draft(run_id, text)


class SavedViews:
    """Filters as text. Methods raise StoreError, and UsageError for a text that is too long."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._views, self._clock = store.views, clock
        self._remembers = not store.database.unwritable

    async def save(self, name: str, text: str) -> None:
        """Save a filter under a name, replacing the former one."""
        name = name.strip()
        if not name:
            raise UsageError("The view has no name.", "Type a name.")
        if any(view.name.casefold() == name.casefold() for view in GIVEN_VIEWS):
            raise UsageError(f"Can't change the built-in view {clean_line(name)}.", "Choose another name.")
        name, text = _bounded("name", name, LONGEST_NAME), _bounded("filter", text, LONGEST_FILTER)
        self._views.save(name, text, self._clock())

    async def delete(self, name: str) -> None:
        self._views.forget(name)

    async def add_to_history(self, text: str) -> None:
        """Add a filter to the history; an empty one is ignored."""
        if text and self._remembers:
            self._views.use(_bounded("filter", text, LONGEST_FILTER), self._clock())

    async def save_last_of(self, scope: Scope, text: str) -> None:
        if self._remembers:
            self._views.save_last_filter(scope.text, _bounded("filter", text, LONGEST_FILTER))

    async def columns(self) -> dict[str, RunColumns]:
        """The chosen columns of the run list by filter; "" is for all others."""
        return {text: read_columns(stored) for text, stored in self._views.columns().items()}

    async def save_columns(self, text: str, columns: RunColumns) -> None:
        """Remember the columns of a filter, or forget them if they are the default ones."""
        text = _bounded("filter", text, LONGEST_FILTER)
        self._views.save_columns(text, columns.text if columns.chosen else "")


def _bounded(what: str, text: str, limit: int) -> str:
    if len(text) > limit:
        raise UsageError(f"The {what} has {len(text):,} characters; the limit is {limit:,}.", f"Shorten the {what}.")
    return text
