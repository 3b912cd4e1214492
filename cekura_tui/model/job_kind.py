"""What one kind of job is: its requests, and what their answers say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt


class ApiRequest(NamedTuple):
    """A request about a job: its path at the server, with `body` sent as JSON and `params` as the query."""

    method: str
    path: str
    body: Mapping[str, object] | None = None
    params: Mapping[str, str | int] | None = None


WAITING = frozenset({"queued", "pending", "in_queue", "scaling_up"})
WORKING = frozenset({"running", "in_progress", "processing", "started", "evaluating"})
"""The words of servers for a job that has not begun, and for one that has."""

End = Literal["succeeded", "no_issues", "failed"]


class Progress(NamedTuple):
    """What one answer about a job says: where it is, and its result once it has ended.

    A result is what its kind brings: a prompt that goes into the history of the agent, a summary, an error, or JSON in
    `result`; the store keeps whatever of it is there. `suspected_end` is an end that one answer alone does not prove:
    the job runs until several answers in a row say so.
    """

    end: End | None
    status: str
    improved_prompt: Prompt | None = None
    summary_of_changes: str | None = None
    error: str | None = None
    result: Mapping[str, object] | None = None
    suspected_end: End | None = None

    @property
    def believed(self) -> Progress:
        """The same with the suspected end as its end."""
        return self._replace(end=self.suspected_end, suspected_end=None)

    @property
    def state(self) -> JobState:
        return JobState(self.end) if self.end else JobState.RUNNING


class JobKind(NamedTuple):
    """All in which one kind of job differs from another, so that nothing else need know any kind.

    `name` is its name in the database, `noun` what its jobs are called in a sentence. `launch` is the request for a
    draft, `id_field` the field of its answer by whose value `progress` asks how far the job is. `read_progress` reads
    an answer to that, parsed, and says whether its word is final; the texts at the paths `exact` came to it as they
    were sent, all others cleaned. `screen` names the screen that shows a result, empty for the job's own page.

    `result` is what one job that succeeded brings, and what several bring; `meanings` says of a final state what it
    means. `sent` are names and texts of what a job was sent with, `content` is the same in short: "runs and prompt".
    `empty_end` says what is wrong with a last word (a job's `status` at the server) that came without a result. None
    where a result may still come.
    """

    name: str
    noun: str
    launch: Callable[[Draft], ApiRequest]
    id_field: str
    progress: Callable[[str], ApiRequest]
    read_progress: Callable[[object], Progress]
    result: tuple[str, str]
    meanings: Mapping[JobState, str]
    sent: Callable[[Job, Draft], Sequence[tuple[str, str]]]
    content: Callable[[Job], str]
    exact: tuple[tuple[str, ...], ...] = ()
    screen: str = ""
    empty_end: Callable[[str], str | None] = lambda status: None

    def read(self, payload: object, raw: str) -> Progress:
        """What an answer says by `payload`; its texts are as they came in the `raw` JSON, where that says the same."""
        shown = self.read_progress(payload)
        try:
            sent = self.read_progress(json.loads(raw))
        except (ValueError, RecursionError):
            return shown
        if (sent.end, sent.suspected_end) != (shown.end, shown.suspected_end):
            return shown
        return shown._replace(status=sent.status, summary_of_changes=sent.summary_of_changes, error=sent.error)
