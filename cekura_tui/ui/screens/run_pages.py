"""The pages of runs that the list shows: from the cache at first, then as the server tells them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.scope import Scope
from cekura_tui.model.view import RunRow

if TYPE_CHECKING:
    from cekura_tui.store.runs import SeenRuns
    from cekura_tui.workspace.workspace import Workspace

PAGE = 100


class RunPages:
    """Rows by id, each once, newest first. `scope` is what they are of; None until it is known."""

    def __init__(self, scope: Scope | None, cached: SeenRuns | None) -> None:
        self.scope = scope
        self.cached = cached
        self.fresh: SeenRuns | None = None
        self.failures = False
        self._loaded = 0
        self._loading = False

    @property
    def wanted(self) -> Scope:
        """The scope with what narrows it."""
        assert self.scope is not None
        return replace(self.scope, failures=self.failures)

    @property
    def shown(self) -> SeenRuns | None:
        """The list as it is shown: as it was got last, else as it was cached."""
        return self.fresh or (None if self.failures else self.cached)

    @property
    def rows(self) -> Sequence[RunRow]:
        """What is loaded."""
        return self.shown.rows if self.shown else ()

    @property
    def count(self) -> int | None:
        """How many runs there are in all, if that is known."""
        return self.shown.count if self.shown else None

    @property
    def got_at(self) -> float | None:
        """When the newest page was got."""
        return self.shown.got_at if self.shown else None

    def freshness(self, error: CekuraTuiError | None, when: Callable[[float | None], str]) -> str:
        """How new the list is, in words; `error` is why it could not be read."""
        at = when(self.got_at) if self.got_at else ""
        if error is not None:
            return f"! {error.title.lower()}, r retries" + (f"; as of {at}" if at else "")
        if not at:
            return "loading"
        return f"cached, {at}" if self.fresh is None else f"as of {at}"

    @property
    def more(self) -> bool:
        """Whether another page may be fetched."""
        fresh = self.fresh
        # Either may be wrong; a page that brings nothing new is the end all the same.
        return fresh is not None and not self._loading and (fresh.more or len(fresh.rows) < fresh.count)

    def clear(self) -> None:
        """Forget what is loaded: it is of another scope."""
        self.fresh = self.cached = None
        self._loaded = 0

    async def refresh(self, workspace: Workspace) -> None:
        """Read as many pages as were loaded, at least the first."""
        scope, pages = self.wanted, max(self._loaded, 1)
        merged: SeenRuns | None = None
        for page in range(1, pages + 1):
            got = await self._get(workspace, scope, page)
            merged = got if merged is None else _merge(merged, got)
            if not got.rows:
                break
        if scope == self.wanted:
            self.fresh, self._loaded = merged, pages

    async def look_again(self, workspace: Workspace) -> None:
        """Read the first page of a list that is there; the rest stays, unless so much is new that it does not join."""
        scope = self.wanted
        got = await self._get(workspace, scope, 1)
        have = self.fresh
        if have is None or scope != self.wanted:
            return
        if {row.id for row in got.rows} & {row.id for row in have.rows}:
            self.fresh = replace(_merge(have, got), got_at=got.got_at, more=have.more)
        else:
            await self.refresh(workspace)

    async def next(self, workspace: Workspace) -> bool:
        """Read the next page; False where another is on its way or the scope changed meanwhile."""
        if not self.more or self.fresh is None:
            return False
        scope, page = self.wanted, self._loaded + 1
        self._loading = True
        try:
            got = await self._get(workspace, scope, page)
        finally:
            self._loading = False
        if scope != self.wanted or self.fresh is None:
            return False
        self._loaded = page
        merged = _merge(self.fresh, got)
        if len(merged.rows) == len(self.fresh.rows):
            merged = replace(merged, count=len(merged.rows), more=False)
        self.fresh = merged
        return True

    async def _get(self, workspace: Workspace, scope: Scope, page: int) -> SeenRuns:
        return await workspace.call(lambda session: session.runs(scope, page))

    async def name_scope(self, workspace: Workspace) -> bool:
        """Find the name of a project that was given by number; True where there is one now."""
        scope = self.scope
        if scope is None or scope.name or scope.kind != "project":
            return False
        try:
            projects = await workspace.call(lambda session: session.projects())
        except CekuraTuiError:
            return False  # the number will do
        for project in projects:
            if project.id == scope.id and self.scope == scope:
                self.scope = replace(scope, name=project.name)
                return True
        return False


def _merge(have: SeenRuns, got: SeenRuns) -> SeenRuns:
    rows = {row.id: row for row in have.rows} | {row.id: row for row in got.rows}
    newest_first = tuple(rows[number] for number in sorted(rows, reverse=True))
    return replace(have, count=got.count, rows=newest_first, more=got.more)
