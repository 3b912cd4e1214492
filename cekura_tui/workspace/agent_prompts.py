"""The prompts of agents at the server: looked at, written, read back, and restored."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING

from cekura_tui.api.errors import ApiError, NotFound
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import Prompt, sha256
from cekura_tui.prose.compare import compare
from cekura_tui.prose.merge import merge
from cekura_tui.store.errors import StoreError, Unrecorded
from cekura_tui.workspace.agent_prompt_update import (
    RESTORING,
    UPDATING,
    AgentPromptDrifted,
    PromptRestore,
    PromptUpdate,
    PromptUpdateFailed,
    UpdateMessages,
    UpdateResult,
    other_prompt_error,
    success_message,
    sync_warning,
    unchanged_error,
    unknown_outcome_error,
    update_warnings,
    whitespace_error,
)
from cekura_tui.workspace.setup import refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.model.job import Job, PromptUse
    from cekura_tui.model.scope import Agent
    from cekura_tui.prose.diff import ProseDiff
    from cekura_tui.store.store import Store
    from cekura_tui.workspace.job_service import JobService

_TO_A_FILE = ("nothing was written", "Write the prompt to a file.")


class AgentPrompts:
    """Used on the session's loop. Nothing is ever written over a prompt that was not read right before.

    The API takes no condition with a write: what somebody else writes between that read and the write is not seen, what
    somebody writes behind it is found by reading back.
    """

    def __init__(
        self, store: Store, client: Client, jobs: JobService, *, read_only: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._uses, self._client, self._jobs = store.prompt_uses, client, jobs
        self._read_only, self._clock = read_only, clock
        self._going: set[asyncio.Task[UpdateResult]] = set()

    async def look(self, number: int, staged: Prompt, written: Prompt | None = None) -> PromptUpdate:
        """What putting a text that was staged with job `number` onto its agent would do; the agent is read for that.

        `written` is what was made of the staged text and written before, where it was: an agent that has that now has
        all of it. Raises UsageError where the job has no agent or that has no prompt, and kinds of ApiError.
        """
        suggested = await self._jobs.suggestion(number)
        if suggested.job.agent_id is None:
            raise UsageError("The server did not say whose run this is.", "Write the prompt to a file.")
        agent, now = await self._read(suggested.job.agent_id, suggested.job.agent_name, *_TO_A_FILE)
        with contextlib.suppress(StoreError):
            self._uses.note(agent.id, now, "seen", self._clock())
        return await asyncio.to_thread(_placing, suggested.job, agent, suggested.prompt, now, staged, written)

    async def change(self, placing: PromptUpdate, text: Prompt) -> ProseDiff:
        """What writing this text would change of what the agent had when it was looked at."""
        return await asyncio.to_thread(compare, placing.now, text)

    async def write(self, placing: PromptUpdate, text: Prompt) -> UpdateResult:
        """Put a text onto the agent that was looked at.

        The prompt it had is on the disk before the text is sent, and the text is sent once. Raises UsageError in a
        read-only session, Drifted where the agent has another prompt than when it was looked at, Unrecorded where the
        former one cannot be kept, all with nothing written; and NotPlaced, which says what the agent has.
        """
        refuse_read_only(self._read_only, "nothing was written")
        return await self._to_its_end(self._write(placing, text))

    async def former(self, agent_id: int, here: str) -> PromptUse | None:
        """What a restore would put back of an agent that has the prompt with the hash `here`: of all that was replaced
        what was last and is another text. A write that came to nothing has replaced nothing. Raises StoreError."""
        writes = self._uses.writes(agent_id)
        return next((use for use in writes if use.how == "replaced" and use.sha256 != here), None)

    async def look_back(self, agent_id: int) -> PromptRestore:
        """What putting back the prompt that an agent had before it was written from this machine would do; done twice,
        it is as before. The agent is read for that.

        Raises UsageError where there is nothing to restore, StoreError and kinds of ApiError.
        """
        agent, now = await self._read(agent_id, "", "nothing was restored", "What was kept is in the prompt history.")
        writes, has = self._uses.writes(agent_id), sha256(now)
        if not any(use.how == "replaced" for use in writes):
            raise UsageError(f"Nothing was written to {agent.name} from here, so there is nothing to restore.")
        if (use := await self.former(agent_id, has)) is None:
            raise UsageError(f"{agent.name} has its former prompt, so there is nothing to restore.")
        text = self._uses.text(use.sha256)
        change = await asyncio.to_thread(compare, now, text)
        return PromptRestore(agent, now, use, text, change, tuple(_warnings_before_restoring(agent, writes, has)))

    async def restore(self, former: PromptRestore) -> UpdateResult:
        """Put back what was looked at. Raises what `write` does."""
        refuse_read_only(self._read_only, "nothing was restored")
        return await self._to_its_end(self._restore(former))

    async def _to_its_end(self, work: Coroutine[None, None, UpdateResult]) -> UpdateResult:
        """Whoever waits may give up; a write that was begun is read back and noted all the same."""
        task = asyncio.create_task(work)
        self._going.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[UpdateResult]) -> None:
        self._going.discard(task)
        if not task.cancelled():
            task.exception()  # it was raised to whoever waited

    async def _read(self, agent_id: int, name: str, undone: str, instead: str) -> tuple[Agent, Prompt]:
        """An agent and its prompt, for which nothing was sent yet; `undone` and `instead` say what was not done where
        that fails, and what else there is to do where the agent is gone."""
        name = name or f"agent {agent_id}"
        try:
            agent = await self._client.agent(agent_id)
        except NotFound as error:
            gone = f"There is no agent {agent_id} any more, or this key may not see it, so {undone}."
            raise NotFound(gone, instead, status=error.status) from None
        except ApiError as error:
            unread = f"The prompt of {name} could not be read, so {undone}: {error.message}"
            raise type(error)(unread, error.hint, status=error.status, request_id=error.request_id) from None
        if agent.prompt is None:
            raise UsageError(f"The server did not tell the prompt of {agent.name}, so {undone}.", instead)
        return agent, agent.prompt

    async def _write(self, placing: PromptUpdate, text: Prompt) -> UpdateResult:
        agent, now = await self._read(placing.agent.id, placing.agent.name, *_TO_A_FILE)
        if now != placing.now:
            message = f"The prompt of {agent.name} was changed while you looked at it, so nothing was written."
            raise AgentPromptDrifted(message, "Look again: what changed is merged then.", agent, now)
        if not text.strip():
            raise UsageError(f"There is no word in this text, so it was not written to {agent.name}.")
        return await self._put(agent, now, text, placing.job.number, UPDATING)

    async def _restore(self, former: PromptRestore) -> UpdateResult:
        name = former.agent.name
        agent, now = await self._read(former.agent.id, name, "nothing was restored", "It is in the prompt history.")
        if now != former.now:
            message = f"The prompt of {agent.name} was changed while you were asked, so nothing was restored."
            raise AgentPromptDrifted(message, "Restore once more: it is looked at anew.", agent, now)
        return await self._put(agent, now, former.text, None, RESTORING)

    async def _put(
        self, agent: Agent, old: Prompt, text: Prompt, job: int | None, telling: UpdateMessages
    ) -> UpdateResult:
        """Write, whatever comes to the end of what is known of it."""
        if text == old:
            raise UsageError(f"{agent.name} has this prompt already, so nothing was written.")
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
            raise unknown_outcome_error(agent.name, failure, error.message, telling) from None
        if after.prompt is None:
            raise unknown_outcome_error(agent.name, failure, "The server did not tell it.", telling)
        if after.prompt == old:
            raise unchanged_error(agent.name, failure, telling)
        if after.prompt != text:
            raise await self._otherwise(agent, text, after.prompt, failure, job, telling)
        said = success_message(agent.name, failure, telling)
        try:
            self._uses.note(agent.id, text, "written", self._clock(), job)
        except StoreError as error:
            said = f"{said} This could not be noted in the prompt history. {error.message}"
        return UpdateResult(after, old, said)

    async def _otherwise(
        self,
        agent: Agent,
        text: Prompt,
        found: Prompt,
        failure: ApiError | None,
        job: int | None,
        telling: UpdateMessages,
    ) -> PromptUpdateFailed:
        """The error for an agent that has another prompt than it had and than was written."""
        spaced = found.split() == text.split()
        with contextlib.suppress(StoreError):
            self._uses.note(agent.id, found, "written" if spaced else "seen", self._clock(), job if spaced else None)
        if spaced:
            return whitespace_error(agent.name, failure, telling)
        diff = await asyncio.to_thread(compare, text, found)
        return other_prompt_error(agent.name, diff.added_words + diff.removed_words, failure, telling)


def _warnings_before_restoring(agent: Agent, writes: Sequence[PromptUse], has: str) -> Iterator[str]:
    """`writes` are those to the agent, the one noted last first; `has` is the hash of the prompt that it has."""
    if agent.auto_sync:
        yield sync_warning(agent)
    written = next((use.sha256 for use in writes if use.how == "written"), "")
    if written != has and writes[0].how == "written":
        yield f"{agent.name} has another prompt now than was written to it from here. Restoring replaces that."
    elif written != has:
        # The program was ended while it wrote, say, and what came of it was never read.
        yield f"It is not known whether what {agent.name} has now was written from here. Restoring replaces it."


def _placing(job: Job, agent: Agent, sent: Prompt, now: Prompt, staged: Prompt, written: Prompt | None) -> PromptUpdate:
    if now == written:
        sent = staged = now  # what was decided then would be in conflict with what was staged
    drift = compare(sent, now)
    merged = merge(sent, drift, compare(sent, staged))
    change = None if merged.conflicts else compare(now, merged.text({}))
    return PromptUpdate(job, agent, now, merged, change, update_warnings(job, agent, drift, change))
