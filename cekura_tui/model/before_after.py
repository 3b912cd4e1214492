"""Compare the calls of a test with former calls of the same scenarios: what was fixed, and what broke.

New calls of a scenario with the same settings are one line. Only former calls with these settings count, and only calls
that took place. A change is proved if the Wilson intervals (95 %) of both pass rates are apart.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from cekura_tui.model.as_json import NOT_IN_JSON, shape
from cekura_tui.model.run.outcome import BROKEN, what_broke
from cekura_tui.model.run.verdict import State, Verdict  # pydantic needs the name for the schema
from cekura_tui.model.text import clean_line, count, escaped

if TYPE_CHECKING:
    from cekura_tui.model.run.view import RunView

CallState = Literal["passed", "failed", "absent", "waiting"]
Compared = Literal["fixed", "improved", "unclear", "still failing", "newly failing", "worse", "still passing"]
Became = Literal[Compared, "not comparable", "no calls"]
Versions = Literal["equal", "mixed", "different", "not reported"]

_HEADS = {"fixed": "Passes now", "improved": "Better", "still failing": "Still fails", "newly failing": "Fails now"}
Links = Iterable[tuple[str, str]]
_WORSE = ("newly failing", "worse")
_Z = 1.959963984540054  # of a two-sided interval of 95 %
_MOST_NEEDED = 100  # more calls than these are not proposed
_CATEGORY = "Critical category "
_NAME = 80  # characters of a name that are shown


@dataclass(frozen=True, slots=True)
class CalledRun:
    """A whole run, as far as the comparison needs it. `version` is the agent's version, empty if not reported. An
    `absent` call did not happen or was not judged, `why` says why; a `waiting` call has not ended. `checks` has the
    name and state of each verdict. `settings` are compared; a value is empty if not reported. `shown` has the settings
    for people. `messages` counts the turns of the testing agent, `metrics` the evaluated metrics."""

    id: int
    scenario: int | None
    scenario_name: str
    at: float | None
    version: str
    agent_id: int | None
    state: CallState
    why: str = ""
    reviewed: bool = False
    checks: tuple[tuple[str, State], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None
    messages: int = 0
    metrics: int = 0
    result_id: int | None = None
    project_id: int | None = None

    @property
    def counts(self) -> bool:
        return self.state in ("passed", "failed")


def called_run(view: RunView) -> CalledRun:
    row, source = view.row, view.source
    state, why = _call_state(view)
    mode = {True: "text", False: "voice", None: ""}[row.as_text]
    way = mode if mode == "text" else _text(source.get("run_type")).lower() or mode
    profile, mocks = source.get("test_profile_data"), source.get("mocked_tool_names")
    tools = sorted({_key(tool) for tool in mocks}) if isinstance(mocks, list) else None
    settings = {
        "way": way,
        "personality": _key(row.personality_id),
        "profile": _key(profile or "") if "test_profile_data" in source else "",
        "mocks": _key(tools),
        "instructions": _key(source.get("scenario_instructions")),
        "expected outcome": _key(source.get("expected_outcome_prompt")),
        "metrics": _metric_set(source.get("evaluation")) if state in ("passed", "failed") else "",
    }
    shown = {
        "way": way,
        "personality": row.personality,
        "profile": _text(_part(profile, "name")) or "none",
        "mocks": ", ".join(tools or ()) or "none",
    }
    return CalledRun(
        id=row.id,
        scenario=row.scenario_id,
        scenario_name=row.scenario,
        at=row.at,
        version=version_of(source.get("agent_version")),
        agent_id=row.agent_id,
        state=state,
        why=why,
        reviewed=row.is_reviewed,
        checks=tuple((_check_name(verdict), verdict.state) for verdict in view.verdicts),
        settings=tuple(settings.items()),
        shown={name: clean_line(text, _NAME) if settings[name] else "not reported" for name, text in shown.items()},
        seconds=row.seconds,
        messages=sum(turn.speaker == "testing" for turn in view.transcript.turns),
        metrics=sum(verdict.source == "metric" and verdict.state != "na" for verdict in view.verdicts),
        result_id=row.result_id,
        project_id=row.project_id,
    )


def _check_name(verdict: Verdict) -> str:
    return clean_line(f"{_CATEGORY * (verdict.source == 'critical_category')}{verdict.name}", _NAME)


def _call_state(view: RunView) -> tuple[CallState, str]:
    """The state of a call, and why it does not count. A review decides; else an error message or a broken status makes
    a passed call absent, and a failed call that no verdict judged."""
    row, (kind, words) = view.row, view.row.outcome
    if kind == "running":
        return "waiting", words
    if kind not in ("passed", "failed"):
        return "absent", words if kind == "error" else "not judged"
    error, ended = _text(view.source.get("error_message")), _text(_part(view.source.get("metadata"), "ended_reason"))
    if not row.is_reviewed and (kind == "passed" or all(verdict.state == "na" for verdict in view.verdicts)):
        why = what_broke(ended, error, row.status)
        unanswered = kind == "failed" and why in ("no answer", "busy", "rejected", "voicemail")
        if error or unanswered or row.status in BROKEN:
            return "absent", why
    return ("passed" if kind == "passed" else "failed"), ""


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _part(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def version_of(sent: object) -> str:
    """The id of an agent's version, sent as a number, a text or an object; empty if not reported."""
    if isinstance(sent, dict):
        return next(filter(None, (version_of(sent.get(name)) for name in ("history_id", "version_id", "id"))), "")
    if isinstance(sent, bool) or not isinstance(sent, int | float | str):
        return ""
    return clean_line(f"{sent:.0f}" if isinstance(sent, float) else str(sent), _NAME)


