"""A suggestion in words: its headline, what the server says of it, and what each change seems to be for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice

from rich.text import Text

from cekura_tui.evidence.hunk_reasons import Reason
from cekura_tui.evidence.prompt_issues import PromptIssue
from cekura_tui.model.job import Suggestion
from cekura_tui.model.json_tree import has_children, leaf_text
from cekura_tui.model.text import clean, clean_line, count
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.staging import Choices
from cekura_tui.ui.kit.lines import VERDICT_MARKS
from cekura_tui.ui.suggestion.diff_view import HunkNotes
from cekura_tui.workspace.suggestions import OpenedSuggestion, SuggestionReasons

_CHOSEN = ("accepted", "rejected", "edited")
_ISSUES = 50
"""Issues that are listed."""
_REST, _DEEPEST = 60, 8
"""Lines of an issue that are told of what is not known to be in one, and how deep they go."""


def headline(number: int, reading: OpenedSuggestion | None) -> Text:
    """Which suggestion it is, how much it changes, and how much of that is chosen."""
    text = Text(f" Suggestion of job {number} ", style="bold", no_wrap=True, overflow="ellipsis", end="")
    if reading is None:
        return text
    diff, job = reading.diff, reading.done.job
    chosen = Counter[str](choice.what for choice in reading.choices.values())
    changes = [count(len(diff.hunks), "change"), *(f"{chosen[what]:,} {what}" for what in _CHOSEN if chosen[what])]
    told = [
        ", ".join(changes),
        f"+{diff.added_words:,} −{diff.removed_words:,} words",
        f"staged {count(len(reading.staged.split()), 'word')}",
        f"from run {', '.join(map(str, job.run_ids))}",
        clean_line(job.agent_name, 40),
    ]
    return text.append(f"· {' · '.join(filter(None, told))}", style="not bold")


def summary(done: Suggestion, diff: ProseDiff, why: SuggestionReasons | None) -> Text:
    """What the server says it changed, then the issues behind that, each with its run, and what could not be read."""
    text = Text(clean(done.job.summary_of_changes or "The server sent no summary.").strip())
    if diff.coarse:
        text.append(f"\n! {clean_line(diff.coarse)}", style="bold")
    if why is None:
        return text.append("\nReading what the runs tell …", style="dim")
    if why.issues is None:
        text.append("\nThis server does not tell the issues behind it.", style="dim")
    for problem in why.problems:
        text.append(f"\n! {clean_line(problem)} r tries again.", style="bold")
    if why.issues:
        text.append(f"\n{count(len(why.issues), 'issue')} behind it:", style="bold")
        for issue in why.issues[:_ISSUES]:
            text.append(f"\n• {clean_line(issue.title)}")
            text.append("".join(f"\n  {line}" for line in _about(issue)), style="dim")
    if why.issues and len(why.issues) > _ISSUES:
        text.append(f"\n… and {len(why.issues) - _ISSUES:,} more.", style="dim")
    return text


def _about(issue: PromptIssue) -> Iterator[str]:
    """Whose issue it is, then what is said of it."""
    runs = f"run {', '.join(map(str, issue.run_ids))}" if issue.run_ids else ""
    kind = ", ".join(clean_line(word, 60) for word in (issue.severity, issue.category) if word)
    told = (runs, clean_line(issue.metric, 60), clean_line(issue.section, 60), kind)
    if any(told):
        yield " · ".join(filter(None, told))
    title = clean_line(issue.title)
    said = (clean_line(text, 600).removeprefix(title).strip() for text in (issue.description, issue.suggestion))
    yield from filter(None, said)
    tree = (line for node in issue.nodes() for line in _tree(node.name, node.value))
    yield from islice(tree, _REST)


def _tree(name: str, value: object, depth: int = 0) -> Iterator[str]:
    """What else was sent of it, a line a value."""
    named = f"{'  ' * depth}{clean_line(name, 60)}"
    if isinstance(value, dict | list) and value and depth < _DEEPEST:
        yield f"{named}:"
        for key, one in value.items() if isinstance(value, dict) else enumerate(value, 1):
            yield from _tree(str(key), one, depth + 1)
    else:
        yield f"{named}: {clean_line(leaf_text(value) if not has_children(value) else str(value), 600)}"


def hunk_notes(diff: ProseDiff, why: SuggestionReasons | None) -> Mapping[int, HunkNotes]:
    """What is told below the head of each hunk of which anything is known."""
    if why is None:
        return {}
    told = {
        hunk.number: HunkNotes(
            tuple(_reason_line(reason) for reason in why.reasons.get(hunk.number, ())),
            tuple(clean_line(fact, 60) for fact in why.own_facts.get(hunk.number, ())),
        )
        for hunk in diff.hunks
    }
    return {number: one for number, one in told.items() if one.reasons or one.own_facts}


def _reason_line(reason: Reason) -> str:
    where = [f"run {reason.run_id}"] if reason.run_id is not None else []
    where += [f"turn {reason.turn + 1}"] if reason.turn is not None else []
    verdict = f"answers {VERDICT_MARKS['fail']} {clean_line(reason.verdict, 60)}"
    return " · ".join([", ".join([verdict, " ".join(where)] if where else [verdict]), reason.sure])


def undone_message(before: Choices, after: Choices) -> str:
    """What became of the choices by taking back a step, as a sentence."""
    changed = [number for number in sorted({*before, *after}) if before.get(number) != after.get(number)]
    if not changed:
        return "There is nothing to take back."
    if len(changed) > 1:
        return f"Taken back: {count(len(changed), 'change')} are as they were before."
    was, now = before.get(changed[0]), after.get(changed[0])
    kept = " e opens what you typed." if was is not None and was.what == "edited" else ""
    return f"Taken back: change {changed[0]} is {now.what if now else 'undecided'} again.{kept}"


def accepted_message(before: Choices, after: Choices) -> str:
    """That all is accepted, and what was chosen otherwise before, as a sentence."""
    if before == after:
        return "All is accepted already."
    chosen = Counter[str](choice.what for choice in before.values())
    others = [f"{chosen[what]:,} {what}" for what in ("rejected", "edited") if chosen[what]]
    were = f" ({' and '.join(others)} before)" if others else ""
    return f"All is accepted: {count(len(after), 'change')}{were}. u takes that back."
