"""The transcript of a run: its turns, read from whichever form the server sent."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cekura_tui.model.run import Run, TranscriptItem

Speaker = Literal["testing", "main", "tool_call", "tool_result", "other"]
Form = Literal["turns", "text", "encrypted", "empty"]

_SPEAKERS: dict[str, Speaker] = {
    "testing agent": "testing",
    "main agent": "main",
    "function call": "tool_call",
    "function call result": "tool_result",
}
_LINE = re.compile(r"^\[(?:(\d{1,6}):)?(\d{1,6}):(\d{2})(?:\.\d+)?\]\s*(?:([^:\n]{1,40}?)\s*:)?[ \t]*(.*)$")


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


@dataclass(frozen=True, slots=True)
class Transcript:
    """All turns, and the form they came in: `encrypted` and `empty` have none."""

    form: Form
    turns: tuple[Turn, ...] = ()

    @property
    def note(self) -> str:
        """Why there is nothing to read, or that only text was there."""
        return {
            "turns": "",
            "text": "Only the text of this transcript was sent: times are to the second, tool calls are missing.",
            "encrypted": "This transcript is encrypted and no text of it was sent.",
            "empty": "This run has no transcript.",
        }[self.form]


def read_transcript(run: Run) -> Transcript:
    """The transcript of a run: `transcript_object`, else the lines of `transcript`."""
    if run.transcript_object:
        return Transcript("turns", tuple(_turn(n, item) for n, item in enumerate(run.transcript_object, 1)))
    turns = tuple(_from_text(run.transcript or ""))
    if turns:
        return Transcript("text", turns)
    return Transcript("encrypted" if run.transcript_encrypted else "empty")


def speaker_of(role: str) -> Speaker:
    """Which side a role word stands for; an unknown word is `other`."""
    return _SPEAKERS.get(role.strip().lower().replace("_", " "), "other")


def _turn(n: int, item: TranscriptItem) -> Turn:
    role = item.role or ""
    start = next((t for t in (item.start_time, item.timestamp, _seconds(item.time)) if t is not None), None)
    speaker = speaker_of(role)
    text = item.content or ""
    if item.data and not text and speaker in ("tool_call", "tool_result"):
        text = _tool_text(item.data)
    return Turn(n, speaker, role, start, item.end_time, text, item.data, item.model_dump(exclude_unset=True))


def _tool_text(data: dict[str, object]) -> str:
    value = data.get("arguments", data.get("result"))
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value is not None else ""
    return f"{data.get('name') or 'tool'} {shown}".strip()


def _seconds(clock: str | None) -> float | None:
    """Seconds of "MM:SS" or "HH:MM:SS"."""
    parts = (clock or "").split(":")
    if not 2 <= len(parts) <= 3 or not all(p.strip().isdecimal() and len(p) <= 8 for p in parts):
        return None
    total = 0
    for part in parts:
        total = total * 60 + int(part)
    return float(total)


def _from_text(text: str) -> list[Turn]:
    """Turns of lines such as `[00:01] Testing Agent: Hello.`; a line without a time goes on with the turn before."""
    turns: list[tuple[str, float | None, list[str]]] = []
    for line in text.split("\n"):
        if found := _LINE.match(line.strip()):
            hours, minutes, seconds, role, said = found.groups()
            at = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
            turns.append((role or "", float(at), [said]))
        elif turns:
            turns[-1][2].append(line.strip())
        elif line.strip():
            turns.append(("", None, [line.strip()]))
    return [
        Turn(n, speaker_of(role), role, start, None, "\n".join(lines).strip())
        for n, (role, start, lines) in enumerate(turns, 1)
    ]
