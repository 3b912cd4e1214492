"""Suggestions: what is chosen of one, what it changes, and why its changes may have been proposed.

What was chosen, and the text that it makes, survive everything.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError
from cekura_tui.evidence.hunk_reasons import Reason, reasons
from cekura_tui.evidence.overfitting import own_facts
from cekura_tui.evidence.prompt_issues import PromptIssue, read_issues
from cekura_tui.jobs.lease import is_alive
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import Suggestion
from cekura_tui.model.run.view import RunView
from cekura_tui.model.text import Prompt
from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.staging import Choices, HunkChoice, staged
from cekura_tui.store.stagings import StagedStep, TextOf
from cekura_tui.store.store import Store
from cekura_tui.workspace.job_service import JobService
from cekura_tui.workspace.opened_runs import Found


@dataclass(frozen=True)
class StagingStep:
    """What was chosen before a step and after it, in all windows; a look is a step that changes nothing.

    `seen` is what was chosen after the step before this one that was taken here: where `before` is something else,
    another window chose it. Of two steps the one with the higher `serial` is the later one. `others` are the hunks that
    an undo left alone, because another window chose them last.
    """

    seen: Choices
    before: Choices
    after: Choices
    serial: int
    others: tuple[int, ...] = ()


class StagingService:
    """Of one session, on its loop. Methods raise StoreError.

    `number` is a job, `diff` what it proposes. Choices are by the number of a hunk of this diff, and are kept by what
    the hunk does, so that they are found again in a later diff of the same texts; those of other hunks are left alone.
    `window` is who chooses here, as `lease.this_process` names it; what nobody chose by name is anybody's.
    """

    def __init__(self, store: Store, *, window: str = "", clock: Callable[[], float] = time.time) -> None:
        self._stagings, self._window, self._clock = store.stagings, window, clock
        self._seen: dict[int, Mapping[str, HunkChoice]] = {}
        """By the job."""
        self._serials = itertools.count(1)

    async def choices(self, number: int, diff: ProseDiff) -> Choices:
        """What is chosen now, in any window."""
        return _by_number(diff, self._stagings.choices(number))

    async def look(self, number: int, diff: ProseDiff) -> tuple[StagingStep, Mapping[str, str]]:
        """What is chosen and typed now, in any window; raises StoreError for a job that was forgotten."""
        now = self._stagings.look(number)
        return self._step(number, diff, StagedStep(now, now)), self._stagings.typed(number)

    async def staged(self, number: int) -> Prompt | None:
        """The text that was staged last, as a whole; None where nothing was chosen yet."""
        return self._stagings.staged(number)

    async def typed(self, number: int) -> dict[str, str]:
        """What was typed into hunks and not taken, and into conflicts with the agent's prompt, by their keys."""
        return self._stagings.typed(number)

    async def save_typed(self, number: int, hunk: str, text: str | None) -> None:
        """Keep what is typed into the hunk or the conflict of this key; None forgets it."""
        self._stagings.keep_typed(number, hunk, text)

    async def choose(self, number: int, diff: ProseDiff, made: Mapping[int, HunkChoice | None]) -> StagingStep:
        """Choose, as one step, and keep the text that comes of it; None puts a hunk back to undecided.

        Other hunks stay as another window left them; of the same one the last choice stands.
        """
        by_key = {hunk.key: made[hunk.number] for hunk in diff.hunks if hunk.number in made}
        step = self._stagings.choose(number, by_key, self._clock(), _text_of(diff), self._window)
        return self._step(number, diff, step)

    async def undo(self, number: int, diff: ProseDiff) -> StagingStep:
        """Take back the last step of this window, or of one that has ended, of which something stands; where there is
        none, nothing changes."""
        hunks = {hunk.key for hunk in diff.hunks}
        step = self._stagings.undo(number, hunks, self._clock(), _text_of(diff), self._is_own)
        return self._step(number, diff, step)

    def _is_own(self, window: str, at: float) -> bool:
        return window == self._window or not is_alive(window, self._clock() - at)

    def _step(self, number: int, diff: ProseDiff, step: StagedStep) -> StagingStep:
        seen = self._seen.get(number, step.before)
        self._seen[number] = step.after
        return StagingStep(
            _by_number(diff, seen),
            _by_number(diff, step.before),
            _by_number(diff, step.after),
            next(self._serials),
            tuple(hunk.number for hunk in diff.hunks if hunk.key in step.others),
        )


def _by_number(diff: ProseDiff, chosen: Mapping[str, HunkChoice]) -> dict[int, HunkChoice]:
    return {hunk.number: chosen[hunk.key] for hunk in diff.hunks if hunk.key in chosen}


