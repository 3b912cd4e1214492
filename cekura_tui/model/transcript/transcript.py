"""The transcript of a run: every turn that was sent, whichever form the server chose."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from cekura_tui.model.as_json import NOT_IN_JSON, shape
from cekura_tui.model.text import count

if TYPE_CHECKING:
    from cekura_tui.model.run.run import Run


Speaker = Literal["testing", "main", "tool_call", "tool_result", "other"]

TOOLS: tuple[Speaker, ...] = ("tool_call", "tool_result")
"""Speakers whose turns are not speech."""
NAMES: dict[Speaker, str] = {"testing": "caller", "main": "agent", "tool_call": "tool →", "tool_result": "tool ←"}
"""Names of the speakers on screen; a turn of speaker `other` shows its role."""

_SPEAKERS: dict[str, Speaker] = {
    "testing agent": "testing",
    "main agent": "main",
    "function call": "tool_call",
    "function call result": "tool_result",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a call."""

    __pydantic_config__: ClassVar = shape("TurnJson")
    n: int = field(metadata={"json_schema_extra": {"minimum": 1}})
    speaker: Speaker
    """`testing` is the simulated caller, `main` the agent under test."""
    role: str
    """The server's word for the speaker."""
    start: float | None
    """Seconds from the start of the call."""
    end: float | None
    text: str
    tool: dict[str, Any] | None = None
    """The data of a tool call or its result, as sent."""
    raw: object = field(default=None, metadata=NOT_IN_JSON)
    """The cleaned entry of `transcript_object`; None if only text was sent."""


def speaker_of(role: str) -> Speaker:
    """The speaker that a role means; an unknown role is `other`."""
    return _SPEAKERS.get(role) or _SPEAKERS.get(role.strip().lower().replace("_", " "), "other")


_SPEAKERS.update({role.title(): speaker for role, speaker in list(_SPEAKERS.items())})


# White space is matched possessively (`*+`): backtracking over a long stretch would take too long.
_CLOCK = r"(?:\d{1,6}:)?\d{1,6}:\d{2}(?:[.,]\d++)?|\d{1,6}(?:[.,]\d++)?\s?s(?:ec(?:onds)?)?|\d{1,6}[.,]\d++"
_RANGE = rf"({_CLOCK})(?:\s*+(?:-->|-|–|to)\s*+({_CLOCK}))?"
_ROLE = r"(?:\[?([^:\n\[\]]{1,40}?)\]?\s{0,40}:)"
_STAMPED = re.compile(rf"^[\[(<]\s*+{_RANGE}\s*+[\])>]\s*+(?:[-–]\s*+)?{_ROLE}?[ \t]*(.*)$", re.DOTALL)
"""Matches a line with a time in brackets: such a line begins a turn, with or without a role."""
_BARE_TIME = re.compile(rf"^{_RANGE}\s*+(?:[-–|]\s*+)?{_ROLE}[ \t]*(.*)$", re.DOTALL)
"""Matches a line with a time without brackets: such a line begins a turn only if a known role follows. Otherwise, the
caller may have said "10:30 works"."""
_UNSTAMPED = re.compile(rf"^{_ROLE}[ \t]*(.*)$", re.DOTALL)

_DATED = re.compile(
    r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d++)?(?:Z|[+-]\d\d:?\d\d)?\]?\s*+(?:[-–|]\s*+)?"
    rf"{_ROLE}[ \t]*(.*)$",
    re.DOTALL,
)
"""Matches a line with a date: such a line begins a turn only if a known role follows, and gives no time of the call."""
_USUAL = frozenset(["user", "assistant", "agent", "bot", "customer", "caller", "human", "ai", "system"])
"""Roles that begin a turn if no line has a known role."""
_UNIT = re.compile(r"\s?s(?:ec(?:onds)?)?$")


class TextTurn(NamedTuple):
    """A turn read from text; times are seconds from the start of the call, or None if the text has no such time."""

    role: str
    start: float | None
    end: float | None
    text: str


