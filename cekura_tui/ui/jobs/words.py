"""Texts about jobs: results, details and questions to confirm."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from cekura_tui.model.job import Job, JobState
from cekura_tui.model.job_durations import UsualDuration
from cekura_tui.model.job_kind import WAITING, WORKING
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.scenario_test import KIND_NAME, counts_of
from cekura_tui.model.text import clean, clean_line, span_text
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.state import AppState

if TYPE_CHECKING:  # not needed for the first frame
    from cekura_tui.jobs.owner import Owner
    from cekura_tui.workspace.job_service import JobRecord

Facts = list[tuple[str, str]]

_ADVICE = "{job.again} relaunches the job, which may launch it twice; {job.forget} deletes the job here."
_MEANINGS = {
    JobState.LAUNCHING: "On the way to the server.",
    JobState.RUNNING: "Runs on the server, even while this app is closed.",
    JobState.UNCONFIRMED: "Sent, but no answer confirms that the server has the job. No automatic retry: " + _ADVICE,
    JobState.STOPPED: "Polling stopped; the job may still run on the server. {job.resume} resumes polling.",
    JobState.LOST: "The server no longer knows this job. {job.resume} polls again. " + _ADVICE,
}
_RUNNING_WORDS = WAITING | WORKING | {""}
_LIST_MARK = re.compile(r"^\s*(?:[-*•+–]\s+|\d{1,3}[.)]\s+|#{1,6}\s+)")
_FULL, _EMPTY = "▰", "▱"


def state_meaning(job: Job, state: AppState) -> str:
    if needs_other_key(job):
        return with_keys("Launched with another key of this server. {job.resume} tries the current key.")
    if (relaunch := state.relaunch_of(job.number)) is not None:
        return f"Relaunched as job {relaunch}."
    kind, general = KINDS[job.kind], _MEANINGS.get(job.state, "")
    meaning = kind.meanings.get(job.state) or general.replace("on the server", kind.place)
    again = " {job.resume} polls again." if job.state == JobState.FAILED and job.resumable else ""
    return with_keys(meaning + again)


def needs_other_key(job: Job) -> bool:
    """Whether an unfinished job was launched with another API key, so that the current key cannot poll the job."""
    return job.other_key and not job.state.final


def elapsed(job: Job, state: AppState) -> str:
    """The run time of a job: in seconds during the first minute, then in minutes. "" if the run time is unknown. The
    time of a running job counts in whole seconds of the clock, so that all rows tick together."""
    if job.launched_at is None:
        return ""
    if isinstance(seconds := (job.result or {}).get("seconds"), float):
        return span_text(seconds)  # of a command, which may have ended before its end was seen
    if job.finished_at is not None:
        return span_text(job.finished_at - job.launched_at)
    return span_text(int(state.clock()) - int(job.launched_at)) if job.state.active else ""


def time_left(job: Job, state: AppState) -> str:
    """The estimated remaining time of a running job, such as "about 40 s left"; "" if the usual time is unknown."""
    timing = _usual_time(job, state)
    return timing[0].time_left(timing[1]) if timing else ""


def progress_bar(job: Job, state: AppState, cells: int = 5) -> str:
    """A bar of the ended part of a test's calls, else of the elapsed part of the usual time; "" if neither is known."""
    counts, timing = counts_of(job) if job.state == JobState.RUNNING else None, _usual_time(job, state)
    if counts is not None and counts.total:
        full = cells * counts.ended // counts.total
    elif timing is not None and job.kind != KIND_NAME:
        full = int(timing[0].fraction(timing[1]) * cells)
    else:
        return ""
    return _FULL * full + _EMPTY * (cells - full)


def _usual_time(job: Job, state: AppState) -> tuple[UsualDuration, float] | None:
    """The usual duration of a running job, and the seconds since its launch. None if the job is not running, is of
    another profile or key, or if too few jobs have ended."""
    usual, launched = state.usual.get(job.kind), job.launched_at
    if usual is None or launched is None or job.state != JobState.RUNNING or job.other_key:
        return None
    return (usual, int(state.clock()) - int(launched)) if job.profile == state.workspace.setup.profile else None


def empty_end(job: Job) -> str:
    """A sentence if the last status of a running job means that the job ended without a result; else ""."""
    return KINDS[job.kind].empty_end(clean_line(job.last_status or "")) or "" if job.state == JobState.RUNNING else ""


def unknown_status(job: Job) -> str:
    """The status of a running job in quotes, if this app does not know that status; else ""."""
    word = clean_line(job.last_status or "", 60)
    known = job.state != JobState.RUNNING or word.lower() in _RUNNING_WORDS or empty_end(job)
    return "" if known else f"“{word}”"


def stale_note(job: Job, state: AppState) -> str:
    stale = job.state.active and job.stale_since is not None
    return f"no answer since {state.when(job.stale_since)}, retrying" if stale else ""


