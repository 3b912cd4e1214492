"""Suggestions: staged choices, the resulting diffs, and possible reasons for the changes."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

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
from cekura_tui.workspace.opened_runs import VerdictEvidence

Chosen = Mapping[str, HunkChoice]
"""Choices by hunk key."""


def parts_by_hunk(diff: ProseDiff) -> dict[str, tuple[str, ...]]:
    """The keys of the parts of each divisible hunk, by the key of the hunk. The diff may show a hunk whole or split
    into parts."""
    found = {hunk.key: hunk.parts for hunk in diff.hunks if hunk.parts}
    for hunk in diff.hunks:
        if hunk.whole:
            found[hunk.whole] = (*found.get(hunk.whole, ()), hunk.key)
    return found


def choices_by_number(diff: ProseDiff, chosen: Chosen) -> dict[int, HunkChoice]:
    """The choices for the hunks of a diff, by hunk number. An undecided part inherits the choice for the whole hunk,
    unless that choice is an edited text."""
    whole = {key: choice for key, choice in chosen.items() if choice.what != "edited"}
    found = {hunk.number: chosen.get(hunk.key) or whole.get(hunk.whole) for hunk in diff.hunks}
    return {number: choice for number, choice in found.items() if choice is not None}


def _splits_for(diff: ProseDiff, chosen: Chosen, wanted: AbstractSet[str]) -> frozenset[str]:
    """The keys of the hunks to show in parts: the `wanted` hunks, and hunks with a choice for a part. Hunks that were
    edited as a whole are left out."""
    edited = {key for key, choice in chosen.items() if choice.what == "edited"}
    return frozenset(
        whole
        for whole, parts in parts_by_hunk(diff).items()
        if whole not in edited and (whole in wanted or not chosen.keys().isdisjoint(parts))
    )


class DiffCache:
    """Compares two prompts, with some hunks split into parts; caches the last 4 diffs of the latest two prompts."""

    _MAX_CACHED = 4

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, frozenset[str]], ProseDiff] = {}

    async def diff(self, old: str, new: str, split: frozenset[str] = frozenset()) -> ProseDiff:
        """Compare two prompts in a thread, unless the diff is cached; cancelling the call stops the thread. `split` are
        the keys of the hunks to show in parts."""
        if (found := self._found.get((old, new, split))) is None:
            unwanted = threading.Event()
            try:
                found = await asyncio.to_thread(compare, old, new, split, stop=unwanted.is_set)
            finally:
                unwanted.set()
        return self._cache(found, split)

    def diff_now(self, old: str, new: str, split: frozenset[str]) -> ProseDiff:
        """Like `diff`, but synchronous."""
        return self._cache(self._found.get((old, new, split)) or compare(old, new, split), split)

    def _cache(self, diff: ProseDiff, split: frozenset[str]) -> ProseDiff:
        key = diff.old, diff.new, split
        kept = [(other, found) for other, found in self._found.items() if other[:2] == key[:2] and other != key]
        self._found = {**dict(kept[1 - self._MAX_CACHED :]), key: diff}
        return diff


@dataclass(frozen=True)
class StagingStep:
    """The choices of all windows before and after a step, for the hunks of `diff`. `changed_elsewhere` is true if
    another window has changed choices since this window's last step. `serial` increases with each step."""

    diff: ProseDiff = field(repr=False)
    before_by_key: Chosen
    after_by_key: Chosen
    serial: int
    changed_elsewhere: bool

    @cached_property
    def before(self) -> Choices:
        return choices_by_number(self.diff, self.before_by_key)

    @cached_property
    def after(self) -> Choices:
        return choices_by_number(self.diff, self.after_by_key)


