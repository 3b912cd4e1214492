"""The scope of a run list, and the projects and agents that a key can access."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import Prompt, clean_line


class Project(NamedTuple):
    id: int
    name: str


class Agent(NamedTuple):
    """An agent; `prompt` is exactly as the server keeps it, or None if the server's answer had no prompt. `setup` says
    in words how the agent can be called (number, sip, websocket, chat), and `assistant_id` is its id at its `provider`.
    An agent's credentials are never read."""

    id: int
    name: str
    project_id: int | None
    prompt: Prompt | None
    auto_sync: bool = False
    provider: str = ""
    setup: tuple[str, ...] = ()
    assistant_id: str = ""


class Scenario(NamedTuple):
    """A scenario, and the personality that calls in it unless a launch names another one."""

    id: int
    name: str
    personality_id: int | None
    personality: str


class AgentVersion(NamedTuple):
    """A version of an agent at Cekura: the ids by which runs may name the version, and its prompt."""

    ids: frozenset[str]
    prompt: Prompt | None


class Scope(NamedTuple):
    """The project, agent or result whose runs are listed."""

    kind: Literal["project", "agent", "result"]
    id: int
    name: str = ""

    @property
    def params(self) -> dict[str, str | int]:
        return {f"{self.kind}_id": self.id}

    @property
    def text(self) -> str:
        return "&".join(f"{name}={value}" for name, value in self.params.items())

    @property
    def shown(self) -> str:
        return self.name or f"{self.kind} {self.id}"


class NoScope(UsageError):
    """No project was chosen, and the key can access no project or several."""

    title = "Which project?"

    def __init__(self, projects: Sequence[Project]) -> None:
        self.projects = tuple(projects)
        found = ", ".join(f"{project.id} ({project.name})" for project in projects) or "none"
        hint = "Choose a project with --project ID or CEKURA_PROJECT_ID."
        super().__init__(f"No project chosen. Found: {found}.", hint)


def scope_of_link(link: str, dashboard: str) -> Scope:
    """Parse a dashboard link to a result or an agent; raises UsageError for any other link."""
    site, path = _read_link(link, "Give a run id or a dashboard link.")
    home, _ = _read_link(dashboard, "Check CEKURA_DASHBOARD_URL, or dashboard_url in config.toml.")
    if site != home:
        hint = "Set another dashboard with CEKURA_DASHBOARD_URL."
        raise UsageError(f"{clean_line(link, 80)} is not on the dashboard {home[0]}://{home[1]}.", hint)
    words = [word for word in path.split("/") if word]
    for kind, word in pairwise(words):
        if kind in ("results", "agents") and word.isdecimal() and len(word) < 19:
            return Scope("result" if kind == "results" else "agent", int(word))
    hint = "Give a link to a result (…/PROJECT/results/ID) or an agent (…/agents/ID), or a run id."
    raise UsageError(f"Can't open {clean_line(link, 80)}.", hint)


def _read_link(link: str, hint: str) -> tuple[tuple[object, ...], str]:
    """Split a link into site (equal for links to one dashboard) and path. Raises UsageError with this hint."""
    try:
        url = urlsplit(link.strip())
        port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    except ValueError:
        raise UsageError(f"{clean_line(link, 80)} is not a URL.", hint) from None
    return (url.scheme, url.hostname, port, "@" in url.netloc), url.path
