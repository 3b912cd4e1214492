"""A server of jobs with arbitrary answers, which it remembers so that tests can compare them with the database."""

from __future__ import annotations

import json
from collections import Counter, deque
from dataclasses import dataclass, field

from scripted_server import HTML_502, LAUNCH, PROGRESS, Got, Reply, Reset, ScriptedServer

from cekura_tui.model.job import JobState

BAD: dict[str, Reply | Reset] = {
    "404": Reply({"detail": "Not found."}, 404),
    "404 page": Reply(b"<html>no such page</html>", 404),
    "400": Reply({"progress_id": ["Unknown."]}, 400),
    "401": Reply({"detail": "No."}, 401),
    "403": Reply({"detail": "No."}, 403),
    "429": Reply({}, 429),
    "429 for 7 s": Reply({}, 429, {"Retry-After": "7"}),
    "429 for 90 s": Reply({}, 429, {"Retry-After": "90"}),
    "503 for 0 s": Reply({}, 503, {"Retry-After": "0"}),
    "500": Reply(b"", 500),
    "502": Reply(HTML_502, 502),
    "moved": Reply(b"", 301, {"Location": "/elsewhere"}),
    "no JSON": Reply(b"{"),
    "nothing": Reply(b""),
    "cut off": Reply(b"{", 200, {"Content-Length": "99", "Connection": "close"}),
    "reset": Reset(),
}
UNKNOWN = ("404", "400")
"""Answers that say that the server does not know the job."""
GOING: dict[str, object] = {
    "queued": {"status": "in_queue", "output": None, "error": None},
    "running": {"status": "running", "output": None, "error": None},
    "evaluating": {"status": "Evaluating "},
    "new word": {"status": "pondering", "output": None, "error": ""},
    "no word": {},
    "a list": [],
    "a number": 7,
    "no error": {"status": "in_progress", "output": None, "error": {"code": 0}},
    "progress": {"status": "running", "output": {"improved_prompt": "", "step": 3}},
}
ENDS = ("succeeded", "no_issues", "failed")
LAUNCHES: dict[str, Reply | Reset | None] = {
    "taken": None,
    "no id": Reply({"id": 5}),
    "refused": Reply({"prompt": ["Required."]}, 400),
    "not offered": Reply({}, 404),
    "429": Reply({}, 429, {"Retry-After": "5"}),
    "401": Reply({}, 401),
    "409": Reply({}, 409),
    "500": Reply(b"", 500),
    "502": Reply(HTML_502, 502),
    "reset": Reset(),
}
REFUSED = ("refused", "not offered", "429", "401")
"""Answers after which a launch becomes a draft again."""


@dataclass(frozen=True)
class End:
    """The end of a job as an answer states it. `answer` is the improved prompt, or else the error text."""

    state: JobState
    answer: str


@dataclass
class AcceptedJob:
    """A job that the server accepted. The answers to polls come from `script` first. After that, the answer is `truth`
    if the job is `done`, or else "running"."""

    progress_id: str
    truth: str
    script: deque[str] = field(default_factory=deque)
    done: bool = False


class FickleServer:
    """A scripted server of jobs. A launch is identified by its run. Every answer that ends a job has a unique text."""

    def __init__(self, scripted: ScriptedServer) -> None:
        self.jobs: dict[str, AcceptedJob] = {}
        self.posts: Counter[int] = Counter()
        self.sent: dict[int, str] = {}
        """Prompt of each launch, by run."""
        self.ends: dict[str, End] = {}
        """The ends of jobs that were sent, by the JSON of the answer."""
        self.mood = ""
        """The answer to every poll of any job; "" if every job gives its own answers."""
        self.next_launch, self.next_truth = "taken", "succeeded"
        scripted.seen.clear()
        scripted.on("POST", LAUNCH, self._launch)
        scripted.on("GET", PROGRESS, self._progress)

    @property
    def newest(self) -> AcceptedJob:
        """The job that the server accepted last."""
        return list(self.jobs.values())[-1]

    def answer_truthfully(self) -> None:
        """From now on, answer every poll with the end of its job."""
        self.mood = ""
        for job in self.jobs.values():
            job.script.clear()
            job.done = True

    def _launch(self, got: Got) -> Reply | Reset:
        body = got.json()
        (run,) = body["run_ids"]
        self.posts[run] += 1
        self.sent[run] = body["prompt"]
        if reply := LAUNCHES[self.next_launch]:
            return reply
        job = AcceptedJob(f"p-{len(self.jobs)}", self.next_truth)
        self.jobs[job.progress_id] = job
        return Reply({"progress_id": job.progress_id})

    def _progress(self, got: Got) -> Reply | Reset:
        job = self.jobs[got.query["progress_id"]]
        answer = self.mood or (job.script.popleft() if job.script else job.truth if job.done else "running")
        if answer in ENDS:
            return self._end(answer)
        return BAD[answer] if answer in BAD else Reply(GOING[answer])

    def _end(self, how: str) -> Reply:
        number = len(self.ends)
        answer = f" \ufeffBe kind {number}.\r\n\t\x1b[0m\n" if how == "succeeded" else f"No issues found: {number}"
        answer = f"It broke: {number}" if how == "failed" else answer
        output = {"improved_prompt": answer, "summary_of_changes": "Kinder."} if how == "succeeded" else None
        reply = Reply({"status": "completed", "output": output, "error": None if output else answer})
        self.ends[json.dumps(reply.body)] = End(JobState(how), answer)
        return reply