class StagingService:
    """Stages choices for suggestions; methods raise StoreError. `window` is the name of this process.

    Methods take a job's number and the diff of the job's suggestion. Callers choose by hunk number. Choices are
    stored by hunk key, which stays the same in later diffs of the same texts.
    """

    def __init__(self, store: Store, *, window: str = "", clock: Callable[[], float] = time.time) -> None:
        self._stagings, self._window, self._clock = store.stagings, window, clock
        self.comparisons = DiffCache()
        self._split: defaultdict[int, set[str]] = defaultdict(set)
        """The keys of the hunks that this window shows in parts, by job number."""
        self._seen: dict[int, Chosen] = {}
        """The choices that this window saw last, by job number."""
        self._serials = itertools.count(1)

    async def current(self, number: int, diff: ProseDiff) -> tuple[StagingStep, Mapping[str, str]]:
        """The current choices of all windows, and unfinished texts by hunk key. Raises StoreError if the job is
        forgotten."""
        now = self._stagings.current(number)
        step = self._step(number, diff, StagedStep(now, now))
        return replace(step, diff=await self.with_splits(number, diff)), self._stagings.typed(number)

    async def with_splits(self, number: int, diff: ProseDiff, chosen: Iterable[str] = ()) -> ProseDiff:
        """Return a diff with some hunks split into parts. These are hunks with a chosen or edited part, also by a key
        in `chosen`, and hunks that the user split in this window."""
        typed = {*self._stagings.typed(number), *chosen}
        self._split[number] |= {whole for whole, parts in parts_by_hunk(diff).items() if not typed.isdisjoint(parts)}
        split = self._hunks_to_split(number, diff, self._stagings.choices(number))
        return diff if split == _split_of(diff) else await self.comparisons.diff(diff.old, diff.new, split)

    async def split(self, number: int, diff: ProseDiff, key: str, *, joined: bool = False) -> StagingStep:
        """Show the hunk with this key in parts, in this window; with `joined`, show the hunk whole again."""
        (self._split[number].discard if joined else self._split[number].add)(key)
        return (await self.current(number, await self.with_splits(number, diff)))[0]

    async def save_typed(self, number: int, hunk: str, text: str | None) -> None:
        """Save an unfinished text typed into a hunk or conflict; None deletes the saved text."""
        self._stagings.save_typed(number, hunk, text)

    async def choose(self, number: int, diff: ProseDiff, made: Mapping[int, HunkChoice | None]) -> StagingStep:
        """Record choices by hunk number as one step, and save the resulting text. None makes a hunk undecided.

        Choosing a hunk replaces the choices for its parts. Other hunks keep their choices, including choices of
        other windows.
        """
        by_key = self._by_key(number, diff, made)
        step = self._stagings.choose(number, by_key, self._clock(), self._text_of(number, diff), self._window)
        return self._step(number, self._split_now(number, diff, step.after), step)

    async def undo(self, number: int, diff: ProseDiff) -> StagingStep:
        """Undo the last step in effect that this window, or a process that has ended, has made. If there is no such
        step, nothing changes."""
        hunks = {hunk.key for hunk in diff.hunks}
        for whole, parts in parts_by_hunk(diff).items():
            hunks.update((whole, *parts))
        step = self._stagings.undo(number, hunks, self._clock(), self._text_of(number, diff), self._is_own)
        return self._step(number, self._split_now(number, diff, step.after), step)

    def _is_own(self, window: str, at: float) -> bool:
        return window == self._window or not is_alive(window, self._clock() - at)

    def _by_key(
        self, number: int, diff: ProseDiff, made: Mapping[int, HunkChoice | None]
    ) -> dict[str, HunkChoice | None]:
        """Translate choices by hunk number into choices by hunk key.

        Choosing a whole hunk clears the choices for its parts. Choosing a part clears the choice for the whole hunk,
        and undecided other parts get the hunk's choice unless that choice is an edited text.
        """
        hunks = [hunk for hunk in diff.hunks if hunk.number in made]
        found: dict[str, HunkChoice | None] = {}
        chosen, parts = self._stagings.choices(number), parts_by_hunk(diff)
        for whole in {hunk.whole for hunk in hunks} & chosen.keys():
            found[whole] = None
            if chosen[whole].what != "edited":
                found |= {part: chosen.get(part, chosen[whole]) for part in parts[whole]}
        found |= {part: None for hunk in hunks for part in hunk.parts}
        return found | {hunk.key: made[hunk.number] for hunk in hunks}

    def _hunks_to_split(self, number: int, diff: ProseDiff, chosen: Chosen) -> frozenset[str]:
        """The keys of the hunks to show in parts. A hunk that was split by a choice stays split, so that the view does
        not jump."""
        self._split[number] |= _splits_for(diff, chosen, frozenset())
        return _splits_for(diff, chosen, self._split[number])

    def _split_now(self, number: int, diff: ProseDiff, chosen: Chosen) -> ProseDiff:
        """Return the diff with hunks split to fit these choices. Unlike `with_splits`, this method is synchronous,
        because a step is one transaction."""
        split = self._hunks_to_split(number, diff, chosen)
        return diff if split == _split_of(diff) else self.comparisons.diff_now(diff.old, diff.new, split)

    def _text_of(self, number: int, diff: ProseDiff) -> TextOf:
        def text(chosen: Chosen) -> Prompt:
            fitting = self._split_now(number, diff, chosen)
            return staged(fitting, choices_by_number(fitting, chosen))

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
    """Unfinished texts typed into changes and conflicts, by the key of the change or conflict."""

    @cached_property
    def choices(self) -> Choices:
        return choices_by_number(self.diff, self.chosen)

    @cached_property
    def staged(self) -> Prompt:
        return staged(self.diff, self.choices)


