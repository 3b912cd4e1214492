"""Launches whose process has died."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cekura_tui.jobs import owner
from cekura_tui.model.job import Job, JobState

if TYPE_CHECKING:
    from cekura_tui.store.jobs import JobStore

DIED = "The program ended before the server answered; it may or may not have taken the job."


def bury(jobs: JobStore, launching: list[Job], at: float) -> bool:
    """Take those out of `launching` whose process has died; returns whether there were any. They are unconfirmed: they
    may or may not have reached the server."""
    dead = [job for job in launching if not owner.is_alive(job.owner, at - (job.launched_at or 0.0))]
    for job in dead:
        jobs.record_state(job.number, JobState.UNCONFIRMED, DIED, at, only_from=(JobState.LAUNCHING,))
        launching.remove(job)
    return bool(dead)
