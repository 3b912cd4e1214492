"""What is said of a job: the last word in a list, the facts of its detail, what is asked before something is done."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from cekura_tui.model.job import Job, JobState
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.text import clean, clean_line, span_text
from cekura_tui.ui.state import AppState

if TYPE_CHECKING:
    from cekura_tui.jobs.lease import Owner
    from cekura_tui.workspace.job_service import JobRecord

Facts = list[tuple[str, str]]

_MEANINGS = {
    JobState.LAUNCHING: "It is on its way to the server.",
    JobState.RUNNING: "It goes on at the server, also while this program is closed.",
    JobState.UNCONFIRMED: "It was sent, but no answer tells whether the server took it. It is not sent again by itself:"
    " a launches it again, which may be the second launch of the same job; x forgets it.",
    JobState.STOPPED: "It is not asked about any more, and may go on at the server. s goes on asking.",
    JobState.LOST: "The server no longer tells of this job. s asks about it once more; a launches it again, which may"
    " be the second launch of the same job; x forgets it.",
}
OPEN_LAUNCH = (JobState.LAUNCHING, JobState.UNCONFIRMED)
"""States in which it matters whether the process that launched it still runs."""
_GOING_WORDS = frozenset(
    ("", "queued", "pending", "running", "in_progress", "processing", "started", "evaluating", "in_queue", "scaling_up")
)


def state_meaning(job: Job, state: AppState) -> str:
    """What a job's state means, and what can be done about it."""
    if needs_other_key(job):
        return "It was launched with another key of this server. s tries to follow it with this one."
    if (repeat := state.relaunch_of(job.number)) is not None:
        return f"It was launched again as job {repeat}."
    meaning = _MEANINGS.get(job.state) or KINDS[job.kind].meanings.get(job.state, "")
    return f"{meaning} s asks about it once more." if job.ended_empty and job.resumable else meaning


def needs_other_key(job: Job) -> bool:
    """Whether this key cannot ask about it."""
    return job.other_key and not job.state.final


def elapsed(job: Job, state: AppState) -> str:
    """How long a job took, or goes on by now: this alone changes by itself, by five seconds and then by the minute."""
    end = job.finished_at or (state.clock() if job.state.going else None)
    return "" if end is None or job.launched_at is None else span_text(end - job.launched_at, live=job.state.going)


def time_left(job: Job, state: AppState) -> str:
    """About how long it still takes; nothing where this profile's own jobs do not tell."""
    usual, launched = state.usual.get(job.kind), job.launched_at
    if usual is None or launched is None or job.state != JobState.RUNNING or job.other_key:
        return ""
    return usual.left(state.clock() - launched) if job.profile == state.workspace.setup.profile else ""


def empty_end(job: Job) -> str:
    """What is wrong with the last word that came of a running job, where it is one."""
    return KINDS[job.kind].empty_end(clean_line(job.last_status or "")) or "" if job.state == JobState.RUNNING else ""


def unknown_word(job: Job) -> str:
    """The server's word for a running job, as it came, where it is not one we know."""
    word = clean_line(job.last_status or "", 60)
    known = job.state != JobState.RUNNING or word.lower() in _GOING_WORDS or empty_end(job)
    return "" if known else f"“{word}”"


def silence(job: Job, state: AppState) -> str:
    """Since when nothing was heard of a running job."""
    stale = job.state.going and job.stale_since is not None
    return f"no answer since {state.when(job.stale_since)}, asked again" if stale else ""


def last_word(job: Job, state: AppState) -> str:
    """The last that is known of a job, as one line; what matters most comes first."""
    repeat, word = state.relaunch_of(job.number), unknown_word(job)
    repeats = f"again of job {job.again_of}" if job.again_of is not None else ""
    if needs_other_key(job):
        parts = ["needs the other key"]
    elif job.state.going:
        last_word = f"{word}, says the server" if word else empty_end(job).rstrip(".")
        parts = [silence(job, state), last_word, time_left(job, state), repeats]
    else:
        cause = clean_line(job.error or job.reason or job.summary_of_changes or job.last_status or "", 200)
        parts = [f"launched again as job {repeat}" if repeat is not None else "", cause, repeats]
    return " · ".join(filter(None, parts))


