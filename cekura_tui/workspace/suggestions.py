"""Suggestions: staged choices, the resulting diffs, and possible reasons for the changes."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError
from cekura_tui.evidence.hunk_reasons import Reason, reasons
from cekura_tui.evidence.overfitting import OwnFact, own_facts
from cekura_tui.evidence.prompt_issues import PromptIssue, read_issues
from cekura_tui.jobs.owner import is_alive
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import Job, Suggestion
from cekura_tui.model.run.view import RunView
from cekura_tui.model.text import Prompt, count
from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.lines import counts
from cekura_tui.prose.staging import Choices, HunkChoice, staged, wording
from cekura_tui.prose.words import word_count, word_spans
from cekura_tui.store.stagings import MadeOf, StagedStep, StagingStore, TextOf
from cekura_tui.store.store import Store
from cekura_tui.workspace.job_service import JobService
from cekura_tui.workspace.opened_runs import VerdictEvidence

Chosen = Mapping[str, HunkChoice]
"""Choices by hunk key."""


def parts_by_hunk(diff: ProseDiff) -> dict[str, tuple[str, ...]]:
    """The keys of the parts, by key of each divisible hunk, whether the diff shows it whole or split."""
    found = {hunk.key: hunk.parts for hunk in diff.hunks if hunk.parts}
    for hunk in diff.hunks:
        if hunk.whole:
            found[hunk.whole] = (*found.get(hunk.whole, ()), hunk.key)
    return found


def choices_by_number(diff: ProseDiff, chosen: Chosen) -> dict[int, HunkChoice]:
    """The choices by hunk number; an undecided part inherits the hunk's choice, unless that is an edited text."""
    whole = {key: choice for key, choice in chosen.items() if choice.what != "edited"}
    found = {hunk.number: chosen.get(hunk.key) or whole.get(hunk.whole) for hunk in diff.hunks}
    return {number: choice for number, choice in found.items() if choice is not None}


def undecided_hunks(diff: ProseDiff, choices: Choices) -> list[Hunk]:
    """The undecided hunks; the model's text around its answer counts as decided, and is left out unless accepted."""
    return [hunk for hunk in diff.hunks if hunk.number not in choices and hunk.kind != "wrapper"]


def _by_key(diff: ProseDiff, chosen: Chosen, made: Mapping[int, HunkChoice | None]) -> dict[str, HunkChoice | None]:
    """Translate choices by hunk number into choices by hunk key. A choice for a hunk clears those for its parts. A
    choice for a part clears the hunk's, which undecided other parts get unless it is an edited text."""
    hunks = [hunk for hunk in diff.hunks if hunk.number in made]
    found: dict[str, HunkChoice | None] = {}
    parts = parts_by_hunk(diff)
    for whole in {hunk.whole for hunk in hunks} & chosen.keys():
        found[whole] = None
        if chosen[whole].what != "edited":
            found |= {part: chosen.get(part, chosen[whole]) for part in parts[whole]}
    found |= {part: None for hunk in hunks for part in hunk.parts}
    return found | {hunk.key: made[hunk.number] for hunk in hunks}


