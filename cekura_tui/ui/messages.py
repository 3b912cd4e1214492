"""Requests and messages that screens send to the app, which alone knows every screen. `AppState.ask` answers a request
at once: if several keys arrive together, the later keys reach the opened screen."""

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
    from cekura_tui.workspace.setup import Setup


class OpenJob(NamedTuple):
    """Show a job's suggestion or details; with `instead`, replace the screen of the job that is shown now."""

    job: Job
    instead: bool = False


class OpenJobDetails(NamedTuple):
    number: int


class OpenRun(NamedTuple):
    """Show a run at `turn`, with `find` searched. For a run of a list, `row` is its row there, `neighbour_of(run_id,
    step)` returns the id `step` rows below, and `closed` gets the id of the run shown last."""

    run_id: int
    turn: int | None = None
    find: str = ""
    row: RunRow | None = None
    neighbour_of: Callable[[int, int], Awaitable[int | None]] | None = None
    closed: Callable[[object], None] | None = None


class CompareRuns(NamedTuple):
    """Compare a run with another, by default the scenario's last passed one. `opened` gets the run's chosen turn.
    `neighbour` returns the next (1) or previous (-1) pair to compare, None if there is none."""

    run_id: int
    other_id: int | None = None
    opened: Callable[[object], None] | None = None
    neighbour: Callable[[int], tuple[int, int] | None] | None = None


class GivenPrompt(NamedTuple):
    """A prompt to start from, and a description of its source ("staged from job 4")."""

    source: str
    prompt: Prompt


class Improve(NamedTuple):
    """Open the dialog that launches a job from these runs, optionally with a given prompt."""

    run_ids: tuple[int, ...]
    given: GivenPrompt | None = None


class TestRuns(NamedTuple):
    """Open the dialog that calls the scenarios of these runs again, to test the suggestion of job `job` or, with
    `before`, the agent's prompt before its update. With `also_passed`, scenarios that passed are called, too."""

    run_ids: tuple[int, ...]
    job: int | None = None
    before: bool = False
    also_passed: bool = False


class WriteNote(NamedTuple):
    """Edit the note on a run in a dialog; `changed` is called once the note is saved."""

    run_id: int
    changed: Callable[[], None] = lambda: None


class PrepareRunScreen:
    """Import the run screen before it is needed. A class, because an empty named tuple would be falsy."""


class OpenPromptHistory(NamedTuple):
    """Show all known prompts of an agent."""

    agent_id: int
    agent_name: str


class HandOff(NamedTuple):
    """Offer to copy or save a suggestion; `staged` returns the staged prompt. `done` is called with a message to show,
    or with None if the user cancels."""

    suggestion: Suggestion
    staged: Callable[[], Prompt]
    done: Callable[[str | None], None]


_OfRuns = OpenRun | CompareRuns | Improve | TestRuns | WriteNote | PrepareRunScreen
Request = _OfRuns | OpenJob | OpenJobDetails | OpenPromptHistory | HandOff


@dataclass(eq=False)
class CopyRequested(Message):
    """Copy this exact text and report it as `what`, for example "the prompt"."""

    text: str = field(repr=False)
    what: str


@dataclass(eq=False, repr=False)
class SignInRequested(Message):
    """Open the sign-in, because there is no key or the server refused it. `former` is the setup to go back to."""

    reason: CekuraTuiError | None
    former: Setup | None = None


class WorkspaceChanged(Message):
    """The key or the workspace changed: reload everything."""


class BackgroundChanged(Message):
    """Jobs changed in the background; at most one such message is queued."""
