"""What screens wish of the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job

if TYPE_CHECKING:
    from cekura_tui.store.runs import SeenRuns


@dataclass
class SignInWished(Message):
    """There is no key that the server takes."""

    reason: CekuraTuiError | None


@dataclass
class JobWished(Message):
    """Show this job: its suggestion, or what is known of it; perhaps instead of another job that is shown."""

    job: Job
    instead: bool = False


@dataclass
class WorkspaceChanged(Message):
    """Another key, or the embedded workspace: everything is to be read anew."""


@dataclass
class BackgroundChanged(Message):
    """Jobs changed in the background; at most one of these is on its way."""


@dataclass
class RunsRead(Message):
    """The run list was read: what it was before, if anything, and what it is now."""

    before: SeenRuns | None
    now: SeenRuns | None
