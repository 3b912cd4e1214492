"""The marked runs of the run list, which are compared, improved, copied and saved together."""

from __future__ import annotations

from collections.abc import Collection, Hashable

from cekura_tui.model.run.view import RunRow
from cekura_tui.ui.runs.list import RunList


class MarkedRuns:
    """The runs that are marked in a list, with their rows: those that are listed no more are still marked."""

    def __init__(self, runs: RunList) -> None:
        self._runs = runs
        self._rows: dict[int, RunRow] = {}

    @property
    def ids(self) -> list[int]:
        """The ids of the marked runs, the newest first; at once when they are marked."""
        return self._runs.marked_ids

    @property
    def rows(self) -> Collection[RunRow]:
        """Their rows, as they were when they were marked."""
        return self._rows.values()

    def update(self, keys: Collection[Hashable]) -> None:
        """These are marked now."""
        rows = {key: self._runs.row_of(key) or self._rows.get(key) for key in keys if isinstance(key, int)}
        self._rows = {key: row for key, row in rows.items() if row is not None}

    def clear(self) -> None:
        """Unmark all."""
        self._runs.marks = frozenset()
        self._rows = {}

    def chosen(self) -> list[RunRow]:
        """The marked runs as they are now, the newest first, else the one under the cursor."""
        ids = self.ids or ([self._runs.cursor_id] if self._runs.cursor_id is not None else [])
        rows = [self._runs.row_of(number) or self._rows.get(number) for number in ids]
        return [row for row in rows if row is not None]

    def facts(self) -> tuple[str, str]:
        """How many there are, for a title, and whether they can be improved together."""
        agents = len({row.agent_id for row in self.rows})
        return (
            f"{len(self.ids):,} marked" if self.ids else "",
            f"{agents} agents: improve takes runs of one" if agents > 1 else "",
        )

    def why_not_improve(self) -> str | None:
        """A job takes runs of one agent: names a run of each where they are of several."""
        newest = {row.agent_id: row for row in sorted(self.rows, key=lambda row: row.id)}
        if len(newest) < 2:
            return None
        rows = sorted(newest.values(), key=lambda row: row.id, reverse=True)[:3]
        return f"Mark runs of one agent only: {', '.join(f'{row.id} is of “{row.agent}”' for row in rows)}."
