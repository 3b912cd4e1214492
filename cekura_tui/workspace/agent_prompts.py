"""The prompts of agents at the server: looked at, written, read back, and restored."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from cekura_tui.api.errors import ApiError, NotFound
from cekura_tui.model.errors import UsageError
from cekura_tui.model.prompt_merge import merge
from cekura_tui.model.prose_compare import compare
from cekura_tui.model.text import Prompt, sha256
from cekura_tui.store.errors import StoreError, Unrecorded
from cekura_tui.workspace.placing import (
    Drifted,
    NotPlaced,
    Placing,
    Written,
    changed_in_space,
    neither,
    not_known,
    still_former,
    warnings_of,
)
from cekura_tui.workspace.read_only import refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.model.account import Agent
    from cekura_tui.model.job import Job
    from cekura_tui.model.prose_diff import ProseDiff
    from cekura_tui.store.store import Store
    from cekura_tui.workspace.job_desk import JobDesk


class AgentPrompts:
    """Used on the session's loop. Nothing is ever written over a prompt that was not read right before.

    The API takes no condition with a write, so what somebody else writes in that very moment is found by reading back.
    """

    def __init__(
        self, store: Store, client: Client, jobs: JobDesk, *, read_only: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._uses, self._client, self._jobs = store.prompt_uses, client, jobs
        self._read_only, self._clock = read_only, clock
        self._going: set[asyncio.Task[Written]] = set()

    async def look(self, number: int, staged: Prompt) -> Placing:
        """What putting a text that was staged with job `number` onto its agent would do; the agent is read for that.

        Raises UsageError where the job has no agent or that has no prompt, and kinds of ApiError.
        """
        done = await self._jobs.suggestion(number)
        if done.job.agent_id is None:
            raise UsageError("The server did not say whose run this is.", "Write the prompt to a file.")
        agent, now = await self._read(done.job.agent_id, done.job.agent_name)
        with contextlib.suppress(StoreError):
            self._uses.note(agent.id, now, "seen", self._clock())
        return await asyncio.to_thread(_placing, done.job, agent, done.prompt, now, staged)

    async def change(self, placing: Placing, text: Prompt) -> ProseDiff:
        """What writing this text would change of what the agent had when it was looked at."""
        return await asyncio.to_thread(compare, placing.now, text)

    async def write(self, placing: Placing, text: Prompt) -> Written:
        """Put a text onto the agent that was looked at.

        The prompt it had is on the disk before the text is sent, and the text is sent once. Raises UsageError in a
        read-only session, Drifted where the agent has another prompt than when it was looked at, Unrecorded where the
        former one cannot be kept, all with nothing written; and NotPlaced, which says what the agent has.
        """
        refuse_read_only(self._read_only, "nothing was written")
        return await self._to_its_end(self._write(placing, text))

    async def restore(self, agent_id: int, over: Prompt | None = None) -> Written:
        """Put back what the last write from this machine replaced; done twice, it is as before.

        Raises what `write` does, and UsageError where there is nothing to restore. Drifted says that the agent has
        another prompt than was written; with that as `over` it is replaced all the same.
        """
        refuse_read_only(self._read_only, "nothing was restored")
        return await self._to_its_end(self._restore(agent_id, over))

    async def _to_its_end(self, work: Coroutine[None, None, Written]) -> Written:
        """Whoever waits may give up; a write that was begun is read back and noted all the same."""
        task = asyncio.create_task(work)
        self._going.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Written]) -> None:
        self._going.discard(task)
        if not task.cancelled():
            task.exception()  # it was raised to whoever waited

    async def _read(self, agent_id: int, name: str) -> tuple[Agent, Prompt]:
        """An agent and its prompt, for which nothing was sent yet."""
        name = name or f"agent {agent_id}"
        try:
            agent = await self._client.agent(agent_id)
        except NotFound as error:
            gone = f"There is no agent {agent_id} any more, or this key may not see it, so nothing was written."
            raise NotFound(gone, "Write the prompt to a file.", status=error.status) from None
        except ApiError as error:
            unread = f"The prompt of {name} could not be read, so nothing was written: {error.message}"
            raise type(error)(unread, error.hint, status=error.status, request_id=error.request_id) from None
        if agent.prompt is None:
            raise UsageError(f"The server did not tell the prompt of {agent.name}, so nothing was written.")
        return agent, agent.prompt

    async def _write(self, placing: Placing, text: Prompt) -> Written:
        agent, now = await self._read(placing.agent.id, placing.agent.name)
        if now != placing.now:
            message = f"The prompt of {agent.name} was changed while you looked at it, so nothing was written."
            raise Drifted(message, "Look again: what changed is merged then.", agent, now)
        return await self._put(agent, now, text, placing.job.number)

    async def _restore(self, agent_id: int, over: Prompt | None) -> Written:
        agent, now = await self._read(agent_id, "")
        has, uses = sha256(now), self._uses.all(agent_id)
        last = self._uses.last_replaced(agent_id)
        replaced = [*([last] if last else []), *(use for use in uses if use.how == "replaced")]
        if not replaced:
            raise UsageError(f"Nothing was written to {agent.name} from here, so there is nothing to restore.")
        # A write that came to nothing has replaced nothing: what the agent has is not what is to come back.
        former = next((use for use in replaced if use.sha256 != has), None)
        if former is None:
            raise UsageError(f"{agent.name} has its former prompt, so there is nothing to restore.")
        written = next((use.sha256 for use in uses if use.how == "written"), "")
        if written != has and over != now:
            message = f"{agent.name} has another prompt than was written to it from here, so nothing was restored."
            raise Drifted(message, "Look at what it has now; restoring replaces that.", agent, now)
        return await self._put(agent, now, self._uses.text(former.sha256), None)

    async def _put(self, agent: Agent, former: Prompt, text: Prompt, job: int | None) -> Written:
        """Write, whatever comes to the end of what is known of it."""
        if text == former:
            raise UsageError(f"{agent.name} has this prompt already, so nothing was written.")
        if not text.strip():
            raise UsageError(f"There is no word in this text, so it was not written to {agent.name}.")
        try:
            self._uses.note(agent.id, former, "replaced", self._clock(), job)
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
            raise not_known(agent.name, failure, error.message) from None
        if after.prompt is None:
            raise not_known(agent.name, failure, "The server did not tell it.")
        if after.prompt != text:
            raise await self._otherwise(agent, former, text, after.prompt, failure, job)
        said = f"{agent.name} has the new prompt: read back, it is the same to the byte."
        if failure is not None:
            said = f"{said} The server did not confirm it: {failure.message}"
        try:
            self._uses.note(agent.id, text, "written", self._clock(), job)
        except StoreError as error:
            said = f"{said} This could not be noted in the prompt history. {error.message}"
        return Written(after, former, said)

    async def _otherwise(
        self, agent: Agent, former: Prompt, text: Prompt, found: Prompt, failure: ApiError | None, job: int | None
    ) -> NotPlaced:
        """The error for an agent that has another prompt than was written."""
        if found == former:
            return still_former(agent.name, failure)
        spaced = found.split() == text.split()
        with contextlib.suppress(StoreError):
            self._uses.note(agent.id, found, "written" if spaced else "seen", self._clock(), job if spaced else None)
        if spaced:
            return changed_in_space(agent.name, failure)
        diff = await asyncio.to_thread(compare, text, found)
        return neither(agent.name, diff.added_words + diff.removed_words, failure)


def _placing(job: Job, agent: Agent, sent: Prompt, now: Prompt, staged: Prompt) -> Placing:
    drift = compare(sent, now)
    merged = merge(sent, drift, compare(sent, staged))
    change = None if merged.conflicts else compare(now, merged.text({}))
    return Placing(job, agent, now, merged, change, warnings_of(job, agent, drift, change))