def _key(value: object) -> str:
    """A JSON value as a text that is equal for equal values; empty for null, "none" for an empty text."""
    text = value.strip() or "none" if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return "" if value is None else text


def _metric_set(evaluation: object) -> str:
    """The metrics of a run by id, else by name, in a fixed order; empty if not reported."""
    if not isinstance(metrics := _part(evaluation, "metrics"), list):
        return ""
    return _key(sorted({_key(_part(one, "name" if _part(one, "id") is None else "id")) for one in metrics}))


def wilson(passed: float, n: int) -> tuple[float, float]:
    """The Wilson interval (95 %) of a pass rate, from 0 to 1; all of it without calls."""
    if not n:
        return 0.0, 1.0
    share, square = passed / n, _Z * _Z
    middle = share + square / (2 * n)
    half = _Z * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, (middle - half) / (1 + square / n)), min(1.0, (middle + half) / (1 + square / n))


def _apart(first: tuple[float, float], second: tuple[float, float]) -> bool:
    return first[1] < second[0] or second[1] < first[0]


Runs = Sequence[CalledRun]


@dataclass(frozen=True, slots=True)
class Side:
    """Calls before or after. `counted` calls passed or failed; `absent` calls did not happen or were not judged;
    `waiting` calls have not ended."""

    __pydantic_config__: ClassVar = shape("SideJson")
    run_ids: tuple[int, ...] = ()
    passed: int = 0
    counted: int = 0
    absent: int = 0
    waiting: int = 0
    runs: tuple[CalledRun, ...] = field(default=(), metadata=NOT_IN_JSON)

    @classmethod
    def of(cls, calls: Iterable[CalledRun]) -> Side:
        runs = tuple(calls)
        states = Counter(run.state for run in runs)
        counted = states["passed"] + states["failed"]
        return cls(tuple(run.id for run in runs), states["passed"], counted, states["absent"], states["waiting"], runs)

    @property
    def share(self) -> float | None:
        """Pass rate, 0 to 1; None without counted calls."""
        return self.passed / self.counted if self.counted else None

    @property
    def passes(self) -> bool:
        """Whether at least 80 % of the counted calls passed: ⌈0.8 n⌉ of n."""
        return self.counted > 0 and 5 * self.passed >= 4 * self.counted

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.passed, self.counted)

    @property
    def words(self) -> str:
        """The side in words: "4 of 4, 1 did not run", "2 of 3, 1 to come", "no calls"."""
        share = f"{self.passed} of {self.counted}" if self.counted else ""
        absent = f"{self.absent} did not run" if self.absent else ""
        return ", ".join(filter(None, (share, absent, f"{self.waiting} to come" if self.waiting else ""))) or "no calls"

    @property
    def sentence_part(self) -> str:
        """The side in a sentence: "none of 4", "4 of 4, 1 did not run (no answer)"."""
        why = ", ".join(dict.fromkeys(run.why for run in self.runs if run.state == "absent" and run.why))
        words = self.words.replace("did not run", f"did not run ({why})") if why else self.words
        return f"none{words[1:]}" if words.startswith("0 of") else words


