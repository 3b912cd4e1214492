"""Why a hunk may have been proposed: the issues or failed verdicts that share its words; none without a sign."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from cekura_tui.evidence.evidence import RANK, Evidence, Sure
from cekura_tui.evidence.prompt_issues import PromptIssue
from cekura_tui.evidence.reason_terms import (
    MAX_SPOKEN,
    NAME,
    TURNS,
    Changed,
    Found,
    ReasonTerms,
    changed_hunks,
    forms_of,
    is_pointed,
    of_issues,
    of_run,
)
from cekura_tui.evidence.spoken_words import content_words
from cekura_tui.model.run.view import RunView
from cekura_tui.model.text import clean_line
from cekura_tui.prose.diff import ProseDiff

MOST = 3
"""Reasons of one hunk."""
_LEAST, _MUCH = 1.5, 3.0
"""Rare words in common from which on there is a reason, and a likely one."""
_SECTION = 2.0
"""What naming the section of a hunk counts in words, and what many words in a row do."""
_BESIDE_BEST = 0.5
"""A reason scores at least this part of the best of its hunk, and of its own score at the hunk that it fits best."""
_CLEAR_LEAD = 1.3
"""How much more the best reason counts than that of another verdict, to be believed."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A failed verdict that a hunk seems to answer, with a line of its explanation or an issue's title.

    `turn` is an index of the transcript's turns, from 0, and `at` its start in seconds of the call, where it is known;
    `run_id` is None where an issue names no run.
    """

    run_id: int | None
    verdict: str
    text: str
    turn: int | None
    sure: Sure
    why: str
    at: float | None = None


@dataclass
class _Fit:
    """How well what a verdict or an issue says fits a hunk."""

    n: int
    terms: ReasonTerms
    score: float = 0.0
    common: list[str] = field(default_factory=list)
    names_section: bool = False
    in_a_row: bool = False


def reasons(
    diff: ProseDiff, issues: Sequence[PromptIssue], views: Sequence[RunView], evidence: Mapping[int, Found]
) -> dict[int, tuple[Reason, ...]]:
    """The reasons of each worded hunk, by its number: at most MOST, the best first; perhaps none.

    `views` are the runs of the job, `evidence` what was found of their verdicts, by run id. Failed verdicts count only
    where no issue names the section of a hunk or shares its words.
    """
    changed = changed_hunks(diff)
    failed = [terms for view in views for terms in of_run(view, evidence.get(view.row.id, ()))]
    named = list(of_issues(issues, views, failed))
    rarity = _rarity(changed, [*failed, *named], views)
    found: dict[int, tuple[Reason, ...]] = {hunk.number: () for hunk in diff.worded}
    for terms in (failed, named):
        for one, fits in _best(changed, terms, rarity):
            found[one.hunk.number] = tuple(_reason(one, fit, fits) for fit in fits[:MOST])
    return {number: tuple(sorted(of_hunk, key=lambda reason: RANK[reason.sure])) for number, of_hunk in found.items()}


def _rarity(changed: Sequence[Changed], terms: Sequence[ReasonTerms], views: Sequence[RunView]) -> dict[str, float]:
    """The weight of each word: 1 if only one hunk and one verdict, failed or passed, have it, less for each more."""
    texts = defaultdict[str, set[str]](set)
    for one in terms:
        texts[one.verdict].update(one.words)
    for verdict in (verdict for view in views for verdict in view.verdicts if verdict.state not in ("fail", "na")):
        texts[verdict.name].update(content_words(" ".join((verdict.name, *verdict.explanation[:TURNS]))))
    spread = Counter(chain.from_iterable(texts.values()))
    spread.update(chain.from_iterable(one.words for one in changed))
    number = len(texts) + len(changed)
    return {word: math.log(1 + number / max(many - 1, 1)) / math.log(1 + number) for word, many in spread.items()}


def _best(
    changed: Sequence[Changed], terms: Sequence[ReasonTerms], rarity: Mapping[str, float]
) -> Iterator[tuple[Changed, list[_Fit]]]:
    """The hunks that something fits, each with what does, the best first."""
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
        fits = [fit for fit in fits if fit.score >= _BESIDE_BEST * max(most[fit.n], fits[0].score)]
        if fits:
            by_verdict = {(fit.terms.run_id, fit.terms.verdict): fit for fit in reversed(fits)}
            yield one, [fit for fit in fits if by_verdict[fit.terms.run_id, fit.terms.verdict] is fit]


def _fits(
    one: Changed, terms: Sequence[ReasonTerms], with_word: Mapping[str, list[int]], rarity: Mapping[str, float]
) -> list[_Fit]:
    fits = [_Fit(n, each) for n, each in enumerate(terms)]
    for word, weight in one.words.items():
        for n in with_word.get(word, ()):
            fits[n].score += weight * rarity[word] * terms[n].words[word]
            fits[n].common.append(word)
    found = []
    for fit in fits:
        fit.names_section = fit.terms.issue is not None and _names(fit.terms.issue.section, one.places)
        fit.in_a_row = not one.rows.isdisjoint(fit.terms.rows)
        fit.score += _SECTION * fit.names_section + _SECTION * fit.in_a_row
        fit.common.sort(key=lambda word: -one.words[word] * rarity[word] * fit.terms.words[word])
        # One word in common is enough if it is in the name of the verdict.
        is_named = fit.terms.issue is None and any(fit.terms.words[word] == NAME for word in fit.common)
        if fit.score >= _LEAST and (len(fit.common) > 1 or fit.names_section or is_named):
            found.append(fit)
    return sorted(found, key=lambda fit: (-fit.score, fit.terms.run_id or 0, fit.terms.verdict))


def _names(section: str, places: Iterable[tuple[str, ...]]) -> bool:
    """Whether a section is one of the places, or says so in other words: "the Identity section"."""
    forms = tuple(form for form in forms_of(section) if form not in ("the", "section", "prompt", "of"))
    return bool(forms) and any(forms == tuple(form for form in place if form not in ("the", "of")) for place in places)


# Reasons


def _reason(one: Changed, fit: _Fit, fits: Sequence[_Fit]) -> Reason:
    terms = fit.terms
    # What went wrong counts more than what was expected.
    line = max(terms.lines, key=lambda text: one.shared(text) / (2 if text.startswith("Expected") else 1))
    others = [other.score for other in fits if other.terms.verdict != terms.verdict]
    leads = fit.score >= _CLEAR_LEAD * max(others, default=0.0)
    sure: Sure = "maybe"
    if (fit.in_a_row and leads) or (fit.names_section and len(fit.common) > 1 and fit.score >= _SECTION + _LEAST):
        sure = "sure"
    elif fit.names_section or fit.in_a_row or (fit.score >= _MUCH and leads):
        sure = "likely"
    text = terms.issue.title if terms.issue else line
    turn = _turn(one, terms, line)
    at = terms.turns[turn].start if turn is not None else None
    return Reason(terms.run_id, terms.verdict, clean_line(text), turn, sure, _why(one, fit), at)


def _why(one: Changed, fit: _Fit) -> str:
    parts = []
    if fit.terms.issue is not None:
        section = clean_line(fit.terms.issue.section, 60)
        parts.append(f"an issue names “{section}”" if fit.names_section else "an issue mentions it")
    if fit.common:
        parts.append(f"in common: {', '.join(clean_line(one.shown[word], 30) for word in fit.common[:4])}")
    return "; ".join(parts)


def _turn(one: Changed, terms: ReasonTerms, line: str) -> int | None:
    """The turn that an issue quotes, else of those that the verdict speaks of the one that the line points at."""
    if terms.quoted is not None or not terms.evidence:
        return terms.quoted

    def place(proof: Evidence) -> tuple[bool, int, bool, float, int]:
        turn = terms.turns[proof.n - 1]
        alike = one.shared(turn.text[:MAX_SPOKEN])
        # A prompt changes what the agent says.
        return not is_pointed(proof, (line,)), RANK[proof.sure], turn.speaker != "main", -alike, proof.n

    return min(terms.evidence[:TURNS], key=place).n - 1
