"""What the rubric wants of a metric: read from the server's words, compared, and said in short words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple

Op = Literal["≥", ">", "≤", "<", "=", "≠"]

_OPS: dict[str, Op] = {
    **dict.fromkeys(("gte", "ge", ">=", "≥"), "≥"),
    **dict.fromkeys(("gt", ">"), ">"),
    **dict.fromkeys(("lte", "le", "<=", "≤"), "≤"),
    **dict.fromkeys(("lt", "<"), "<"),
    **dict.fromkeys(("eq", "==", "="), "="),
    **dict.fromkeys(("ne", "neq", "!=", "≠"), "≠"),
}
_OP = r"(?:\s+(?:gte|ge|gt|lte|le|lt|eq|neq|ne)\s|\s*(?:>=|<=|==|!=|[<>=≥≤≠]))"
_PART = re.compile(rf"(\w+)({_OP})(.+)", re.IGNORECASE | re.DOTALL)
_JOINT = re.compile(rf"\s+(and|or)\s+(?=\w+{_OP})", re.IGNORECASE)
_DECIMAL = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?")
_LONGEST = 400  # characters of a condition that is taken apart
_DEEPEST = 4  # conditions within conditions that are read

_COMPARE: dict[Op, Callable[[float, float], bool]] = {
    "≥": lambda got, wanted: got >= wanted,
    ">": lambda got, wanted: got > wanted,
    "≤": lambda got, wanted: got <= wanted,
    "<": lambda got, wanted: got < wanted,
    "=": lambda got, wanted: got == wanted,
    "≠": lambda got, wanted: got != wanted,
}


class Condition(NamedTuple):
    """One comparison, such as score ≥ 4; `value` is the text that was sent."""

    field: str
    op: Op
    value: str


def threshold_text(conditions: object, expected: object) -> str | None:
    """The threshold as the server words it: `conditions`, else the same of `expected_conditions`."""
    return next(filter(None, map(_worded, (conditions, expected))), conditions if isinstance(conditions, str) else None)


def meets(threshold: str | None, score: float | None, value: str | None) -> bool | None:
    """Whether a metric is as the threshold declares it; None where that cannot be told."""
    join, conditions = _read(threshold)
    told = [_met(condition, score, value) for condition in conditions]
    decisive = join == "or"
    if not told or (None in told and decisive not in told):
        return None
    return any(told) if decisive else all(told)


def threshold_words(threshold: str | None) -> str:
    """In short words: "≥ 4", or `"True"`; what is not plain stays as the server words it."""
    join, conditions = _read(threshold)
    words = [_words(condition) for condition in conditions]
    return f" {join} ".join(words) if words and all(words) else (threshold or "").strip()


def number_of(text: str | None) -> float | None:
    """A number that came as text, if it is one."""
    return float(text) if text is not None and _DECIMAL.fullmatch(text := text.strip()) else None


def number_words(number: float) -> str:
    """A number without the digits that only its binary form has."""
    if not math.isfinite(number):
        return str(number)
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else f"{number:.10g}"


def _worded(conditions: object, depth: int = 0) -> str:
    """A text, a condition, or a list or group of such, in the words of `conditions`."""
    if isinstance(conditions, str):
        return conditions if conditions.strip() else ""
    if depth > _DEEPEST:
        return "…"
    if isinstance(conditions, list):
        conditions = {"conditions": conditions}
    if not isinstance(conditions, dict):
        return ""
    if isinstance(inner := conditions.get("conditions"), list):
        parts = [part for part in (_worded(item, depth + 1) for item in inner) if part]
        join = str(conditions.get("operator") or "and").strip().lower()
        together = f" {join} ".join(parts)
        return f"({together})" if depth and len(parts) > 1 else together
    operator = conditions.get("op", conditions.get("operator"))
    field, value = conditions.get("field"), conditions.get("value")
    if not (isinstance(field, str) and isinstance(operator, str)) or value is None:
        return ""
    return f"{field} {operator} {value}"


def _read(threshold: str | None) -> tuple[str, tuple[Condition, ...]]:
    """How the conditions are joined, and all of them; none where one is not understood."""
    return _taken_apart(threshold) if threshold and len(threshold) <= _LONGEST else ("and", ())


@lru_cache(1024)  # a workspace has few thresholds, and every run repeats them
def _taken_apart(threshold: str) -> tuple[str, tuple[Condition, ...]]:
    parts = _JOINT.split(threshold.strip())
    joins = {join.lower() for join in parts[1::2]} or {"and"}
    found = [_PART.fullmatch(part.strip()) for part in parts[::2]]
    if len(joins) > 1 or None in found:
        return "and", ()
    return joins.pop(), tuple(Condition(f[1].lower(), _OPS[f[2].strip().lower()], f[3].strip()) for f in found if f)


def _met(condition: Condition, score: float | None, value: str | None) -> bool | None:
    if condition.field not in ("score", "value"):
        return None
    got = number_of(value)
    if condition.field == "score" and score is not None:
        got = score
    wanted = number_of(_bare(condition.value))
    if got is not None and wanted is not None:
        return _COMPARE[condition.op](got, wanted)
    if condition.field == "score" or value is None or condition.op not in "=≠":
        return None
    same = value.strip().casefold() == _bare(condition.value).casefold()
    return same if condition.op == "=" else not same


def _words(condition: Condition) -> str:
    if condition.field not in ("score", "value"):
        return ""
    bare = _bare(condition.value)
    if number_of(bare) is not None:
        return f"{condition.op} {bare}"
    return {"=": f'"{bare}"', "≠": f'other than "{bare}"'}.get(condition.op, "")


def _bare(value: str) -> str:
    """Without the quotation marks around it."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1].strip() if quoted else value