@dataclass(frozen=True, slots=True)
class CheckChange:
    """How often a check passed before and after, as [passed, evaluated] of the counted calls."""

    __pydantic_config__: ClassVar = shape("CheckChangeJson")
    name: str
    before: tuple[int, int]
    after: tuple[int, int]

    @property
    def changed(self) -> bool:
        """Whether the pass rate differs. A check evaluated on one side alone changed if the check failed there."""
        (passed, n), (passed_after, n_after) = self.before, self.after
        return passed * n_after != passed_after * n if n and n_after else passed + passed_after < n + n_after

    @property
    def sides(self) -> list[str]:
        return [f"{passed} of {n}" if n else "not evaluated" for passed, n in (self.before, self.after)]

    @property
    def got_worse(self) -> bool:
        (passed, n), (passed_after, n_after) = self.before, self.after
        return n > 0 and passed_after * n < passed * n_after

    @property
    def words(self) -> str:
        """The change in words: "Says goodbye 0 of 3 → 4 of 4"."""
        return f"{self.name} {' → '.join(self.sides)}"


@dataclass(frozen=True, slots=True)
class ScenarioLine:
    """A scenario before and after. `sentence` explains what became of the scenario. `checks` have another pass rate
    than before. `differs` names the settings that differ if the sides are not comparable."""

    __pydantic_config__: ClassVar = shape("ScenarioLineJson")
    scenario: int | None
    name: str
    before: Side
    after: Side
    became: Became
    sentence: str
    checks: tuple[CheckChange, ...]
    differs: tuple[str, ...]

    @property
    def detail(self) -> str:
        """The changed checks, or the settings that differ: "Identity 0 of 3 → 4 of 4; Tone 2 of 3 → 4 of 4"."""
        return "; ".join([*self.differs, *(check.words for check in self.checks)])


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """All scenarios of a test before and after. `before`, `after` and `metrics` sum up the compared scenarios: those
    with comparable, counted calls on both sides. `absent` counts the absent new calls of all scenarios."""

    __pydantic_config__: ClassVar = shape("BeforeAfterJson")
    lines: tuple[ScenarioLine, ...]
    before: Side
    after: Side
    compared: int
    passing: tuple[int, int]
    """How many compared scenarios pass before and after; a scenario passes if at least 80 % of its calls passed."""
    metrics: tuple[CheckChange, ...]
    absent: int
    version: Versions
    """Whether the new calls used the same version of the agent as the former calls."""
    ended: bool
    """Whether there are new calls and all of them have ended."""
    unchanged: bool
    """Whether, after all calls, scenarios still fail and no scenario changed: the new prompt may not be live."""
    left_out: tuple[int, ...]
    """Ids of former runs that no line uses, because their scenario, settings or version are others."""


def compare(former: Runs, after: Runs, scenarios: Mapping[int, str], *, chosen: Collection[int] = ()) -> BeforeAfter:
    """Compare new calls with former calls. `scenarios` has the names of the tested scenarios in their order, `chosen`
    the ids of former runs that decide which version of the agent is compared, by default all."""
    new = {run.id: run for run in after}
    newest_first = sorted(former, key=lambda run: (run.counts, run.at or 0.0, run.id), reverse=True)
    left = {run.id: run for run in newest_first if run.id not in new}
    groups: dict[int | str, list[list[CalledRun]]] = {scenario: [] for scenario in scenarios}
    for run in new.values():
        sets = groups.setdefault(_scenario(run), [])
        same = next((runs for runs in sets if not any(_differences(one, run) for one in runs)), None)
        if same is None:
            sets.append(same := [])
        same.append(run)

    def taken(key: int | str, runs: Runs = ()) -> list[CalledRun]:
        """Take former runs of a scenario with the settings of all `runs` and one version, newest first. If the version
        is unknown, take only chosen runs."""
        of_scenario = [one for one in left.values() if _scenario(one) == key]
        fit = [one for one in of_scenario if not any(_differences(one, run) for run in runs)]
        if (newest := next((one for one in fit if one.id in chosen), fit[0] if fit else None)) is None:
            return []
        known = bool(newest.version) or newest.id not in chosen
        return [left.pop(one.id) for one in fit if one.version == newest.version and (known or one.id in chosen)]

    # All comparable former runs are taken before a line shows runs that are not comparable.
    found = [(key, runs, taken(key, runs)) for key, sets in groups.items() for runs in sets or [[]]]
    names = {_scenario(run): run.scenario_name for run in (*former, *after) if run.scenario_name} | dict(scenarios)
    return _summed([_line(key, names.get(key, ""), runs, old or taken(key)) for key, runs, old in found], left)


def _scenario(run: CalledRun) -> int | str:
    return run.scenario_name if run.scenario is None else run.scenario


