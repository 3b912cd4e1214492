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
    """A voice agent; `project` is its project's index, 0 or 1."""

    id: int
    project: int
    name: str
    number: str
    provider: str
    language: str
    auto_sync: bool
    prompt: str
    rules: tuple[Rule, ...]
    scripts: tuple[Script, ...]

    @property
    def assistant_id(self) -> str:
        return f"asst_{self.id}"

    def rule(self, key: str) -> Rule:
        return next(rule for rule in self.rules if rule.key == key)


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
    if facts.get("line_ends") == "crlf":
        # Like a prompt pasted from Windows, to test that line ends are kept.
        prompt = prompt.replace("\n", "\r\n")
    return DemoAgent(
        id=facts["id"],
        project=facts["project"],
        name=facts["name"],
        number=facts["number"],
        provider=facts["provider"],
        language=facts["language"],
        auto_sync=facts.get("auto_sync", False),
        prompt=prompt,
        rules=tuple(Rule(**{**rule, "words": tuple(rule["words"])}) for rule in facts["rule"]),
        scripts=read_scripts(_text(folder / "scripts.txt")),
    )


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8").replace("\r\n", "\n")
