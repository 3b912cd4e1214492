"""A verdict in words: its state, its score beside what was needed, and each part of its reasons."""

from __future__ import annotations

from cekura_tui.model.text import clean_line
from cekura_tui.model.threshold import number_words, threshold_words
from cekura_tui.model.verdict import Alignment, Category, State, Verdict

LONGEST_WORD = 60
"""Characters of a value that are said beside the name of its metric."""

_STATES: dict[State, str] = {
    "fail": "failed",
    "pass": "passed",
    "review": "to be reviewed",
    "na": "does not apply",
}
_CONTRADICTIONS = (("pass", 0), ("fail", 5))


def state_word(state: State) -> str:
    """The state of a verdict in words."""
    return _STATES[state]


def score_words(verdict: Verdict) -> str:
    """Score and threshold: "2, needs ≥ 4"; "40 of 100"; nothing where the state says all, as of a binary metric."""
    score = verdict.score
    if verdict.source == "expected_outcome":
        return f"{number_words(score)} of 100" if isinstance(score, int | float) else ""
    if verdict.source == "critical_category":
        return f"deviation {number_words(score)}" if isinstance(score, int | float) else ""
    if _says_no_more(verdict):
        return ""
    needed = clean_line(threshold_words(verdict.threshold))
    return ", ".join(filter(None, (_got(score), f"needs {needed}" if needed else "")))


def judged_words(verdict: Verdict) -> str:
    """All that stands behind a name: "failed, critical · 2, needs ≥ 4"."""
    state = ", ".join(filter(None, (state_word(verdict.state), *_weight(verdict))))
    return " · ".join(filter(None, (state, score_words(verdict))))


def alignment_words(alignment: Alignment) -> str:
    """Whether a part of the expected outcome was met: "not met: says goodbye (prompt: say goodbye)"."""
    state = {True: "met", False: "not met", None: "not told whether met"}[alignment.aligned]
    outcome, part = alignment.outcome.strip(), alignment.prompt_part.strip()
    for said in ("not met:", "met:"):
        # Some servers say it in the text, too.
        if alignment.aligned is (said == "met:") and outcome.lower().startswith(said):
            outcome = outcome[len(said) :].lstrip()
    if not part or part == outcome:
        return f"{state}: {outcome}"
    return f"{state}: {outcome} (prompt: {part})" if outcome else f"{state}: {part}"


def category_words(category: Category) -> str:
    """A category of a metric: "category Identity, critical: said the name too late"."""
    deviation = category.deviation
    if isinstance(deviation, int | float):
        deviation = f"deviation {number_words(deviation)}"
    named = ", ".join(filter(None, (category.name, priority_word(category.priority))))
    if category.wrongly_marked:
        named += ", wrongly marked"
    told = f"category {named}: {deviation}" if deviation else f"category {named}"
    return f"{told} (feedback: {category.feedback})" if category.feedback else told


def percentile_words(verdict: Verdict) -> str:
    """The percentiles of a metric in one line, or nothing."""
    told = ", ".join(f"{name} {number_words(value)}" for name, value in verdict.percentiles)
    return f"percentiles: {told}" if told else ""


def priority_word(priority: str | None) -> str:
    """The weight of a category, as the server words it, without underscores."""
    return clean_line((priority or "").replace("_", " "), LONGEST_WORD)


def _weight(verdict: Verdict) -> tuple[str, str]:
    return priority_word(verdict.priority), "wrongly marked" if verdict.wrongly_marked else ""


def _got(score: float | str | None) -> str:
    if isinstance(score, str):
        return f'"{clean_line(score, LONGEST_WORD)}"' if score.strip() else ""
    return number_words(score) if score is not None else ""


def _says_no_more(verdict: Verdict) -> bool:
    """A binary score is 0 or 5 and its word "True" or "False": the state tells that, unless the two disagree."""
    if "binary" not in verdict.kind:
        return False
    if isinstance(verdict.score, str):
        return verdict.score.strip().lower() in ("true", "false")
    return verdict.score in (0, 5, None) and (verdict.state, verdict.score) not in _CONTRADICTIONS