def _differences(before: CalledRun, after: CalledRun) -> list[str]:
    """The names of settings that both runs report and that differ."""
    known = dict(before.settings)
    return [name for name, value in after.settings if value and known.get(name) and known[name] != value]


def _difference_words(before: CalledRun, after: Runs) -> tuple[str, ...]:
    """Each setting that differs: "personality: Calm → In a hurry", or "instructions: different"."""
    words: dict[str, str] = {}
    for run in after:
        for name in _differences(before, run):
            old, new = before.shown.get(name), run.shown.get(name)
            words.setdefault(name, f"{name}: {old} → {new}" if old and new and old != new else f"{name}: different")
    return tuple(words.values())


def _line(key: int | str, name: str, after: Runs, before: Runs) -> ScenarioLine:
    differs = _difference_words(before[0], after) if before else ()
    first, second = Side.of(before), Side.of(after)
    became: Became = "not comparable" if differs else _became(first, second)
    checks = tuple(one for one in _check_changes(before, after) if one.changed and became in get_args(Compared))
    checks = tuple(sorted(checks, key=lambda one: not one.got_worse))
    name = clean_line(name or f"scenario {key}", _NAME)
    number = key if isinstance(key, int) else None
    return ScenarioLine(number, name, first, second, became, _sentence(became, first, second, differs), checks, differs)


def _became(before: Side, after: Side) -> Became:
    if before.share is None or after.share is None:
        return "no calls"
    apart, better = _apart(before.interval, after.interval), after.share > before.share
    if after.passes:
        if before.passes:
            return "still passing"
        return "fixed" if apart and not before.passed else "improved"
    if apart:
        if better:
            return "improved"
        return "newly failing" if before.passes and not after.passed else "worse"
    return "still failing" if before.share < 0.5 and after.share < 0.5 else "unclear"


def needed_calls(before: Side, after: Side) -> int | None:
    """How many more new calls would prove a difference if they pass at the present rate: 0 if it is proved, None if
    more than 100. A side without calls gets the calls, with the other side's opposite outcome."""
    known, grown = (after, before) if after.counted and not before.counted else (before, after)
    share = float((known.share or 0.0) < 0.5) if grown.share is None else grown.share
    totals = ((more, grown.counted + more) for more in range(_MOST_NEEDED + 1))
    return next((more for more, n in totals if _apart(known.interval, wilson(share * n, n))), None)


def _sentence(became: Became, before: Side, after: Side, differs: Sequence[str]) -> str:
    if became == "not comparable":
        return f"Not comparable: {'; '.join(differs)}."
    more = needed_calls(before, after)
    if became == "no calls":
        sides = [(side, which) for side, which in ((after, "new"), (before, "comparable former")) if not side.counted]
        words = [f"No {which} call{f' counts: {side.sentence_part}' if side.runs else ''}." for side, which in sides]
        least = [f"It takes at least {count(more, 'call')} to prove a change."] if more and not after.waiting else []
        return " ".join(words + least)
    counts = f"{after.sentence_part}, {before.sentence_part} before."
    if became not in ("improved", "unclear") or more == 0:
        return f"{_HEADS.get(became, became.capitalize())}: {counts}"
    kind = "passed call" if after.passed == after.counted else "call at this rate" if after.passed else "failed call"
    some = count(more, f"more {kind}", f"more {kind.replace('call', 'calls')}") if more else "More calls at this rate"
    head = "Better, not proof yet" if became == "improved" else "Unclear"
    proof = f"would prove the change ({after.counted + more} in one test)" if more else "would not prove the change"
    return f"{head}: {counts} {some} {proof}."


def _check_changes(before: Runs, after: Runs) -> list[CheckChange]:
    sides = [[run for run in runs if run.counts] for runs in (before, after)]
    old, new = (Counter(check for run in runs for check in run.checks) for runs in sides)
    names = dict.fromkeys(name for name, state in (*old, *new) if state in ("pass", "fail"))
    found = {
        name: [(side[name, "pass"], side[name, "pass"] + side[name, "fail"]) for side in (old, new)] for name in names
    }
    for name in names:
        if name.startswith(_CATEGORY):  # sent only for a call with this deviation
            found[name] = [(len(runs) - n, len(runs)) for runs, (_, n) in zip(sides, found[name], strict=True)]
    return [CheckChange(name, *shares) for name, shares in found.items()]


