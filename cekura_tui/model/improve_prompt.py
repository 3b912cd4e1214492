"""The kinds of job that propose a prompt: by Cekura's server, by a command of the user's, and from a file."""

from __future__ import annotations

import re

from cekura_tui.model.job import BY_COMMAND, DEFAULT_KIND, FROM_FILE, Draft, Job, JobState
from cekura_tui.model.job_kind import ApiRequest, End, JobKind, Progress, ServerRequests
from cekura_tui.model.text import Prompt, clean_line, count

LAUNCH_PATH = "/test_framework/v1/runs/improve_prompt_bg/"
PROGRESS_PATH = "/test_framework/v1/runs/improve_prompt_progress/"


def launch_body(draft: Draft) -> dict[str, object]:
    """The JSON that launches a job, without an agent or a focus that was not chosen."""
    agent = {} if draft.agent_id is None else {"agent": draft.agent_id}
    focus = {"category_ids": draft.category_ids, "workflow_metric_ids": draft.workflow_metric_ids}
    chosen = {name: list(ids) for name, ids in focus.items() if ids}
    return {"run_ids": list(draft.run_ids), "prompt": draft.prompt, **agent, **chosen}


_FAILURES = frozenset({"error", "failed", "failure", "errored", "timeout", "cancelled", "canceled"})
_SUCCESSES = frozenset({"completed", "complete", "succeeded", "success", "successful", "done", "finished"})
_NO_ERROR = frozenset(
    {"", "0", "none", "null", "nil", "false", "no", "n/a", "-", "{}", "no error", "no errors", "ok", "success"}
)
"""Texts that some servers send in place of an error although there was no error."""
_NO_ISSUES = re.compile(
    r"\bno (?:\w+ )?issues\b|\bno (?:issue|problems?) (?:was|were|has been|have been|found)\b"
    r"|\b(?:find|found|detect|identify) any (?:issues?|problems?)\b|\bnothing to improve\b",
    re.IGNORECASE,
)


def read_progress(payload: object) -> Progress:
    """Read a progress answer: parsed JSON with `improved_prompt` exact and all other texts cleaned. A prompt is a
    success, whatever the status. Without a prompt, a failure status ends the job, and so does a success status with an
    error. An error with any other status may be a warning, or left over from an attempt that the server retries: beside
    an output it is ignored, else the end is only suspected, as it is for a success status with neither prompt nor
    error. An error that reports no issues makes the end `no_issues`, any other error `failed`."""
    answer = payload if isinstance(payload, dict) else {}
    status = answer.get("status")
    status = status.strip() if isinstance(status, str) else "" if status is None else str(status)
    output = answer.get("output")
    for place in (output if isinstance(output, dict) else {}, answer):
        improved = place.get("improved_prompt")
        if isinstance(improved, str) and improved.strip():
            return Progress("succeeded", status, Prompt(improved), _summary(place, answer))
    failed = status.lower() in _FAILURES
    if output and not failed and status.lower() not in _SUCCESSES:
        return Progress(None, status)
    messages = [_message(answer.get("error"))]
    ended = failed or status.lower() in _SUCCESSES
    if failed:
        messages += [_message(answer.get("detail")), _message(answer.get("message")), _message(output)]
        messages.append(f"The server reported “{status}” and no reason.")
    error = next(filter(None, messages), "")
    if not error:
        empty = empty_end(status)
        return Progress(None, status, error=empty, suspected_end="failed" if empty else None)
    end: End = "no_issues" if _NO_ISSUES.search(error) else "failed"
    return Progress(end, status, error=error) if ended else Progress(None, status, error=error, suspected_end=end)


def empty_end(status: str) -> str | None:
    """The error message for a success status without a prompt; None for any other status."""
    return f"The server reported “{status}” but sent no prompt." if status.lower() in _SUCCESSES else None


def _summary(*places: dict[str, object]) -> str | None:
    """The first summary in these objects, a text or a list written as "- " lines; None if there is none."""
    for place in places:
        summary = place.get("summary_of_changes")
        if isinstance(summary, list):
            summary = "\n".join(f"- {str(item).lstrip('-• ')}" for item in summary if item is not None)
        if isinstance(summary, str) and summary.strip():
            return summary.strip()
    return None


