"""Why a run failed, in a sentence a verdict, and when two such sentences tell of the same fault."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cekura_tui.model.text import clean_line
from cekura_tui.model.verdict import Verdict

SIGN = "…"
"""Stands for what differs from run to run: numbers, times, names of things, what somebody said."""
LONGEST = 120
"""Characters of a normalised explanation."""

_READ = 20_000  # characters of one text that are looked at
_TEXTS = 100  # texts of one verdict that are looked at
_SAYS_SOMETHING = 12  # characters that a sentence has at least: "No." and "Failed." are not why

_LINE_ENDS = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
# No alternative may run over the sign that opens it, so that a text of opening signs is still read in one go.
_QUOTES = re.compile(
    r"\"[^\"\n]{1,2000}\"|“[^“”\n]{1,2000}”|„[^„“”\n]{1,2000}[“”]|«[^«»\n]{1,2000}»|‹[^‹›\n]{1,2000}›|「[^「」\n]{1,2000}」"
    r"|`[^`\n]{1,2000}`|(?<!\w)'(?:[^'\n]|(?<=\w)'(?=\w)){1,400}'(?!\w)|(?<!\w)‘[^‘\n]{1,400}’(?!\w)"
)
_MONTHS = r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
_DATES = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?\.? (?:of )?(?:{_MONTHS}|nov(?:ember)?|dec(?:ember)?)\b\.?"
    rf"|(?:{_MONTHS}|nov(?:ember)?|dec(?:ember)?)\.? \d{{1,4}}(?:st|nd|rd|th)?\b"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day\b)",
    re.IGNORECASE,
)
_TOKENS = re.compile(r"[\dA-Za-z_+#$€£¥%°@:/.,'’()\[\]<>=&?!;*~|…-]+")
_DIGIT = re.compile(r"\d")
_UNITS = re.compile(
    rf"(?:\b(?:usd|eur|gbp|dollars|euros?) )?{SIGN}"
    r"(?: ?(?:[ap]\.?m\b\.?|o'clock|usd|eur|gbp|dollars?|euros?|cents?|ms|secs?|seconds?|mins?|minutes?)(?!\w))",
    re.IGNORECASE,
)
_RUNS_OF_SIGNS = re.compile(rf"{SIGN}(?:[ ,;:()\[\]/–—-]*{SIGN})+")
_TIMES = re.compile(
    r"(?:\b(?:at|see) )?[\[(]?\b\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?: ?- ?\d{1,2}:\d{2}(?::\d{2})?)?\b[\])]?",
    re.IGNORECASE,
)
_BEFORE_POINT = re.compile(r"(?<! ) +(?=[.,;:!?](?: |$))")
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]+[)\]]?(?= |$)|[。！？]+|\n")
_ABBREVIATIONS = frozenset(("dr", "mr", "mrs", "ms", "st", "no", "nr", "vs", "e.g", "i.e", "approx", "incl", "etc"))
_MARKS = "❌✗✘×✅✓✔⚠\ufe0f!•·*–—-># \n\t"
_MARKED = re.compile("(?=[❌✗✘✅✓✔])")
_BAD, _GOOD = frozenset("❌✗✘"), frozenset("✅✓✔")
_UNMET = re.compile(r"(?:not met: *)+", re.IGNORECASE)
_SPOKEN = re.compile(rf"^[\W_]*(?:[\w .]{{1,40}}: ?)?{SIGN}[\W_]*$")


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict that failed, by name, and what was wrong, as it was told; that may be empty."""

    verdict: str
    explanation: str


def findings_of(verdicts: Sequence[Verdict]) -> tuple[Finding, ...]:
    """Why a run failed: each failed verdict with what was wrong, without times, quotations and marks.

    A verdict that names several parts that were not met is told once for each of them.
    """
    found: dict[tuple[str, str], Finding] = {}
    for verdict in verdicts:
        if verdict.state != "fail":
            continue
        name = clean_line(verdict.name)
        for reason in _reasons(verdict) or [""]:
            found.setdefault((name, normalised(reason)), Finding(name, reason))
    return tuple(found.values())


def normalised(explanation: str) -> str:
    """The first sentence of an explanation without what differs from run to run: the same for the same fault."""
    # Folding makes other letters of some, between which other numbers may stand: it comes last.
    return _to_rest(_to_rest(explanation, fold=False), fold=True)


def generalised(explanation: str) -> str:
    """The same in the letters in which it was written, to be read."""
    return _to_rest(explanation, fold=False)


def _to_rest(text: str, *, fold: bool) -> str:
    """Cutting may make a new number or quotation; each round takes some away, so that this comes to an end."""
    after = _once(text.lstrip()[:_READ], fold=fold)
    while (again := _once(after, fold=fold)) != after:
        after = again
    return after


def _once(text: str, *, fold: bool) -> str:
    text = _LINE_ENDS.sub("\n", text.strip())
    lines = (" ".join(line.split()) for line in text.split("\n"))
    text = "\n".join(filter(None, lines)).lstrip(_MARKS)
    text = _DATES.sub(SIGN, _QUOTES.sub(SIGN, text))
    text = _UNITS.sub(SIGN, _TOKENS.sub(_told_apart, text))
    text = _first_sentence(_RUNS_OF_SIGNS.sub(SIGN, text))
    # Folding makes two letters of some: it comes before the cut.
    return (text.casefold() if fold else text)[:LONGEST].rstrip(" .,;:!?")


def _told_apart(token: re.Match[str]) -> str:
    """A number, an id, an address or a time becomes the sign; the end of a sentence or a comma behind it stays."""
    text = token[0]
    core = text.rstrip(".,;:!?)]'’")
    if not (_DIGIT.search(core) or "@" in core or "://" in core):
        return text
    tail = text[len(core) :]
    return SIGN + ("." if any(sign in tail for sign in ".!?") else "," if "," in tail else "")


def _first_sentence(text: str) -> str:
    for end in _SENTENCE_END.finditer(text):
        before = text[max(end.start() - 12, 0) : end.start()]
        word = before.rsplit(" ", 1)[-1].lstrip("([").lower()
        if end.start() >= _SAYS_SOMETHING and word not in _ABBREVIATIONS and not (len(word) == 1 and word.isalpha()):
            return text[: end.start()]
    return text.replace("\n", " ")


def _reasons(verdict: Verdict) -> list[str]:
    """What was wrong by this verdict: parts that were not met, else what is marked as bad, else what comes first."""
    texts = verdict.reasons[:_TEXTS] or ((verdict.score,) if isinstance(verdict.score, str) else ())
    pieces = [piece for text in texts for line in _LINE_ENDS.split(text[:_READ]) for piece in _MARKED.split(line)]
    lines = [piece.strip() for piece in pieces if piece.strip()]
    unmet = [line for line in lines if _UNMET.match(line)]
    bad = [line for line in lines if line[0] in _BAD]
    if chosen := unmet or bad:
        return list(filter(None, map(_told, chosen[:_TEXTS])))
    told = [_told(line) for line in lines if line[0] not in _GOOD]
    said = [line for line in told if line and not _SPOKEN.match(line)]
    best = next((line for line in said if len(line) >= _SAYS_SOMETHING), said[0] if said else "")
    return [best] if best else []


def _told(line: str) -> str:
    """A line without times, quotations and the marks before it."""
    line = _TIMES.sub("", _QUOTES.sub(SIGN, _UNMET.sub("Not met: ", line, count=1)))
    return clean_line(_BEFORE_POINT.sub("", line.strip(_MARKS)))
