"""What screens ask of the app, which alone knows every screen, and what is reported to it.

Requests are answered at once (`AppState.ask`), not by Textual's queues: keys that came in one read find the screen that
the first of them opened. Messages may come later.
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
    """Show this job: its suggestion, or what is known of it; perhaps instead of another job that is shown."""

    job: Job
    instead: bool = False


class OpenJobDetails(NamedTuple):
    """Show all that is known of a job, whatever came of it."""

    number: int


class OpenRun(NamedTuple):
    """Show a run.

    `turn` is where to begin, `find` what to search for in the transcript. If it was opened from a list, `row` is its
    row there, `beside` gives the id of the run so many places further, and `closed` is called with the id of the run
    that is shown last.
    """

    run_id: int
    turn: int | None = None
    find: str = ""
    row: RunRow | None = None
    beside: Callable[[int, int], Awaitable[int | None]] | None = None
    closed: Callable[[object], None] | None = None


class CompareRuns(NamedTuple):
    """Show two runs side by side; without `other_id` a run beside the last passed one of its scenario.

    `opened` is called with the turn of the first run that was chosen there, or None.
    """

    run_id: int
    other_id: int | None = None
    opened: Callable[[object], None] | None = None


class GivenPrompt(NamedTuple):
    """A prompt to begin with, and where it comes from in words ("staged from job 4")."""

    source: str
    prompt: Prompt


class Improve(NamedTuple):
    """Open the dialog that launches a job from these runs of the page on top, perhaps with a prompt to begin with."""

    run_ids: tuple[int, ...]
    given: GivenPrompt | None = None


class PrepareRunScreen:
    """A run is opened soon: have its screen imported, so that nobody waits for that.

    No tuple, as the others are: an empty one would be false, and equal to any other.
    """


class OpenPromptHistory(NamedTuple):
    """Show the prompts that an agent had, was sent, was proposed or was given."""

    agent_id: int
    agent_name: str


class HandOff(NamedTuple):
    """Offer to copy or save what came of a job; `done` is called with what is to be said of it.

    `staged` gives the staged prompt as it is by now.
    """

    suggestion: Suggestion
    staged: Callable[[], Prompt]
    done: Callable[[str | None], None]


Request = OpenJob | OpenJobDetails | OpenRun | CompareRuns | Improve | PrepareRunScreen | OpenPromptHistory | HandOff
"""Something that only the app can do."""


@dataclass(eq=False)
class CopyRequested(Message):
    """Copy this text, exactly, and report it; `what` names it: "the prompt"."""

    text: str = field(repr=False)
    what: str


@dataclass(eq=False, repr=False)
class SignInRequested(Message):
    """The server takes none of the keys."""

    reason: CekuraTuiError | None


class WorkspaceChanged(Message):
    """Another key, or the embedded workspace: everything is to be read again."""


class BackgroundChanged(Message):
    """Jobs changed in the background; at most one of these is on its way."""