def _message(value: object) -> str:
    """The message in an error, which is a text, an object with a text, or a list of errors. The message is empty if the
    value reports no error, such as a number, a bool, `"none"` or `{"code": 0}`."""
    if isinstance(value, str):
        text = value.strip()
        return "" if text.lower() in _NO_ERROR else text
    if isinstance(value, dict):
        named = [value[name] for name in ("message", "detail", "error") if isinstance(value.get(name), str)]
        if message := next(filter(None, map(_message, named)), ""):
            return message
        return str(value) if any(_message(one) if isinstance(one, str) else one for one in value.values()) else ""
    if isinstance(value, list):
        return "; ".join(filter(None, map(_message, value)))
    return ""


MEANINGS = {
    JobState.SUCCEEDED: "Cekura proposes a better prompt. {job-list.open} opens the suggestion.",
    JobState.NO_ISSUES: "Cekura found no issues in these runs: nothing to improve.",
    JobState.FAILED: "The job ended without a suggestion. {job.again} relaunches the job.",
}
_SOURCES = {
    "": "a text",
    "agent": "the agent's prompt",
    "file": "a file",
    "last": "the last launched prompt",
    "draft": "a draft",
    "-": "standard input",
}


def sent_facts(job: Job, draft: Draft) -> list[tuple[str, str]]:
    """(name, text) pairs that list the inputs of a job."""
    focuses = (("workflow metric", job.workflow_metric_ids), ("critical category", job.category_ids))
    focus = "; ".join(f"{noun} {' '.join(map(str, ids))}" for noun, ids in focuses if ids)
    return [
        ("Runs", " ".join(map(str, job.run_ids)) or "none"),
        ("Agent", job.agent),
        ("Proposed by", job.proposer),
        ("Prompt", f"{prompt_name(job.prompt_source)}, {count(len(draft.prompt.split()), 'word')}"),
        ("Focus", focus or "none"),
    ]


def prompt_name(source: str) -> str:
    """The source of a prompt in words; an added ", edited" is kept."""
    name, edited, _ = source.partition(", edited")
    return clean_line(_SOURCES.get(name, name), 120) + edited


IMPROVE_PROMPT = JobKind(
    name=DEFAULT_KIND,
    noun="improve-prompt jobs",
    server=ServerRequests(
        launch=lambda draft: ApiRequest("POST", LAUNCH_PATH, body=launch_body(draft)),
        id_field="progress_id",
        progress=lambda progress_id: ApiRequest("GET", PROGRESS_PATH, params={"progress_id": progress_id}),
    ),
    read_progress=read_progress,
    result=("suggestion", "suggestions"),
    meanings=MEANINGS,
    sent=sent_facts,
    content=lambda job: f"{'run' if len(job.run_ids) == 1 else 'runs'}, prompt and focus",
    exact=(("improved_prompt",), ("output", "improved_prompt")),
    screen="suggestion",
    empty_end=empty_end,
)


def read_local_progress(payload: object) -> Progress:
    """Read the state of a command, as `jobs.command_runner` reports it."""
    answer = payload if isinstance(payload, dict) else {}
    result = {name: answer.get(name) for name in ("errors", "written", "seconds")}
    result["answer"] = str(answer.get("answer") or "")[:2_000]
    prompt, summary, error = (answer.get(name) for name in ("improved_prompt", "summary_of_changes", "error"))
    return Progress(answer.get("end"), str(answer.get("status") or ""), prompt, summary, error, result)


IMPROVE_BY_COMMAND = IMPROVE_PROMPT._replace(
    name=BY_COMMAND,
    server=None,
    read_progress=read_local_progress,
    meanings={
        JobState.LAUNCHING: "The command is being started.",
        JobState.RUNNING: "The command runs on this machine, even while this app is closed.",
        JobState.UNCONFIRMED: "The command may not have been started. {job.again} starts the command again.",
        JobState.SUCCEEDED: "The command proposes a better prompt. {job-list.open} opens the suggestion.",
        JobState.NO_ISSUES: "The command proposed no changes.",
        JobState.FAILED: "The command ended without a suggestion. {job.again} starts the command again.",
        JobState.STOPPED: "The command was stopped. {job.again} starts the command again.",
        JobState.LOST: "The command is gone. {job.again} starts the command again.",
    },
)
PROMPT_FROM_FILE = IMPROVE_BY_COMMAND._replace(
    name=FROM_FILE,
    meanings={
        JobState.SUCCEEDED: "The prompt comes from a file. {job-list.open} opens the suggestion.",
        JobState.NO_ISSUES: "The file has the same prompt: nothing to review.",
    },
)
