"""The issues behind a suggestion, as improve_prompt_issues answers them.

The shape of the answer is not declared: what is known is read, and what is not is kept to be shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cekura_tui.model.json_tree import Node, shown_name
from cekura_tui.model.text import clean, clean_json

_LISTS = ("issues", "prompt_issues", "results", "data", "items", "findings", "output", "result")
"""Where an object holds the issues; under the first of these names whatever its value is."""
_ALWAYS_LISTS = frozenset(_LISTS[:3])
_TEXTS: dict[str, tuple[str, ...]] = {
    "title": ("title", "issue", "issue_title", "name", "problem", "summary"),
    "description": ("description", "explanation", "details", "reason", "root_cause", "message", "text"),
    "suggestion": ("suggestion", "suggested_fix", "proposed_change", "fix", "recommendation"),
    "severity": ("severity", "priority"),
    "section": ("section", "prompt_section"),
    "metric": ("metric", "metric_name"),
    "category": ("category", "critical_category", "type"),
}
"""What holds a text of an issue; what bears another name is shown with the rest, as JSON."""
_RUNS = ("run_ids", "run_id", "runs", "run")
_QUOTES = ("quotes", "quote", "turns", "turn", "evidence", "examples")
_QUOTED_TEXT = ("text", "quote", "content", "message", "said")
_INDEX = ("index", "turn_index", "turn", "turn_number", "n")
_TIME = ("time", "timestamp", "start_time", "start")
_WHO = ("role", "speaker")
_NAMED = ("name", "title", "text")
_DEEPEST = 20
"""Lists in lists, and objects in objects, that are looked into."""
_UNTITLED = "An issue without a title"
_NO_ISSUES = re.compile(r"\W*(?:there (?:are|were) )?no (?:\w+ )?(?:issues?|problems?)\b", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class IssueQuote:
    """What an issue points at: the words, the speaker's role, the number of the turn as it was told (nobody says
    whether from 0 or from 1), and its time as a text; each may be missing."""

    text: str = ""
    run_id: int | None = None
    index: int | None = None
    time: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class PromptIssue:
    """One issue. Every text is cleaned and may be empty, but for `title`; several texts for one thing are lines.

    `metric` is the name of the verdict, `section` the part of the prompt. `rest` is what else was sent, as JSON.
    """

    title: str
    description: str = ""
    suggestion: str = ""
    severity: str = ""
    section: str = ""
    metric: str = ""
    category: str = ""
    run_ids: tuple[int, ...] = ()
    quotes: tuple[IssueQuote, ...] = ()
    rest: Mapping[str, object] = field(default_factory=dict)

    def nodes(self) -> Iterator[Node]:
        """What else was sent, as the roots of a JSON tree."""
        return (Node((name,), shown_name(name), value) for name, value in self.rest.items())


def read_issues(body: object) -> tuple[PromptIssue, ...]:
    """The issues of a parsed answer, in order: of a list, of an object that holds one, or of objects by any name.

    Never raises. Texts and numbers are issues of their own; nulls, empty values and the words that there are no issues
    are none. What stands beside the list of issues, such as a count, is no issue either and is left out.
    """
    try:
        read = [_issue(value, run_id) for value, run_id in _entries(clean_json(body), None, 0)]
    except RecursionError:
        return (PromptIssue("The answer is nested too deeply to be read."),)
    return tuple(issue for issue in read if _has_content(issue))


def _has_content(issue: PromptIssue) -> bool:
    content = issue.rest or issue.quotes or issue.suggestion or issue.section or issue.metric or issue.category
    words = issue.description or issue.title
    return bool(content) or (words != _UNTITLED and not _NO_ISSUES.match(words))


def _entries(value: object, run_id: int | None, depth: int) -> Iterator[tuple[object, int | None]]:
    """What may be an issue, and the run it was listed under."""
    if value is None or isinstance(value, bool) or value in ("", [], {}):
        return
    if depth > _DEEPEST:
        yield value, run_id
    elif isinstance(value, list):
        for item in value:
            yield from _entries(item, run_id, depth + 1)
    elif isinstance(value, dict) and (held := _held(value)) is not None:
        for item, of_run in held:
            yield from _entries(item, run_id if of_run is None else of_run, depth + 1)
    else:
        yield value, run_id


def _held(raw: dict[str, object]) -> list[tuple[object, int | None]] | None:
    """The values of an object that holds issues, each with the run that its key names; None where it is an issue."""
    keys = {_plain(key): key for key in raw}
    lists = [
        raw[keys[name]]
        for name in _LISTS
        if name in keys and (name in _ALWAYS_LISTS or isinstance(raw[keys[name]], list | dict))
    ]
    # Beside a list of that name a summary or a message is about all of them.
    own = _TEXTS["title"][:4] if _ALWAYS_LISTS & keys.keys() else _TEXTS["title"] + _TEXTS["description"]
    if lists and not any(isinstance(raw[keys[name]], str) for name in own if name in keys):
        of_run = next(iter(_ids([raw[keys[name]] for name in _RUNS if name in keys])), None)
        return [(value, of_run) for value in lists]
    known = {name for names in (*_TEXTS.values(), _RUNS, _QUOTES) for name in names}
    if not known & keys.keys() and all(isinstance(value, list | dict) for value in raw.values()):
        return [(value, _id(key)) for key, value in raw.items()]
    return None


def _issue(value: object, run_id: int | None) -> PromptIssue:
    listed = () if run_id is None else (run_id,)
    if not isinstance(value, dict):
        return PromptIssue(_text(value) or _UNTITLED, run_ids=listed, rest=_rest_of(value))
    rest = dict(value)
    keys = {_plain(key): key for key in reversed(value)}
    texts = {what: _take_text(rest, keys, names) for what, names in _TEXTS.items()}
    quotes = _take_quotes(rest, keys)
    run_ids = _take_runs(rest, keys) + [quote.run_id for quote in quotes if quote.run_id is not None]
    title = texts.pop("title") or _opening(texts["description"]) or texts["metric"] or texts["category"]
    return PromptIssue(
        title=title or _opening(texts["suggestion"]) or _UNTITLED,
        **texts,
        run_ids=tuple(dict.fromkeys(run_ids)) or listed,
        quotes=tuple(quotes),
        rest={name: left for name, left in rest.items() if left is not None and left not in ("", [], {})},
    )


def _rest_of(value: object) -> dict[str, object]:
    return {"sent": value} if isinstance(value, list | dict) else {}


def _plain(key: object) -> str:
    """A key as it is compared: "suggestedFix" and "Suggested fix" are "suggested_fix"."""
    return re.sub(r"[\s-]+", "_", _HUMP.sub("_", str(key)).strip()).lower()


def _take_text(rest: dict[str, object], keys: Mapping[str, str], names: tuple[str, ...]) -> str:
    """The first of these values that says something. It is taken out of the rest if the text is all of it."""
    for name in names:
        key = keys.get(name)
        value = rest.get(key) if key is not None else None
        if key is None or value is None:
            continue
        if text := _text(value):
            del rest[key]
            return text
        if isinstance(value, dict) and (text := next(filter(None, (_text(value.get(one)) for one in _NAMED)), "")):
            return text
    return ""


def _text(value: object) -> str:
    """A text, a number, or the lines that a list of texts is; else empty."""
    if isinstance(value, str):
        return clean(value).strip()
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "\n".join(filter(None, map(str.strip, value)))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value}" if is_number and abs(value) < 1e300 else ""  # type: ignore[arg-type] # it is a number


def _opening(text: str) -> str:
    return text.split("\n", 1)[0]


def _take_runs(rest: dict[str, object], keys: Mapping[str, str]) -> list[int]:
    found: list[int] = []
    for name in _RUNS:
        if (key := keys.get(name)) is not None and (ids := _ids(rest[key])):
            found += ids
            if not _has_objects(rest[key]):
                del rest[key]
    return found


def _has_objects(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict | list) for item in value))


def _ids(value: object) -> list[int]:
    """Ids of runs: numbers, texts of numbers, and objects with an id; also several."""
    if isinstance(value, dict):
        return [number for name in ("run_id", "id") if (number := _id(value.get(name))) is not None][:1]
    if isinstance(value, list):
        return [number for item in value if not isinstance(item, list) for number in _ids(item)]
    if isinstance(value, str) and "," in value:
        return [number for part in value.split(",") if (number := _id(part)) is not None]
    number = _id(value)
    return [] if number is None else [number]


def _id(value: object) -> int | None:
    if isinstance(value, str) and len(value) < 20 and value.strip().isascii() and value.strip().isdecimal():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _take_quotes(rest: dict[str, object], keys: Mapping[str, str]) -> list[IssueQuote]:
    """All quotes. They stay in the rest, too, where they tell more than can be read."""
    found: list[IssueQuote] = []
    for name in _QUOTES:
        if (key := keys.get(name)) is None:
            continue
        raw = rest[key]
        read = [_quote(item) for item in (raw if isinstance(raw, list) else [raw]) if item is not None]
        found += [quote for quote, _ in read if quote is not None]
        if read and all(whole for _, whole in read):
            del rest[key]
    return found


def _quote(raw: object) -> tuple[IssueQuote | None, bool]:
    """A quote, and whether that is all that was told."""
    if isinstance(raw, str):
        return (IssueQuote(raw.strip()), True) if raw.strip() else (None, True)
    if not isinstance(raw, dict):
        number = _id(raw)
        return (None, False) if number is None else (IssueQuote(index=number), True)
    rest = dict(raw)
    keys = {_plain(key): key for key in reversed(raw)}
    text, time, who = (_take_text(rest, keys, names) for names in (_QUOTED_TEXT, _TIME, _WHO))
    index = next((number for name in _INDEX if (number := _id(rest.get(keys.get(name, "")))) is not None), None)
    run_id = next(iter(_ids(raw.get(keys.get("run_id", "")))), None)
    left = set(rest) - {keys.get(name, "") for name in (*_INDEX, "run_id")}
    if not text and index is None and not time:
        return None, False
    return IssueQuote(text, run_id, index, time, who), not left
