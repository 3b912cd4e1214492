"""The history of an agent's prompts: the uses of each, and the events that a person sees of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import Prompt, clean_line, word_total

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
    first = next((line for line in prompt[:_BEGINNING].splitlines() if line.strip()), "")
    return word_total(prompt), clean_line(first)


_BEGINNING = 10_000
"""Characters in which the first line is looked for that is not blank."""


_ONE_EVENT = 60
"""Seconds within which uses of one text are one event."""
_IMPORTANCE: tuple[How, ...] = ("seen", "staged", "replaced", "sent", "proposed", "written")
"""What an event is named after is the last of these that is among its uses."""


def events_of(uses: Sequence[PromptUse]) -> list[list[PromptUse]]:
    """The uses, newest first, as events: each one's most important use, then the others.

    A prompt that was read or replaced is shown by the row of what had brought it; only the newest of all that was read
    is a row of its own where there are others in between.
    """
    events: list[list[PromptUse]] = []
    for use in reversed(uses):
        event = next((one for one in reversed(events) if one[0].sha256 == use.sha256), None)
        is_next = bool(events) and events[-1] is event
        says_more = use.how not in ("seen", "replaced") or (use is uses[0] and not is_next)
        if event is not None and is_next and "staged" in (use.how, event[0].how):
            says_more = False
        if event is None or (says_more and not (is_next and _is_one(event[0], use))):
            events.append([use])
        elif _IMPORTANCE.index(use.how) >= _IMPORTANCE.index(event[0].how):
            event.insert(0, use)
        else:
            event.append(use)
    return sorted(events, key=lambda event: uses.index(event[0]))


def _is_one(before: PromptUse, use: PromptUse) -> bool:
    """Whether the use of a text is part of what was done with it just before; a second write is not."""
    return use.at - before.at <= _ONE_EVENT and not before.how == use.how == "written"


def how_words(use: PromptUse, uses: Sequence[PromptUse]) -> str:
    """How a prompt was used, in words: "sent with job 4"; `uses` are all of the agent's."""
    job = f"job {use.job}" if use.job is not None else "a job"
    match use.how:
        case "seen":
            return "read from the agent"
        case "sent":
            return f"sent with {job}"
        case "proposed":
            return f"suggested by {job}"
        case "staged":
            return f"staged from {job}"
        case "written":
            return f"updated from {job}" if use.job is not None else _unnamed_write(use, uses)
        case "replaced":
            if use.job is not None:
                return f"before {job}'s update"
            writes = (one for one in uses if one.how == "written" and 0 <= one.at - use.at <= _ONE_EVENT)
            is_restore = any(_unnamed_write(one, uses) == "restored" for one in writes if one.job is None)
            return "before the restore" if is_restore else "before an update"


def _unnamed_write(use: PromptUse, uses: Sequence[PromptUse]) -> str:
    """A restore brings a prompt that was there before; else it was an update from a job that is forgotten."""
    earlier = any(one.sha256 == use.sha256 and one.at < use.at for one in uses)
    return "restored" if earlier else "updated"
