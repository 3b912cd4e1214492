"""Prompts of agents on the server: plan and write an update, verify the prompt, restore an earlier prompt."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from cekura_tui.api.errors import ApiError, NotFound
from cekura_tui.jobs.engine import run_shielded
from cekura_tui.model.errors import CekuraTuiError, Exit, UsageError
from cekura_tui.model.text import Prompt, clean_line, count, sha256
from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import ProseDiff, are_too_long
from cekura_tui.prose.lines import counts
from cekura_tui.prose.merge import Merge, merge
from cekura_tui.store.errors import StoreError, Unrecorded
from cekura_tui.store.stagings import WRITTEN
from cekura_tui.workspace.setup import KnownKeys, refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.model.job import Job
    from cekura_tui.model.prompt_events import PromptUse, UseKind
    from cekura_tui.model.scope import Agent
    from cekura_tui.store.store import Store
    from cekura_tui.workspace.job_service import JobService


@dataclass(frozen=True, slots=True)
class PromptUpdate:
    """A planned update of an agent's prompt. `merge` has the staged changes and those made on the agent since the
    launch, `change` the diff to the merged text, None if there are conflicts, `warnings` sentences to show before."""

    job: Job
    agent: Agent
    current: Prompt
    staged: Prompt
    merge: Merge
    change: ProseDiff | None
    warnings: tuple[str, ...]

    @property
    def is_applied(self) -> bool:
        """Whether the agent already has the whole merged text."""
        return self.change is not None and self.change.is_same


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """An agent whose prompt was written and verified, the agent's previous prompt, and a message for the user."""

    agent: Agent
    previous: Prompt
    message: str


@dataclass(frozen=True, slots=True)
class PromptRestore:
    """A planned restore of an agent's earlier prompt `text`, the entry `use` of the history. `change` is the diff from
    the agent's `current` prompt to `text`. `warnings` are sentences to show before the user confirms."""

    agent: Agent
    current: Prompt
    use: PromptUse
    text: Prompt
    change: ProseDiff
    warnings: tuple[str, ...]


class NothingToRestore(UsageError):
    """The agent has the prompt already, or there is no earlier prompt."""

    exit_status = Exit.NOTHING_TO_DO


class AgentPromptDrifted(CekuraTuiError):
    """The agent's prompt was changed to `current` after the write was planned, so nothing was written."""

    title = "The agent's prompt has changed"
    exit_status = Exit.NOT_SUCCEEDED

    def __init__(self, message: str, hint: str, agent: Agent, current: Prompt) -> None:
        super().__init__(message, hint)
        self.agent, self.current = agent, current


class PromptUpdateFailed(CekuraTuiError):
    """The agent did not get the exact text, or the prompt could not be verified. `agent_has` says which prompt the
    agent has. `failure` is the error of the write request; None if the server accepted the request."""

    def __init__(
        self,
        message: str,
        hint: str,
        agent_has: Literal["former", "new", "other", "unknown"],
        failure: ApiError | None,
        title: str,
    ) -> None:
        super().__init__(message, hint, title=title)
        self.agent_has, self.failure = agent_has, failure
        is_unwritten = failure is not None and (agent_has == "former" or failure.not_accepted)
        self.exit_status = failure.exit_status if failure is not None and is_unwritten else Exit.NOT_VERIFIED

    def facts(self) -> list[tuple[str, str]]:
        return self.failure.facts() if self.failure else []


