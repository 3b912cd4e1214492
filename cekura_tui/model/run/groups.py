"""Group runs by failure reason, scenario, personality, result, or scenario and personality."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from cekura_tui.model.filter.filter import MOST_IDS, Filter, Term, Value
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import clean_line, count

SIGN = "…"
"""Replaces the parts of an explanation that differ from run to run: numbers, ids, times and quotations."""
LONGEST = 120
"""Maximum number of characters of a normalised explanation."""

_READ = 20_000  # characters read of one text
_TEXTS = 100  # texts read of one verdict
_SHORTEST_REASON = 12  # characters: "No." and "Failed." are no reasons

_LINE_ENDS = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
# No alternative matches its own opening sign again, so that many opening signs take linear time.
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
_REPEATED_SIGNS = re.compile(rf"{SIGN}(?:[ ,;:()\[\]/–—-]*{SIGN})+")
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
    """The name of a failed verdict and an explanation of the failure, which may be empty."""

    verdict: str
    explanation: str


MOST_FAILED, REVIEWED = 200, "Failed by a review"


def findings_of(verdicts: Sequence[Verdict], review: Sequence[Verdict] = ()) -> tuple[Finding, ...]:
    """A finding for each reason of each failed verdict, such as each unmet part of the expected outcome. Without failed
    verdicts, a failed `review` is read instead.

    A verdict without a reason has one finding, with an empty explanation. Explanations have no times, quotations and
    marks. Findings with equal names and normalised explanations are merged. Only the first MOST_FAILED failed verdicts
    are read.
    """
    found: dict[tuple[str, str], Finding] = {}
    reviewed = [replace(verdict, sent_name=REVIEWED) for verdict in review]
    failed = [verdict for verdict in verdicts if verdict.state == "fail"] or reviewed
    for verdict in (verdict for verdict in failed[:MOST_FAILED] if verdict.state == "fail"):
        name = clean_line(verdict.name)
        for reason in _reasons(verdict) or [""]:
            found.setdefault((name, normalised(reason)), Finding(name, reason))
    return tuple(found.values())


@lru_cache(maxsize=20_000)  # groups are computed again whenever more explanations are read
def normalised(explanation: str) -> str:
    """First sentence of an explanation, case-folded and without details of the run: equal for equal faults."""
    # Fold last: folding changes some letters, and so what counts as a number.
    return _mask_until_stable(_mask_until_stable(explanation, fold=False), fold=True)


def generalised(explanation: str) -> str:
    """Like `normalised`, but in the original case, for display."""
    return _mask_until_stable(explanation, fold=False)


def _mask_until_stable(text: str, *, fold: bool) -> str:
    """Mask until the text stays the same, since a cut can create a number; each round shortens the text."""
    after = _mask_once(text.lstrip()[:_READ], fold=fold)
    while (again := _mask_once(after, fold=fold)) != after:
        after = again
    return after


def _mask_once(text: str, *, fold: bool) -> str:
    text = _LINE_ENDS.sub("\n", text.strip())
    lines = (" ".join(line.split()) for line in text.split("\n"))
    text = "\n".join(filter(None, lines)).lstrip(_MARKS)
    text = _DATES.sub(SIGN, _QUOTES.sub(SIGN, text))
    text = _UNITS.sub(SIGN, _TOKENS.sub(_masked, text))
    text = _first_sentence(_REPEATED_SIGNS.sub(SIGN, text))
    # Fold before cutting: folding turns some letters into two.
    return (text.casefold() if fold else text)[:LONGEST].rstrip(" .,;:!?")


def _masked(token: re.Match[str]) -> str:
    """Replace a token with a digit, "@" or "://" by SIGN, and its closing punctuation by ".", "," or nothing."""
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
        if end.start() >= _SHORTEST_REASON and word not in _ABBREVIATIONS and not (len(word) == 1 and word.isalpha()):
            return text[: end.start()]
    return text.replace("\n", " ")


def _reasons(verdict: Verdict) -> list[str]:
    """The reasons of a failed verdict: unmet parts, else lines marked as bad, else one explaining line, if any."""
    texts = verdict.reasons[:_TEXTS] or ((shown,) if isinstance(shown := verdict.shown_value, str) else ())
    pieces = [piece for text in texts for line in _LINE_ENDS.split(text[:_READ]) for piece in _MARKED.split(line)]
    lines = [piece.strip() for piece in pieces if piece.strip()]
    unmet = [line for line in lines if _UNMET.match(line)]
    bad = [line for line in lines if line[0] in _BAD]
    if chosen := unmet or bad:
        return list(filter(None, map(_message_of, chosen[:_TEXTS])))
    first = ""
    for line in lines:  # stop at the first line that fits
        message = _message_of(line) if line[0] not in _GOOD else ""
        if message and not _SPOKEN.match(message):
            if len(message) >= _SHORTEST_REASON:
                return [message]
            first = first or message
    return [first] if first else []


def _message_of(line: str) -> str:
    """A line without times and leading marks, with SIGN in place of quotations."""
    line = _TIMES.sub("", _QUOTES.sub(SIGN, _UNMET.sub("Not met: ", line, count=1)))
    return clean_line(_BEFORE_POINT.sub("", line.strip(_MARKS)))


Grouping = Literal["verdict", "scenario", "personality", "result", "pair"]
GROUPINGS: tuple[Grouping, ...] = ("verdict", "scenario", "personality", "result", "pair")
GROUPING_WORDS: dict[Grouping, str] = {
    "verdict": "failed check and reason",
    "scenario": "scenario",
    "personality": "personality",
    "result": "result",
    "pair": "scenario × personality",
}
STRIP = 10
"""Maximum number of latest outcomes shown for a group by pair."""
FAILED, BROKEN = "Failed checks", "Ended with an error"
"""The two sections of groups by verdict."""
NOT_LOADED = "not loaded yet"

_Terms = tuple[tuple[str, str], ...]
_Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Runs with a common failure, scenario, personality or result, newest first.

    `failed` and `errors` are the numbers of runs with these outcomes. `share` is the group's part of all failed runs,
    in section BROKEN of all errors, from 0 to 1. `newest` is the newest run that has ended, `first_failed` the first
    failed run after the last passed run, `last_failed` the newest failed run. `terms` are the (key, value) pairs of the
    filter that selects the group; without terms, a filter by run ids selects the group. `strip` is set only in groups
    by pair.
    """

    key: tuple[str, ...]
    title: str
    detail: str
    section: str
    run_ids: tuple[int, ...]
    failed: int
    errors: int
    newest: RunRow | None
    share: float
    terms: _Terms = ()
    strip: str = ""
    first_failed: RunRow | None = None
    last_failed: RunRow | None = None

    @property
    def count(self) -> int:
        return len(self.run_ids)

    @property
    def failures(self) -> int:
        """The number of runs that `share` is about: errors in section BROKEN, else failed runs."""
        return self.errors if self.section == BROKEN else self.failed

    @property
    def filter_text(self) -> str:
        """A filter that lists the group's runs; a filter by id lists only the newest MOST_IDS."""
        ids = Term("id", tuple(Value(str(number)) for number in self.run_ids[:MOST_IDS]))
        return str(Filter(tuple(Term(key, (Value(text),)) for key, text in self.terms) or (ids,)))

    @property
    def left_out(self) -> int:
        """Number of the group's runs that its filter does not list."""
        return 0 if self.terms else max(self.count - MOST_IDS, 0)


