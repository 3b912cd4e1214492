"""The transcript of a run: its turns, read from whichever form the server sent. As many turns as were sent, always."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cekura_tui.model.transcript_text import Said, said_in, seconds_of
from cekura_tui.model.turn import TOOLS, Speaker, Turn, speaker_of

if TYPE_CHECKING:
    from cekura_tui.model.run import Run

__all__ = ["Form", "Speaker", "Transcript", "Turn", "read_transcript", "speaker_of"]

Form = Literal["turns", "text", "encrypted", "empty"]

_ENCRYPTED = "__encrypted__"
_LISTS = frozenset({"turns", "messages", "transcript", "transcript_object"})
"""Where an object holds the turns."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """All turns, and the form they came in: `encrypted` and `empty` have none.

    `encrypted` is how many characters the server sent that cannot be read, whether there is a text beside them or not.
    """

    form: Form
    turns: tuple[Turn, ...] = ()
    encrypted: int = 0

    @property
    def note(self) -> str:
        """Why there is nothing to read, or that only text was there."""
        sealed = f"This transcript is encrypted ({self.encrypted:,} characters that cannot be read here)"
        if self.form == "text":
            timed = any(turn.start is not None for turn in self.turns)
            tools = any(turn.speaker in TOOLS for turn in self.turns)
            ends = "and the ends of turns were not sent."
            missing = "the ends of turns were not sent." if tools else f"tool calls {ends}"
            untimed = f"Times {ends}" if tools else f"Times, tool calls {ends}"
            only = f"Times are to the second; {missing}" if timed else untimed
            return f"{sealed}; its text was sent beside it. {only}" if self.encrypted else f"Only text was sent. {only}"
        if self.form == "encrypted":
            return f"{sealed} and no text of it was sent."
        return "This run has no transcript." if self.form == "empty" else ""


def read_transcript(run: Run) -> Transcript:
    """The transcript of a run: `transcript_object`, else the lines of `transcript`."""
    sent = run.source.get("transcript_object")
    sealed = _sealed(sent)
    if not sealed and (entries := _entries(sent)):
        return Transcript("turns", tuple(_turn(n, entry) for n, entry in enumerate(entries, 1)))
    text = run.transcript or (sent if isinstance(sent, str) else "")
    if text.lstrip().startswith("{") and _ENCRYPTED in text[:200]:
        sealed, text = sealed + len(text), ""
    turns = tuple(_of_text(n, said) for n, said in enumerate(said_in(text), 1))
    if turns:
        return Transcript("text", turns, sealed)
    return Transcript("encrypted", (), sealed) if sealed else Transcript("empty")


def _sealed(sent: object) -> int:
    """How much of a `transcript_object` came encrypted, in characters; 0 for one that can be read."""
    if not isinstance(sent, dict) or _ENCRYPTED not in sent:
        return 0
    sealed = sent[_ENCRYPTED]
    return max(1, len(sealed if isinstance(sealed, str) else _compact(sealed)))


def _entries(sent: object) -> Sequence[object]:
    """What was sent as turns: a list, also as JSON text or in an object; anything else that says something is one."""
    if isinstance(sent, str) and sent.lstrip()[:1] == "[":
        try:
            sent = json.loads(sent)
        except (ValueError, RecursionError):
            return []
    if isinstance(sent, dict):
        lists = [value for name, value in sent.items() if name in _LISTS and isinstance(value, list) and value]
        sent = lists[0] if len(lists) == 1 else sent
    if isinstance(sent, list):
        return sent
    return [sent] if isinstance(sent, dict) and sent else []


def _turn(n: int, entry: object) -> Turn:
    if not isinstance(entry, dict):
        return Turn(n, "other", "", None, None, "" if entry is None else _words(entry), None, entry)
    role = entry.get("role")
    role = role if isinstance(role, str) else "" if role is None else _words(role)
    start = _seconds(entry.get("start_time"))
    if start is None:
        start = _seconds(entry.get("timestamp"))
    if start is None:
        start = _seconds(entry.get("time"))
    speaker, data = speaker_of(role), entry.get("data")
    tool = data if isinstance(data, dict) else None
    return Turn(n, speaker, role, start, _seconds(entry.get("end_time")), _text(entry, speaker, tool), tool, entry)


def _text(entry: Mapping[str, object], speaker: Speaker, tool: dict[str, object] | None) -> str:
    """What was said, or called; an entry of another shape is its own text, so that nobody overlooks it."""
    content, data = entry.get("content"), entry.get("data")
    if isinstance(content, str) and (content or not data):
        return content
    if not content and data:
        return _tool_text(tool) if tool and speaker in TOOLS else _words(data)
    if isinstance(content, list) and content and all(_is_part(part) for part in content):
        return "\n".join(part["text"] for part in content)
    if content is not None:
        return _words(content)
    rest = {name: value for name, value in entry.items() if name not in _TOLD_ELSEWHERE and value is not None}
    return _compact(rest) if rest else ""


_TOLD_ELSEWHERE = frozenset({"role", "content", "data", "time", "timestamp", "start_time", "end_time"})


def _is_part(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str)


def _tool_text(data: dict[str, object]) -> str:
    value = data.get("arguments", data.get("result"))
    return f"{data.get('name') or 'tool'} {'' if value is None else _words(value)}".strip()


def _words(value: object) -> str:
    return value if isinstance(value, str) else _compact(value)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _seconds(value: object) -> float | None:
    """Seconds of a number, of its text, or of "MM:SS" and "HH:MM:SS"."""
    if type(value) is float:  # as nearly all are, of 10,000 turns
        return value if math.isfinite(value) else None
    if value is None:
        return None
    if isinstance(value, str):
        return seconds_of(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return seconds if math.isfinite(seconds := float(value)) else None
        except OverflowError:
            return None
    return None


def _of_text(n: int, said: Said) -> Turn:
    speaker = speaker_of(said.role)
    tool = None
    if speaker in TOOLS and (called := _CALLED.match(said.text)):
        tool = {"name": called[1], "arguments" if speaker == "tool_call" else "result": called[2]}
    return Turn(n, speaker, said.role, said.start, said.end, said.text, tool)


_CALLED = re.compile(r"([\w.-]{1,80})\s++([\[{].*[\]}])$", re.DOTALL)
"""A call of a tool as text: its name and its values as JSON."""
