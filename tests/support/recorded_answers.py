"""Compare the complete answers of several rooms, for many cases, with recorded text files.

A changed answer fails its test with a diff. After an intended change, record the answers again and review the diff:
`python tests/support/recorded_answers.py`. A number such as `3fa2` is a checksum of a value that is too long to record.
"""

from __future__ import annotations

import logging
import sys
import zlib
from collections.abc import Callable, Iterator
from difflib import unified_diff
from importlib import import_module
from pathlib import Path

import evidence_cases
import own_facts_cases
import prose_cases
import short_evidence
from short_cases import api_answers, config_answers, in_lines
from short_model_cases import model_answers

from cekura_tui.evidence.evidence import Evidence
from cekura_tui.evidence.hunk_reasons import Reason, reasons
from cekura_tui.evidence.particulars import particulars
from cekura_tui.evidence.prompt_issues import PromptIssue
from cekura_tui.evidence.spoken_words import words_of
from cekura_tui.evidence.turn_alignment import align
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of
from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.lines import as_text, passages, staged_lines
from cekura_tui.prose.merge import Merge, Side, conflict_places, merge
from cekura_tui.prose.numbers import renumbered
from cekura_tui.prose.patch import unified_patch
from cekura_tui.prose.staging import HunkChoice, staged, wording

_TESTS = Path(__file__).parents[1]
_HALVES = ("cases", "held")
_MOST_SHOWN = 40


def _checksum(value: object) -> str:
    return f"{zlib.crc32(repr(value).encode()) & 0xFFFF:04x}"


def _checksums(made: dict[str, object]) -> str:
    return " ".join(f"{name} {_checksum(value)}" for name, value in made.items())


def evidence_answers() -> Iterator[str]:
    """One line per call: the turns that each verdict cites (number, certainty s, l or m, rule, quoted text), and
    checksums. Then one line per case of `own_facts_cases`: the facts that are found."""
    calls = [call for half in _HALVES for call in evidence_cases.calls(half)]
    for call, following in zip(calls, [*calls[1:], calls[0]], strict=True):
        texts = [turn.text for turn in call.turns]
        made = {
            "found": call.found,
            "words": [words_of(text) for text in texts],
            "facts": [particulars(text) for text in texts],
            "aligned": [pair.sign for pair in align(call.turns, following.turns)],
            "reasons": _reasons(call),
        }
        verdicts = (", ".join(map(_turn, found)) or "-" for found in call.found)
        yield f"{call.name}: {' | '.join(verdicts)}; {_checksums(made)}"
    for half in own_facts_cases.SETS:
        for n, case in enumerate(own_facts_cases.marked(half), 1):
            yield f"{half} {n}: {'; '.join(case.found)}"


def _reasons(call: evidence_cases.Call) -> list[tuple[Reason, ...]]:
    """Reasons for added rules that repeat words of the explanations, first without and then with an issue of the
    server."""
    verdicts = [pair["verdict"] for pair in call.pairs]
    sent = proposed = ""
    for n, explanation in enumerate(call.explanations):
        words = " ".join(explanation).split()[n * 2 :]
        sent += f"## Part {n}\n\n- Be kind to everybody.\n\n"
        proposed += f"## Part {n}\n\n- Be kind to everybody.\n- Always {' '.join(words[: 9 + n : 1 + n % 2])}.\n\n"
    metrics = [{"id": n, "passed": False, "score": 0, **verdict} for n, verdict in enumerate(verdicts)]
    payload = {"id": 1, "evaluation_status": "failure", **call.run, "evaluation": {"metrics": metrics}}
    views = [view_of(Run.read(payload), 0.0)]
    found, diff = evidence_cases.found_in(views), compare(sent, proposed)
    issue = PromptIssue(verdicts[0]["name"], section="Part 1", run_ids=(1,), metric=verdicts[-1]["name"])
    return [why for issues in ((), (issue,)) for why in reasons(diff, issues, views, found).values()]


def _turn(one: Evidence) -> str:
    return f"{one.n}{one.sure[0]} {one.why}{''.join(f' {start}-{end}' for start, end in one.spans)}"


def prose_answers() -> Iterator[str]:
    """One line per pair: its hunks (kind, line, words removed and added), and checksums of derived results."""
    for half in _HALVES:
        for pair in prose_cases.pairs(half):
            yield f"{pair.name}: {_pair(pair.sent.text, pair.proposed.text)}"


def _pair(sent: str, proposed: str) -> str:
    diff = compare(sent, proposed)
    split = compare(sent, proposed, split=frozenset(hunk.key for hunk in diff.hunks if hunk.parts))
    taken = {hunk.number: HunkChoice("accepted") for hunk in split.hunks if hunk.number % 2}
    some = staged(split, taken)
    merged = merge(sent, compare(sent, some), diff)
    made = {
        "split": [_hunk(split, hunk) for hunk in split.hunks],
        "lines": as_text(diff),
        "wording": [wording(diff, hunk) for hunk in diff.hunks],
        "some": some,
        "staged": staged_lines(split, taken),
        "merge": (merged.parts, merged.groups),
        "patch": unified_patch(sent, some, "prompt.md"),
    }
    return f"{' '.join(_hunk(diff, hunk) for hunk in diff.hunks)}; {_checksums(made)}"


