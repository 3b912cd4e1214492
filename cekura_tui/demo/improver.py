"""Improve a prompt: rewrite or add the sentences behind failed verdicts, and keep every other character."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cekura_tui.demo.evaluation import Json
from cekura_tui.demo.library import Rule, agents, agents_by_id, rules_by_metric
from cekura_tui.model.errors import UsageError

_HEADING = re.compile(r"^(#{1,6})[ \t]+([^\r\n]*?)[ \t#]*$|^([A-Z][^\r\n.!?:]{2,60}):[ \t]*$", re.MULTILINE)
_BULLET = re.compile(r"([ \t]*)(?:([-*•])|(\d{1,3})([.)]))([ \t]+)\S")
_BLOCK = re.compile(r"^<<<(PROMPT|FAILED) ([0-9a-f]{8})\n(.*?)\n\1 \2>>>$", re.MULTILINE | re.DOTALL)
_FAILED = re.compile(r"^- (.+) \(run (\d{1,18})\): failed(.*(?:\n .*)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading's title, and the range of the text below the heading, as offsets into the prompt."""

    title: str
    body: int
    end: int


class Prompt:
    """Finds the section for a new sentence, and adds the sentence in the prompt's own style."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n" if "\n" in text or "\r" not in text else "\r"
        # `$` does not match before a carriage return, so search a copy with newlines.
        marks = list(_HEADING.finditer(text.replace("\r", "\n")))
        self.marked = any(match.group(1) for match in marks)
        ends = [*(match.start() for match in marks[1:]), len(text)]
        self.sections = [
            Section((match.group(2) or match.group(3) or "").strip(), match.end(), end)
            for match, end in zip(marks, ends, strict=False)
        ]

    def section_about(self, title: str, words: Iterable[str]) -> Section | None:
        """The section with this title, else the one whose title has most of the `words`; None if no title has any."""
        for section in self.sections:
            if section.title.casefold() == title.casefold():
                return section
        lowered = [word.casefold() for word in words]
        scored = [(sum(word in section.title.casefold() for word in lowered), section) for section in self.sections]
        best = max(scored, key=lambda pair: pair[0], default=(0, None))
        return best[1] if best[0] else None

    def with_sentence(self, section: Section, sentence: str) -> str:
        """The prompt with a sentence added at the end of a section, as a list item if the section ends with a list."""
        body = self.text[section.body : section.end]
        kept = body.rstrip(" \t\r\n")
        offset = section.body + len(kept)
        if not kept.strip():
            addition = self.newline + self.newline + sentence if section.title else sentence
        elif (bullet := self._bullet(kept)) is not None:
            addition = self.newline + bullet + sentence
        else:
            addition = " " + sentence
        return self.text[:offset] + addition + self.text[offset:]

    def with_section(self, title: str, sentence: str) -> str:
        heading = f"## {title}" if self.marked or not self.sections else f"{title}:"
        ending = "" if not self.text else self.newline if self.text.endswith(("\n", "\r")) else self.newline * 2
        return self.text + ending + heading + self.newline * (2 if self.marked else 1) + sentence + self.newline

    def _bullet(self, kept: str) -> str | None:
        """The marker of the next list item; None if the text `kept` does not end with a list."""
        if (match := _BULLET.match(re.split(r"\r\n|\r|\n", kept)[-1])) is None:
            return None
        indent, mark, number, stop, space = match.groups()
        return f"{indent}{mark or str(int(number) + 1) + stop}{space}"


NO_ISSUES = "No issues were found in the selected runs."
NO_TRANSCRIPT = "The selected runs have no transcript to learn from."


@dataclass(frozen=True, slots=True)
class Issue:
    """A broken rule, the runs that broke it, and the explanation of each verdict."""

    rule: Rule
    run_ids: tuple[int, ...]
    explanations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImprovementOutcome:
    """An improved prompt with a summary of the changes, or an error."""

    improved_prompt: str | None
    summary: str | list[str] | None
    error: str | None


def improve(
    runs: Sequence[Json], prompt: str, category_ids: Iterable[int] = (), metric_ids: Iterable[int] = ()
) -> ImprovementOutcome:
    """Fix in a prompt the issues found in runs (the API's JSON), only the issues of the categories and metrics if
    given; keep all other text. Returns an error if there is no transcript or evaluation, or nothing to fix."""
    if not any(run.get("transcript") or run.get("transcript_object") or run.get("evaluation") for run in runs):
        return ImprovementOutcome(None, None, NO_TRANSCRIPT)
    text, changes = _fix_all(prompt, issues_of(runs, category_ids, metric_ids))
    if not changes:
        return ImprovementOutcome(None, None, NO_ISSUES)
    # The real API answers either a string or a list.
    as_list = sum(run["id"] for run in runs) % 3 == 0
    return ImprovementOutcome(text, changes if as_list else "\n\n".join(changes), None)


def improve_by_text(text: str) -> tuple[str, list[str]]:
    """Improve the prompt in a text that `improve_text` made with the default template, by its failed checks; return the
    new prompt and each change in words. Raises UsageError if the text has no prompt."""
    blocks = {match[1]: match[3] for match in _BLOCK.finditer(text)}
    if (prompt := blocks.get("PROMPT")) is None:
        raise UsageError("Standard input has no prompt between the lines <<<PROMPT and PROMPT>>>.")
    agent = max(agents(), key=lambda agent: sum(rule.weak in prompt or rule.strong in prompt for rule in agent.rules))
    failed = _FAILED.findall(blocks.get("FAILED", ""))
    issues = []
    for rule in agent.rules:
        runs = [int(run_id) for name, run_id, why in failed if name == rule.name or f"{rule.name}:" in why]
        issues += [Issue(rule, tuple(dict.fromkeys(runs)), ())] if runs else []
    return _fix_all(prompt, sorted(issues, key=lambda issue: -len(issue.run_ids)))


def issues_of(runs: Iterable[Json], category_ids: Iterable[int] = (), metric_ids: Iterable[int] = ()) -> list[Issue]:
    """The issues in runs, most frequent first; only of the given categories and metrics, if any are given."""
    found: dict[int, tuple[Rule, list[int], list[str]]] = {}
    for run in runs:
        for rule, explanation in _broken(run):
            entry = found.setdefault(rule.metric, (rule, [], []))
            entry[1].append(run["id"])
            entry[2].append(explanation)
    categories, metrics = frozenset(category_ids), frozenset(metric_ids)
    issues = [Issue(rule, tuple(ids), tuple(texts)) for rule, ids, texts in found.values()]
    if categories or metrics:
        issues = [issue for issue in issues if issue.rule.category in categories or issue.rule.metric in metrics]
    return sorted(issues, key=lambda issue: (-len(issue.run_ids), issue.rule.metric))


def _broken(run: Json) -> list[tuple[Rule, str]]:
    """The rules that a run breaks, each with the verdict's explanation. A review overrides the checks."""
    status = run.get("evaluation_status")
    if status == "reviewed_success":
        return []
    rules = rules_by_metric()
    if status == "reviewed_failure":
        feedback = run.get("feedback") or ""
        return [(rule, feedback) for rule in agents_by_id()[run["agent"]].rules if f"{rule.name}:" in feedback]
    refused = {entry["metric_id"] for entry in run.get("rubric") or [] if entry["passed"] is False}
    broken = []
    for metric in (run.get("evaluation") or {}).get("metrics", []):
        if metric["id"] in refused and metric["id"] in rules:
            words = metric["explanation"]
            broken.append((rules[metric["id"]], " ".join(words) if isinstance(words, list) else words or ""))
    return broken


def _fix_all(text: str, issues: Sequence[Issue]) -> tuple[str, list[str]]:
    changes = []
    for issue in issues:
        if (changed := _fix(text, issue)) is not None:
            text, what = changed
            changes.append(what)
    return text, changes


def _fix(text: str, issue: Issue) -> tuple[str, str] | None:
    """The text with one issue fixed, and the change in words; None if the text has both sentences of the rule."""
    rule = issue.rule
    prompt = Prompt(text)
    section = prompt.section_about(rule.section, rule.words)
    where = f"“{section.title}”" if section is not None and section.title else "the prompt"
    runs = ("run " if len(issue.run_ids) == 1 else "runs ") + ", ".join(str(run_id) for run_id in issue.run_ids)
    why = f"{rule.name} failed in {runs}: {rule.finding}"
    if rule.weak in text and rule.strong not in text:
        start = text.index(rule.weak)
        home = next((section.title for section in prompt.sections if section.body <= start < section.end), "")
        where = f"“{home}”" if home else "the prompt"
        fixed = text[:start] + rule.strong + text[start + len(rule.weak) :]
        return fixed, f"Rewrote a sentence in {where}. {why}"
    if rule.strong not in text:
        sentence, done = rule.strong, "Added a sentence to"
    elif rule.second not in text:
        sentence, done = rule.second, "Added a second sentence, since the rule itself was there, to"
    else:
        return None
    if section is None:
        return prompt.with_section(rule.section, sentence), f"Added a section “{rule.section}”. {why}"
    return prompt.with_sentence(section, sentence), f"{done} {where}. {why}"
