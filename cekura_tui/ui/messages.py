"""What screens wish of the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cekura_tui.model.run.view import RunRow


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
    """The run list was read: its runs as they were when somebody saw it last, if that is known, and as they are now.

    `whole` tells that these are all of them.
    """

    before: Sequence[RunRow] | None
    now: Sequence[RunRow]
    whole: bool