def _splits_for(diff: ProseDiff, chosen: Chosen, wanted: AbstractSet[str]) -> frozenset[str]:
    """The keys of hunks to show in parts: `wanted`, or with a chosen part; but no hunk that was edited whole."""
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
        key = diff.old, diff.proposed, split
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

    @cached_property
    def changed(self) -> list[int]:
        """The numbers of the hunks whose choice differs."""
        return [n for n in sorted({*self.before, *self.after}) if self.before.get(n) != self.after.get(n)]

    @property
    def undone_texts(self) -> dict[str, str]:
        """The texts of the edits that an undo has removed, by hunk key."""
        edits = {key: choice.text for key, choice in self.before_by_key.items() if choice.what == "edited"}
        return {key: text for key, text in edits.items() if self.after_by_key.get(key) != self.before_by_key[key]}

    @property
    def undone_words(self) -> str:
        if len(self.changed) != 1:
            changes = f"Undone: {count(len(self.changed), 'change')} are as before."
            return changes if self.changed else "Nothing to undo."
        now = self.after.get(self.changed[0])
        return f"Undone: change {self.changed[0]} is {now.what if now else 'undecided'}."

    @property
    def accepted_words(self) -> str:
        """The message after all undecided changes were accepted, with the numbers of other choices."""
        new, chosen = len(self.changed), Counter[str](choice.what for choice in self.before.values())
        others = [f"{chosen[what]:,} {what}" for what in ("rejected", "edited") if chosen[what]]
        message = f"{count(new, 'change')} accepted" if new else "No undecided changes"
        message += f" · {' and '.join(others)}, unchanged" if others else ""
        left = [hunk.number for hunk in self.diff.hunks if hunk.kind == "wrapper" and hunk.number not in self.after]
        return message + "".join(f" · change {n} left out (text around the model's answer)" for n in left)


class StagingService:
    """Stages choices for the suggestion of a job, made by hunk number of a diff, and stored by hunk key, which stays
    the same in later diffs of the same texts. Methods raise StoreError. `window` is the name of this process."""

    def __init__(self, store: Store, *, window: str = "", clock: Callable[[], float] = time.time) -> None:
        self._stagings, self._window, self._clock = store.stagings, window, clock
        self.comparisons = DiffCache()
        self._seen: dict[int, Chosen] = {}
        """The choices that this window saw last, by job number."""
        self._serials = itertools.count(1)

    async def current(self, number: int, diff: ProseDiff) -> tuple[StagingStep, Mapping[str, str]]:
        """All windows' current choices, and unfinished texts by hunk key. Raises StoreError if the job is forgotten."""
        now = self._stagings.current(number)
        step = self._step(number, diff, StagedStep(now, now))
        return replace(step, diff=await self.with_splits(number, diff)), self._stagings.typed(number)

    async def with_splits(self, number: int, diff: ProseDiff, chosen: Iterable[str] = ()) -> ProseDiff:
        """Return a diff with some hunks split into parts. These are hunks with a chosen or edited part, also by a key
        in `chosen`, and hunks that the user split."""
        split = self._hunks_to_split(number, diff, self._stagings.choices(number), chosen)
        return diff if split == _split_of(diff) else await self.comparisons.diff(diff.old, diff.proposed, split)

    async def split(self, number: int, diff: ProseDiff, key: str, *, joined: bool = False) -> StagingStep:
        """Show the hunk with this key in parts, in every window; with `joined`, show the hunk whole again."""
        self._stagings.save_split(number, key, joined=joined)
        return (await self.current(number, await self.with_splits(number, diff)))[0]

    async def save_typed(self, number: int, hunk: str, text: str | None) -> None:
        """Save an unfinished text typed into a hunk or conflict; None deletes the saved text."""
        self._stagings.save_typed(number, hunk, text)

    async def choose(self, number: int, diff: ProseDiff, made: Mapping[int, HunkChoice | None]) -> StagingStep:
        """Record choices by hunk number as one step, and save the resulting text. None makes a hunk undecided. Choosing
        a hunk replaces the choices for its parts; other hunks keep their choices, also of other windows."""
        return self._choose(number, diff, lambda chosen: _by_key(diff, chosen, made))

    async def choose_all(
        self, number: int, diff: ProseDiff, what: Literal["accepted", "rejected"] = "accepted"
    ) -> StagingStep:
        """Accept or reject every undecided hunk, except text that the model put around its answer."""

        def made(chosen: Chosen) -> dict[str, HunkChoice | None]:
            fitting = self._split_now(number, diff, chosen)
            undecided = undecided_hunks(fitting, choices_by_number(fitting, chosen))
            return _by_key(fitting, chosen, {hunk.number: HunkChoice(what) for hunk in undecided})

        return self._choose(number, diff, made)

    def _choose(self, number: int, diff: ProseDiff, made_of: MadeOf) -> StagingStep:
        step = self._stagings.choose(number, made_of, self._clock(), self._text_of(number, diff), self._window)
        return self._step(number, self._split_now(number, diff, step.after), step)

    async def undo(self, number: int, diff: ProseDiff) -> StagingStep:
        """Undo the last step in effect of this window or of a process that has ended, if there is one."""
        hunks = {hunk.key for hunk in diff.hunks}
        for whole, parts in parts_by_hunk(diff).items():
            hunks.update((whole, *parts))
        step = self._stagings.undo(number, hunks, self._clock(), self._text_of(number, diff), self._is_own)
        return self._step(number, self._split_now(number, diff, step.after), step)

    def _is_own(self, window: str, at: float) -> bool:
        return window == self._window or not is_alive(window, self._clock() - at)

    def _hunks_to_split(self, number: int, diff: ProseDiff, chosen: Chosen, more: Iterable[str] = ()) -> frozenset[str]:
        """The keys of the hunks to show in parts, including those with a typed part, or with a part in `more`."""
        typed = {*self._stagings.typed(number), *more}
        of_typed = {whole for whole, parts in parts_by_hunk(diff).items() if not typed.isdisjoint(parts)}
        return _splits_for(diff, chosen, self._stagings.splits(number) | of_typed)

    def _split_now(self, number: int, diff: ProseDiff, chosen: Chosen) -> ProseDiff:
        """The diff split to fit these choices; synchronous, unlike `with_splits`, as a step is one transaction."""
        split = self._hunks_to_split(number, diff, chosen)
        return diff if split == _split_of(diff) else self.comparisons.diff_now(diff.old, diff.proposed, split)

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