@dataclass(frozen=True, slots=True)
class RunGroups:
    """Groups sorted by most failed runs, then most errors, then the newest run.

    By verdict, a failed run is in one group of section FAILED for each of its faults, a run that ended with an error
    is in one group of section BROKEN, and any other run is in no group. By anything else, each run is in one group.
    `failed` and `errors` count each run once.
    """

    by: Grouping
    groups: tuple[Group, ...]
    failed: int
    errors: int

    def in_order_of(self, before: RunGroups) -> RunGroups:
        """These groups in the order of `before`, so that no row moves while runs are loading. New groups come last in
        their section; a group that lost its last run stays as an empty group."""
        new = {group.key: group for group in self.groups}
        none: dict[str, Any] = {"detail": "", "run_ids": (), "newest": None, "strip": ""}
        none |= {"first_failed": None, "last_failed": None}
        kept = [new.pop(old.key, replace(old, failed=0, errors=0, share=0.0, **none)) for old in before.groups]
        return replace(self, groups=tuple(sorted((*kept, *new.values()), key=lambda group: group.section == BROKEN)))


@dataclass(frozen=True, slots=True)
class _GroupKey:
    """Key, title and filter of the group that a run belongs to, and the original explanation of the run's fault."""

    key: tuple[str, ...]
    title: str
    detail: str = ""
    section: str = ""
    terms: _Terms = ()
    explanation: str = ""