def job_facts(job: Job, state: AppState) -> Facts:
    """Names and texts: what became of it, and how long it took or takes."""
    repeat = state.relaunch_of(job.number)
    word, uncertain = unknown_word(job), job.state in (JobState.UNCONFIRMED, JobState.LOST)
    ended = state.when(job.finished_at)
    still = time_left(job, state)
    usual = state.usual.get(job.kind)
    usually = usual.words if still and usual is not None else ""
    going = "; ".join(filter(None, (", ".join(filter(None, (elapsed(job, state), still))), usually)))
    named = (
        ("answer" if job.state == JobState.NO_ISSUES else "error", clean(job.error or "")),
        ("result", json.dumps(job.result) if job.result is not None else ""),
        ("why", clean(job.reason) if uncertain or job.ended_empty else ""),
        (job.state.words, state.when(job.since) if uncertain else ""),
        ("again", f"launched again as job {repeat}" if repeat is not None else ""),
        ("repeats", f"again of job {job.again_of}" if job.again_of is not None else ""),
        ("elapsed", going if job.state.going else ""),
        ("server", silence(job, state)),
        ("status", f"the server says {word}, a word that is not known here" if word else empty_end(job)),
        ("launched", "" if job.state == JobState.UNCONFIRMED else state.when(job.launched_at)),
        ("ended", f"{ended} after {elapsed(job, state)}" if ended and job.launched_at is not None else ended),
        ("status", "" if word or empty_end(job) else clean_line(job.last_status or "")),
    )
    return [(name, text) for name, text in named if text]


def launch_facts(record: JobRecord, runs: bool | None, state: AppState) -> Facts:
    """What is known of a launch that nothing has confirmed."""
    job = record.job
    answer = "one came, and is kept as it came" if record.answers else "none came"
    return [
        ("sent", f"{state.when(job.launched_at, seconds=True)} to {job.origin}"),
        ("by", process_words(record.owner, runs)),
        ("answer", answer),
    ]


def process_words(owner: Owner | None, runs: bool | None) -> str:
    """Which process launched a job, and whether it still runs; None where nobody here can say."""
    if owner is None:
        return "a process that is not known"
    named = f"process {owner.pid} on {clean_line(owner.host, 60)}"
    if runs is None:
        return f"{named}, another host: nobody here can say whether it runs"
    if not runs:
        return f"{named}, which has ended"
    return f"{named}, {'this program' if owner.pid == os.getpid() else 'which still runs'}"


def relaunch_question(job: Job, state: AppState) -> tuple[str, str]:
    """Title and text of what is asked before a job is launched again."""
    sent = f"Job {job.number} was sent at {state.when(job.launched_at)}"
    second = "This may be the second launch of the same job, and may cost credits again."
    texts = {
        JobState.UNCONFIRMED: f"{sent}, and no answer tells whether the server took it. {second}",
        JobState.LOST: f"{sent}; the server took it, and no longer tells of it. {second}",
    }
    failed = f"{sent} and failed: {clean_line(job.error or job.reason or 'nobody knows why', 200)}\n\n"
    text = texts.get(job.state, f"{failed}Launching it again may cost credits again.")
    rest = f"The same {KINDS[job.kind].content(job)} are sent to {job.origin}."
    return f"Launch job {job.number} again?", f"{text}\n\n{rest}"


def forget_question(job: Job) -> tuple[str, str]:
    """Title and text of what is asked before a job is forgotten."""
    text = "Its prompt, its answers and what came of it are dropped on this machine."
    if not job.state.final:
        text += " It may go on at the server; its result would not be seen here."
    return f"Forget job {job.number}?", text
