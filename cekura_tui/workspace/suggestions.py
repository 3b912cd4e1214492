"""Suggestions as they are read: what changes, what was chosen of it so far, and why it may have been proposed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.hunk_reasons import Reason, reasons
from cekura_tui.model.job import Suggestion
from cekura_tui.model.overfitting import own_facts
from cekura_tui.model.prompt_issues import PromptIssue, read_issues
from cekura_tui.model.prose_compare import compare
from cekura_tui.model.prose_diff import ProseDiff
from cekura_tui.model.staging import Choice, Choices, staged
from cekura_tui.model.text import Prompt
from cekura_tui.model.view import RunView
from cekura_tui.workspace.job_desk import JobDesk
from cekura_tui.workspace.run_evidence import Found
from cekura_tui.workspace.staging_desk import StagingDesk

_Issues = tuple[PromptIssue, ...] | None
_NOT_OFFERED = (404, 405, 410)


@dataclass(frozen=True)
class Reading:
    """A job that succeeded, what its proposal changes of the prompt that was sent, and what is chosen of that."""

    done: Suggestion = field(repr=False)
    diff: ProseDiff = field(repr=False)
    choices: Choices
    typed: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What was typed into changes and not taken, by the key of the hunk; into conflicts, too, by theirs."""

    @cached_property
    def staged(self) -> Prompt:
        """The text that the choices make."""
        return staged(self.diff, self.choices)


@dataclass(frozen=True)
class Why:
    """What is told of the reasons for a suggestion.

    `issues` is None where this server does not tell them; `reasons` and `own_facts` are by the number of the hunk;
    `problems` are sentences on what could not be read.
    """

    issues: _Issues = ()
    reasons: Mapping[int, tuple[Reason, ...]] = field(default_factory=dict, repr=False)
    own_facts: Mapping[int, tuple[str, ...]] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """What was chosen before a step and after it, in all windows."""

    before: Choices
    now: Choices


class Suggestions:
    """Of one session, on its loop. `run` reads a run, `evidence` finds the turns that its verdicts speak of."""

    def __init__(
        self,
        jobs: JobDesk,
        staging: StagingDesk,
        client: Client,
        run: Callable[[int], Awaitable[RunView]],
        evidence: Callable[[RunView], Awaitable[Found]],
    ) -> None:
        self._jobs, self._staging, self._client = jobs, staging, client
        self._run, self._evidence = run, evidence
        self._compared: tuple[tuple[str, str | None], ProseDiff] | None = None
        self._reasoned: tuple[int, ProseDiff, Why] | None = None

    async def read(self, number: int) -> Reading:
        """A job that succeeded, with what was chosen; raises UsageError for another job, StoreError."""
        done = await self._jobs.suggestion(number)
        if done.improved_prompt is None:
            raise UsageError(f"Job {number} has no suggestion: it is {done.job.state.words}.")
        texts = done.job.prompt_sha256, done.job.improved_sha256
        if self._compared is not None and self._compared[0] == texts:
            diff = self._compared[1]
        else:
            diff = await asyncio.to_thread(compare, done.prompt, done.improved_prompt)
            self._compared = texts, diff
        return Reading(done, diff, await self._staging.choices(number, diff), await self._staging.typed(number))

    async def choose(self, number: int, diff: ProseDiff, made: Mapping[int, Choice | None]) -> Step:
        """Choose, as one step that is on the disk when this returns. Raises StoreError."""
        before = await self._staging.choices(number, diff)
        return Step(before, await self._staging.choose(number, diff, made))

    async def undo(self, number: int, diff: ProseDiff) -> Step:
        """Take back the last step, of whichever window. Raises StoreError."""
        before = await self._staging.choices(number, diff)
        return Step(before, await self._staging.undo(number, diff))

    async def typed(self, number: int) -> dict[str, str]:
        """What was typed with a job and is kept, by the key of the hunk or the conflict. Raises StoreError."""
        return await self._staging.typed(number)

    async def keep_typed(self, number: int, hunk: str, text: str | None) -> None:
        """Keep what is typed into the hunk, or the conflict, of this key; None forgets it. Raises StoreError."""
        await self._staging.keep_typed(number, hunk, text)

    async def why(self, reading: Reading) -> Why:
        """What the job's runs and the server tell of the reasons; what cannot be read is a problem, not an error."""
        job, diff = reading.done.job, reading.diff
        kept = self._reasoned
        if kept is not None and kept[0] == job.number and kept[1] is diff:
            return kept[2]
        (issues, untold), (views, unread) = await asyncio.gather(
            self._issues(job.run_ids, job.agent_id), self._views(job.run_ids)
        )
        found = {view.row.id: await self._evidence(view) for view in views}

        def reason() -> Why:
            return Why(
                issues,
                reasons(diff, issues or (), views, found),
                own_facts(diff, reading.done.prompt, views),
                (*untold, *unread),
            )

        why = await asyncio.to_thread(reason)
        if not why.problems:
            self._reasoned = job.number, diff, why
        return why

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