@dataclass(frozen=True, slots=True)
class UpdateMessages:
    """The wording of a write: what it `did`, the `new` and `old` prompts, that nothing was done, what to do `instead`.
    The hint is `copy_hint` if the agent has `old`, `drifted_hint` after another change, else `saved_hint`."""

    did: str
    new: str
    old: str
    saved_hint: str
    copy_hint: str
    failed_title: str
    undone: str
    instead: str
    drifted_hint: str

    def success(self, name: str, failure: ApiError | None) -> str:
        message = f"{self.did} of {name} · verified byte for byte"
        return f"{message}. The server did not confirm the write: {failure.message}" if failure else message

    def unchanged(self, name: str, failure: ApiError | None) -> PromptUpdateFailed:
        if failure is None:
            message = f"The server accepted the write, but {name} still has {self.old}."
        elif failure.status == 403:
            message = f"This key can read {name}, but not change it: {name} still has {self.old}. {failure.message}"
        else:
            message = f"{name} still has {self.old}. {failure.message}"
        hint = f"{_retry_hint(failure)}{self.copy_hint}"
        return PromptUpdateFailed(message, hint, "former", failure, self.failed_title)

    def whitespace(self, name: str, failure: ApiError | None) -> PromptUpdateFailed:
        """The error if the agent's prompt differs from the written text only in white space."""
        message = f"{name} has {self.new}, but the server changed its white space; the words are the same."
        return PromptUpdateFailed(message, self.saved_hint, "new", failure, "The server changed white space")

    def other(self, name: str, failure: ApiError | None, differing: int) -> PromptUpdateFailed:
        """The error if the agent has neither prompt after the write; `differing` is the number of differing words."""
        words = f"{count(differing, 'word')} {'differs' if differing == 1 else 'differ'} from what was written"
        message = f"{name} now has neither {self.old} nor {self.new}: {words}."
        more = f" {failure.message}" if failure else ""
        hint = f"Reload to see the prompt it has. {self.saved_hint}"
        return PromptUpdateFailed(f"{message}{more}", hint, "other", failure, "The agent has a different prompt")

    def unknown(self, name: str, failure: ApiError | None, unread: str) -> PromptUpdateFailed:
        """The error if the agent could not be read after the write; `unread` is the reason."""
        title = "The prompt could not be verified"
        if failure is None:
            message = f"The server accepted the write to {name}, but the prompt could not be verified: {unread}"
        elif failure.not_accepted:
            message, title = f"Nothing was written to {name}. {failure.message}", self.failed_title
        else:
            message = f"{name} may have {self.old} or {self.new}. {failure.message}"
        if failure is not None and unread != failure.message:
            message += f" The current prompt is unknown: {unread}"
        hint = f"Reload to see the prompt it has. {self.saved_hint}"
        return PromptUpdateFailed(message, hint, "unknown", failure, title)


def _retry_hint(failure: ApiError | None) -> str:
    """The start of the hint after a failed write; empty if there is nothing to advise. Unless the server certainly did
    nothing, the user should reload first: the prompt may still change."""
    if failure is None or not failure.not_accepted:
        return "Reload before you retry. "
    if failure.status in (401, 403):
        return "Use a key that can change agents. "
    return f"{failure.hint} " if failure.hint else ""


_UPDATING = UpdateMessages(
    "Updated the prompt",
    "the new prompt",
    "its former prompt",
    "The former prompt is in the prompt history and can be restored there.",
    "A copy of the former prompt is in the prompt history.",
    "The prompt was not updated",
    "nothing was written",
    "Save the prompt to a file instead.",
    "Update again: that change is merged.",
)
_RESTORING = UpdateMessages(
    "Restored the former prompt",
    "its former prompt",
    "the prompt that was to be replaced",
    "Both prompts are in the prompt history.",
    "Both prompts are in the prompt history.",
    "The prompt was not restored",
    "nothing was restored",
    "All known prompts are in the history.",
    "Restore again: that change is shown first.",
)
_RESTORING_CHOSEN = replace(_RESTORING, did="Restored the prompt", new="the restored prompt")