def text_turns(text: str) -> list[TextTurn]:
    """Parse the turns of a text. A line that begins no turn continues the turn before it."""
    lines = [line.strip() for line in text.split("\n")]
    starts = [_turn_start(line) for line in lines]
    if not any(starts):
        starts = [_turn_start(line, _is_usual) for line in lines]
    turns: list[tuple[str, float | None, float | None, list[str]]] = []
    for line, found in zip(lines, starts, strict=True):
        if found:
            turns.append((found.role, found.start, found.end, [found.text]))
        elif turns:
            turns[-1][3].append(line)
        elif line:
            turns.append(("", None, None, [line]))
    return [TextTurn(role, start, end, "\n".join(lines).strip()) for role, start, end, lines in turns]


def _is_known(role: str) -> bool:
    return speaker_of(role) != "other"


def _is_usual(role: str) -> bool:
    return role.strip().lower() in _USUAL


def _turn_start(line: str, is_role: Callable[[str], bool] = _is_known) -> TextTurn | None:
    """Parse a line that begins a turn, with a time in brackets or a role that `is_role` accepts; else None."""
    if found := _STAMPED.match(line):
        start, end, role, text = found.groups()
        return TextTurn(role or "", seconds_of(start), seconds_of(end or ""), text)
    if (found := _BARE_TIME.match(line)) and is_role(found[3]):
        return TextTurn(found[3], seconds_of(found[1]), seconds_of(found[2] or ""), found[4])
    for form in (_DATED, _UNSTAMPED):
        if (found := form.match(line)) and is_role(found[1]):
            return TextTurn(found[1], None, None, found[2])
    return None


def seconds_of(clock: str) -> float | None:
    """Parse "MM:SS", "HH:MM:SS", "12.5" or "12 s", with or without fractions, to seconds; None for anything else."""
    parts = _UNIT.sub("", clock.strip()).replace(",", ".").split(":")
    if not 1 <= len(parts) <= 3 or not all(_is_number(part, whole=part is not parts[-1]) for part in parts):
        return None
    total = 0.0
    for part in parts:
        total = total * 60 + float(part)
    return total if math.isfinite(total) else None


def _is_number(part: str, *, whole: bool) -> bool:
    digits = part.strip() if whole else part.strip().replace(".", "", 1)
    return digits.isascii() and digits.isdecimal() and len(digits) <= 12


Form = Literal["turns", "text", "encrypted", "empty"]

_ENCRYPTED = "__encrypted__"
_LISTS = frozenset({"turns", "messages", "transcript", "transcript_object"})
"""Fields of an object that may hold the turns."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """All turns of a run, and the form in which the turns were sent. The forms `encrypted` and `empty` have no turns.
    `encrypted` is the number of encrypted characters, which may be sent beside readable text."""

    form: Form
    turns: tuple[Turn, ...] = ()
    encrypted: int = 0

    @property
    def note(self) -> str:
        """Says why there are no turns, or which data is missing if only text was sent; empty if nothing is missing."""
        sealed = f"This transcript is encrypted ({self.encrypted:,} characters)"
        if self.form == "text":
            timed = any(turn.start is not None for turn in self.turns)
            tools = any(turn.speaker in TOOLS for turn in self.turns)
            missing = ["end times" if timed else "times", *([] if tools else ["tool calls"])]
            lacks = f"without {' or '.join(missing)}"
            only = f"Only text was sent, {lacks}"
            # Readable text comes first: a title may have no room for the rest.
            return f"{only}; the turns are encrypted ({self.encrypted:,} characters)." if self.encrypted else f"{only}."
        if self.form == "encrypted":
            return f"{sealed}, and the server sent no text."
        return "This run has no transcript." if self.form == "empty" else ""


def turns_text(turns: Sequence[Turn]) -> str:
    """The number of turns in words; "turns unknown", not 0, if no turn was sent or is readable."""
    return count(len(turns), "turn") if turns else "turns unknown"


def read_transcript(run: Run) -> Transcript:
    """Read a run's turns from `transcript_object`, else from the lines of `transcript`."""
    sent = run.source.get("transcript_object")
    sealed = _encrypted_length(sent)
    if not sealed and (entries := _entries(sent)):
        return Transcript("turns", tuple(_turn(n, entry) for n, entry in enumerate(entries, 1)))
    text = run.transcript or (sent if isinstance(sent, str) else "")
    if text.lstrip().startswith("{") and _ENCRYPTED in text[:200]:
        sealed, text = sealed + len(text), ""
    turns = tuple(_of_text(n, turn) for n, turn in enumerate(text_turns(text), 1))
    if turns:
        return Transcript("text", turns, sealed)
    return Transcript("encrypted", (), sealed) if sealed else Transcript("empty")


