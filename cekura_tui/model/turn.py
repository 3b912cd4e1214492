"""One turn of a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Speaker = Literal["testing", "main", "tool_call", "tool_result", "other"]

TOOLS: tuple[Speaker, ...] = ("tool_call", "tool_result")
"""Who makes no sound."""
NAMES: dict[Speaker, str] = {"testing": "caller", "main": "agent", "tool_call": "tool →", "tool_result": "tool ←"}
"""How speakers are called on screen; another one by its role."""

_SPEAKERS: dict[str, Speaker] = {
    "testing agent": "testing",
    "main agent": "main",
    "function call": "tool_call",
    "function call result": "tool_result",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a call. `n` counts from 1; `start` and `end` are seconds from the start of the call, if known.

    `raw` is the entry of `transcript_object` as it came, cleaned; None where only text was sent.
    """

    n: int
    speaker: Speaker
    role: str
    start: float | None
    end: float | None
    text: str
    tool: dict[str, object] | None = None
    raw: object = None

    def to_json(self) -> dict[str, object]:
        """The shape that `runs show --json` prints."""
        return {name: getattr(self, name) for name in ("n", "speaker", "role", "start", "end", "text", "tool")}


def speaker_of(role: str) -> Speaker:
    """Which side a role word stands for; an unknown word is `other`."""
    return _SPEAKERS.get(role) or _SPEAKERS.get(role.strip().lower().replace("_", " "), "other")


_SPEAKERS.update({role.title(): speaker for role, speaker in list(_SPEAKERS.items())})