def group_runs(rows: Sequence[RunRow], by: Grouping, findings: Mapping[int, tuple[Finding, ...] | None]) -> RunGroups:
    """Group rows of distinct runs; `findings` has the findings by run id, for groups by verdict.

    A run without an entry in `findings`, or with None, has not been read and is grouped by its row. An empty entry
    means that the run was read and has no findings.
    """
    ordered = _newest_first(rows)
    members: dict[tuple[str, ...], list[tuple[RunRow, _GroupKey]]] = {}
    scenarios = _names_with_id((row.scenario_id, row.scenario) for row in ordered)
    personalities = _names_with_id((row.personality_id, row.personality) for row in ordered)
    for row in ordered:
        if by == "verdict":
            of_row = _faults(row, findings.get(row.id))
        else:
            of_row = [_group_key(row, by, scenarios, personalities)]
        for place in {place.key: place for place in of_row}.values():
            members.setdefault(place.key, []).append((row, place))
    failed, errors = _tally(ordered)
    # The passed runs of groups by verdict, which have none of their own: the last of each scenario.
    last = {_scenario(row): row for row in reversed(ordered) if row.outcome.kind == "passed" and by == "verdict"}
    groups = [_group(found, errors if found[0][1].section == BROKEN else failed, last) for found in members.values()]
    # Groups were made newest first, and sorting is stable; groups with errors only come last.
    groups.sort(key=lambda group: (-group.failed, -group.errors))
    return RunGroups(by, tuple(groups), failed, errors)


def percent(share: float) -> str:
    """Format a share (0 to 1) in whole percent; "<1%" between 0 and 1%, and ">99%" between 99% and 100%."""
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def section_words(grouping: RunGroups, section: str) -> tuple[str, str]:
    """(heading, number of runs) above the groups of a section: ("Failed checks", "72 runs")."""
    return section, count(grouping.failed if section == FAILED else grouping.errors, "run")


def filters_by_outcome(wanted: Filter) -> bool:
    """Whether a filter asks for outcomes, so that runs with other outcomes are missing."""
    return any(term.key in ("outcome", "status") for term in wanted.terms)


def since_words(group: Group, when: Callable[[float | None], str]) -> str:
    """Since when a group has been failing, "failing since run 5521, Mon 14:05", or "passing now · last failed run 5521,
    Mon 14:05"; empty if no run failed. `when` formats a Unix time."""
    if (row := group.first_failed or group.last_failed) is None:
        return ""
    # A passed run of one scenario does not mean that the others pass, nor that a later error is gone.
    passing = group.key[0] in ("scenario", "pair") and group.newest and group.newest.outcome.kind == "passed"
    now = "passing now" if passing else "a later run passed"
    if row is group.newest and not group.first_failed:
        return now
    begin = "failing since run" if group.first_failed else f"{now} · last failed run"
    return ", ".join(filter(None, (f"{begin} {row.id}", when(row.at))))


def _newest_first(rows: Iterable[RunRow]) -> list[RunRow]:
    return sorted(rows, key=lambda row: (row.at if row.at is not None else float("-inf"), row.id), reverse=True)


def _tally(rows: Iterable[RunRow]) -> tuple[int, int]:
    kinds = [row.outcome.kind for row in rows]
    return kinds.count("failed"), kinds.count("error")


def _scenario(row: RunRow) -> int | str:
    return row.scenario if row.scenario_id is None else row.scenario_id


