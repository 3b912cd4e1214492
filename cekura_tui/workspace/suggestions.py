"""Suggestions: what is chosen of one, what it changes, and why its changes may have been proposed."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError
from cekura_tui.evidence.hunk_reasons import Reason, reasons
from cekura_tui.evidence.overfitting import own_facts
from cekura_tui.evidence.prompt_issues import PromptIssue, read_issues
from cekura_tui.jobs.owner import is_alive
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import Job, Suggestion
from cekura_tui.model.run.view import RunView
from cekura_tui.model.text import Prompt
from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.staging import Choices, HunkChoice, staged
from cekura_tui.store.stagings import StagedStep, StagingStore, TextOf
from cekura_tui.store.store import Store
from cekura_tui.workspace.job_service import JobService
from cekura_tui.workspace.opened_runs import Found

Chosen = Mapping[str, HunkChoice]
"""Choices by the key of the hunk."""


def families(diff: ProseDiff) -> dict[str, tuple[str, ...]]:
    """The parts of every hunk that has parts, by its key, whether it is split in this diff or not."""
    found = {hunk.key: hunk.parts for hunk in diff.hunks if hunk.parts}
    for hunk in diff.hunks:
        if hunk.whole:
            found[hunk.whole] = (*found.get(hunk.whole, ()), hunk.key)
    return found


def numbered(diff: ProseDiff, chosen: Chosen) -> dict[int, HunkChoice]:
    """Choices by the number of the hunk; undecided parts have the choice of their whole hunk, unless it is edited."""
    whole = {key: choice for key, choice in chosen.items() if choice.what != "edited"}
    found = {hunk.number: chosen.get(hunk.key) or whole.get(hunk.whole) for hunk in diff.hunks}
    return {number: choice for number, choice in found.items() if choice is not None}


def _split_for(diff: ProseDiff, chosen: Chosen, wanted: AbstractSet[str]) -> frozenset[str]:
    """The hunks to show in parts: the `wanted` ones and those with a chosen part, but none edited as a whole."""
    edited = {key for key, choice in chosen.items() if choice.what == "edited"}
    return frozenset(
        whole
        for whole, parts in families(diff).items()
        if whole not in edited and (whole in wanted or not chosen.keys().isdisjoint(parts))
    )


class Comparisons:
    """The diffs of two prompts, with some hunks split; caches the last few of the same two."""

    _KEPT = 4

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, frozenset[str]], ProseDiff] = {}

    async def diff(self, old: str, new: str, split: frozenset[str] = frozenset()) -> ProseDiff:
        """Compare in a thread, unless it is cached; cancelling the call stops the thread."""
        if (found := self._found.get((old, new, split))) is None:
            unwanted = threading.Event()
            try:
                found = await asyncio.to_thread(compare, old, new, split, stop=unwanted.is_set)
            finally:
                unwanted.set()
        return self._keep(found, split)

    def diff_now(self, old: str, new: str, split: frozenset[str]) -> ProseDiff:
        """Like `diff`, without awaiting."""
        return self._keep(self._found.get((old, new, split)) or compare(old, new, split), split)

    def _keep(self, diff: ProseDiff, split: frozenset[str]) -> ProseDiff:
        key = diff.old, diff.new, split
        kept = [(other, found) for other, found in self._found.items() if other[:2] == key[:2] and other != key]
        self._found = {**dict(kept[1 - self._KEPT :]), key: diff}
        return diff


@dataclass(frozen=True)
class StagingStep:
    """The choices of all windows before and after a step, by the number and key of hunks of `diff`.

    `changed_elsewhere`: another window chose since the last step of this one. A later step has a higher `serial`.
    """

    diff: ProseDiff = field(repr=False)
    before_by_key: Chosen
    after_by_key: Chosen
    serial: int
    changed_elsewhere: bool

    @cached_property
    def before(self) -> Choices:
        return numbered(self.diff, self.before_by_key)

    @cached_property
    def after(self) -> Choices:
        return numbered(self.diff, self.after_by_key)


class StagingService:
    """Stages the suggestion `diff` of job `number`; methods raise StoreError. `window` is this process.

    Choices are made by the number of a hunk and stored by its key, so that later diffs of the same texts find them.
    """

    def __init__(self, store: Store, *, window: str = "", clock: Callable[[], float] = time.time) -> None:
        self._stagings, self._window, self._clock = store.stagings, window, clock
        self.comparisons = Comparisons()
        self._split: defaultdict[int, set[str]] = defaultdict(set)
        """The hunks that this window shows in parts, by job."""
        self._seen: dict[int, Chosen] = {}
        """The choices that this window knows, by job."""
        self._serials = itertools.count(1)

    async def look(self, number: int, diff: ProseDiff) -> tuple[StagingStep, Mapping[str, str]]:
        """What is chosen and typed in all windows, as a step; raises StoreError for a forgotten job."""
        now = self._stagings.look(number)
        step = self._step(number, diff, StagedStep(now, now))
        return replace(step, diff=await self.in_parts(number, diff)), self._stagings.typed(number)

    async def in_parts(self, number: int, diff: ProseDiff) -> ProseDiff:
        """The diff with hunks split that have a chosen or edited part, or were split here."""
        typed = self._stagings.typed(number).keys()
        self._split[number] |= {whole for whole, parts in families(diff).items() if not typed.isdisjoint(parts)}
        split = self._fitting(number, diff, self._stagings.choices(number))
        return diff if split == _split_of(diff) else await self.comparisons.diff(diff.old, diff.new, split)

    async def split(self, number: int, diff: ProseDiff, key: str, *, joined: bool = False) -> StagingStep:
        """Show the hunk of this key in its parts, or joined again, in this window."""
        (self._split[number].discard if joined else self._split[number].add)(key)
        return (await self.look(number, await self.in_parts(number, diff)))[0]

    async def save_typed(self, number: int, hunk: str, text: str | None) -> None:
        """Save what is typed into a hunk or conflict; None discards it."""
        self._stagings.save_typed(number, hunk, text)

    async def choose(self, number: int, diff: ProseDiff, made: Mapping[int, HunkChoice | None]) -> StagingStep:
        """Choose as one step and store the resulting text; None makes a hunk undecided.

        Other hunks stay as another window left them; the choice of a hunk replaces those of its parts.
        """
        by_key = self._by_key(number, diff, made)
        step = self._stagings.choose(number, by_key, self._clock(), self._text_of(number, diff), self._window)
        return self._step(number, self._in_parts_now(number, diff, step.after), step)

    async def undo(self, number: int, diff: ProseDiff) -> StagingStep:
        """Undo the last step of this window, or of an ended one, that still has an effect, if there is one."""
        hunks = {hunk.key for hunk in diff.hunks}
        for whole, parts in families(diff).items():
            hunks.update((whole, *parts))
        step = self._stagings.undo(number, hunks, self._clock(), self._text_of(number, diff), self._is_own)
        return self._step(number, self._in_parts_now(number, diff, step.after), step)

    def _is_own(self, window: str, at: float) -> bool:
        return window == self._window or not is_alive(window, self._clock() - at)

    def _by_key(
        self, number: int, diff: ProseDiff, made: Mapping[int, HunkChoice | None]
    ) -> dict[str, HunkChoice | None]:
        """The choices by key: a hunk's replaces those of its parts, a part's passes that of the whole to the others."""
        hunks = [hunk for hunk in diff.hunks if hunk.number in made]
        found: dict[str, HunkChoice | None] = {}
        chosen, parts = self._stagings.choices(number), families(diff)
        for whole in {hunk.whole for hunk in hunks} & chosen.keys():
            found[whole] = None
            if chosen[whole].what != "edited":
                found |= {part: chosen.get(part, chosen[whole]) for part in parts[whole]}
        found |= {part: None for hunk in hunks for part in hunk.parts}
        return found | {hunk.key: made[hunk.number] for hunk in hunks}

    def _fitting(self, number: int, diff: ProseDiff, chosen: Chosen) -> frozenset[str]:
        """The hunks to show in parts; once split by a choice they stay split, so that nothing jumps."""
        self._split[number] |= _split_for(diff, chosen, frozenset())
        return _split_for(diff, chosen, self._split[number])

    def _in_parts_now(self, number: int, diff: ProseDiff, chosen: Chosen) -> ProseDiff:
        """Like `in_parts`, without awaiting, since a step is one transaction."""
        split = self._fitting(number, diff, chosen)
        return diff if split == _split_of(diff) else self.comparisons.diff_now(diff.old, diff.new, split)

    def _text_of(self, number: int, diff: ProseDiff) -> TextOf:
        def text(chosen: Chosen) -> Prompt:
            fitting = self._in_parts_now(number, diff, chosen)
            return staged(fitting, numbered(fitting, chosen))

        return text

    def _step(self, number: int, diff: ProseDiff, step: StagedStep) -> StagingStep:
        changed_elsewhere = self._seen.get(number, step.before) != step.before
        self._seen[number] = step.after
        return StagingStep(diff, step.before, step.after, next(self._serials), changed_elsewhere)


def _split_of(diff: ProseDiff) -> frozenset[str]:
    return frozenset(hunk.whole for hunk in diff.hunks if hunk.whole)


_Issues = tuple[PromptIssue, ...] | None


@dataclass(frozen=True)
class OpenedSuggestion:
    suggestion: Suggestion = field(repr=False)
    diff: ProseDiff = field(repr=False)
    chosen: Chosen
    typed: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Unsaved texts of changes and conflicts, by key."""

    @cached_property
    def choices(self) -> Choices:
        return numbered(self.diff, self.chosen)

    @cached_property
    def staged(self) -> Prompt:
        return staged(self.diff, self.choices)


