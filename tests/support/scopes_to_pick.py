"""The dialog that picks a scope, and a server of few or many projects and agents."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from one_dialog import OneDialog
from scripted_server import Got, Reply
from textual.pilot import Pilot
from watching import sees

from cekura_tui.model.scope import Project, Scope
from cekura_tui.ui.runs.scope_picker import PickScopeDialog, ScopeList
from cekura_tui.ui.state import AppState

AGENTS = "/test_framework/v1/aiagents/"
DEMO = (Project(4021, "Front desks"), Project(4022, "Hospitality and grid"))
FEW = (Project(1, "Clinic"), Project(2, "Bank"), Project(3, "Airline"))
TEAMS = tuple(Project(number, f"Team {number:03}") for number in range(1, 301))

Answer = Callable[[Got], Reply]


def picker(projects: Sequence[Project], current: Scope | None = None) -> Callable[[AppState], PickScopeDialog]:
    return lambda state: PickScopeDialog(state, projects, current)


def agent_of(number: int, project: int, name: str = "") -> dict[str, object]:
    return {"id": number, "agent_name": name or f"Agent {number}", "project": project}


def pages_of(agents: Sequence[dict[str, object]]) -> Answer:
    """A server that lists these agents page by page, of a project or with a text in their names."""

    def page(got: Got) -> Reply:
        found = [
            agent
            for agent in agents
            if got.query.get("project_id") in (None, str(agent["project"]))
            and got.query.get("q", "").casefold() in str(agent["agent_name"]).casefold()
        ]
        size, number = int(got.query["page_size"]), int(got.query["page"])
        rows = found[size * (number - 1) : size * number]
        more = "next" if size * number < len(found) else None
        return Reply({"count": len(found), "next": more, "previous": None, "results": rows})

    return page


TWO_EACH = [agent_of(10 * project.id + n, project.id) for project in FEW for n in (1, 2)]
CROWD = [agent_of(n, 1, f"Line {n}") for n in range(1001, 1801)] + [
    agent_of(n, 2 + n % 299, f"Desk {n}") for n in range(5001, 5801)
]
"""1,600 agents: half of them in the first project, the others in all others."""


def scopes(app: OneDialog) -> ScopeList:
    return app.screen.query_one(ScopeList)


def listed(app: OneDialog) -> list[object]:
    return [row.scope.id for row in scopes(app).rows]


async def read(pilot: Pilot[None]) -> None:
    """Wait until no agents are being loaded."""
    await sees(pilot, "List runs of", gone="Loading agents")
