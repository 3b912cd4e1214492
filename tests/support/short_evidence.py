"""Short calls and sentences, and the evidence that the program finds; `short_cases.txt` explains the notation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path

from evidence_cases import evidence_in, found_in

from cekura_tui.evidence.evidence import Evidence
from cekura_tui.evidence.hunk_reasons import reasons
from cekura_tui.evidence.mentions import sentences_of
from cekura_tui.evidence.overfitting import own_facts
from cekura_tui.evidence.particulars import particulars
from cekura_tui.evidence.prompt_issues import read_issues
from cekura_tui.evidence.spoken_words import content_words, words_of
from cekura_tui.evidence.turn_alignment import align, first_difference, pieces_of
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.model.transcript.transcript import Turn, read_transcript
from cekura_tui.prose.compare import compare

_SPEAKERS = "Main Agent,Testing Agent,Function Call,Function Call Result,Nurse,Doctor"
_ROLES = dict(zip("ACTROP", _SPEAKERS.split(","), strict=True))
_EMPTY = re.compile(r"\w+=(?:''|\(\)|\{\}|None)(?:, )?")
_NONE = re.compile(r"(?:\[\]|\(\)), ")
_TURN = re.compile(r"([ACTROP])([\d.]*)-?([\d.]*) (?:(\w+) (?=\{))?(.*)")


def short_cases() -> Iterator[tuple[str, str]]:
    """Title and text of each case."""
    text = (Path(__file__).parents[1] / "evidence/short_cases.txt").read_text("utf-8")
    for case in text.split("⁂ ")[1:]:
        title, _, body = case.partition("\n")
        yield title, body


def answers(body: str) -> Iterator[str]:
    """Evidence, facts, alignments or reasons found in one case, line by line."""
    head, *prompts = body.split("⇒\n")
    lines = head.splitlines()
    for line in lines:
        if line.startswith("= "):
            yield " | ".join(map(_words, line[2:].split(" | ")))
    for text in (line[2:] for line in lines if line.startswith("! ") and not prompts):
        yield from (_EMPTY.sub("", f"{one} {[n.path for n in one.nodes()]}") for one in read_issues(json.loads(text)))
    call, *others = ([line for line in part.splitlines() if _TURN.fullmatch(line)] for part in head.split("‖\n"))
    turns, reasons_given = _turns(call), [line[2:] for line in lines if line.startswith("? ")]
    if prompts:
        more = [json.loads(line[2:]) for line in lines if line[:2] == "% "] or [{}]
        issues = [json.loads(line[2:]) for line in lines if line[:2] == "! "]
        yield from _hunks(prompts[0], prompts[1], [_view(call, lines, one) for one in more], issues)
    else:
        for found, text in zip(evidence_in(turns, [[text] for text in reasons_given]), reasons_given, strict=True):
            yield f"{', '.join(map(_evidence, found)) or '-'}; {_sentences(text)}"
    for other in map(_turns, others):
        pairs = align(turns, other)
        yield first_difference(pairs)
        yield from (f"{pair.sign} {pair.similarity:.3f} {_pieces(pieces_of(pair))}" for pair in pairs)


def _words(text: str) -> str:
    """The normalised words of a text with their positions, the roots of its content words, and its facts."""
    facts: dict[tuple[int, int], list[str]] = {}
    for one in particulars(text):
        facts.setdefault((one.start, one.end), []).append(one.key)
    shown = [
        f"{', '.join(keys if len(keys) < 12 else (keys[0], '…', keys[-1]))}: {text[a:b]}"
        for (a, b), keys in facts.items()
    ]
    words = " ".join(f"{word.form}@{word.start}" for word in words_of(text))
    return f"{words} ({' '.join(content_words(text))}){''.join(f'; {one}' for one in shown)}"


def _turns(lines: Sequence[str]) -> Sequence[Turn]:
    return read_transcript(Run.read({"id": 1, "transcript_object": list(map(_entry, lines))})).turns


def _entry(line: str) -> dict[str, object]:
    hit = _TURN.fullmatch(line)
    assert hit is not None
    start, end = (float(time) if time else None for time in hit.group(2, 3))
    entry: dict[str, object] = {"role": _ROLES[hit[1]], "content": hit[5], "start_time": start, "end_time": end}
    if hit[4]:
        entry["data"] = {"id": "1", "name": hit[4], "arguments" if hit[1] == "T" else "result": json.loads(hit[5])}
    return entry


def _evidence(one: Evidence) -> str:
    return f"{one.n}{one.sure[0]} {one.why}{''.join(f' {start}-{end}' for start, end in one.spans)} [{one.words}]"


def _sentences(text: str) -> str:
    found = []
    for one in sentences_of([text]):
        quotes = [(quote.at, quote.who, quote.rule) for quote in one.quotes]
        times = [(time.at, time.first, time.last, time.sure, time.vague) for time in one.times]
        found.append(_NONE.sub("", repr((quotes, times, one.turns, len(one.rest.split())))))
    return " ".join(found)


def _pieces(sides: tuple[list[tuple[str, bool]], list[tuple[str, bool]]]) -> str:
    return " │ ".join("".join(f"⟦{text}⟧" if differs else text for text, differs in side) for side in sides)


def _view(call: Sequence[str], lines: Sequence[str], more: dict[str, object]) -> RunView:
    """A run with a failed verdict for each `?` line and a passed verdict for each `✓` line."""
    verdicts = [(line[0] == "✓", line[2:].split(" | ")) for line in lines if line[:2] in ("? ", "✓ ")]
    metrics = [
        {"id": n, "name": name, "explanation": why, "passed": passed, "score": 5 * passed}
        for n, (passed, (name, *why)) in enumerate(verdicts)
    ]
    payload = {"id": 900238, "evaluation_status": "failure", "evaluation": {"metrics": metrics}, **more}
    return view_of(Run.read({**payload, "transcript_object": list(map(_entry, call))}), 0.0)


def _hunks(sent: str, proposed: str, views: Sequence[RunView], issues: Sequence[object]) -> Iterator[str]:
    diff = compare(sent, proposed)
    facts = own_facts(diff, sent, views)
    for number, found in reasons(diff, read_issues(list(issues)), views, found_in(views)).items():
        yield f"hunk {number}: {'; '.join(fact.text for fact in facts.get(number, ()))}"
        yield from (f"- {' | '.join(map(str, one))}" for one in map(astuple, found))
