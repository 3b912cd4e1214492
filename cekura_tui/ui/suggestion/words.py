"""Texts about a suggestion: the headline, the summary with the issues, and the notes on each hunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from rich.cells import cell_len
from rich.text import Text
from textual.content import Content

from cekura_tui.evidence.prompt_issues import PromptIssue
from cekura_tui.model.job import Suggestion
from cekura_tui.model.json_tree import has_children, leaf_text
from cekura_tui.model.text import clean, clean_line, count
from cekura_tui.prose.diff import ProseDiff, shown_length
from cekura_tui.prose.lines import counts
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.suggestion.diff_rows import SIGNS, HunkNotes
from cekura_tui.workspace.suggestions import OpenedSuggestion, SuggestionReasons

_DECISIONS = ("accepted", "rejected", "edited")
_MAX_ISSUES = 50
_TREE_LINES, _TREE_DEPTH = 60, 8
"""Maximum number of lines, and maximum nesting depth, shown of the unknown fields of an issue."""


def headline(number: int, opened: OpenedSuggestion | None, width: int, update: str = "") -> Text:
    """The job's number, the `update` of the agent's prompt and the staged words; with room in `width` cells, also the
    decisions, proposed words, runs and agent. `opened` is None while loading."""
    text = Text(f" Suggestion of job {number} ", style="bold", no_wrap=True, overflow="ellipsis", end="")
    if opened is None:
        return text
    diff, job = opened.diff, opened.suggestion.job
    chosen = Counter[str](choice.what for choice in opened.choices.values())
    around = [hunk for hunk in diff.hunks if hunk.kind == "wrapper" and hunk.number not in opened.choices]
    now = opened.counts
    marks = [f"{SIGNS[what]}{chosen[what]:,}" for what in _DECISIONS] if chosen else []
    if chosen.keys() - {"rejected"}:
        applied = (diff.hunks[number - 1] for number, choice in opened.choices.items() if choice.what != "rejected")
        moved = any(hunk.kind == "moved" for hunk in applied)
        other = f"only {'moved text' if moved else 'formatting'} staged"
        staged = f"staged {now.counts} words" if now.counts else other
    else:
        staged = "no change accepted" if diff.hunks else ""
    facts = [
        update,
        f"{now.undecided:,} of {len(diff.hunks):,} undecided" if now.undecided else "all decided" if diff.hunks else "",
        " ".join(marks),
        f"{len(around):,} left out" if around else "",
        staged,
    ]
    for spare in (2, 1):
        if text.cell_len + cell_len(f"· {' · '.join(filter(None, facts))} ") > width:
            facts[spare] = ""
    proposed = counts(diff.removed_words, diff.added_words - sum(hunk.added for hunk in around))
    more = [f"{proposed} words proposed" if proposed else "", _runs(job.run_ids), clean_line(job.agent_name, 40)]
    shown = " · ".join(filter(None, facts))
    for fact in filter(None, more):
        if text.cell_len + cell_len(f"· {shown} · {fact} ") > width:
            break
        shown = f"{shown} · {fact}"
    return text.append(f"· {shown}", style="not bold")


def _runs(run_ids: Sequence[int]) -> str:
    return f"run{'s' if len(run_ids) > 1 else ''} {', '.join(map(str, run_ids))}" if run_ids else ""


def summary(
    suggestion: Suggestion, diff: ProseDiff, explained: SuggestionReasons | None, key: str = "", advice: str = ""
) -> list[Content]:
    """Lines with warnings, `advice`, the server's summary and the issues. `explained` is None while the issues load;
    `key` names an API key in the improved prompt, "" if there is none."""
    warnings = [f"The improved prompt contains {key}."] if key else []
    warnings += [clean_line(diff.coarse)] if diff.coarse else []
    # First, because the summary may be longer than its pane.
    lines = [Content.styled(f"! {warning}", "$warning") for warning in warnings]
    by = f"Proposed by {suggestion.job.proposer}." if suggestion.job.is_local else ""
    lines += [Content.styled(line, "$muted") for line in (by, advice) if line]
    if not diff.is_compared:
        proposed = suggestion.improved_prompt or ""
        shown = f"Shows the first {shown_length(proposed):,} of {count(len(proposed), 'character')}"
        saves = with_keys("{suggestion.hand-off} copies or saves all")
        lines.append(Content(f"{shown} · {saves} · `jobs show {suggestion.job.number} --prompt` prints all"))
    found = clean(suggestion.job.summary_of_changes or "No summary of the changes.").strip().split("\n")
    lines += (Content(line.rstrip()) for line in found)
    if explained is None:
        return [*lines, Content.styled("Loading the issues …", "$muted")]
    if explained.issues is None:
        lines.append(Content.styled("This server reports no issues.", "$muted"))
    retry = with_keys("{suggestion.refresh} retry")
    lines += (Content.styled(f"! {clean_line(problem)} · {retry}", "$warning") for problem in explained.problems)
    issues = explained.issues or ()
    if issues:
        lines.append(Content.styled(f"{count(len(issues), 'issue')} found in the runs", "bold"))
    for issue in issues[:_MAX_ISSUES]:
        lines.append(Content(f"• {clean_line(issue.title)}"))
        lines += (Content.styled(f"  {line}", "$muted") for line in _issue_lines(issue))
    if len(issues) > _MAX_ISSUES:
        lines.append(Content.styled(f"… and {len(issues) - _MAX_ISSUES:,} more", "$muted"))
    return lines


def _issue_lines(issue: PromptIssue) -> Iterator[str]:
    kind = ", ".join(clean_line(word, 60) for word in (issue.severity, issue.category) if word)
    facts = (_runs(issue.run_ids), clean_line(issue.metric, 60), clean_line(issue.section, 60), kind)
    if any(facts):
        yield " · ".join(filter(None, facts))
    title = clean_line(issue.title)
    descriptions = (clean_line(text, 600).removeprefix(title).strip() for text in (issue.description, issue.suggestion))
    yield from filter(None, descriptions)
    tree = (line for node in issue.nodes() for line in _tree(node.name, node.value))
    yield from islice(tree, _TREE_LINES)


def _tree(name: str, value: object, depth: int = 0) -> Iterator[str]:
    """Lines for an unknown field of an issue: one line per value, indented by depth."""
    named = f"{'  ' * depth}{clean_line(name, 60)}"
    if isinstance(value, dict | list) and value and depth < _TREE_DEPTH:
        yield f"{named}:"
        for key, one in value.items() if isinstance(value, dict) else enumerate(value, 1):
            yield from _tree(str(key), one, depth + 1)
    else:
        yield f"{named}: {clean_line(leaf_text(value) if not has_children(value) else str(value), 600)}"


def hunk_notes(opened: OpenedSuggestion, explained: SuggestionReasons | None) -> Mapping[int, HunkNotes]:
    """Notes with reasons and run-specific words, by hunk number; only for hunks with a reason or such a word."""
    if explained is None:
        return {}
    notes = {
        hunk.number: HunkNotes(
            tuple(reason.words for reason in explained.reasons.get(hunk.key, ())),
            tuple(fact.words for fact in opened.own_facts(explained, hunk)),
        )
        for hunk in opened.diff.hunks
        if hunk.kind != "wrapper"  # text around the model's answer changes nothing
    }
    return {number: one for number, one in notes.items() if one.reasons or one.own_facts}
