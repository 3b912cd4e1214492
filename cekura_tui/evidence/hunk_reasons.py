"""Guess why a hunk was proposed: from issues and failed verdicts that have words in common with the hunk."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from cekura_tui.evidence.evidence import RANK, Certainty, Evidence
from cekura_tui.evidence.prompt_issues import PromptIssue
from cekura_tui.evidence.reason_terms import (
    MAX_SPOKEN,
    MAX_TURNS,
    NAME,
    HunkTerms,
    ReasonTerms,
    RunEvidence,
    hunk_terms,
    is_cited_by,
    issue_terms,
    run_terms,
    word_forms,
)
from cekura_tui.evidence.spoken_words import content_words
from cekura_tui.model.run.view import RunView
from cekura_tui.model.run.words import STATE_MARKS
from cekura_tui.model.text import clean_line
from cekura_tui.model.transcript.timeline import clock, needs_hours
from cekura_tui.prose.diff import ProseDiff

MOST = 3
"""Maximum number of reasons for a hunk."""
_LEAST, _LIKELY_SCORE = 1.5, 3.0
"""Least score of any reason, and least score of a likely reason. A rare word in common scores about 1."""
_SECTION = 2.0
"""Score of an issue that names the hunk's section, and score of a phrase in common."""
_SHARE_OF_BEST = 0.5
"""A reason for a hunk is dropped if it scores less than this share of the best score of any reason for that hunk, or of
the best score of the same reason for any hunk."""
_CLEAR_LEAD = 1.3
"""A reason leads clearly if it scores at least this many times as much as every other verdict."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A failed verdict that a hunk may address. `text` is a line of the verdict's explanation, or the title of an
    issue. `run_id` is None if the run of an issue is unknown. `turn` is the index (from 0) of a turn in the transcript,
    and `at` the start of that turn in seconds; each is None if unknown."""

    run_id: int | None
    verdict: str
    text: str
    turn: int | None
    sure: Certainty
    why: str
    at: float | None = None

    @property
    def words(self) -> str:
        """The reason on one line, such as "reason: ✗ Booking confirmed · run 900238 00:41"."""
        where = [f"run {self.run_id}"] if self.run_id is not None else []
        where += [clock(self.at, hours=needs_hours(self.at))] if self.at is not None else []
        verdict = f"{_REASONS[self.sure]}: {STATE_MARKS['fail']} {clean_line(self.verdict, 60)}"
        return " · ".join(filter(None, (verdict, " ".join(where))))


_REASONS: Mapping[Certainty, str] = {"sure": "reason", "likely": "likely reason", "maybe": "possible reason"}


@dataclass
class _Fit:
    """How well a verdict or an issue fits a hunk. `n` is the index of `terms` in the list of all terms."""

    n: int
    terms: ReasonTerms
    score: float = 0.0
    common: list[str] = field(default_factory=list)
    names_section: bool = False
    shares_phrase: bool = False


def reasons(
    diff: ProseDiff, issues: Sequence[PromptIssue], views: Sequence[RunView], evidence: Mapping[int, RunEvidence]
) -> dict[int, tuple[Reason, ...]]:
    """At most MOST reasons by number of each worded hunk, most certain first, from the job's runs `views`; `evidence`
    has by run id the turns that verdicts cite. Failed verdicts count only for hunks that no issue fits."""
    changed = hunk_terms(diff)
    failed = [terms for view in views for terms in run_terms(view, evidence.get(view.row.id, ()))]
    named = list(issue_terms(issues, views, failed))
    rarity = _rarity(changed, [*failed, *named], views)
    found: dict[int, tuple[Reason, ...]] = {hunk.number: () for hunk in diff.worded}
    for terms in (failed, named):
        for one, fits in _best(changed, terms, rarity):
            found[one.hunk.number] = tuple(_reason(one, fit, fits) for fit in fits[:MOST])
    return {number: tuple(sorted(of_hunk, key=lambda reason: RANK[reason.sure])) for number, of_hunk in found.items()}


def _rarity(changed: Sequence[HunkTerms], terms: Sequence[ReasonTerms], views: Sequence[RunView]) -> dict[str, float]:
    """Inverse document frequency of each word in hunks and verdicts: 1 if at most two contain it, less if more do."""
    texts = defaultdict[str, set[str]](set)
    for one in terms:
        texts[one.verdict].update(one.words)
    for verdict in (verdict for view in views for verdict in view.verdicts if verdict.state not in ("fail", "na")):
        texts[verdict.name].update(content_words(" ".join((verdict.name, *verdict.explanation[:MAX_TURNS]))))
    frequency = Counter(chain.from_iterable(texts.values()))
    frequency.update(chain.from_iterable(one.words for one in changed))
    number = len(texts) + len(changed)
    return {word: math.log(1 + number / max(many - 1, 1)) / math.log(1 + number) for word, many in frequency.items()}