def _encrypted_length(sent: object) -> int:
    """Number of encrypted characters in a `transcript_object`; 0 if it is not encrypted."""
    if not isinstance(sent, dict) or _ENCRYPTED not in sent:
        return 0
    sealed = sent[_ENCRYPTED]
    return max(1, len(sealed if isinstance(sealed, str) else _compact(sealed)))


def _entries(sent: object) -> Sequence[object]:
    """The entries of a `transcript_object`: a list, its JSON text, an object with a list, or a single entry."""
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
    times = (_seconds(entry.get(name)) for name in ("start_time", "timestamp", "time"))
    start = next((time for time in times if time is not None), None)
    speaker, data = speaker_of(role), entry.get("data")
    tool = data if isinstance(data, dict) else None
    return Turn(n, speaker, role, start, _seconds(entry.get("end_time")), _text(entry, speaker, tool), tool, entry)


def _text(entry: Mapping[str, object], speaker: Speaker, tool: dict[str, object] | None) -> str:
    """The spoken text or tool call of an entry; an entry of unknown shape becomes JSON, so that nothing is lost."""
    content, data = entry.get("content"), entry.get("data")
    if isinstance(content, str) and (content or not data):
        return content
    if not content and data:
        return _tool_text(tool) if tool and speaker in TOOLS else _words(data)
    if isinstance(content, list) and content and all(_is_part(part) for part in content):
        return "\n".join(part["text"] for part in content)
    if content is not None:
        return _words(content)
    rest = {name: value for name, value in entry.items() if name not in _SHOWN_ELSEWHERE and value is not None}
    return _compact(rest) if rest else ""


_SHOWN_ELSEWHERE = frozenset({"role", "content", "data", "time", "timestamp", "start_time", "end_time"})


def _is_part(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str)


def _tool_text(data: dict[str, object]) -> str:
    value = data.get("arguments", data.get("result"))
    parts = [_words(part) for part in (data.get("name"), value) if part is not None and part != ""]
    return " ".join(parts) if parts else _compact(data)


def _words(value: object) -> str:
    return value if isinstance(value, str) else _compact(value)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _seconds(value: object) -> float | None:
    """Convert a number, a number as text, "MM:SS" or "HH:MM:SS" to seconds; None for any other value."""
    if type(value) is float:  # fast path for the times of 10,000 turns
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return seconds_of(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return seconds if math.isfinite(seconds := float(value)) else None
        except OverflowError:
            return None
    return None


def _of_text(n: int, turn: TextTurn) -> Turn:
    speaker = speaker_of(turn.role)
    tool = None
    if speaker in TOOLS and (called := _CALLED.match(turn.text)):
        tool = {"name": called[1], "arguments" if speaker == "tool_call" else "result": called[2]}
    return Turn(n, speaker, turn.role, turn.start, turn.end, turn.text, tool)


_CALLED = re.compile(r"([\w.-]{1,80})\s++([\[{].*[\]}])$", re.DOTALL)
"""A tool call as text: the tool's name, and its arguments or result as JSON."""
