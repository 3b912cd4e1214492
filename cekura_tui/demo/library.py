"""The six agents of the demo, loaded from `agents/` on first use."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cekura_tui.demo.dialogue import Script, read_scripts

_FOLDERS = ("clinic", "pizza", "airline", "bank", "hotel", "utility")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for an agent, the metric that checks it, and the sentences that make the agent follow it. `strong`
    replaces the faulty sentence `weak`; `second` is added if `strong` is already in the prompt."""

    key: str
    metric: int
    name: str
    category: int
    category_name: str
    priority: str
    section: str
    words: tuple[str, ...]
    requirement: str
    finding: str
    weak: str
    strong: str
    second: str


@dataclass(frozen=True, slots=True)
class DemoAgent:
    """A voice agent; `project` is its project's index, 0 or 1. `at_platform`: calls use the prompt of a voice platform,
    not the record's. Unless `improves`, the server launches no improve-prompt job for it. `version_as` is the type of
    `agent_version`, `mocked` the tools that tests mock, and `setup` the API's words for how the agent can be called."""

    id: int
    project: int
    name: str
    number: str
    provider: str
    language: str
    mocked: tuple[str, ...]
    setup: dict[str, Any]
    prompt: str
    rules: tuple[Rule, ...]
    scripts: tuple[Script, ...]
    auto_sync: bool = False
    at_platform: bool = False
    improves: bool = True
    version_as: str = "integer"

    @property
    def assistant_id(self) -> str:
        return f"asst_{self.id}"

    def version(self, row: int) -> Any:
        """`agent_version` for a row of the agent's history; its type depends on the agent, as the API is not sure."""
        known = {"text": str(row), "object": {"id": row, "version_id": f"v{row}"}, "null": None}
        return known.get(self.version_as, row)

    def rule(self, key: str) -> Rule:
        return next(rule for rule in self.rules if rule.key == key)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """An agent since the Unix time `changed`: a row of its history. `reason` is set if no user changed the agent."""

    id: int
    agent: DemoAgent
    changed: float
    reason: str | None = None


FIRST_VERSIONS = 70_000
"""The first row of an agent's history has this id + the agent's id; the later rows have higher ids."""


@cache
def agents() -> tuple[DemoAgent, ...]:
    folder = Path(__file__).parent / "agents"
    return tuple(sorted((_agent(folder / name) for name in _FOLDERS), key=lambda agent: agent.id))


@cache
def agents_of(project: int) -> tuple[DemoAgent, ...]:
    return tuple(agent for agent in agents() if agent.project == project)


@cache
def rules_by_metric() -> dict[int, Rule]:
    return {rule.metric: rule for agent in agents() for rule in agent.rules}


@cache
def agents_by_id() -> dict[int, DemoAgent]:
    return {agent.id: agent for agent in agents()}


def _agent(folder: Path) -> DemoAgent:
    facts: dict[str, Any] = tomllib.loads(_text(folder / "agent.toml"))
    prompt = _text(folder / "prompt.md")
    if facts.pop("line_ends", "") == "crlf":
        # Like a prompt pasted from Windows, to test that line ends are kept.
        prompt = prompt.replace("\n", "\r\n")
    scripts = read_scripts(_text(folder / "scripts.txt"))
    rules = tuple(Rule(**{**rule, "words": tuple(rule["words"])}) for rule in facts.pop("rule"))
    mocked = tuple(sorted({tool for script in scripts for tool in script.tools})) if facts.pop("mocks", True) else ()
    setup = {
        "assistant_provider": facts["provider"],
        "contact_number": facts["number"],
        "inbound": True,
        "auto_sync_prompt_enabled": facts.get("auto_sync", False),
    }
    setup |= facts.pop("setup", {})
    return DemoAgent(**facts, mocked=mocked, setup=setup, prompt=prompt, rules=rules, scripts=scripts)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8").replace("\r\n", "\n")