def result_line(job: Job, state: AppState) -> str:
    """The latest news of a job on one line, with the most important news first."""
    relaunch, word = state.relaunch_of(job.number), unknown_status(job)
    relaunch_of = f"relaunch of job {job.again_of}" if job.again_of is not None else ""
    if needs_other_key(job):
        parts = ["needs another key"]
    elif job.state.active:
        last_word = f"server status {word}" if word else empty_end(job).rstrip(".")
        counts = counts_of(job)
        left = counts.words if counts else time_left(job, state)
        parts = [stale_note(job, state), last_word, left, relaunch_of]
    else:
        cause = job.error or job.reason or " ".join(summary_lines(job)[:3])
        if not cause and job.state == JobState.SUCCEEDED:
            cause = f"{KINDS[job.kind].result[0]} ready"
        update = job.update.words(state.when) if job.update is not None else ""
        relaunched = f"relaunched as job {relaunch}" if relaunch is not None else ""
        parts = [relaunched, update, clean_line(cause, 200), relaunch_of]
    name = clean_line(str(job.parameters.get("name") or "") or (job.proposer if job.is_local else ""), 60)
    return " · ".join(filter(None, (*parts, name)))


def summary_lines(job: Job) -> list[str]:
    """The lines of the server's summary of changes, without list marks and without empty lines."""
    lines = clean(job.summary_of_changes or "").splitlines()
    return [text for line in lines if (text := clean_line(_LIST_MARK.sub("", line)))]


def job_facts(job: Job, state: AppState) -> Facts:
    relaunch = state.relaunch_of(job.number)
    word, uncertain = unknown_status(job), job.state in (JobState.UNCONFIRMED, JobState.LOST)
    ended = state.when(job.finished_at)
    explained = (uncertain or job.state.final) and job.reason != (job.error or "")
    usual, result = _usual_time(job, state), (job.result or {}) if job.is_local else {}
    written, errors = result.get("written"), clean(str(result.get("errors") or "")).splitlines()
    named = (
        ("Answer" if job.state == JobState.NO_ISSUES else "Error", clean(job.error or "")),
        ("Result", "" if job.proposes else clean_line(job.summary_of_changes or "")),
        ("Reason", clean(job.reason) if explained else ""),
        ("Since", state.when(job.since) if uncertain else ""),
        ("Relaunched", f"as job {relaunch}" if relaunch is not None else ""),
        ("Relaunch of", f"job {job.again_of}" if job.again_of is not None else ""),
        ("Elapsed", elapsed(job, state) if job.state.active else ""),
        ("Written", f"{written:,} bytes" if job.state.active and isinstance(written, int) else ""),
        ("Stderr", "\n".join(errors[-8:]) if job.state != JobState.SUCCEEDED else ""),
        ("Stdout", clean(str(result.get("answer") or "")).rstrip()),
        ("Usual time", usual[0].words if usual else ""),
        ("Server", stale_note(job, state)),
        ("Status", f"{word}, a status unknown to this app" if word else empty_end(job)),
        ("Launched", "" if job.state == JobState.UNCONFIRMED else state.when(job.launched_at)),
        ("Update", job.update.words(state.when) if job.update is not None else ""),
        ("Ended", f"{ended}, after {elapsed(job, state)}" if ended and job.launched_at is not None else ended),
        ("Status", "" if word or empty_end(job) or job.state.final else clean_line(job.last_status or "")),
    )
    return [(name, text) for name, text in named if text]


def launch_facts(record: JobRecord, state: AppState) -> Facts:
    job = record.job
    return [
        ("Sent", state.when(job.launched_at, seconds=True) + ("" if job.is_local else f" to {job.origin}")),
        ("Sent by", owner_words(record.owner, record.owner_runs)),
        ("Answer", "received" if record.answers else "none"),
    ]


def owner_words(owner: Owner | None, runs: bool | None) -> str:
    """The process that launched a job, and whether the process still runs, in words. `runs` is None if unknown."""
    if owner is None:
        return "an unknown process"
    named = f"process {owner.pid} on {clean_line(owner.host, 60)}"
    if runs is None:
        return f"{named} (another host, which may still be running)"
    if not runs:
        return f"{named} (ended)"
    return f"{named} ({'this app' if owner.pid == os.getpid() else 'still running'})"


def relaunch_question(job: Job, state: AppState, whose_key: str) -> tuple[str, str]:
    """Title and text of the question before a relaunch. `whose_key` names an API key in the prompt, or is ""."""
    sent = f"Job {job.number} was sent at {state.when(job.launched_at)}"
    second = "A relaunch may launch the same job twice and cost credits twice."
    texts = {
        JobState.UNCONFIRMED: f"{sent}, but no answer confirms that the server has the job. {second}",
        JobState.LOST: f"{sent}. The server accepted the job but no longer knows it. {second}",
    }
    failed = f"{sent} and failed: {clean_line(job.error or job.reason or 'no reason given', 200)}\n\n"
    text = texts.get(job.state, f"{failed}A relaunch may cost credits again.")
    rest = f"Sends the same {KINDS[job.kind].content(job)} to {job.origin}."
    if job.is_local:
        text, rest = clean_line(job.error or job.reason, 200), f"Runs {job.proposer} again, with the same text."
    if whose_key:
        rest += f" The prompt contains {whose_key}."
    return f"Relaunch job {job.number}?", f"{text}\n\n{rest}"


def forget_question(job: Job) -> tuple[str, str]:
    text = "Deletes the job's prompt, answers and result."
    if not (job.state.final or job.is_local):
        text += " The job may still run on the server; its result will not be shown here."
    return f"Delete job {job.number} from this machine?", text
