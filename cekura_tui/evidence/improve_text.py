"""Write the text that asks a program for a better prompt: the prompt, the failed checks, and the calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from cekura_tui.evidence.evidence import Findings, reason_words, surest_first
from cekura_tui.model.errors import UsageError
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunView
from cekura_tui.model.run.words import judged_words, missing_words, outcome_words, reasons, speaker_name
from cekura_tui.model.text import capped, clean, clean_line, count, sha256
from cekura_tui.model.transcript.timeline import have_hours, time_of
from cekura_tui.model.transcript.tool_call import brief, is_tool, tool_name

PLACEHOLDERS: Mapping[str, str] = {
    "prompt": "the prompt to improve, exactly as it is; every template needs it",
    "failed": "the failed checks, each with its result, threshold, reason, and the turns that it cites",
    "calls": "the calls, in the order of their turns",
    "passed": 'the names of the checks that passed in every run and that no review names, or "none"',
    "focus": 'the names of the metrics and categories to fix, or "none"',
    "token": "the code in the lines before and after the prompt, the failed checks and each call",
}
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}\r\n]*)(\}?)")
_LEAST, _NOTE = 12_000, 64  # fewest characters for checks and calls together; most of a note about what is left out
_LONG, _QUOTED, _NEAR = 2_000, 8, 40  # most characters of a turn or reason; turns quoted; turns with neighbours kept
Calls = Sequence[tuple[RunView, Sequence[tuple[Verdict, Findings]]]]


class ImproveText(NamedTuple):
    text: str
    left_out: str  # a sentence for the user; "" if everything is in the text


def check_template(template: str) -> None:
    """Raise UsageError for an unknown or unclosed placeholder, or if the template has no prompt."""
    known = f"Known: {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}. Write {{{{ and }}}} for braces."
    for match in _BRACES.finditer(template):
        if match[1] is not None and not (match[2] and match[1] in PLACEHOLDERS):
            what = f"{'unknown' if match[2] else 'unclosed'} placeholder {{{clean(match[1][:40])}{match[2]}"
            line = template[: match.start()].count("\n") + 1
            raise UsageError(f"Line {line} of the template has an {what}.", known)
    if "{prompt}" not in template.replace("{{", ""):
        raise UsageError("The template has no {prompt}, so the prompt to improve would be missing.", known)


def improve_text(template: str, prompt: str, calls: Calls, *, focus: Sequence[str], most: int) -> ImproveText:
    """Fill a template, in at most `most` characters if prompt and template leave at least _LEAST. The prompt is always
    whole; failed checks and calls get equal shares of the rest. Raises UsageError for a wrong template."""
    check_template(template)
    read = [_CallText(view, dict(pairs), focus) for view, pairs in calls]
    shown = read if "{calls}" in template else []
    checks = [check for call in read for check in call.checks]
    failed = {name for view, _ in calls for name in view.row.failing}
    reviews = " ".join(text for view, _ in calls for one in view.review for text in one.reasons)
    passed = (one.name for view, _ in calls for one in view.verdicts if one.state == "pass" and one.name not in reviews)
    values = {"focus": _names(focus), "passed": _names(name for name in passed if name not in failed)}
    marks = ["PROMPT", "FAILED", *(f"CALL {call.id}" for call in shown)]
    room = most - len(template) - len(prompt) - sum(map(len, values.values())) - 2 * _NOTE * len(marks)
    sizes = [*(len(check) + _NOTE for check in checks), *(call.size for call in shown)]
    limit = _limit(sizes, max(room, _LEAST))
    checks = [capped(check, max(limit - _NOTE, 0)) for check in checks]
    parts = [prompt, "\n".join(checks), *(call.text(limit) for call in shown)]
    token = everything = "\n".join([template, *parts])
    while token in everything:  # no part may contain the code that ends it
        token = sha256(token)[:8]
    blocks = [f"<<<{mark} {token}\n{part}\n{mark} {token}>>>" for mark, part in zip(marks, parts, strict=True)]
    values |= {"prompt": blocks[0], "failed": blocks[1], "calls": "\n\n".join(blocks[2:]), "token": token}
    text = _BRACES.sub(lambda match: match[0][0] if match[1] is None else values[match[1]], template)
    left = [call.left for call in shown if call.left]
    if cut := sum(" characters more)" in part for part in (*checks, *parts[2:])):
        left.append(f"parts of {count(cut, 'check or call', 'checks and calls')}")
    out = f"Left out to keep the text short: {'; '.join(left)}." if left else ""
    over = f"The text has {len(text):,} characters: the prompt and the template leave too little of {most:,}."
    return ImproveText(text, f"{out} {over if len(text) > most else ''}".strip())


def _names(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys('"' + clean_line(name).replace('"', "'") + '"' for name in names)) or "none"


def _limit(sizes: Sequence[int], room: int) -> int:
    """The size to which parts must be truncated so that all of them fit into a room."""
    for done, size in enumerate(sorted(sizes)):
        if size * (len(sizes) - done) > room:
            return room // (len(sizes) - done)
        room -= size
    return max(sizes, default=0)


class _CallText:
    """The text of a call and of its failed checks. `size` is in characters; `left` says which turns `text` left out."""

    def __init__(self, view: RunView, found: Mapping[Verdict, Findings], focus: Sequence[str]) -> None:
        self.id, self.left, turns = view.row.id, "", view.transcript.turns
        judged = () if any(one.state == "pass" for one in view.review) else view.judgements  # overruled by a person
        failing = [one for one in judged if one.state == "fail" or (one.state == "review" and one.name in focus)]
        checks = [(verdict, found.get(verdict, Findings(()))) for verdict in failing]
        evidence = surest_first(one for _, findings in checks for one in findings.turns)
        self._cited, self._lines = dict.fromkeys(one.n for one in evidence), list[str]()
        hours = have_hours(turns)
        for turn in turns:
            said = clean(f"{tool_name(turn)} {brief(turn)}" if is_tool(turn) else turn.text)
            said = capped(said, _LONG).replace("\n", "\n        ")
            mark = ">" if turn.n in self._cited else " "
            self._lines.append(f"{mark} {time_of(turn, hours=hours)} {speaker_name(turn)}: {said}".rstrip())
        self.checks = [self._check(*check) for check in checks] or [f"No failed check in run {self.id}."]
        facts = {"result": outcome_words(view.row), "scenario": view.row.scenario, "personality": view.row.personality}
        facts |= {name: text for name, text in view.details if name in ("ended", "error", "feedback")}
        head = "; ".join(f"{name}: {clean_line(text)}" for name, text in facts.items() if text)
        self._head = f"{head}\n{view.transcript.note}".rstrip()
        self.size = len(self._head) + sum(len(line) + 1 for line in self._lines)

    def _check(self, verdict: Verdict, findings: Findings) -> str:
        name = f"- {clean_line(verdict.name)} (run {self.id}): {clean_line(judged_words(verdict))}"
        why = (capped(clean_line(str(reason), None), _LONG) for reason in reasons(verdict))
        cited = (
            f"{clean_line(self._lines[one.n - 1])} [{clean_line(reason_words(one.why, one.sure))}]"
            for one in surest_first(findings.turns)[:_QUOTED]
        )
        return "\n    ".join(filter(None, (name, *why, missing_words(findings.missing), *cited)))

    def text(self, room: int) -> str:
        """The call in at most `room` characters; turns near cited turns, else at both ends, are kept longest."""
        if self.size <= room:
            return "\n".join([self._head, *self._lines])
        kept: set[int] = set()
        numbers = range(1, len(self._lines) + 1)
        near = list(self._cited)[:_NEAR] or [1, len(numbers)]
        room -= len(self._head) + _NOTE
        for n in sorted(numbers, key=lambda n: min((abs(n - one), at) for at, one in enumerate(near))):
            room -= len(self._lines[n - 1]) + 1 + (0 if kept & {n - 1, n + 1} else _NOTE)
            if room < 0:
                break
            kept.add(n)
        lines = [self._head]
        for is_kept, group in groupby(numbers, kept.__contains__):
            turns = [self._lines[n - 1] for n in group]
            lines += turns if is_kept else [f"[{count(len(turns), 'turn')} left out]"]
        self.left = f"{len(numbers) - len(kept):,} of {count(len(numbers), 'turn')} of run {self.id}"
        return "\n".join(lines)