class AgentPrompts:
    """Writes prompts to agents, each right after reading the agent's current prompt. Used on the session's loop. The
    API has no conditional write, so a change between the read and the write is not noticed."""

    def __init__(
        self,
        store: Store,
        client: Client,
        jobs: JobService,
        *,
        read_only: str,
        clock: Callable[[], float] = time.time,
        keys: Callable[[], KnownKeys] = lambda: KnownKeys({}),
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called after each write."""
        self._uses, self._stagings, self._client, self._jobs = store.prompt_uses, store.stagings, client, jobs
        self._read_only, self._clock, self._keys, self._changed = read_only, clock, keys, changed
        self._running: set[asyncio.Task[UpdateResult]] = set()

    async def preview_update(self, number: int, staged: Prompt) -> PromptUpdate:
        """Plan to update the prompt of job `number`'s agent with a staged text. After an update of the job, only what
        was staged since is merged: decisions can be reverted, and resolved conflicts stay resolved. Raises ApiError,
        and UsageError without a prompt or for too long texts."""
        suggested = await self._jobs.suggestion(number)
        job = suggested.job
        if job.agent_id is None:
            raise UsageError("The server did not name the agent of this run.", _UPDATING.instead)
        if are_too_long(suggested.prompt, staged):
            size = count(len(staged), "character")
            message = f"The staged prompt is too long to be compared with the agent's prompt ({size})."
            raise UsageError(message, _UPDATING.instead)
        agent, now = await self._read(job.agent_id, job.agent_name, _UPDATING.undone, _UPDATING.instead)
        keys = self._keys()
        saved = self._stagings.saved(number)
        is_written = f"{WRITTEN}{sha256(now)}" in saved
        with contextlib.suppress(StoreError):
            last = next(iter(self._uses.writes(agent.id)), None) if is_written else None
            if last is not None and (last.how, last.job) == ("replaced", number):  # that write could not be verified
                self._uses.note(agent.id, now, "written", last.at, number)
            elif not keys.found_in(now):
                self._uses.note(agent.id, now, "seen", self._clock())
        sent, written = suggested.prompt, saved.get(f"{WRITTEN}{sha256(now)}")
        texts = (text for key, text in saved.items() if key.startswith(WRITTEN))
        bases = (sent,) if now == sent else (written,) if written is not None else (sent, *texts)
        update = await asyncio.to_thread(_plan_update, job, agent, bases, now, staged)
        warnings = () if update.is_applied else _key_warnings(keys, staged)
        return replace(update, warnings=(*warnings, *update.warnings))

    async def diff(self, update: PromptUpdate, text: Prompt) -> ProseDiff:
        """The diff from the agent's current prompt to this text."""
        return await asyncio.to_thread(compare, update.current, text)

    async def write(self, update: PromptUpdate, text: Prompt) -> UpdateResult:
        """Save the agent's current prompt on disk, write `text` once, and read the prompt again. Raises UsageError,
        ApiError, AgentPromptDrifted or Unrecorded if nothing was written; PromptUpdateFailed after a write."""
        refuse_read_only(self._read_only, "nothing was written")
        if not text.strip():
            raise UsageError(f"The text is empty, so it was not written to {update.agent.name}.")
        if not self._keys().found_in(update.staged):
            with contextlib.suppress(StoreError):
                self._stagings.save_written(update.job.number, sha256(text), update.staged)
        return await self._write(update.agent, update.current, text, update.job.number, _UPDATING)

    async def previous_use(self, agent_id: int, current: str) -> PromptUse | None:
        """The prompt that the last update replaced; None if taken back or `current` (a hash). Raises StoreError."""
        use = _last_replaced(self._uses.writes(agent_id), current)
        return None if use is None or use.sha256 == current else use

    async def preview_restore(self, agent_id: int, chosen: PromptUse | None = None) -> PromptRestore:
        """Plan to restore `chosen`, or else to take the last update back. Raises StoreError, ApiError, UsageError."""
        agent, now = await self._read(agent_id, "", "nothing was restored", "Its prompts are in the history.")
        writes, has = self._uses.writes(agent_id), sha256(now)
        use = chosen or _last_replaced(writes, has)
        if use is None or use.sha256 == has:
            why = f"{agent.name} already has {'this' if chosen else 'its former'} prompt"
            if not (chosen or any(one.how == "replaced" for one in writes)):
                why = f"Nothing was written to {agent.name} from here"
            elif use is None:
                why = f"The last update of {agent.name} was taken back already"
            raise NothingToRestore(f"{why}, so there is nothing to restore.")
        text = self._uses.text(use.sha256)
        change = await asyncio.to_thread(compare, now, text)
        warnings = (*_key_warnings(self._keys(), text), *_restore_warnings(agent, writes, has))
        return PromptRestore(agent, now, use, text, change, warnings)

    async def restore(self, restore: PromptRestore) -> UpdateResult:
        """Write the prompt of a planned restore; raises the errors of `write`."""
        refuse_read_only(self._read_only, "nothing was restored")
        use = restore.use
        if use.job is not None and use.how in ("proposed", "staged"):  # as an update with all that is in this prompt
            with contextlib.suppress(StoreError):
                self._stagings.save_written(use.job, use.sha256, restore.text)
        messages = _RESTORING if use.how == "replaced" else _RESTORING_CHOSEN
        return await self._write(restore.agent, restore.current, restore.text, None, messages)

    async def _read(self, agent_id: int, name: str, undone: str, instead: str) -> tuple[Agent, Prompt]:
        """Read an agent and its prompt. Raises ApiError, UsageError without one; the texts complete the messages."""
        name = name or f"agent {agent_id}"
        try:
            agent = await self._client.agent(agent_id)
        except NotFound as error:
            gone = f"There is no agent {agent_id} any more, or this key can't see it, so {undone}."
            raise NotFound(gone, instead, status=error.status) from None
        except ApiError as error:
            unread = f"Can't load the prompt of {name}, so {undone}: {error.message}"
            raise type(error)(unread, error.hint, status=error.status, request_id=error.request_id) from None
        if agent.prompt is None:
            raise UsageError(f"The server sent no prompt for {agent.name}, so {undone}.", instead)
        return agent, agent.prompt

    async def _write(self, *given: Any) -> UpdateResult:
        try:
            return await run_shielded(self._write_and_verify(*given), self._running)
        finally:
            self._changed()

    async def _write_and_verify(
        self, known: Agent, current: Prompt, text: Prompt, job: int | None, messages: UpdateMessages
    ) -> UpdateResult:
        """Write a text to an agent that still has the prompt `current`; then read the agent to verify the write. `job`
        is the number of the job for the history; None for a restore. Raises the errors of `write`."""
        agent, old = await self._read(known.id, known.name, messages.undone, messages.instead)
        if old != current:
            message = f"The prompt of {agent.name} changed a moment ago, so {messages.undone}."
            raise AgentPromptDrifted(message, messages.drifted_hint, agent, old)
        if text == old:
            raise UsageError(f"{agent.name} already has this prompt, so nothing was written.")
        try:
            self._uses.note(agent.id, old, "replaced", self._clock(), job)
        except StoreError as error:
            raise Unrecorded(f"Nothing was written to {agent.name}. {error.message}", error.hint) from None
        failure = None
        try:
            await self._client.write_agent_prompt(agent.id, text)
        except ApiError as error:
            failure = error
        try:
            after = await self._client.agent(agent.id)
        except ApiError as error:
            raise messages.unknown(agent.name, failure, error.message) from None
        if after.prompt is None:
            raise messages.unknown(agent.name, failure, "The server sent no prompt.")
        if after.prompt == old:
            raise messages.unchanged(agent.name, failure)
        if after.prompt != text:
            spaced = after.prompt.split() == text.split()
            with contextlib.suppress(StoreError):
                how: UseKind = "written" if spaced else "seen"
                self._uses.note(agent.id, after.prompt, how, self._clock(), job if spaced else None)
            if spaced:
                raise messages.whitespace(agent.name, failure)
            diff = await asyncio.to_thread(compare, text, after.prompt)
            raise messages.other(agent.name, failure, diff.added_words + diff.removed_words)
        message = messages.success(agent.name, failure)
        try:
            self._uses.note(agent.id, text, "written", self._clock(), job)
        except StoreError as error:
            message = f"{message}. Can't add the update to the prompt history. {error.message}"
        return UpdateResult(after, old, message)


def _key_warnings(keys: KnownKeys, text: Prompt) -> Iterator[str]:
    if whose := keys.found_in(text):
        yield f"The new prompt contains {whose}. It is sent as part of the prompt, and kept in the prompt history."


def _last_replaced(writes: Sequence[PromptUse], has: str) -> PromptUse | None:
    """The prompt that the last successful write replaced; None if it took an update back. Restoring a prompt takes back
    the update that replaced it and all later ones; other restores count as updates."""
    done, after = [], has
    for use in writes:
        if use.how == "replaced" and use.sha256 != after:
            done.append((use, after))
        after = use.sha256
    last = next((use for use in writes if use.how == "replaced"), None)  # if no write was successful
    there: list[PromptUse] = []  # the prompts replaced by the updates that are not taken back, oldest first
    for use, after in reversed(done):
        back = [n for n, one in enumerate(there) if use.job is None and one.sha256 == after]
        last = None if back else use
        there = there[: back[-1]] if back else [*there, use]
    return last


def _restore_warnings(agent: Agent, writes: Sequence[PromptUse], has: str) -> Iterator[str]:
    """Yield the warnings to show before a restore. `writes` are the agent's written and replaced prompts, newest first;
    `has` is the hash of the agent's current prompt."""
    if agent.auto_sync:
        yield _sync_warning(agent)
    written = next((use.sha256 for use in writes if use.how == "written"), "")
    if not writes or written == has:
        return
    if writes[0].how == "written":
        yield f"The prompt of {agent.name} was changed elsewhere since; restoring overwrites that change."
    else:  # a process was perhaps killed during a write
        yield f"The current prompt of {agent.name} may have been written elsewhere; restoring overwrites that prompt."


def _plan_update(job: Job, agent: Agent, bases: Sequence[str], now: Prompt, staged: Prompt) -> PromptUpdate:
    """Plan to merge what was staged since a base with the agent's prompt. `bases` are the sent prompt and the prompts
    staged at updates: the one most like the agent's prompt is taken, or the first if that one is `staged` itself."""
    base = Prompt(min(bases, key=lambda text: _differing_pairs(text, now)))
    if base == staged:
        base = Prompt(bases[0])
    drift = compare(base, now, as_is=True)
    merged = merge(base, drift, compare(base, staged, as_is=True))
    change = None if merged.conflicts else compare(now, merged.text({}), as_is=True)
    update = PromptUpdate(job, agent, now, staged, merged, change, ())
    return replace(update, warnings=tuple(_update_warnings(update, drift)))


def _differing_pairs(one: str, other: str) -> int:
    """How many pairs of adjacent words, with their white space, only one of two texts has."""
    counted, others = (Counter(pairwise(text.split(" "))) for text in (one, other))
    return (counted - others).total() + (others - counted).total()


def _update_warnings(update: PromptUpdate, drift: ProseDiff) -> Iterator[str]:
    """Yield the warnings to show before an update; `drift` is the diff from the base to the agent's current prompt."""
    job, agent, merged = update.job, update.agent, update.merge
    if agent.auto_sync:
        yield _sync_warning(agent)
    if job.agent_name and clean_line(job.agent_name, 80) != agent.name:
        was = f"was named {job.agent_name} at job {job.number}: check that this is the right agent"
        yield f"Agent {agent.id} {was}."
    if not (drift.is_same or update.is_applied):
        words = f"{counts(drift.removed_words, drift.added_words)} words" if drift.worded else "formatting only"
        merged_how = "" if merged.conflicts else "; the update keeps that change"
        is_agents = job.prompt_source.startswith("agent")  # a file's prompt may never have been the agent's
        has = "prompt has changed since" if is_agents else "current prompt is not the one that was sent with"
        yield f"The agent's {has} job {job.number} ({words}){merged_how}."
    if merged.line_end_note and not update.is_applied:
        yield f"The merged prompt has {merged.line_end_note}."


def _sync_warning(agent: Agent) -> str:
    """The warning for an agent with automatic sync: the agent's voice platform overwrites the prompt."""
    platform = f"{agent.name} syncs its prompt from its voice platform (such as Vapi or Retell)"
    return f"{platform}: change the prompt there too, or the next sync will undo the update."
