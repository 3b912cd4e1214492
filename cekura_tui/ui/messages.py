"""Requests of screens to the app, which alone knows every screen, and messages to it.

`AppState.ask` answers requests at once, so that keys that arrive together reach the screen that the first one opened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job

if TYPE_CHECKING:
    from cekura_tui.model.job import Suggestion
    from cekura_tui.model.run.view import RunRow
    from cekura_tui.model.text import Prompt


class OpenJob(NamedTuple):
    """Show a job's suggestion or details, perhaps instead of the job that is shown."""

    job: Job
    instead: bool = False


class OpenJobDetails(NamedTuple):
    number: int


class OpenRun(NamedTuple):
    """Show a run from `turn`, with `find` as the search in its transcript.

    For a run of a list, `row` is its row there, `beside` returns the id of the run so many places further, and `closed`
    is called with the id of the run that is shown last.
    """

    run_id: int
    turn: int | None = None
    find: str = ""
    row: RunRow | None = None
    beside: Callable[[int, int], Awaitable[int | None]] | None = None
    closed: Callable[[object], None] | None = None


class CompareRuns(NamedTuple):
    """Show two runs side by side; without `other_id` the other is the last passed run of the scenario.

    `opened` is called with the chosen turn of the first run, or None.
    """

    run_id: int
    other_id: int | None = None
    opened: Callable[[object], None] | None = None


class GivenPrompt(NamedTuple):
    """A prompt to begin with, and its source in words ("staged from job 4")."""

    source: str
    prompt: Prompt


class Improve(NamedTuple):
    """Open the dialog that launches a job from these runs of the top page, perhaps with a given prompt."""

    run_ids: tuple[int, ...]
    given: GivenPrompt | None = None


class PrepareRunScreen:
    """Import the run screen before it is needed. Not a tuple as the others: an empty one would be false."""


class OpenPromptHistory(NamedTuple):
    """Show all known prompts of an agent."""

    agent_id: int
    agent_name: str


class HandOff(NamedTuple):
    """Offer to copy or save a suggestion; `staged` returns the current staged prompt, `done` gets a message."""

    suggestion: Suggestion
    staged: Callable[[], Prompt]
    done: Callable[[str | None], None]


Request = OpenJob | OpenJobDetails | OpenRun | CompareRuns | Improve | PrepareRunScreen | OpenPromptHistory | HandOff


@dataclass(eq=False)
class CopyRequested(Message):
    """Copy this exact text and report it as `what`: "the prompt"."""

    text: str = field(repr=False)
    what: str


@dataclass(eq=False, repr=False)
class SignInRequested(Message):
    """The server accepts none of the keys."""

    reason: CekuraTuiError | None


class WorkspaceChanged(Message):
    """Another key or workspace: read everything again."""


class BackgroundChanged(Message):
    """Jobs changed in the background; at most one of these is queued."""
