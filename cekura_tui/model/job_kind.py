"""The definition of a kind of job: its requests, and how the answers to these requests are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt


class ApiRequest(NamedTuple):
    """A request about a job; `body` is sent as JSON, `params` as the query of the URL."""

    method: str
    path: str
    body: Mapping[str, object] | None = None
    params: Mapping[str, str | int] | None = None


WAITING = frozenset({"queued", "pending", "in_queue", "scaling_up"})
"""Server statuses of a job that has not started."""
WORKING = frozenset({"running", "in_progress", "processing", "started", "evaluating"})
"""Server statuses of a job that has started."""

End = Literal["succeeded", "no_issues", "failed", "stopped", "lost"]


class Progress(NamedTuple):
    """The content of one progress answer; `end` is None while the job runs. Each kind of job sets the result fields
    that it uses: a prompt for the agent's history, a summary, an error, or JSON in `result`, which is stored while the
    job runs, too. A single answer does not prove a `suspected_end`: the job counts as running until several answers in
    a row report this end."""

    end: End | None
    status: str
    improved_prompt: Prompt | None = None
    summary_of_changes: str | None = None
    error: str | None = None
    result: Mapping[str, object] | None = None
    suspected_end: End | None = None

    @property
    def believed(self) -> Progress:
        """This answer with the suspected end as the end."""
        return self._replace(end=self.suspected_end, suspected_end=None)

    @property
    def state(self) -> JobState:
        return JobState(self.end) if self.end else JobState.RUNNING


class LaunchSearch(NamedTuple):
    """How to find a launch whose answer was lost: a request that lists what the server has, and a function that returns
    the ids in the answer that may be this launch."""

    request: ApiRequest
    read: Callable[[object], list[str]]


class ServerRequests(NamedTuple):
    """The requests about jobs that run on the server. `launch` makes the request that launches a draft; its answer has
    the job's id on the server in the field `id_field` ("one or other"), and `progress` makes the polling request for
    this id. `search` says how to find a launch whose answer was lost; None if that is impossible."""

    launch: Callable[[Draft], ApiRequest]
    id_field: str
    progress: Callable[[str], ApiRequest]
    search: Callable[[Job], LaunchSearch | None] = lambda job: None


class JobKind(NamedTuple):
    """Everything that is specific to one kind of job; all other code works with any kind. `name` is stored in the
    database; `noun` names the jobs of this kind in a sentence. `server` is None for jobs that run on this machine.
    `read_progress` reads a parsed progress answer, in which all texts but those at the paths `exact` are cleaned.

    `screen` shows a result; empty for the job page. `result` is the noun for a result, singular and plural. `meanings`
    explains each final state. `sent` lists a job's inputs as (name, text) pairs, and `content` names them in short:
    "runs and prompt". `empty_end` returns an error message for a final server status without a result, or None if a
    result may still come."""

    name: str
    noun: str
    server: ServerRequests | None
    read_progress: Callable[[object], Progress]
    result: tuple[str, str]
    meanings: Mapping[JobState, str]
    sent: Callable[[Job, Draft], Sequence[tuple[str, str]]]
    content: Callable[[Job], str]
    exact: tuple[tuple[str, ...], ...] = ()
    screen: str = ""
    empty_end: Callable[[str], str | None] = lambda status: None

    @property
    def place(self) -> str:
        """Where jobs of this kind run, after "runs"."""
        return "on this machine" if self.server is None else "on the server"

    @property
    def id_name(self) -> str:
        return "folder" if self.server is None else self.server.id_field

    def read(self, payload: object, raw: str) -> Progress:
        """Read an answer from the cleaned `payload`, with exact texts from `raw`, the JSON as sent. If `raw` can't be
        parsed or reports another end, the texts stay cleaned."""
        shown = self.read_progress(payload)
        try:
            sent = self.read_progress(json.loads(raw))
        except (ValueError, RecursionError):
            return shown
        if (sent.end, sent.suspected_end) != (shown.end, shown.suspected_end):
            return shown
        return shown._replace(status=sent.status, summary_of_changes=sent.summary_of_changes, error=sent.error)
