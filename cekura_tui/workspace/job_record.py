"""All that is known of one job, in one piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cekura_tui.jobs.owner import Owner
from cekura_tui.model.job import Draft, Job
from cekura_tui.store.jobs import Change, RawAnswer


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job, what was sent, every state it came into, and every distinct raw answer, each oldest first.

    `owner` is the process that launched it, `owner_runs` whether that still runs (None where nobody can say, because it
    is on another host). `curls` are shell commands by name, `launch` and `progress`, without the key.
    """

    job: Job
    draft: Draft
    changes: tuple[Change, ...]
    answers: tuple[RawAnswer, ...]
    owner: Owner | None
    curls: Mapping[str, str]

    @property
    def owner_runs(self) -> bool | None:
        """Whether the process that launched it still runs."""
        return self.owner.runs if self.owner is not None and self.owner.here else None
