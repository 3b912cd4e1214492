"""Weighted words of hunks, and of the issues, failed verdicts and reviews that may be the reason for a hunk."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from cekura_tui.evidence.evidence import Evidence, Findings
from cekura_tui.evidence.mentions import sentences_of
from cekura_tui.evidence.prompt_issues import PromptIssue
from cekura_tui.evidence.spoken_words import LONGEST, content_words, words_of
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunView
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.prose.diff import Hunk, ProseDiff

RunEvidence = Sequence[tuple[Verdict, Findings]]
"""The verdicts of a run, each with the turns that the verdict cites."""

FEEDBACK = "Feedback"
"""A reviewer's feedback is treated as a verdict with this name."""
EXPECTED, CRITICAL = "Expected outcome", "critical_category"
MAX_TURNS, MAX_SPOKEN = 12, 2_000
"""Maximum number of cited turns that are read for a verdict, each up to MAX_SPOKEN characters."""
NAME, _OUTCOME, _QUOTED, _SPOKEN = 1.5, 0.9, 0.4, 0.4
"""Weights of a word in a name, in an expected outcome, in a quote and in a cited turn. Another word weighs 1."""
_IN_PLACE, _UNCHANGED = 0.7, 0.35
"""Weights of a word in the name of a hunk's place and in a hunk's unchanged text. A changed word weighs 1."""
_PHRASE_WORDS = 6
"""Number of consecutive words that make a phrase. A phrase that two texts have in common is no coincidence."""
_LETTERS = re.compile(r"\w+")
_MET_LINE = re.compile(r"\s*(?:[✅✓✔]|(?:Kept|Met):)")


@dataclass(frozen=True)
class ReasonTerms:
    """Lines, weighted words and phrases of an issue, or of a verdict about a run. `evidence` are the turns that the
    verdict cites. `quoted` is the index of the turn that the issue quotes, None if no turn is quoted."""

    run_id: int | None
    verdict: str
    lines: tuple[str, ...]
    words: Mapping[str, float]
    phrases: frozenset[tuple[str, ...]]
    turns: Sequence[Turn] = ()
    evidence: Sequence[Evidence] = ()
    issue: PromptIssue | None = None
    quoted: int | None = None


@dataclass(frozen=True)
class HunkTerms:
    """Weighted words of a hunk, and the phrases that the hunk adds or removes. `shown` maps each word to its spelling
    in the hunk. `places` are the names in the hunk's place, each as a sequence of words."""

    hunk: Hunk
    words: Mapping[str, float]
    shown: Mapping[str, str]
    phrases: frozenset[tuple[str, ...]]
    places: frozenset[tuple[str, ...]]

    def overlap(self, text: str) -> float:
        """Total weight of the words that a text has in common with the hunk."""
        return sum(self.words.get(word, 0.0) for word in content_words(text))


def hunk_terms(diff: ProseDiff) -> list[HunkTerms]:
    """The terms of the worded hunks, without hunks that have no terms."""
    changes = defaultdict[int, list[str]](list)
    for piece in diff.pieces:
        if piece.spans:
            for span in piece.spans:
                changes[0 if span.op == "same" else span.hunk or piece.hunk].append(span.text)
        elif not piece.moved:
            changes[piece.hunk] += (piece.old, piece.new)
    return list(filter(None, (_terms_of_hunk(hunk, " ".join(changes[hunk.number])) for hunk in diff.worded)))


def _terms_of_hunk(hunk: Hunk, changes: str) -> HunkTerms | None:
    """The terms of a hunk. `changes` is the changed text. None if `changes` has no letters, as in a pure move, or if
    neither the hunk nor its place has a content word."""
    if not any(map(str.isalpha, changes)):
        return None
    words: dict[str, float] = {}
    shown: dict[str, str] = {}
    for text, weight in ((changes, 1.0), (hunk.place, _IN_PLACE), (f"{hunk.old} {hunk.new}", _UNCHANGED)):
        for word, written in content_words(text).items():
            words.setdefault(word, weight)
            shown.setdefault(word, written)
    places = frozenset(filter(None, (word_forms(part) for part in hunk.place.split(" › "))))
    return HunkTerms(hunk, words, shown, _phrases(hunk.new) ^ _phrases(hunk.old), places) if words else None


def word_forms(text: str) -> tuple[str, ...]:
    return tuple(word.form for word in words_of(text[:LONGEST]))


def _phrases(*texts: str) -> frozenset[tuple[str, ...]]:
    """All sequences of _PHRASE_WORDS consecutive words in the texts."""
    read = map(word_forms, texts)
    return frozenset(forms[n : n + _PHRASE_WORDS] for forms in read for n in range(len(forms) - _PHRASE_WORDS + 1))


def run_terms(view: RunView, found: RunEvidence) -> Iterator[ReasonTerms]:
    """Yield the terms of each failed verdict of a run, and of the feedback of a reviewer who failed the run. Each line
    of an expected outcome has terms of its own. A critical category that only repeats other verdicts is left out."""
    turns, cited = view.transcript.turns, {verdict: findings.turns for verdict, findings in found}
    failed = [verdict for verdict in view.verdicts if verdict.state == "fail"]
    explained = {line for verdict in failed if verdict.source != CRITICAL for line in _lines(verdict)}
    for verdict in (*failed, *(review for review in view.review if review.explanation and review.state == "fail")):
        name, lines = FEEDBACK if verdict in view.review else verdict.name, _lines(verdict)
        if verdict.source == CRITICAL and lines and explained.issuperset(lines):
            continue
        proof = [one for one in cited.get(verdict, ()) if 1 <= one.n <= len(turns) and one.sure != "closest"]
        for part in [(line,) for line in lines] if verdict.name == EXPECTED else [lines]:
            pointed = [one for one in proof if is_cited_by(one, part)] or proof
            yield _terms(view, name, part, pointed)


