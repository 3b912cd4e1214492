"""Putting a text onto an agent: what is known before, what came of it, and how it can go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cekura_tui.api.errors import ApiError
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import Prompt, clean_line, count

if TYPE_CHECKING:
    from cekura_tui.model.job import Job, PromptUse
    from cekura_tui.model.scope import Agent
    from cekura_tui.prose.diff import ProseDiff
    from cekura_tui.prose.merge import Merge

NAME = 80
"""Characters of an agent's name that are kept of it."""


@dataclass(frozen=True, slots=True)
class UpdateMessages:
    """What the prompt that is written is called, and the one that the agent has until then; and what is said of what is
    kept: where the agent has something new by now or may have it, and where it has what it had."""

    new: str
    old: str
    kept: str
    kept_as_well: str
    title: str


UPDATING = UpdateMessages(
    "the new prompt",
    "its former prompt",
    "The former prompt is kept in the prompt history and can be restored from there.",
    "A copy of it is kept in the prompt history.",
    "The prompt was not written",
)
RESTORING = UpdateMessages(
    "its former prompt",
    "the prompt that was to be replaced",
    "Both prompts are kept in the prompt history.",
    "Both prompts are kept in the prompt history.",
    "The prompt was not restored",
)


@dataclass(frozen=True, slots=True)
class PromptUpdate:
    """A staged text and the agent that it is meant for, as that was a moment ago.

    `now` is the agent's prompt, `merge` that and the staged text as changes of the prompt that was sent with the job,
    `change` what writing the merged text would change of `now`, or None as long as there are conflicts to be decided.
    `warnings` are sentences for whoever is asked whether to write.
    """

    job: Job
    agent: Agent
    now: Prompt
    merge: Merge
    change: ProseDiff | None
    warnings: tuple[str, ...]

    @property
    def there(self) -> bool:
        """Whether the agent has all of it already, so that there is nothing to write."""
        return self.change is not None and self.change.is_same


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """An agent after its prompt was written, read back and found to be the same; `former` is the prompt it had.

    `said` tells that in a sentence, and what else is to be known of it.
    """

    agent: Agent
    former: Prompt
    said: str


@dataclass(frozen=True, slots=True)
class PromptRestore:
    """The prompt that an agent had before it was written from here, and what putting it back would change of `now`, the
    one that it had a moment ago. `use` says when it was replaced, `warnings` are sentences for whoever is asked."""

    agent: Agent
    now: Prompt
    use: PromptUse
    text: Prompt
    change: ProseDiff
    warnings: tuple[str, ...]


class AgentPromptDrifted(CekuraTuiError):
    """The agent has another prompt, `now`, than was counted on. Nothing was written."""

    title = "The agent's prompt is another one"

    def __init__(self, message: str, hint: str, agent: Agent, now: Prompt) -> None:
        super().__init__(message, hint)
        self.agent = agent
        self.now = now


class PromptUpdateFailed(CekuraTuiError):
    """A write that did not end with the agent having what was written, to the byte.

    `agent_has` says what it was found to have; `failure` is how the server answered the write, if it was not as asked.
    """

    def __init__(
        self,
        message: str,
        hint: str,
        agent_has: Literal["former", "new", "other", "unknown"],
        failure: ApiError | None,
        title: str,
    ) -> None:
        super().__init__(message, hint, title=title)
        self.agent_has = agent_has
        self.failure = failure
        if failure is not None:
            self.exit_status = failure.exit_status

    def facts(self) -> list[tuple[str, str]]:
        """What the server answered to the write."""
        return self.failure.facts() if self.failure else []


def update_warnings(job: Job, agent: Agent, drift: ProseDiff, change: ProseDiff | None) -> tuple[str, ...]:
    """What whoever puts a text onto this agent should know.

    `drift` is what its prompt changes of the sent one, `change` what would change of its prompt, if that is known.
    """
    told = []
    there = change is not None and change.is_same
    if there:
        told.append(f"{agent.name} has all of this already: there is nothing to write.")
    if agent.auto_sync:
        told.append(sync_warning(agent))
    if job.agent_name and clean_line(job.agent_name, NAME) != agent.name:
        told.append(f"Agent {agent.id} is called {agent.name} now; with job {job.number} it was {job.agent_name}.")
    if not (drift.is_same or there):
        words = f"{count(drift.added_words, 'word')} more, {drift.removed_words:,} gone"
        words = words if drift.worded else "white space alone differs"
        told.append(f"{agent.name} has another prompt now than was sent with job {job.number}: {words}.")
    return tuple(told)


def sync_warning(agent: Agent) -> str:
    """The warning for an agent whose prompt its provider keeps."""
    return f"The provider syncs the prompt of {agent.name} and would undo this: change it there as well."


def success_message(name: str, failure: ApiError | None, telling: UpdateMessages) -> str:
    """The sentence where all is as it should be; `failure` is how the server answered, if it was not as asked."""
    said = f"{name} has {telling.new}: read back, it is the same to the byte."
    return f"{said} The server did not confirm it: {failure.message}" if failure else said


def unchanged_error(name: str, failure: ApiError | None, telling: UpdateMessages) -> PromptUpdateFailed:
    """The error where the agent has the prompt that it had."""
    if failure is None:
        message = f"The server took the write, but {name} still has {telling.old}."
    elif failure.status == 403:
        message = f"This key may read {name} but not change it, so it still has {telling.old}. {failure.message}"
    else:
        message = f"{name} still has {telling.old}. {failure.message}"
    return PromptUpdateFailed(
        message, f"{_retry_hint(failure)}{telling.kept_as_well}", "former", failure, telling.title
    )


def whitespace_error(name: str, failure: ApiError | None, telling: UpdateMessages) -> PromptUpdateFailed:
    """The error where the agent has what was written but for its white space."""
    message = f"{name} has {telling.new}, but what was read back differs from it in white space only."
    return PromptUpdateFailed(message, telling.kept, "new", failure, "The server changed white space")


def other_prompt_error(
    name: str, differing: int, failure: ApiError | None, telling: UpdateMessages
) -> PromptUpdateFailed:
    """The error where the agent has a prompt of which so many words are others than in the one that was written."""
    words = f"{count(differing, 'word')} {'differs' if differing == 1 else 'differ'} from what was written"
    message = f"{name} has neither {telling.old} nor {telling.new} now: {words}."
    more = f" {failure.message}" if failure else ""
    hint = f"Look at what it has now. {telling.kept}"
    return PromptUpdateFailed(f"{message}{more}", hint, "other", failure, "Another prompt is there")


def unknown_outcome_error(
    name: str, failure: ApiError | None, unread: str, telling: UpdateMessages
) -> PromptUpdateFailed:
    """The error where the agent could not be read after the write; `unread` says why."""
    title = "The prompt may be written or not"
    if failure is None:
        message = f"The server took what was written to {name}, but it could not be read back: {unread}"
    elif failure.not_taken:
        message, title = f"Nothing was written to {name}. {failure.message}", telling.title
    else:
        message = f"It is not known whether {name} has {telling.old} or {telling.new}. {failure.message}"
    if failure is not None and unread != failure.message:
        message += f" What it has now could not be read: {unread}"
    return PromptUpdateFailed(message, f"Look at what it has now. {telling.kept}", "unknown", failure, title)


def _retry_hint(failure: ApiError | None) -> str:
    """What to do after a write that came to nothing; what was sent may still arrive."""
    if failure is None or not failure.not_taken:
        return "Look once more before you write again. "
    if failure.status in (401, 403):
        return "Use a key that may change agents. "
    return f"{failure.hint} " if failure.hint else ""
