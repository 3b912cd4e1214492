"""Tool calls of a transcript: which result answers which call, how it ended, and both as JSON to be read."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import clean
from cekura_tui.model.turn import Turn

Ending = Literal["answered", "error", "no result"]

_BAD_WORDS = frozenset({"error", "failed", "failure", "exception"})
_LONGEST = 1_000_000
"""Characters of a call that are looked at as JSON; a longer one is shown as it came."""


@dataclass(frozen=True, slots=True)
class ToolEnd:
    """How a call ended: its result's turn number and the seconds until it came, where these are known."""

    ending: Ending
    result: int | None = None
    after: float | None = None


class ToolCalls:
    """The calls of one transcript and their results, joined by their id, else by name and order."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._results: dict[int, Turn] = {}
        waiting: dict[object, list[Turn]] = {}
        for turn in turns:
            if turn.speaker == "tool_call":
                waiting.setdefault(_joint(turn), []).append(turn)
            elif turn.speaker == "tool_result" and (calls := waiting.get(_joint(turn))):
                self._results[calls.pop(0).n] = turn

    def end_of(self, call: Turn) -> ToolEnd:
        """How the call of this turn ended."""
        result = self._results.get(call.n)
        if result is None:
            return ToolEnd("no result")
        times = (call.start if call.end is None else call.end, result.start)
        after = times[1] - times[0] if times[0] is not None and times[1] is not None else None
        return ToolEnd(ending_of(result), result.n, None if after is None or after < 0 else after)


def _joint(turn: Turn) -> object:
    tool = turn.tool or {}
    number = tool.get("id")
    return str(number) if number is not None and number != "" else (tool_name(turn),)


def tool_name(turn: Turn) -> str:
    """The name of the tool that was called, or empty."""
    name = (turn.tool or {}).get("name")
    return name if isinstance(name, str) else ""


def ending_of(result: Turn) -> Ending:
    """Whether a result says that the tool failed. Only what it says of itself at its top counts."""
    value = _parsed((result.tool or {}).get("result", result.text))
    if isinstance(value, dict):
        told = {str(key).lower(): item for key, item in value.items()}
        if told.get("error") or told.get("errors") or told.get("exception"):
            return "error"
        if any(told.get(name) is False for name in ("success", "ok")):
            return "error"
        if str(told.get("status", "")).lower() in _BAD_WORDS:
            return "error"
    elif isinstance(value, str) and value.lower().lstrip(" [\"'").startswith(("error", "exception", "failed")):
        return "error"
    return "answered"


def brief(turn: Turn) -> str:
    """The arguments or the result on one line, as JSON where it is JSON."""
    value = _value(turn)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def pretty(turn: Turn) -> str:
    """The arguments or the result on as many lines as JSON takes; what is none, as it came."""
    value = _value(turn)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def raw_text(turn: Turn) -> str:
    """The turn as the server sent it, as JSON; what was only sent as text says so by having no other fields."""
    value = {"role": turn.role, "time": turn.start, "text": turn.text} if turn.raw is None else turn.raw
    return clean(json.dumps(value, ensure_ascii=False, indent=2))


def _value(turn: Turn) -> object:
    tool = turn.tool or {}
    name = "arguments" if turn.speaker == "tool_call" else "result"
    value = _parsed(tool.get(name, turn.text if "content" in _fields(turn) else {}))
    rest = {key: item for key, item in tool.items() if key not in ("id", "name", name)}
    return {name: value, **rest} if rest else value


def _fields(turn: Turn) -> Container[str]:
    return turn.raw if isinstance(turn.raw, dict) else ()


def _parsed(value: object) -> object:
    """Arguments come as a text of JSON; a result as either."""
    if isinstance(value, str) and len(value) <= _LONGEST and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
