"""Where a prompt of an agent was met, for its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import Prompt, clean_line

How = Literal["seen", "sent", "proposed", "staged", "written", "replaced"]
"""Seen at the agent; sent with a job; proposed by one; staged from a proposal; written to the agent; or what stood
there before a write."""


@dataclass(frozen=True, slots=True)
class PromptUse:
    """One use of a prompt, last at `at` (Unix time), with or by `job` where it was one's.

    The text is kept apart, by its hash; `words` counts it, `first_line` is the first line that is not blank, cleaned.
    """

    agent_id: int
    sha256: str
    how: How
    at: float
    job: int | None
    words: int
    first_line: str


def words_and_first_line(prompt: Prompt) -> tuple[int, str]:
    """What a history shows of a prompt's text."""
    first = next((line for line in prompt.splitlines() if line.strip()), "")
    return len(prompt.split()), clean_line(first)