@dataclass(frozen=True)
class SuggestionReasons:
    """Why the changes may have been proposed: `issues` (None if the server has none), `reasons` and `own_facts` by the
    key of the hunk, `problems` in sentences."""

    issues: _Issues = ()
    reasons: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict, repr=False)
    own_facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Known:
    """What the server and the runs of a job say; `found` is by the id of the run."""

    issues: _Issues
    views: list[RunView]
    found: Mapping[int, Found]
    problems: tuple[str, ...]


class Suggestions:
    """The suggestions of one session. `run` reads a run, `evidence` finds the turns that its verdicts speak of."""

    def __init__(
        self,
        jobs: JobService,
        staging: StagingService,
        stagings: StagingStore,
        client: Client,
        run: Callable[[int], Awaitable[RunView]],
        evidence: Callable[[RunView], Awaitable[Found]],
    ) -> None:
        self._jobs, self._staging, self._client = jobs, staging, client
        self._stagings = stagings
        self._run, self._evidence = run, evidence
        self._known: tuple[int, _Known] | None = None
        self._explained: tuple[int, ProseDiff, SuggestionReasons] | None = None

    async def open(self, number: int) -> OpenedSuggestion:
        """A succeeded job with its choices; raises UsageError for another job, StoreError."""
        suggestion = await self._jobs.suggestion(number)
        if suggestion.improved_prompt is None:
            raise UsageError(f"Job {number} has no suggestion: it is {suggestion.job.state.words}.")
        diff = await self._staging.comparisons.diff(suggestion.prompt, suggestion.improved_prompt)
        diff = await self._staging.in_parts(number, diff)
        return OpenedSuggestion(suggestion, diff, self._stagings.choices(number), self._stagings.typed(number))

    async def explain(self, opened: OpenedSuggestion) -> SuggestionReasons:
        """The reasons, from the job's runs and the server; what cannot be read becomes a problem."""
        job, diff = opened.suggestion.job, opened.diff
        cached = self._explained
        if cached is not None and cached[0] == job.number and cached[1] is diff:
            return cached[2]
        # What was loaded in full is not requested a second time where a hunk was split.
        known = self._known[1] if self._known is not None and self._known[0] == job.number else await self._ask(job)

        def find_reasons() -> SuggestionReasons:
            if not diff.is_compared:
                return SuggestionReasons(known.issues, problems=known.problems)
            found = reasons(diff, known.issues or (), known.views, known.found)
            facts = own_facts(diff, opened.suggestion.prompt, known.views)
            return SuggestionReasons(
                known.issues,
                {diff.hunks[number - 1].key: one for number, one in found.items()},
                {diff.hunks[number - 1].key: one for number, one in facts.items()},
                known.problems,
            )

        explained = await asyncio.to_thread(find_reasons)
        if not explained.problems:
            self._known = job.number, known
            self._explained = job.number, diff, explained
        return explained

    async def _ask(self, job: Job) -> _Known:
        (issues, unlisted), (views, unread) = await asyncio.gather(
            self._issues(job.run_ids, job.agent_id), self._views(job.run_ids)
        )
        found = {view.row.id: await self._evidence(view) for view in views}
        return _Known(issues, views, found, (*unlisted, *unread))

    async def _views(self, run_ids: tuple[int, ...]) -> tuple[list[RunView], list[str]]:
        """The runs that could be read, and why others could not."""
        read = await asyncio.gather(*(self._view(number) for number in run_ids))
        return [one for one in read if isinstance(one, RunView)], [one for one in read if isinstance(one, str)]

    async def _view(self, number: int) -> RunView | str:
        try:
            return await self._run(number)
        except CekuraTuiError as error:
            return f"Can't load run {number}: {error.message}"

    async def _issues(self, run_ids: tuple[int, ...], agent_id: int | None) -> tuple[_Issues, list[str]]:
        """The issues, None where the server reports none, and why they could not be loaded."""
        try:
            return read_issues(await self._client.issues(run_ids, agent_id)), []
        except CekuraTuiError as error:
            if isinstance(error, ApiError) and error.status in (404, 405, 410):
                return None, []
            return (), [f"Can't load the issues: {error.message}"]
