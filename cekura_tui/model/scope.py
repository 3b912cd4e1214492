"""The scope of a run list, and the projects and agents that a key may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import Prompt


class Project(NamedTuple):
    """A project; runs are listed by project."""

    id: int
    name: str


class Agent(NamedTuple):
    """An agent and its prompt, exactly as the server keeps it (None where the answer had none)."""

    id: int
    name: str
    project_id: int | None
    prompt: Prompt | None
    auto_sync: bool = False


class Scope(NamedTuple):
    """What to list runs of."""

    kind: Literal["project", "agent", "result"]
    id: int
    name: str = ""

    @property
    def params(self) -> dict[str, str | int]:
        """The query parameters of the list operation."""
        return {f"{self.kind}_id": self.id}

    @property
    def text(self) -> str:
        """The scope as a key of the store."""
        return "&".join(f"{name}={value}" for name, value in self.params.items())

    @property
    def shown(self) -> str:
        """The scope in words."""
        return self.name or f"{self.kind} {self.id}"


class NoScope(UsageError):
    """There are several projects and none was named."""

    title = "Which project?"

    def __init__(self, projects: Sequence[Project]) -> None:
        self.projects = tuple(projects)
        found = ", ".join(f"{project.id} ({project.name})" for project in projects) or "none"
        super().__init__(
            f"No project chosen. Found: {found}.",
            "Choose a project with --project ID or CEKURA_PROJECT_ID.",
        )