def _hunk(diff: ProseDiff, hunk: Hunk) -> str:
    pieces = [piece for piece in diff.pieces if hunk.number in piece.hunks()]
    return f"{hunk.kind[0]}{hunk.line}-{hunk.removed}+{hunk.added}:{_checksum((hunk, pieces))}"


def short_prose_answers() -> Iterator[str]:
    """The answers for each short case. These are the renumbered text or, for other cases, the hunks, the lines that
    each hunk alone changes, the merge and a checksum."""
    text = (_TESTS / "prose/short_cases.txt").read_text("utf-8")
    for case in text.replace("␍", "\r").replace("␠", " ").replace("␃\n", "").split("⁂ ")[1:]:
        title, _, texts = case.partition("\n")
        yield f"⁂ {title}"
        parts = texts.split("⇒\n")
        yield from renumbered(*parts).splitlines() if title.startswith("numbers: ") else _short(*parts)


def _short(sent: str, proposed: str, now: str | None = None) -> Iterator[str]:
    diff = compare(sent, proposed)
    split = compare(sent, proposed, split=frozenset(hunk.key for hunk in diff.hunks if hunk.parts))
    alone = [staged(split, {hunk.number: HunkChoice("accepted")}) for hunk in split.hunks]
    yield from as_text(diff, 0).splitlines()
    for number, text in enumerate(alone if len(alone) > 1 else [], 1):
        patch = unified_patch(sent, text, "", 0).replace("\r", "␍").splitlines()[2:]
        lines = [line for line in patch if line[0] in "+-"]
        yield from (f"alone {number}:", *([line for line in lines if line[0] == "+"] or lines))
    if now is not None:
        merged = merge(sent, compare(sent, now), diff)
        parts = (part if isinstance(part, str) else f"⟦{part.base}│{part.now}│{part.staged}⟧" for part in merged.parts)
        yield from ("merged:", *"".join(parts).replace("\r", "␍").splitlines())
        yield f"{merged.groups} {conflict_places(merged)} {merged.line_end_note}"
    lines = sent.splitlines(keepends=True)
    half = len(lines) // 2
    others = [
        *alone[:3],
        "".join(lines[:half] + lines[half + 1 :]),
        "".join([*lines[:half], "- Wait.\n", *lines[half:]]),
    ]
    merges = [_merged(merge(sent, compare(sent, other), diff)) for other in (*others, now or sent)]
    yield f"checksum {_checksum((unified_patch(sent, proposed, 'prompt.md'), _made(diff), _made(split), merges))}"


def _made(diff: ProseDiff) -> list[object]:
    """All results derived from a diff whose hunks are accepted, edited and rejected in turn."""
    taken: dict[int, HunkChoice] = {}
    for hunk in diff.worded:
        edited = HunkChoice("edited", f"Wait. {wording(diff, hunk).begin}")
        taken[hunk.number] = (HunkChoice("accepted"), edited, HunkChoice("rejected"))[len(taken) % 3]
    wordings = [wording(diff, hunk) for hunk in diff.hunks]
    return [diff, staged(diff, taken), staged_lines(diff, taken), passages(diff, taken), wordings]


def _merged(found: Merge) -> tuple[object, ...]:
    sides: tuple[Side, Side] = ("now", "staged")
    texts = [found.text({n: one.text_of(side) for n, one in enumerate(found.conflicts, 1)}) for side in sides]
    return found, conflict_places(found), texts


def short_evidence_answers() -> Iterator[str]:
    """Evidence found in each short call and sentence."""
    for title, body in short_evidence.short_cases():
        yield f"⁂ {title}"
        yield from short_evidence.answers(body)


def _answers_of(room: str, module: str) -> Callable[[], Iterator[str]]:
    """A function that imports `module` from the tests of a room and returns the module's answers. The tests are not on
    the path, so the import waits until the answers are needed."""

    def answers() -> Iterator[str]:
        sys.path.append(str(_TESTS / room))
        found: Iterator[str] = import_module(module).answers()
        return found

    return answers


RECORDED: dict[str, Callable[[], Iterator[str]]] = {
    "api/short_answers.txt": lambda: in_lines(api_answers()),
    "config/short_answers.txt": lambda: in_lines(config_answers()),
    "evidence/answers.txt": evidence_answers,
    "evidence/short_answers.txt": short_evidence_answers,
    "jobs/job_answers.txt": _answers_of("jobs", "job_stories"),
    "model/short_answers.txt": lambda: in_lines(model_answers()),
    "prose/answers.txt": prose_answers,
    "prose/short_answers.txt": short_prose_answers,
    "store/damage_answers.txt": _answers_of("store", "damage_scenarios"),
    "workspace/feed_answers.txt": _answers_of("workspace", "feed_scenarios"),
}


def changed(name: str) -> str:
    """Diff from the recorded answers, and the command that records answers again; "" if no answer changed."""
    recorded = (_TESTS / name).read_text("utf-8").splitlines()
    differing = list(unified_diff(recorded, list(RECORDED[name]()), "recorded", "now", "", "", 0, ""))
    hint = "If this is intended: python tests/support/recorded_answers.py"
    return "\n".join([*differing[:_MOST_SHOWN], f"({len(differing)} lines in all) {hint}"]) if differing else ""


if __name__ == "__main__":
    logging.disable()  # some stories fail on purpose and would log it
    for file, answers in RECORDED.items():
        (_TESTS / file).write_text("".join(f"{line}\n" for line in answers()), "utf-8")
