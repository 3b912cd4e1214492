"""The improver: reads what the verdicts on some runs say, and mends the sentences of a prompt that are to blame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cekura_tui.demo.library import Rule, agents, rules_by_metric
from cekura_tui.demo.prompt import Prompt

Json = dict[str, Any]

NO_ISSUES = "No issues were found in the selected runs."
NO_TRANSCRIPT = "The selected runs have no transcript to learn from."


@dataclass(frozen=True, slots=True)
class Issue:
    """A rule that was broken, in which runs, and what the verdicts say about it."""

    rule: Rule
    run_ids: tuple[int, ...]
    explanations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: an improved prompt and what was changed, or `error`."""

    improved_prompt: str | None
    summary: str | list[str] | None
    error: str | None

    def as_output(self) -> Json | None:
        if self.improved_prompt is None:
            return None
        return {"improved_prompt": self.improved_prompt, "summary_of_changes": self.summary}


def improve(
    runs: Sequence[Json], prompt: str, category_ids: Iterable[int] = (), metric_ids: Iterable[int] = ()
) -> Outcome:
    """Propose a better prompt from whole runs. Everything in `prompt` that no issue points at stays as it is."""
    if not any(run.get("transcript") or run.get("transcript_object") or run.get("evaluation") for run in runs):
        return Outcome(None, None, NO_TRANSCRIPT)
    changes: list[str] = []
    text = prompt
    for issue in issues_of(runs, category_ids, metric_ids):
        changed = _mend(text, issue)
        if changed is not None:
            text, what = changed
            changes.append(what)
    if not changes:
        return Outcome(None, None, NO_ISSUES)
    # The API has been seen to answer a text as well as a list.
    as_list = sum(run["id"] for run in runs) % 3 == 0
    return Outcome(text, changes if as_list else "\n\n".join(changes), None)


def issues_of(runs: Iterable[Json], category_ids: Iterable[int] = (), metric_ids: Iterable[int] = ()) -> list[Issue]:
    """The issues behind some whole runs, those first that most runs have; a focus leaves the others out."""
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
    """The rules that a run is said to break. A reviewer's word comes before the checks'."""
    status = run.get("evaluation_status")
    if status == "reviewed_success":
        return []
    rules = rules_by_metric()
    if status == "reviewed_failure":
        feedback = run.get("feedback") or ""
        named = [rule for agent in agents() if agent.id == run["agent"] for rule in agent.rules]
        return [(rule, feedback) for rule in named if f"{rule.name}:" in feedback]
    refused = {entry["metric_id"] for entry in run.get("rubric") or [] if entry["passed"] is False}
    broken = []
    for metric in (run.get("evaluation") or {}).get("metrics", []):
        if metric["id"] in refused and metric["id"] in rules:
            words = metric["explanation"]
            broken.append((rules[metric["id"]], " ".join(words) if isinstance(words, list) else words or ""))
    return broken


def _mend(text: str, issue: Issue) -> tuple[str, str] | None:
    """The text with one issue mended and what was done, or None if the text says everything already."""
    rule = issue.rule
    prompt = Prompt(text)
    section = prompt.section_about(rule.section, rule.words)
    where = f"“{section.title}”" if section is not None and section.title else "the prompt"
    runs = ("run " if len(issue.run_ids) == 1 else "runs ") + ", ".join(str(run_id) for run_id in issue.run_ids)
    why = f"{rule.name} failed in {runs}: {rule.finding}"
    if rule.weak in text and rule.strong not in text:
        start = text.index(rule.weak)
        home = prompt.section_at(start)
        where = f"“{home.title}”" if home.title else "the prompt"
        mended = text[:start] + rule.strong + text[start + len(rule.weak) :]
        return mended, f"Rewrote a sentence in {where}. {why}"
    if rule.strong not in text:
        sentence, done = rule.strong, "Added a sentence to"
    elif rule.second not in text:
        sentence, done = rule.second, "Added a second sentence, since the rule itself was there, to"
    else:
        return None
    if section is None:
        return prompt.with_section(rule.section, sentence), f"Added a section “{rule.section}”. {why}"
    return prompt.with_sentence(section, sentence), f"{done} {where}. {why}"