def dismissal(hunk: str, fact: OwnFact) -> str:
    """The key under which it is saved that a fact of the hunk with key `hunk` is dismissed."""
    return f"dismissed {hunk} {fact.text}"


@dataclass(frozen=True)
class OpenedSuggestion:
    suggestion: Suggestion = field(repr=False)
    diff: ProseDiff = field(repr=False)
    chosen: Chosen
    typed: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Unfinished texts typed into changes and conflicts, by the key of the change or conflict. A dismissed fact has
    a key from `dismissal` and an empty text."""

    @cached_property
    def choices(self) -> Choices:
        return choices_by_number(self.diff, self.chosen)

    @cached_property
    def staged(self) -> Prompt:
        return staged(self.diff, self.choices)

    @property
    def undecided(self) -> list[Hunk]:
        return undecided_hunks(self.diff, self.choices)

    @cached_property
    def counts(self) -> DecisionCounts:
        added = removed = 0
        for hunk in self.diff.hunks:
            choice = self.choices.get(hunk.number)
            if choice is not None and choice.what != "rejected":
                more, less = self.size_of(hunk)
                added, removed = added + more, removed + less
        return DecisionCounts(len(self.undecided), added, removed)

    def size_of(self, hunk: Hunk) -> tuple[int, int]:
        """The numbers of words that a hunk adds and removes, as edited if it is edited."""
        choice = self.choices.get(hunk.number)
        if choice is None or choice.what != "edited":
            return hunk.added, hunk.removed
        spans = word_spans(wording(self.diff, hunk).sent, choice.text.strip(), exactly=True)
        added, removed = (sum(word_count(span.text) for span in spans if span.op == op) for op in ("ins", "del"))
        return added, removed

    def own_facts(self, explained: SuggestionReasons, hunk: Hunk) -> tuple[OwnFact, ...]:
        """The facts of one call in a hunk, without those dismissed for the hunk, its whole or its parts."""
        keys = (hunk.key, hunk.whole, *hunk.parts)
        found = explained.own_facts.get(hunk.key, ())
        return tuple(fact for fact in found if self.typed.keys().isdisjoint(dismissal(key, fact) for key in keys))

    def text_of(self, hunk: Hunk) -> str:
        """The initial text for editing a hunk: the edited text if there is one, else the proposed text."""
        choice = self.chosen.get(hunk.key)
        return choice.text if choice is not None and choice.what == "edited" else wording(self.diff, hunk).begin

    def why_not_edit(self, hunk: Hunk) -> str | None:
        """Why a change cannot be edited, as a sentence; None if the change can be edited."""
        if not self.diff.is_compared:
            return "Too long to edit here: save the prompt to a file."
        if hunk.kind == "wrapper":
            return "Can't edit the text around the model's answer: accept or reject it."
        if hunk.kind != "layout":
            return None
        return f"Only formatting changes here: accept or reject{', or split it to see its places' * bool(hunk.parts)}."

    def why_not_split(self, hunk: Hunk) -> str | None:
        """Why a hunk cannot be split, or why a part cannot be joined, as a sentence; None if there is no reason."""
        if hunk.whole:
            parts = [part for part in self.diff.hunks if part.whole == hunk.whole]
            if decided := [part.number for part in parts if part.key in self.chosen]:
                return f"Can't join the parts: change {decided[0]} is decided separately. Undo that decision first."
            if any(part.key in self.typed for part in parts):
                return "Can't join the parts: one of them has text that is not applied yet."
        elif not hunk.parts:
            return "Can't split: the change has no parts."
        elif (choice := self.chosen.get(hunk.key)) is not None and choice.what == "edited":
            return f"Can't split change {hunk.number}: it is edited as a whole. Undo the edit first."
        return None


@dataclass(frozen=True, slots=True)
class DecisionCounts:
    """Number of undecided changes, and numbers of words that the accepted and edited changes add and remove."""

    undecided: int
    added: int
    removed: int

    @property
    def counts(self) -> str:
        """The numbers of words, such as "+77 −19"; "" if both are 0."""
        return counts(self.removed, self.added)


@dataclass(frozen=True)
class SuggestionReasons:
    """Possible reasons for changes, and facts of a single call that a change adds, by hunk key. `issues` is None if the
    server does not offer issues. `problems` are sentences about data that could not be loaded."""

    issues: _Issues = ()
    reasons: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict, repr=False)
    own_facts: Mapping[str, tuple[OwnFact, ...]] = field(default_factory=dict, repr=False)
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
    """The suggestions of a session: `run` loads a run by id, `evidence` finds the turns behind its verdicts."""

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
        """Open a succeeded job's suggestion. Raises StoreError, and UsageError if the job has none."""
        suggestion = await self._jobs.suggestion(number)
        if suggestion.improved_prompt is None:
            raise UsageError(f"Job {number} has no suggestion ({suggestion.job.state.words}).")
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
        """Find possible reasons for the changes; data that cannot be loaded is reported in `problems`."""
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
        runs = asyncio.gather(*(self._view(number) for number in job.run_ids))
        (issues, problems), read = await asyncio.gather(self._issues(job.run_ids, job.agent_id), runs)
        views = [one for one in read if isinstance(one, RunView)]
        found = {view.row.id: await self._evidence(view) for view in views}
        return _JobData(issues, views, found, (*problems, *(one for one in read if isinstance(one, str))))

    async def _view(self, number: int) -> RunView | str:
        """A run, or an error message if it cannot be loaded."""
        try:
            return await self._run(number)
        except CekuraTuiError as error:
            return f"Can't load run {number}: {error.message}"

    async def _issues(self, run_ids: tuple[int, ...], agent_id: int | None) -> tuple[_Issues, list[str]]:
        """The server's issues, and error messages; None if not offered, empty after any other error or without runs."""
        if not run_ids:
            return (), []
        try:
            return read_issues(await self._client.issues(run_ids, agent_id)), []
        except CekuraTuiError as error:
            if isinstance(error, ApiError) and error.status in (404, 405, 410):
                return None, []
            return (), [f"Can't load the issues: {error.message}"]
