"""The manual: a page in Markdown for each topic."""

from __future__ import annotations

from pathlib import Path

TOPICS = {
    "screens": "What the screens, words and signs mean.",
    "keys": "Keys of the main screens, and how to change them.",
    "recordings": "Fetching and playing the recording of a call, and where it is saved.",
    "filters": "Terms that choose runs.",
    "suggestions": "Reading and deciding changes, updating the agent.",
    "jobs": "Launching, states, crashes, several windows, notifications.",
    "sign-in": "Where a key is looked for, profiles, projects.",
    "configuration": "All settings, and which place wins; theme and columns.",
    "terminals": "SSH, tmux, copying, colours, screen readers.",
    "scripts": "Commands, JSON, exit statuses, completion, the demo server.",
    "files": "What is saved where, and what is sent where.",
    "trouble": "Checks, symptoms, certificates, bug reports.",
}
"""What each topic is about, in reading order."""


def read_page(topic: str) -> str:
    """The Markdown of one of `TOPICS`, without the marks around generated tables."""
    text = Path(__file__).with_name(f"{topic}.md").read_text(encoding="utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("<!-- "))