@dataclass(frozen=True)
class SuggestionReasons:
    """Possible reasons for the changes of a suggestion.

    `reasons` and `own_facts` (facts of a single call that a change adds) are by hunk key. `issues` is None if the
    server does not offer issues. `problems` are sentences about data that could not be loaded.
    """

    issues: _Issues = ()
    reasons: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict, repr=False)
    own_facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class _JobData:
    """The server's issues about a job's runs, and the runs that could be loaded; `found` is evidence by run id.
    `problems` are sentences about data that could not be loaded."""

    issues: _Issues
    views: list[RunView]
    found: Mapping[int, VerdictEvidence]
    problems: tuple[str, ...]


class Suggestions:
    """The suggestions of one session. `run` loads a run by id. `evidence` finds the turns to which a run's
    verdicts refer."""

    def __init__(
        self,
        jobs: JobService,
        staging: StagingService,
        stagings: StagingStore,
        client: Client,
        run: Callable[[int], Awaitable[RunView]],
        evidence: Callable[[RunView], Awaitable[VerdictEvidence]],
    ) -> None:
        self._jobs, self._staging, self._client = jobs, staging, client
        self._stagings = stagings
        self._run, self._evidence = run, evidence
        self._loaded: tuple[int, _JobData] | None = None
        self._explained: tuple[int, ProseDiff, SuggestionReasons] | None = None

    async def open(self, number: int) -> OpenedSuggestion:
        """Open the suggestion of a succeeded job, with the current choices and unfinished texts. Raises StoreError, and
        UsageError if the job has no suggestion."""
        suggestion = await self._jobs.suggestion(number)
        if suggestion.improved_prompt is None:
            raise UsageError(f"Job {number} has no suggestion: it is {suggestion.job.state.words}.")
        diff = await self._staging.comparisons.diff(suggestion.prompt, suggestion.improved_prompt)
        diff = await self._staging.with_splits(number, diff)
        return OpenedSuggestion(suggestion, diff, self._stagings.choices(number), self._stagings.typed(number))

    async def choose_again(self, number: int, made: Mapping[str, Any] | None) -> None:
        """Record choices by hunk key that an ended process could not save; None undoes the last step."""
        diff = await self._staging.with_splits(number, (await self.open(number)).diff, made or ())
        if made is None:
            await self._staging.undo(number, diff)
        else:
            hunks = {hunk.number: HunkChoice(**made[hunk.key]) for hunk in diff.hunks if hunk.key in made}
            await self._staging.choose(number, diff, hunks)

    async def explain(self, opened: OpenedSuggestion) -> SuggestionReasons:
        """Find possible reasons for the changes in the job's runs and the server's issues. Data that cannot be loaded
        is reported in `problems`."""
        job, diff = opened.suggestion.job, opened.diff
        cached = self._explained
        if cached is not None and cached[0] == job.number and cached[1] is diff:
            return cached[2]
        # Splitting a hunk makes a new diff, but needs no new requests.
        data = self._loaded[1] if self._loaded is not None and self._loaded[0] == job.number else await self._load(job)

        def find_reasons() -> SuggestionReasons:
            if not diff.is_compared:
                return SuggestionReasons(data.issues, problems=data.problems)
            found = reasons(diff, data.issues or (), data.views, data.found)
            facts = own_facts(diff, opened.suggestion.prompt, data.views)
            return SuggestionReasons(
                data.issues,
                {diff.hunks[number - 1].key: one for number, one in found.items()},
                {diff.hunks[number - 1].key: one for number, one in facts.items()},
                data.problems,
            )

        explained = await asyncio.to_thread(find_reasons)
        if not explained.problems:
            self._loaded = job.number, data
            self._explained = job.number, diff, explained
        return explained

    async def _load(self, job: Job) -> _JobData:
        (issues, not_listed), (views, unread) = await asyncio.gather(
            self._issues(job.run_ids, job.agent_id), self._views(job.run_ids)
        )
        found = {view.row.id: await self._evidence(view) for view in views}
        return _JobData(issues, views, found, (*not_listed, *unread))

    async def _views(self, run_ids: tuple[int, ...]) -> tuple[list[RunView], list[str]]:
        """The runs that could be loaded, and error messages about the other runs."""
        read = await asyncio.gather(*(self._view(number) for number in run_ids))
        return [one for one in read if isinstance(one, RunView)], [one for one in read if isinstance(one, str)]

    async def _view(self, number: int) -> RunView | str:
        try:
            return await self._run(number)
        except CekuraTuiError as error:
            return f"Can't load run {number}: {error.message}"

    async def _issues(self, run_ids: tuple[int, ...], agent_id: int | None) -> tuple[_Issues, list[str]]:
        """The server's issues about these runs, and error messages. The issues are None if the server does not offer
        issues, and empty after any other error."""
        try:
            return read_issues(await self._client.issues(run_ids, agent_id)), []
        except CekuraTuiError as error:
            if isinstance(error, ApiError) and error.status in (404, 405, 410):
                return None, []
            return (), [f"Can't load the issues: {error.message}"]
