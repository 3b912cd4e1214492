"""The runs that a job is to learn from, read and checked."""

from __future__ import annotations

from dataclasses import dataclass

from cekura_tui.model.view import RunView


@dataclass(frozen=True, slots=True)
class Improvable:
    """One to three runs of one agent, read and checked, and what a job could focus on."""

    views: tuple[RunView, ...]
    agent_id: int | None
    agent_name: str

    @property
    def run_ids(self) -> tuple[int, ...]:
        """The runs' ids."""
        return tuple(view.row.id for view in self.views)

    def focuses(self) -> list[tuple[str, int, str]]:
        """What these runs offer as a focus: ("metric" or "category", id, name), each once."""
        found: dict[tuple[str, int], str] = {}
        for verdict in (verdict for view in self.views for verdict in view.verdicts):
            if verdict.id is not None and verdict.source == "critical_category":
                found["category", verdict.id] = verdict.name
            elif verdict.id is not None and verdict.workflow:
                found["metric", verdict.id] = verdict.name
        return [(kind, number, name) for (kind, number), name in found.items()]
