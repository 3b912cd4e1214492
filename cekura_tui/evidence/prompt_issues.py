"""Read the issues in `improve_prompt_issues`, whose schema is undocumented. Unknown fields are kept
and shown as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cekura_tui.model.json_tree import Node, shown_name
from cekura_tui.model.text import clean_json

_LISTS = ("issues", "results")
"""Names that the field with the list of issues may have."""
_TEXTS: dict[str, tuple[str, ...]] = {
    "title": ("title",),
    "description": ("description", "explanation"),
    "suggestion": ("suggestion",),
    "severity": ("severity", "priority"),
    "section": ("section",),
    "metric": ("metric",),
    "category": ("category",),
}
_RUNS = ("run_ids", "run_id")
_QUOTES = ("quotes", "turns")
_UNTITLED = "An issue without a title"


@dataclass(frozen=True, slots=True)
class IssueQuote:
    """A quoted turn; every field may be missing. `index` is the number of the turn as sent (whether from 0 or from 1 is
    undocumented). `who` is the role of the speaker."""

    text: str = ""
    run_id: int | None = None
    index: int | None = None
    time: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class PromptIssue:
    """One issue. All texts are cleaned; all except `title` may be empty. `metric` is the name of the verdict, `section`
    the part of the prompt that the issue is about. `rest` has the unknown fields, as JSON."""

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
        """The unknown fields as roots of a JSON tree."""
        return (Node((name,), shown_name(name), value) for name, value in self.rest.items())


def read_issues(body: object) -> tuple[PromptIssue, ...]:
    """Read the issues in a parsed answer: a list, an object with one, or a single object or text. Never raises."""
    try:
        body = clean_json(body)
        lists = [body[name] for name in _LISTS if isinstance(body.get(name), list)] if isinstance(body, dict) else []
        entries = lists[0] if lists else body if isinstance(body, list) else [body]
        return tuple(_issue(entry) for entry in entries if entry not in (None, "", [], {}))
    except RecursionError:
        return (PromptIssue("The answer is nested too deeply to be read."),)


def _issue(entry: object) -> PromptIssue:
    if not isinstance(entry, dict):
        return PromptIssue(title) if (title := _text(entry)) else PromptIssue(_UNTITLED, rest={"sent": entry})
    rest = dict(entry)
    texts = {what: _take_text(rest, names) for what, names in _TEXTS.items()}
    quotes = _take_quotes(rest)
    run_ids = _take_runs(rest) + [quote.run_id for quote in quotes if quote.run_id is not None]
    title = texts.pop("title") or (texts["description"] or texts["suggestion"]).partition("\n")[0] or texts["metric"]
    rest = {name: left for name, left in rest.items() if left not in (None, "", [], {})}
    return PromptIssue(
        title or _UNTITLED, **texts, run_ids=tuple(dict.fromkeys(run_ids)), quotes=tuple(quotes), rest=rest
    )


def _text(value: object) -> str:
    """Strip a text or format a number; "" for anything else."""
    if isinstance(value, str):
        return value.strip()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value}" if is_number and abs(value) < 1e300 else ""  # type: ignore[arg-type] # it is a number


def _take_text(rest: dict[str, object], names: tuple[str, ...]) -> str:
    """Remove and return the first text in `rest` under one of these names; "" if there is none."""
    name = next((name for name in names if _text(rest.get(name))), None)
    return "" if name is None else _text(rest.pop(name))


def _take_runs(rest: dict[str, object]) -> list[int]:
    """Read the run ids in `rest`. A field with run ids is removed from `rest` if all its ids are valid."""
    found: list[int] = []
    for name in _RUNS:
        sent = rest.get(name)
        ids = [_id(one) for one in (sent if isinstance(sent, list) else [sent])]
        found += [number for number in ids if number is not None]
        if None not in ids:
            del rest[name]
    return found


def _id(value: object) -> int | None:
    if isinstance(value, str) and len(value) < 19 and value.isascii() and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _take_quotes(rest: dict[str, object]) -> list[IssueQuote]:
    """Read the quotes in `rest`. A field with quotes is removed from `rest` if all its quotes were read completely."""
    found: list[IssueQuote] = []
    for name in _QUOTES:
        sent = rest.get(name)
        read = [_quote(item) for item in sent] if isinstance(sent, list) else []
        found += [quote for quote, _ in read if quote is not None]
        if read and all(whole for _, whole in read):
            del rest[name]
    return found


def _quote(sent: object) -> tuple[IssueQuote | None, bool]:
    """Read a quote, None if `sent` is no quote. The second value is whether all fields of the quote were read."""
    if isinstance(sent, str) and sent.strip():
        return IssueQuote(sent.strip()), True
    if not isinstance(sent, dict):
        return None, False
    rest = dict(sent)
    text, time, who = (_take_text(rest, names) for names in (("text",), ("time",), ("role", "speaker")))
    numbers = {name: number for name in ("index", "turn", "run_id") if (number := _id(rest.get(name))) is not None}
    index = numbers.get("index", numbers.get("turn"))
    if not text and not time and index is None:
        return None, False
    return IssueQuote(text, numbers.get("run_id"), index, time, who), not rest.keys() - numbers.keys()