def _summed(lines: Sequence[ScenarioLine], left: Iterable[int]) -> BeforeAfter:
    compared = [line for line in lines if line.became in get_args(Compared)]
    before = Side.of(run for line in compared for run in line.before.runs)
    after = Side.of(run for line in compared for run in line.after.runs)
    new = Side.of(run for line in lines for run in line.after.runs)
    words = {line.became for line in compared}
    return BeforeAfter(
        lines=tuple(lines),
        before=before,
        after=after,
        compared=len(compared),
        passing=(sum(line.before.passes for line in compared), sum(line.after.passes for line in compared)),
        metrics=tuple(_check_changes(before.runs, after.runs)),
        absent=new.absent,
        version=_versions(lines),
        ended=bool(new.runs) and not new.waiting,
        unchanged=not new.waiting and "still failing" in words and not any(map(_has_changed, compared)),
        left_out=tuple(sorted(left)),
    )


def _has_changed(line: ScenarioLine) -> bool:
    """Whether another share of the calls passes, or a check passes now that never passed before."""
    fixed = (one for one in line.checks if not one.before[0] and 5 * one.after[0] >= 4 * one.after[1])
    return line.before.share != line.after.share or any(fixed)


def _versions(lines: Iterable[ScenarioLine]) -> Versions:
    """Whether the new calls of each line have a version of the line's former calls; unknown versions do not count."""
    former = [({run.version for run in line.before.runs} - {""}, line.after.runs) for line in lines]
    equal = {run.version in versions for versions, runs in former for run in runs if versions and run.version}
    return "mixed" if len(equal) == 2 else "not reported" if not equal else "equal" if True in equal else "different"


def summary_words(result: BeforeAfter) -> str:
    """What became of the scenarios: "1 fixed · 1 still failing"; empty without scenarios."""
    found = Counter(line.became for line in result.lines)
    return " · ".join(f"{found[word]} {word}" for word in get_args(Became) if found[word])


def to_markdown(
    result: BeforeAfter, *, title: str, changed: str = "", live: str = "", version: str = "", links: Links = ()
) -> str:
    """The comparison as Markdown for a pull request. `changed` has a line for each change; `live` and `version` are
    sentences about the tested prompt; `links` are pairs of a name and an address."""
    before, now = result.passing
    broken = [f"- **{_cell(one.name)}**: {_cell(one.sentence)}" for one in result.lines if one.became in _WORSE]
    changes = (text for line in changed.splitlines() if (text := clean_line(line, None).lstrip("-*•– ")))
    lines = sorted(result.lines, key=lambda line: line.became not in _WORSE)
    rows = [(line.name, line.before.words, line.after.words, line.became, line.detail) for line in lines]
    fewer = [(line, one) for line in result.lines for one in line.checks if one.got_worse]
    worse = [f"- {_cell(line.name)}: {_cell(one.words)}" for line, one in fewer]
    absent = [f"- {_cell(one.name)}: {_cell(one.after.sentence_part)}" for one in result.lines if one.after.absent]
    fine = f"No scenario is newly failing or worse{', but checks have fewer passes' * bool(worse)}."
    fine = fine if result.compared else "No scenario has comparable calls."
    to_come = sum(line.after.waiting for line in result.lines)
    parts: list[Iterable[str]] = [
        [f"# {_cell(title)}"],
        ["The suggestion, as far as it was accepted:", *tested]
        if (tested := [f"- {_cell(text)}" for text in changes])
        else [],
        [f"**Passing scenarios: {now} of {result.compared}; before: {before} of {result.compared}.**"],
        [f"**Not finished: {count(to_come, 'call')} to come.**"] if to_come else [],
        [_cell(text) for text in (live, version) if text],
        broken or [fine],
        _table(("Scenario", "Before", "After", "Result", "Checks that changed"), rows),
        ["Checks with fewer passes than before:", *worse] if worse else [],
        ["New calls that did not run:", *absent] if absent else [],
        [left_out_words(result)] if result.left_out else [],
        _table(("Check", "Before", "After"), [(one.name, *one.sides) for one in result.metrics]),
        [f"- [{_cell(name)}](<{re.sub(r'[^!-;=?-Z_a-z~]', '', address)}>)" for name, address in links],
    ]
    return "\n\n".join(filter(None, map("\n".join, parts))) + "\n"


def left_out_words(result: BeforeAfter) -> str:
    ids = ", ".join(map(str, result.left_out))
    return f"Former runs left out, since settings or the agent's version differ: {ids}."


def _cell(text: str) -> str:
    return escaped(clean_line(text, None))


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}", *lines] if lines else []