def _text_of(diff: ProseDiff) -> TextOf:
    return lambda chosen: staged(diff, _by_number(diff, chosen))


_Issues = tuple[PromptIssue, ...] | None
_NOT_OFFERED = (404, 405, 410)


@dataclass(frozen=True)
class OpenedSuggestion:
    """A job that succeeded, what its proposal changes of the prompt that was sent, and what is chosen of that."""

    suggestion: Suggestion = field(repr=False)
    diff: ProseDiff = field(repr=False)
    choices: Choices
    typed: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What was typed into changes and not taken, by the key of the hunk; into conflicts, too, by theirs."""

    @cached_property
    def staged(self) -> Prompt:
        """The text that the choices make."""
        return staged(self.diff, self.choices)


@dataclass(frozen=True)
class SuggestionReasons:
    """Why the changes of a suggestion may have been proposed.

    `issues` is None where this server does not tell them; `reasons` and `own_facts` are by the number of the hunk;
    `problems` are sentences on what could not be read.
    """

    issues: _Issues = ()
    reasons: Mapping[int, tuple[Reason, ...]] = field(default_factory=dict, repr=False)
    own_facts: Mapping[int, tuple[str, ...]] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()


class Suggestions:
    """Of one session, on its loop. `run` reads a run, `evidence` finds the turns that its verdicts speak of."""

    def __init__(
        self,
        jobs: JobService,
        staging: StagingService,
        client: Client,
        run: Callable[[int], Awaitable[RunView]],
        evidence: Callable[[RunView], Awaitable[Found]],
    ) -> None:
        self._jobs, self._staging, self._client = jobs, staging, client
        self._run, self._evidence = run, evidence
        self._compared: tuple[tuple[str, str | None], ProseDiff] | None = None
        self._explained: tuple[int, ProseDiff, SuggestionReasons] | None = None

    async def open(self, number: int) -> OpenedSuggestion:
        """A job that succeeded, with what was chosen; raises UsageError for another job, StoreError."""
        suggestion = await self._jobs.suggestion(number)
        if suggestion.improved_prompt is None:
            raise UsageError(f"Job {number} has no suggestion: it is {suggestion.job.state.words}.")
        texts = suggestion.job.prompt_sha256, suggestion.job.improved_sha256
        if self._compared is not None and self._compared[0] == texts:
            diff = self._compared[1]
        else:
            diff = await asyncio.to_thread(compare, suggestion.prompt, suggestion.improved_prompt)
            self._compared = texts, diff
        return OpenedSuggestion(
            suggestion, diff, await self._staging.choices(number, diff), await self._staging.typed(number)
        )

    async def explain(self, opened: OpenedSuggestion) -> SuggestionReasons:
        """What the job's runs and the server tell of the reasons; what cannot be read is a problem, not an error."""
        job, diff = opened.suggestion.job, opened.diff
        cached = self._explained
        if cached is not None and cached[0] == job.number and cached[1] is diff:
            return cached[2]
        (issues, unlisted), (views, unread) = await asyncio.gather(
            self._issues(job.run_ids, job.agent_id), self._views(job.run_ids)
        )
        found = {view.row.id: await self._evidence(view) for view in views}

        def find_reasons() -> SuggestionReasons:
            return SuggestionReasons(
                issues,
                reasons(diff, issues or (), views, found),
                own_facts(diff, opened.suggestion.prompt, views),
                (*unlisted, *unread),
            )

        explained = await asyncio.to_thread(find_reasons)
        if not explained.problems:
            self._explained = job.number, diff, explained
        return explained

    async def _views(self, run_ids: tuple[int, ...]) -> tuple[list[RunView], list[str]]:
        """The runs that could be read, and why others could not."""
        read = await asyncio.gather(*(self._view(number) for number in run_ids))
        return [one for one in read if isinstance(one, RunView)], [one for one in read if isinstance(one, str)]

    async def _view(self, number: int) -> RunView | str:
        try:
            return await self._run(number)
        except CekuraTuiError as error:
            return f"Run {number} could not be read: {error.message}"

    async def _issues(self, run_ids: tuple[int, ...], agent_id: int | None) -> tuple[_Issues, list[str]]:
        """The issues, None where the server does not tell them, and why they could not be read."""
        try:
            return read_issues(await self._client.issues(run_ids, agent_id)), []
        except CekuraTuiError as error:
            if isinstance(error, ApiError) and error.status in _NOT_OFFERED:
                return None, []
            return (), [f"The issues could not be read: {error.message}"]
