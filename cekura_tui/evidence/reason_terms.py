"""What a hunk changes and what issues, failed verdicts and reviewers tell, as words that can be compared."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from cekura_tui.evidence.evidence import Evidence
from cekura_tui.evidence.mentions import sentences_of
from cekura_tui.evidence.prompt_issues import PromptIssue
from cekura_tui.evidence.spoken_words import LONGEST, content_words, words_of
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunView
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.prose.diff import Hunk, ProseDiff

Found = Sequence[tuple[Verdict, Sequence[Evidence]]]
"""The verdicts of a run, and the turns that each speaks of."""

FEEDBACK = "Feedback"
"""What stands for the name of a verdict where a reviewer wrote why a run failed."""
EXPECTED = "Expected outcome"
TURNS = 12
"""Turns of one verdict that are looked at, and MAX_SPOKEN characters of each."""
MAX_SPOKEN = 2_000
NAME = 1.5
_OUTCOME, _QUOTED, _SPOKEN = 0.9, 0.4, 0.4
"""Weights of a word by where it stands: name, expected outcome, quote, cited turn. In the explanation it is 1."""
_PLACE, _AROUND = 0.7, 0.35
"""What a word counts, against 1 where it came or went: in the place of a hunk, and in what stays around."""
_IN_A_ROW = 6
"""Words in a row that are not shared by chance."""
_LETTERS = re.compile(r"\w+")
_MET_LINE = re.compile(r"\s*(?:[✅✓✔]|(?:Kept|Met):)")


@dataclass(frozen=True)
class ReasonTerms:
    """What an issue or a verdict tells of a run: its lines, its words with what each counts, and its words in rows.

    `evidence` are turns that the verdict speaks of, `quoted` is the index of the one that the issue quotes.
    """

    run_id: int | None
    verdict: str
    lines: tuple[str, ...]
    words: Mapping[str, float]
    rows: frozenset[tuple[str, ...]]
    turns: Sequence[Turn] = ()
    evidence: Sequence[Evidence] = ()
    issue: PromptIssue | None = None
    quoted: int | None = None


@dataclass(frozen=True)
class Changed:
    """A hunk: its words with what each counts and how it is written, and the rows of words that it brings or drops."""

    hunk: Hunk
    words: Mapping[str, float]
    shown: Mapping[str, str]
    rows: frozenset[tuple[str, ...]]
    places: frozenset[tuple[str, ...]]

    def shared(self, text: str) -> float:
        """What the words count that a text has in common with the hunk."""
        return sum(self.words.get(word, 0.0) for word in content_words(text))


def changed_hunks(diff: ProseDiff) -> list[Changed]:
    """The worded hunks in which a word that says something came or went."""
    changes = defaultdict[int, list[str]](list)
    for piece in diff.pieces:
        if piece.spans:
            changes[piece.hunk] += (span.text for span in piece.spans if span.op != "same")
        elif not piece.moved:
            changes[piece.hunk] += (piece.old, piece.new)
    return list(filter(None, (_changed(hunk, " ".join(changes[hunk.number])) for hunk in diff.worded)))


def _changed(hunk: Hunk, changes: str) -> Changed | None:
    """None where nothing came or went but what moved, or no word says anything."""
    if not any(map(str.isalpha, changes)):
        return None
    words: dict[str, float] = {}
    shown: dict[str, str] = {}
    for text, weight in ((changes, 1.0), (hunk.place, _PLACE), (f"{hunk.old} {hunk.new}", _AROUND)):
        for word, written in content_words(text).items():
            words.setdefault(word, weight)
            shown.setdefault(word, written)
    places = frozenset(filter(None, (forms_of(part) for part in hunk.place.split(" › "))))
    return Changed(hunk, words, shown, _rows(hunk.new) ^ _rows(hunk.old), places) if words else None


def forms_of(text: str) -> tuple[str, ...]:
    return tuple(word.form for word in words_of(text[:LONGEST]))


def _rows(*texts: str) -> frozenset[tuple[str, ...]]:
    """Every _IN_A_ROW words in a row of each text."""
    read = map(forms_of, texts)
    return frozenset(forms[n : n + _IN_A_ROW] for forms in read for n in range(len(forms) - _IN_A_ROW + 1))


def of_run(view: RunView, found: Found) -> Iterator[ReasonTerms]:
    """The terms of a run's failed verdicts, each part of an expected outcome apart, and of a reviewer's feedback."""
    turns = view.transcript.turns
    shown = {(verdict.source, verdict.id, verdict.name): proof for verdict, proof in found}
    for verdict in view.verdicts:
        if verdict.state == "fail":
            proof = shown.get((verdict.source, verdict.id, verdict.name), ())
            proof = [one for one in proof if 1 <= one.n <= len(turns)]
            lines = _lines(verdict)
            for part in [(line,) for line in lines] if verdict.name == EXPECTED else [lines]:
                pointed = [one for one in proof if is_pointed(one, part)] or proof
                yield _terms(view, verdict.name, part, pointed)
    feedback = view.source.get("feedback")
    if view.row.reviewed and view.row.outcome.kind == "failed" and isinstance(feedback, str) and feedback.strip():
        yield _terms(view, FEEDBACK, tuple(filter(None, map(str.strip, feedback.splitlines()))), ())


def _terms(view: RunView, name: str, lines: tuple[str, ...], proof: Sequence[Evidence]) -> ReasonTerms:
    turns = view.transcript.turns
    sentences = list(sentences_of(lines))
    said = [one.rest for one in sentences]
    quotes = (quote.text for sentence in sentences for quote in sentence.quotes)
    spoken = (turns[one.n - 1].text[:MAX_SPOKEN] for one in proof[:TURNS])
    own = _OUTCOME if name == EXPECTED else 1.0
    words = _counted(([name], NAME), (said, own), (quotes, _QUOTED), (spoken, _SPOKEN))
    return ReasonTerms(view.row.id, name, lines or (name,), words, _rows(name, *said), turns, proof)


def is_pointed(proof: Evidence, lines: Iterable[str]) -> bool:
    """Whether a line says what leads to this turn: its time, its number or its words."""
    words = proof.words.casefold()
    return bool(words) and any(words in line.casefold() for line in lines)


def _lines(verdict: Verdict) -> tuple[str, ...]:
    """The lines of an explanation without repetitions and without what was met."""
    met = [part.prompt_part for part in verdict.alignments if part.aligned and part.prompt_part]
    found: list[str] = []
    for line in (line.strip() for reason in verdict.reasons for line in reason[:LONGEST].splitlines()):
        again = any(line.removeprefix("Not met: ") in other for other in found)
        if line and not again and not _MET_LINE.match(line) and not any(line.startswith(part) for part in met):
            found.append(line)
    return tuple(found)


def of_issues(
    issues: Sequence[PromptIssue], views: Sequence[RunView], failed: Sequence[ReasonTerms]
) -> Iterator[ReasonTerms]:
    """The terms of issues, once for each of their runs."""
    turns = {view.row.id: view.transcript.turns for view in views}
    is_quoted = any(quote.text for issue in issues for quote in issue.quotes)
    spoken = {run_id: [_plain(turn.text) for turn in of_run] for run_id, of_run in turns.items() if is_quoted}
    for issue in issues:
        lines = tuple(filter(None, (issue.title, issue.description)))
        sentences = list(sentences_of((*lines, issue.suggestion, issue.metric, issue.category)))
        quotes = [quote.text for sentence in sentences for quote in sentence.quotes]
        quotes += [quote.text for quote in issue.quotes]
        words = _counted(([one.rest for one in sentences], 1.0), (quotes, _QUOTED))
        rows = _rows(*(one.rest for one in sentences))
        for run_id in issue.run_ids or _runs_meant(issue, views, failed):
            verdict = _verdict_meant(issue, [terms for terms in failed if terms.run_id == run_id], words)
            yield ReasonTerms(
                run_id=run_id,
                verdict=issue.metric or (verdict.verdict if verdict else issue.title),
                lines=lines,
                words=words,
                rows=rows,
                turns=() if run_id is None else turns.get(run_id, ()),
                evidence=verdict.evidence if verdict else (),
                issue=issue,
                quoted=None if run_id is None else _turn_quoted(issue, run_id, spoken.get(run_id, [])),
            )


def _counted(*parts: tuple[Iterable[str], float]) -> dict[str, float]:
    """The words of texts, each with the weight of the first text that has it."""
    words: dict[str, float] = {}
    for texts, weight in parts:
        for word in chain.from_iterable(map(content_words, texts)):
            words.setdefault(word, weight)
    return words


def _verdict_meant(issue: PromptIssue, failed: Sequence[ReasonTerms], words: Mapping[str, float]) -> ReasonTerms | None:
    """The failed verdict that an issue is about: by the name of its metric, else the one with most words in common."""
    if same := [terms for terms in failed if terms.verdict.casefold() == issue.metric.casefold()]:
        return same[0]
    best = max(failed, key=lambda terms: len(terms.words.keys() & words.keys()), default=None)
    return best if best and len(best.words.keys() & words.keys()) > 1 else None


def _runs_meant(issue: PromptIssue, views: Sequence[RunView], failed: Sequence[ReasonTerms]) -> Sequence[int | None]:
    """The runs of an issue that names none: those in which its metric failed, or the only one there is."""
    with_metric = [terms.run_id for terms in failed if terms.verdict.casefold() == issue.metric.casefold()]
    return tuple(dict.fromkeys(with_metric)) or ((views[0].row.id,) if len(views) == 1 else (None,))


def _plain(text: str) -> str:
    return f" {' '.join(_LETTERS.findall(text[:LONGEST].casefold()))} "


def _turn_quoted(issue: PromptIssue, run_id: int, spoken: Sequence[str]) -> int | None:
    """The turn that an issue quotes; of several the one whose number it names, or the first."""
    for quote in issue.quotes:
        words = _plain(quote.text)
        if quote.run_id in (None, run_id) and words.strip():
            where = [n for n, text in enumerate(spoken) if words in text]
            if where:
                return quote.index if quote.index in where else where[0]
    return None