def _group(members: Sequence[tuple[RunRow, _GroupKey]], whole: int, passed: Mapping[int | str, RunRow]) -> Group:
    """A group of `members`, newest first. `passed` are passed runs by scenario that are not in a group."""
    rows, place = [row for row, _ in members], members[0][1]
    failed, errors = _tally(rows)
    detail, pair = place.detail, place.key[0] == "pair"
    failures = errors if place.section == BROKEN else failed
    if place.explanation:
        several = len({other.explanation for _, other in members}) > 1
        detail = generalised(place.explanation) if several else clean_line(place.explanation, 200)
    elif not place.section and not pair:
        ended = [f"{failed:,} of {len(rows):,} failed"] if failed else []
        ended += [f"{errors:,} ended with an error"] if errors else []
        detail = ", ".join(ended) or "none failed"
    return Group(
        key=place.key,
        title=place.title,
        detail=detail,
        section=place.section,
        run_ids=tuple(row.id for row in rows),
        failed=failed,
        errors=errors,
        newest=next((row for row in rows if row.outcome.settled), None),
        share=failures / whole if whole else 0.0,
        terms=place.terms,
        strip="".join(row.outcome.mark for row in reversed(rows[:STRIP])) if pair else "",
        first_failed=_first_failed([*rows, *(passed[one] for one in {*map(_scenario, rows)} if one in passed)]),
        last_failed=next((row for row in rows if row.outcome.kind == "failed"), None),
    )


def _first_failed(rows: Iterable[RunRow]) -> RunRow | None:
    """The first failed run after the latest passed run; None if no run failed after the latest passed run."""
    first: RunRow | None = None
    for row in _newest_first(rows):
        if row.outcome.kind == "passed":
            break
        if row.outcome.kind == "failed":
            first = row
    return first


def _names_with_id(things: Iterable[tuple[int | None, str]]) -> _Names:
    """Case-folded names of the scenarios or personalities that have an id. A filter by such a name would also list runs
    of the scenario or personality with the id."""
    return frozenset(name.casefold() for number, name in things if number is not None)


def _group_key(row: RunRow, by: Grouping, scenarios: _Names, personalities: _Names) -> _GroupKey:
    if by == "scenario":
        return _named("scenario", row.scenario_id, row.scenario, scenarios)
    if by == "personality":
        return _named("persona", row.personality_id, row.personality, personalities)
    if by == "result":
        number, agent = row.result_id, clean_line(row.agent)
        title = "No result" if number is None else f"Result {number}"
        of_result: _Terms = () if number is None else (("result", str(number)),)
        return _GroupKey(("result", str(number)), f"{title} · {agent}" if agent else title, terms=of_result)
    scenario = _named("scenario", row.scenario_id, row.scenario, scenarios)
    personality = _named("persona", row.personality_id, row.personality, personalities)
    # If a filter cannot name one of the two, the other alone would list too much.
    terms = (*scenario.terms, *personality.terms) if scenario.terms and personality.terms else ()
    return _GroupKey(("pair", *scenario.key, *personality.key), scenario.title, personality.title, terms=terms)


def _named(key: str, number: int | None, name: str, with_id: _Names) -> _GroupKey:
    """Group by id, because names change and are not unique; without an id, by case-folded name, as filters do."""
    title, folded, thing = clean_line(name), name.casefold(), "personality" if key == "persona" else key
    if number is not None:
        return _GroupKey((key, "id", str(number)), title or f"{thing} {number}", terms=((key, str(number)),))
    # A filter reads a bare number as an id, and a name with line ends cannot be typed.
    nameable = title == name and name and not name.isdecimal() and folded not in with_id
    return _GroupKey((key, "name", folded), title or f"no {thing}", terms=((key, name),) if nameable else ())


def _faults(row: RunRow, findings: tuple[Finding, ...] | None) -> Iterable[_GroupKey]:
    if row.outcome.kind == "error":
        return [_GroupKey(("error", row.outcome.text), clean_line(row.outcome.text) or "error", section=BROKEN)]
    if row.outcome.kind != "failed":
        return []
    if findings:
        return [
            _GroupKey(
                ("verdict", finding.verdict, normalised(finding.explanation)),
                clean_line(finding.verdict),
                "" if finding.explanation else "no explanation given",
                FAILED,
                explanation=finding.explanation,
            )
            for finding in findings
        ]
    why = "no explanation given" if findings is not None else f"explanation {NOT_LOADED}"
    if row.failing:
        return [_GroupKey(("verdict", name, f" {why}"), clean_line(name), why, FAILED) for name in row.failing]
    none = REVIEWED if row.is_reviewed else "No failed check reported"
    title = none if findings is not None else f"Reason {NOT_LOADED}"
    return [_GroupKey(("unknown", title), title, section=FAILED)]
