"""All that is known of a job without a suggestion, as a dialog."""

from __future__ import annotations

from collections.abc import Sequence

from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import clean_line
from cekura_tui.store.jobs import Change
from cekura_tui.ui.board import Board
from cekura_tui.ui.dialogs.details import DetailsDialog

_MEANING = {
    JobState.NO_ISSUES: "Cekura found no issues in these runs: there is nothing to improve for them.",
    JobState.FAILED: "The job ended without a suggestion.",
    JobState.UNCONFIRMED: "It was sent, but no answer tells whether the server took it. It is not sent again.",
    JobState.LOST: "The server no longer tells of this job.",
    JobState.RUNNING: "It goes on at the server, also while this program is closed.",
}


def job_details(job: Job, changes: Sequence[Change], answer: str, board: Board) -> DetailsDialog:
    """State, what it means, what was sent, every change of state, and the last answer as it came."""
    facts = [
        ("error", job.error or ""),
        ("runs", " ".join(map(str, job.run_ids))),
        ("agent", job.agent_name),
        ("prompt", f"{job.prompt_source or 'text'}, sha256 {job.prompt_sha256[:16]}…"),
        ("history", "\n".join(f"{board.when(c.at)}  {c.state.words}  {clean_line(c.reason, 300)}" for c in changes)),
        ("last answer", answer[:4000]),
    ]
    title = f"Job {job.number}: {job.state.words}"
    return DetailsDialog(title, _MEANING.get(job.state, ""), [(name, text) for name, text in facts if text])