def _best(
    changed: Sequence[HunkTerms], terms: Sequence[ReasonTerms], rarity: Mapping[str, float]
) -> Iterator[tuple[HunkTerms, list[_Fit]]]:
    """Yield (hunk, fits) for each hunk that has fits, the best fit first. Of each verdict of a run, only the best fit
    is kept."""
    with_word = defaultdict[str, list[int]](list)
    for n, each in enumerate(terms):
        for word in each.words:
            with_word[word].append(n)
    fitting = [(one, _fits(one, terms, with_word, rarity)) for one in changed]
    most = [0.0] * len(terms)
    for _, fits in fitting:
        for fit in fits:
            most[fit.n] = max(most[fit.n], fit.score)
    for one, fits in fitting:
        fits = [fit for fit in fits if fit.score >= _SHARE_OF_BEST * max(most[fit.n], fits[0].score)]
        if fits:
            by_verdict = {(fit.terms.run_id, fit.terms.verdict): fit for fit in reversed(fits)}
            yield one, [fit for fit in fits if by_verdict[fit.terms.run_id, fit.terms.verdict] is fit]


def _fits(
    one: HunkTerms, terms: Sequence[ReasonTerms], with_word: Mapping[str, list[int]], rarity: Mapping[str, float]
) -> list[_Fit]:
    fits = [_Fit(n, each) for n, each in enumerate(terms)]
    for word, weight in one.words.items():
        for n in with_word.get(word, ()):
            fits[n].score += weight * rarity[word] * terms[n].words[word]
            fits[n].common.append(word)
    found = []
    for fit in fits:
        fit.names_section = fit.terms.issue is not None and _is_place(fit.terms.issue.section, one.places)
        fit.shares_phrase = not one.phrases.isdisjoint(fit.terms.phrases)
        fit.score += _SECTION * fit.names_section + _SECTION * fit.shares_phrase
        fit.common.sort(key=lambda word: -one.words[word] * rarity[word] * fit.terms.words[word])
        # One word in common is enough if it is in the verdict's name.
        is_named = fit.terms.issue is None and any(fit.terms.words[word] == NAME for word in fit.common)
        if fit.score >= _LEAST and (len(fit.common) > 1 or fit.names_section or is_named):
            found.append(fit)
    return sorted(found, key=lambda fit: (-fit.score, fit.terms.run_id or 0, fit.terms.verdict))


def _is_place(section: str, places: Iterable[tuple[str, ...]]) -> bool:
    """Whether `section` names one of the places. Words around the name, as in "the Identity section", do not count."""
    forms = tuple(form for form in word_forms(section) if form not in ("the", "section", "prompt", "of"))
    return bool(forms) and any(forms == tuple(form for form in place if form not in ("the", "of")) for place in places)


# Reasons


def _reason(one: HunkTerms, fit: _Fit, fits: Sequence[_Fit]) -> Reason:
    terms = fit.terms
    # Prefer a line about the failure to one about the expectation.
    line = max(terms.lines, key=lambda text: one.overlap(text) / (2 if text.startswith("Expected") else 1))
    others = [other.score for other in fits if other.terms.verdict != terms.verdict]
    leads = fit.score >= _CLEAR_LEAD * max(others, default=0.0)
    sure: Certainty = "maybe"
    if (fit.shares_phrase and leads) or (fit.names_section and len(fit.common) > 1 and fit.score >= _SECTION + _LEAST):
        sure = "sure"
    elif fit.names_section or fit.shares_phrase or (fit.score >= _LIKELY_SCORE and leads):
        sure = "likely"
    text = terms.issue.title if terms.issue else line
    turn = _turn(one, terms, line)
    at = terms.turns[turn].start if turn is not None else None
    return Reason(terms.run_id, terms.verdict, clean_line(text), turn, sure, _why(one, fit), at)


def _why(one: HunkTerms, fit: _Fit) -> str:
    parts = []
    if fit.terms.issue is not None:
        section = clean_line(fit.terms.issue.section, 60)
        parts.append(f"an issue names “{section}”" if fit.names_section else "an issue mentions it")
    if fit.common:
        parts.append(f"in common: {', '.join(clean_line(one.shown[word], 30) for word in fit.common[:4])}")
    return "; ".join(parts)


def _turn(one: HunkTerms, terms: ReasonTerms, line: str) -> int | None:
    """Index (from 0) of the turn that an issue quotes, else of the cited turn that fits best; None without any."""
    if terms.quoted is not None or not terms.evidence:
        return terms.quoted

    def place(proof: Evidence) -> tuple[bool, int, bool, float, int]:
        turn = terms.turns[proof.n - 1]
        overlap = one.overlap(turn.text[:MAX_SPOKEN])
        # Prefer turns of the agent, since a prompt changes what the agent says.
        return not is_cited_by(proof, (line,)), RANK[proof.sure], turn.speaker != "main", -overlap, proof.n

    return min(terms.evidence[:MAX_TURNS], key=place).n - 1
