"""Write the text that asks a program for a better prompt: the prompt, the failed checks, and the calls."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cekura_tui.evidence.evidence import Findings, reason_words, surest_first
from cekura_tui.model.errors import UsageError
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunView
from cekura_tui.model.run.words import judged_words, missing_words, outcome_words, reasons, speaker_name
from cekura_tui.model.text import clean, clean_line, count, sha256, shortened
from cekura_tui.model.transcript.timeline import have_hours, time_of
from cekura_tui.model.transcript.tool_call import brief, is_tool, tool_name
from cekura_tui.model.transcript.transcript import Turn

PLACEHOLDERS: Mapping[str, str] = {
    "prompt": "the prompt to improve, exactly as it is; every template needs it",
    "failed": "the failed checks, each with its result, threshold, reason, and the turns that it cites",
    "calls": "the calls, in the order of their turns",
    "passed": 'the names of the checks that passed and did not fail in another run, or "none"',
    "focus": 'the names of the metrics and categories to fix, or "none"',
    "token": "the code in the lines before and after the prompt, the failed checks and each call",
}
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}\r\n]*)(\}?)")
_LEAST = 6_000  # characters for the failed checks, and for the calls, even if a long prompt leaves no room
_SHORTEST, _GAP = 240, 64  # fewest characters of a truncated check or turn; most of a line about turns left out
_NAME, _QUOTED, _FACT, _TOOL, _TURN = 100, 230, 500, 600, 3_000  # most characters of each
_MOST_NAMES, _MOST_CITED, _CUT = 60, 8, " characters left out)"
Calls = Sequence[tuple[RunView, Sequence[tuple[Verdict, Findings]]]]


class ImproveText(NamedTuple):
    text: str
    left_out: str  # a sentence for the user; "" if everything is in the text


def check_template(template: str) -> None:
    """Raise UsageError for an unknown or unclosed placeholder, or if the template has no prompt."""
    known = f"Known: {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}. Write {{{{ and }}}} for braces."
    found = [match for match in _BRACES.finditer(template) if match[1] is not None]
    for match in found:
        if not match[2] or match[1] not in PLACEHOLDERS:
            what = f"{'unknown' if match[2] else 'unclosed'} placeholder {{{clean(match[1][:40])}{match[2]}"
            line = template[: match.start()].count("\n") + 1
            raise UsageError(f"Line {line} of the template has an {what}.", known)
    if all(match[1] != "prompt" for match in found):
        raise UsageError("The template has no {prompt}, so the prompt to improve would be missing.", known)


def improve_text(template: str, prompt: str, calls: Calls, *, focus: Sequence[str], most: int) -> ImproveText:
    """Fill a template, in at most `most` characters if prompt and template leave at least twice _LEAST. The prompt is
    always whole; the failed checks get three quarters of the rest if they need it. Raises UsageError (template)."""
    check_template(template)
    uses = Counter(match[1] for match in _BRACES.finditer(template))
    read = [_Call(view, dict(pairs), focus) for view, pairs in calls]
    verdicts = [verdict for view, _ in calls for verdict in view.verdicts]
    failed = {verdict.name for verdict in verdicts if verdict.state == "fail"}
    passed = _names(one.name for one in verdicts if one.state == "pass" and one.name not in failed)

    def filled(checks: str, bodies: Iterable[str], token: str) -> str:
        marks = ["PROMPT", "FAILED", *(f"CALL {call.id}" for call in read)]
        pairs = zip(marks, (prompt, checks, *bodies), strict=True)
        blocks = [f"<<<{mark} {token}\n{body}\n{mark} {token}>>>" for mark, body in pairs]
        values = {"prompt": blocks[0], "failed": blocks[1], "calls": "\n\n".join(blocks[2:])}
        values |= {"focus": _names(focus), "passed": passed, "token": token}
        return _BRACES.sub(lambda match: match[0][0] if match[1] is None else values[match[1]], template)

    left: list[str] = []
    free = most - len(filled("", [""] * len(read), "0" * 8))
    room = max(_LEAST, min(free * 3 // 4, free - _LEAST))
    checks = _checks(read, room // uses["failed"], left) if uses["failed"] else ""
    room = max(_LEAST, free - len(checks) * uses["failed"]) // max(1, uses["calls"])
    cited = _shares([call.least for call in read], room)
    rest = _shares([call.size - call.least for call in read], room - sum(cited))
    bodies = [call.text(sum(own), left if uses["calls"] else []) for call, *own in zip(read, cited, rest, strict=True)]
    token = sha256("".join([prompt, checks, *bodies]).encode("utf-8", "replace"))[:8]
    while any(
        token in text for text in (template, prompt, checks, *bodies)
    ):  # no part may contain the code that ends it
        token = sha256(token)[:8]
    text = filled(checks, bodies, token)
    out = f"Left out to keep the text short: {'; '.join(left)}." if left else ""
    over = f"The text has {len(text):,} characters: the prompt and the template leave too little of {most:,}."
    return ImproveText(text, f"{out} {over if len(text) > most else ''}".strip())


def _names(names: Iterable[str]) -> str:
    some = list(dict.fromkeys(clean_line(name, _NAME).replace('"', "'") for name in names))
    more = f" and {len(some) - _MOST_NAMES:,} more" if len(some) > _MOST_NAMES else ""
    return ", ".join(f'"{name}"' for name in some[:_MOST_NAMES]) + more or "none"


def _shares(sizes: Sequence[int], room: int) -> list[int]:
    """Divide a room into equal parts, none larger than its size; the others get what a small one does not need."""
    shares = [0] * len(sizes)
    for done, k in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        shares[k] = min(sizes[k], max(0, room) // (len(sizes) - done))
        room -= shares[k]
    return shares


def _cut(text: str, limit: int) -> str:
    kept = max(0, limit - 36)
    return text if len(text) <= limit else f"{text[:kept]}… ({len(text) - kept:,}{_CUT}"


def _checks(calls: Sequence[_Call], room: int, left: list[str]) -> str:
    """The failed checks of all calls, in at most `room` characters; adds what was left out to `left`."""
    lines, cut = [], 0
    most = max(1, room // _SHORTEST // max(1, len(calls)) - 1)
    sizes = [len(why) + len(cited) + 1 for call in calls for why, cited in call.checks[:most]]
    shares = iter(_shares(sizes, room - _GAP * len(calls)))
    for call in calls:
        for why, cited in call.checks[:most]:
            share = next(shares) - 1
            turns = cited if share - len(cited) >= min(_SHORTEST, len(why)) else ""
            lines.append(_cut(why, share - len(turns)) + turns)
            cut += lines[-1] != why + cited
        if (more := len(call.checks) - most) > 0:
            left.append(f"{count(more, 'failed check')} of run {call.id}")
            lines.append(f"[{left[-1]} left out]")
        lines += [] if call.checks else [f"No failed check in run {call.id}."]
    left += [f"parts of {count(cut, 'failed check')}"] if cut else []
    return "\n".join(lines)


class _Call:
    """The lines of a call, and (reason, cited turns) of each failed check. `size` is the length of the whole call in
    characters, `least` the length of its facts and cited turns."""

    def __init__(self, view: RunView, found: Mapping[Verdict, Findings], focus: Sequence[str]) -> None:
        self.id, self._turns, row = view.row.id, view.transcript.turns, view.row
        hours = have_hours(self._turns)
        self._times = [time_of(turn, hours=hours) for turn in self._turns]
        asked = [one for one in view.verdicts if one.state == "fail" or (one.state == "review" and one.name in focus)]
        failing = [(verdict, found.get(verdict, Findings(()))) for verdict in (*view.review, *asked)]
        cited = surest_first(one for _, findings in failing for one in findings.turns)
        self._rank = {n - 1: at for at, n in enumerate(dict.fromkeys(one.n for one in cited))}
        self._lines = [self._line(k, turn) for k, turn in enumerate(self._turns)]
        self.checks = [self._check(*pair) for pair in failing]
        facts = [("result", outcome_words(row)), ("scenario", row.scenario), ("personality", row.personality)]
        facts += (fact for fact in view.details if fact[0] in ("ended", "error", "feedback"))
        head = (f"{name}: {_cut(clean_line(text, None), _FACT)}" for name, text in facts if text)
        self._head = f"{'; '.join(head)}\n{view.transcript.note}".rstrip()
        self.size = len(self._head) + sum(len(line) + 1 for line in self._lines)
        self.least = min(self.size, len(self._head) + _GAP + sum(len(self._lines[k]) + 1 + _GAP for k in self._rank))

    def _line(self, k: int, turn: Turn) -> str:
        said = clean(f"{tool_name(turn)} {brief(turn)}".strip() if is_tool(turn) else turn.text)
        said = _cut(said, _TOOL if is_tool(turn) else _TURN).replace("\n", "\n        ")
        return f"{'>' if k in self._rank else ' '} {self._times[k]} {speaker_name(turn)}: {said}".rstrip()

    def _check(self, verdict: Verdict, findings: Findings) -> tuple[str, str]:
        name = f"- {clean_line(verdict.name, _NAME)} (run {self.id}): {clean_line(judged_words(verdict))}"
        texts = (clean_line(text, None) for text in (*map(str, reasons(verdict)), missing_words(findings.missing)))
        cited = (
            f"\n    {shortened(self._lines[one.n - 1], _QUOTED)} [{clean_line(reason_words(one.why, one.sure))}]"
            for one in surest_first(findings.turns)[:_MOST_CITED]
        )
        return "\n    ".join([name, *filter(None, texts)]), "".join(cited)

    def text(self, room: int, left: list[str]) -> str:
        """The call in at most `room` characters; turns near cited turns, else at both ends, are kept longest."""
        total, kept = len(self._lines), dict[int, str]()
        centres = sorted(self._rank) or [0, total - 1]
        around = ((k, centres[max(bisect_left(centres, k) - 1, 0) :][:2]) for k in range(total))
        order = sorted((min(abs(k - one) for one in near), self._rank.get(k, k), k) for k, near in around)
        room = room - len(self._head) - _GAP if room < self.size else self.size * _GAP
        for *_, k in order:
            room -= 1 + (0 if k - 1 in kept or k + 1 in kept else _GAP)
            if room < min(_SHORTEST, len(self._lines[k])):
                break
            kept[k] = _cut(self._lines[k], room)
            room -= len(kept[k])
        lines, before = [self._head], -1
        for k in [*sorted(kept), total]:
            if gap := k - before - 1:
                times = dict.fromkeys((self._times[before + 1], self._times[k - 1]))
                lines.append(f"[{count(gap, 'turn')} left out: {' to '.join(times)}]")
            lines += [kept[k]] if k in kept else []
            before = k
        cut = sum(line.endswith(_CUT) for line in kept.values())
        left += [f"{total - len(kept):,} of {count(total, 'turn')} of run {self.id}"] if len(kept) < total else []
        left += [f"parts of {count(cut, 'long turn')} of run {self.id}"] if cut else []
        return "\n".join(lines)
