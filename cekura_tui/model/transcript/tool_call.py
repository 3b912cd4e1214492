"""Tool calls of a transcript: match results to calls, detect errors, and format calls and results as JSON."""

from __future__ import annotations

import json
import math
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import clean
from cekura_tui.model.transcript.transcript import TOOLS, Turn

Ending = Literal["answered", "error", "no result"]

_VALUE = {"tool_call": "arguments"}
_BAD_WORDS = frozenset({"error", "failed", "failure", "exception"})
_BAD_TEXT = re.compile(r"[\s\[(<\"'{]*(?:error|exception|failed|failure|traceback)\b", re.IGNORECASE)
_NO_ERROR = re.compile(r"""[\s\[({"']*errors?"?\s*[:=]\s*(?:null|none|false|"")""", re.IGNORECASE)
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_LONGEST = 1_000_000
"""Maximum number of characters of a text that is parsed as JSON; a longer text is shown as sent."""


@dataclass(frozen=True, slots=True)
class ToolEnd:
    """How a tool call ended, the turn number of its result, and the seconds until then; None if unknown."""

    ending: Ending
    result: int | None = None
    after: float | None = None


class ToolCalls:
    """The tool calls of one transcript and their results, matched by id, or else by name and order."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self.answered: dict[int, Turn] = {}
        """The turns with results, by the turn number of the tool call."""
        by_id: dict[str, deque[Turn]] = {}
        by_name: dict[tuple[str, bool], deque[Turn]] = {}
        for turn in turns:
            if turn.speaker not in TOOLS:
                continue
            number, name = _number(turn), tool_name(turn)
            if turn.speaker == "tool_call":
                by_name.setdefault((name, bool(number)), deque()).append(turn)
                if number:
                    by_id.setdefault(number, deque()).append(turn)
            else:
                # A result with an id never answers a call with another id.
                waiting = [by_id.get(number)] if number else [by_name.get((name, True))]
                for calls in (*waiting, by_name.get((name, False))):
                    if (call := self._next(calls)) is not None:
                        self.answered[call.n] = turn
                        break

    def _next(self, calls: deque[Turn] | None) -> Turn | None:
        """Remove calls up to the first without a result, and return that call."""
        while calls:
            call = calls.popleft()
            if call.n not in self.answered:
                return call
        return None

    def end_of(self, call: Turn) -> ToolEnd:
        result = self.answered.get(call.n)
        if result is None:
            return ToolEnd("no result")
        times = (call.start if call.end is None else call.end, result.start)
        after = times[1] - times[0] if times[0] is not None and times[1] is not None else None
        return ToolEnd(ending_of(result), result.n, None if after is None or after < 0 else after)


def _number(turn: Turn) -> str:
    number = (turn.tool or {}).get("id")
    return "" if number is None else str(number)


def is_tool(turn: Turn) -> bool:
    """Whether a turn is a tool call or result with data; such a turn is folded to one line at first."""
    return turn.speaker in TOOLS and turn.tool is not None


def tool_name(turn: Turn) -> str:
    name = (turn.tool or {}).get("name")
    return name if isinstance(name, str) else ""


def parsed_value(turn: Turn) -> object:
    """The arguments of a call or the value of a result, parsed if sent as JSON text; None if not sent."""
    return parsed((turn.tool or {}).get(_VALUE.get(turn.speaker, "result")))


def ending_of(result: Turn) -> Ending:
    """Find out whether a tool result is an error: its top-level fields, or the start of its text, report a failure."""
    value = parsed((result.tool or {}).get("result", result.text))
    if isinstance(value, dict):
        fields = {str(key).lower(): item for key, item in value.items()}
        is_error = any(fields.get(name) for name in ("error", "errors", "exception"))
        is_error |= fields.get("success") is False or fields.get("ok") is False
        is_error |= str(fields.get("status", "")).lower() in _BAD_WORDS
    else:
        is_error = isinstance(value, str) and bool(_BAD_TEXT.match(value)) and not _NO_ERROR.match(value)
    return "error" if is_error else "answered"


def brief(turn: Turn) -> str:
    """The arguments or the result of a tool turn on one line, as JSON unless it is a text."""
    return _written(_value(turn), None)


def pretty(turn: Turn) -> str:
    """The arguments or the result of a tool turn as indented JSON; a text that is not JSON stays as sent."""
    return _written(_value(turn), 2)


def raw_text(turn: Turn) -> str:
    """The turn as the server sent it, as indented JSON; a turn read from text has only role, time and text."""
    value = {"role": turn.role, "time": turn.start, "text": turn.text} if turn.raw is None else turn.raw
    return cleaned_json(value, 2)


def _value(turn: Turn) -> object:
    """The data of a tool turn without name and id; a lone value comes without its field name. The entry's `content` is
    data, too, if it differs from the arguments or the result. Without any data, an empty text."""
    tool = turn.tool or {}
    name = _VALUE.get(turn.speaker, "result")
    parts: dict[str, object] = {name: parsed(tool[name])} if name in tool else {}
    parts.update((key, item) for key, item in tool.items() if key not in ("id", "name", name))
    content = turn.raw.get("content") if isinstance(turn.raw, dict) else None
    if content and content != tool.get(name):
        parts.setdefault("content", content)
    if len(parts) == 1 and (only := [parts[key] for key in (name, "content") if key in parts]):
        return parsed(only[0])
    return parts or ""


def _written(value: object, indent: int | None) -> str:
    return value if isinstance(value, str) else cleaned_json(value, indent)


def cleaned_json(value: object, indent: int | None) -> str:
    r"""Dump a value as JSON and clean it: parsing may have turned `\u009b` into a control character."""
    try:
        return clean(_ENCODE(value) if indent is None else _indented(value, "\n", indent))
    except RecursionError:  # a thousand nested brackets
        return "(nested too deep to be shown)" if indent is None else cleaned_json(value, None)


def _indented(value: object, end: str, indent: int) -> str:
    """Like `json.dumps` with `indent`, but five times as fast: a search dumps every call of a transcript."""
    if not isinstance(value, dict | list) or not value:
        return _ENCODE(value)
    inner = end + " " * indent
    if isinstance(value, dict):
        items = [f"{_ENCODE(str(key))}: {_indented(item, inner, indent)}" for key, item in value.items()]
    else:
        items = [_indented(item, inner, indent) for item in value]
    left, right = "{}" if isinstance(value, dict) else "[]"
    return f"{left}{inner}{f',{inner}'.join(items)}{end}{right}"


def parsed(value: object) -> object:
    """Parse arguments or a result sent as JSON text. A text that is not an object or list in JSON, is too long, or
    would lose something when parsed, stays as sent."""
    if isinstance(value, str) and len(value) <= _LONGEST and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value, object_pairs_hook=_each_once, parse_float=_finite)
        except (ValueError, RecursionError):
            return value
    return value


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError("no number of JSON")
    return number


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found