def _terms(view: RunView, name: str, lines: tuple[str, ...], proof: Sequence[Evidence]) -> ReasonTerms:
    turns = view.transcript.turns
    sentences = list(sentences_of(lines))
    texts = [one.rest for one in sentences]
    quotes = (quote.text for sentence in sentences for quote in sentence.quotes)
    spoken = (turns[one.n - 1].text[:MAX_SPOKEN] for one in proof[:MAX_TURNS])
    own = _OUTCOME if name == EXPECTED else 1.0
    words = _weighted(([name], NAME), (texts, own), (quotes, _QUOTED), (spoken, _SPOKEN))
    return ReasonTerms(view.row.id, name, lines or (name,), words, _phrases(name, *texts), turns, proof)


def is_cited_by(proof: Evidence, lines: Iterable[str]) -> bool:
    """Whether any of `lines` contains the words that point at the turn of `proof`: a time, a number or a quote."""
    words = proof.words.casefold()
    return bool(words) and any(words in line.casefold() for line in lines)


def _lines(verdict: Verdict) -> tuple[str, ...]:
    """The lines of a verdict's explanation, without repetitions and without met expectations."""
    met = [part.prompt_part for part in verdict.alignments if part.aligned and part.prompt_part]
    found: list[str] = []
    for line in (line.strip() for reason in verdict.reasons for line in reason[:LONGEST].splitlines()):
        again = any(line.removeprefix("Not met: ") in other for other in found)
        if line and not again and not _MET_LINE.match(line) and not any(line.startswith(part) for part in met):
            found.append(line)
    return tuple(found)


def issue_terms(
    issues: Sequence[PromptIssue], views: Sequence[RunView], failed: Sequence[ReasonTerms]
) -> Iterator[ReasonTerms]:
    """Yield the terms of each issue, once for each run of the issue. `failed` are the terms of the failed verdicts."""
    turns = {view.row.id: view.transcript.turns for view in views}
    has_quotes = any(quote.text for issue in issues for quote in issue.quotes)
    spoken = {run_id: [_plain(turn.text) for turn in call] for run_id, call in turns.items() if has_quotes}
    for issue in issues:
        lines = tuple(filter(None, (issue.title, issue.description)))
        sentences = list(sentences_of((*lines, issue.suggestion, issue.metric, issue.category)))
        quotes = [quote.text for sentence in sentences for quote in sentence.quotes]
        quotes += [quote.text for quote in issue.quotes]
        words = _weighted(([one.rest for one in sentences], 1.0), (quotes, _QUOTED))
        phrases = _phrases(*(one.rest for one in sentences))
        for run_id in issue.run_ids or _runs_of(issue, views, failed):
            verdict = _verdict_of(issue, [terms for terms in failed if terms.run_id == run_id], words)
            yield ReasonTerms(
                run_id=run_id,
                verdict=issue.metric or (verdict.verdict if verdict else issue.title),
                lines=lines,
                words=words,
                phrases=phrases,
                turns=() if run_id is None else turns.get(run_id, ()),
                evidence=verdict.evidence if verdict else (),
                issue=issue,
                quoted=None if run_id is None else _quoted_turn(issue, run_id, spoken.get(run_id, [])),
            )


def _weighted(*parts: tuple[Iterable[str], float]) -> dict[str, float]:
    """The content words of texts, each with the weight of the first text that contains it."""
    words: dict[str, float] = {}
    for texts, weight in parts:
        for word in chain.from_iterable(map(content_words, texts)):
            words.setdefault(word, weight)
    return words


def _verdict_of(issue: PromptIssue, failed: Sequence[ReasonTerms], words: Mapping[str, float]) -> ReasonTerms | None:
    """The failed verdict that an issue is about: the verdict that the issue's metric names, else the verdict with the
    most words in common. None if no verdict has two words in common."""
    if same := [terms for terms in failed if terms.verdict.casefold() == issue.metric.casefold()]:
        return same[0]
    best = max(failed, key=lambda terms: len(terms.words.keys() & words.keys()), default=None)
    return best if best and len(best.words.keys() & words.keys()) > 1 else None


def _runs_of(issue: PromptIssue, views: Sequence[RunView], failed: Sequence[ReasonTerms]) -> Sequence[int | None]:
    """Runs of an issue that names none: all in which its metric failed, else the job's only run, else None."""
    with_metric = [terms.run_id for terms in failed if terms.verdict.casefold() == issue.metric.casefold()]
    return tuple(dict.fromkeys(with_metric)) or ((views[0].row.id,) if len(views) == 1 else (None,))


def _plain(text: str) -> str:
    return f" {' '.join(_LETTERS.findall(text[:LONGEST].casefold()))} "


def _quoted_turn(issue: PromptIssue, run_id: int, spoken: Sequence[str]) -> int | None:
    """Index of the turn that an issue quotes, None if no turn contains the quote. Of several turns that contain the
    quote, the turn with the quote's `index` is chosen, else the first turn."""
    for quote in issue.quotes:
        words = _plain(quote.text)
        if quote.run_id in (None, run_id) and words.strip():
            where = [n for n, text in enumerate(spoken) if words in text]
            if where:
                return quote.index if quote.index in where else where[0]
    return None
