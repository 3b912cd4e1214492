"""Links into the dashboard; a run is shown there inside its result."""

from __future__ import annotations

from collections.abc import Iterable

from cekura_tui.model.scope import Scope
from cekura_tui.model.text import clean_line
from cekura_tui.model.view import RunRow


def result_link(dashboard: str, row: RunRow, scope: Scope | None) -> str | None:
    """The page of a run's result; None where neither the run nor the list's scope tells the result or its project."""
    ids = {"project": row.project_id, "result": row.result_id}
    if scope is not None and scope.kind in ids and ids[scope.kind] is None:
        ids[scope.kind] = scope.id
    if None in ids.values():
        return None
    return f"{_base(dashboard)}/{ids['project']}/results/{ids['result']}"


def result_links(dashboard: str, rows: Iterable[RunRow], scope: Scope | None) -> tuple[str, ...]:
    """The pages of these runs' results, each once, in the order of the runs."""
    links = (result_link(dashboard, row, scope) for row in rows)
    return tuple(dict.fromkeys(link for link in links if link is not None))


def agent_link(dashboard: str, agent_id: int) -> str:
    """The page of an agent."""
    return f"{_base(dashboard)}/agents/{agent_id}"


def _base(dashboard: str) -> str:
    return clean_line(dashboard, max(len(dashboard), 1)).rstrip("/")
