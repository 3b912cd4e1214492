"""What a key may see at the server: projects and agents."""

from __future__ import annotations

from dataclasses import dataclass

from cekura_tui.model.text import Prompt


@dataclass(frozen=True, slots=True)
class Project:
    """A project; runs are listed by project."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent and its prompt, exactly as the server keeps it (None where the answer had none)."""

    id: int
    name: str
    project_id: int | None
    prompt: Prompt | None
    auto_sync: bool = False
