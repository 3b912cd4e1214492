"""Run steps of a story about jobs, and check all invariants after every step."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

from fickle_server import REFUSED, AcceptedJob
from windows import Window, World, connect_to, mark_owners_dead

from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt, prompt_bytes
from cekura_tui.workspace.job_service import JobService

T = TypeVar("T")
S = JobState
LAUNCHED_AGAIN = (S.UNCONFIRMED, S.LOST, S.FAILED)


@dataclass(eq=False)
class ExpectedJob:
    """A job that was launched, and the state that the database must show for it."""

    number: int
    draft: Draft
    fate: str = ""
    """Outcome of the launch: draft, unconfirmed, taken, or died (with its process); empty until there is an outcome."""
    taken: AcceptedJob | None = None
    flight: asyncio.Task[Job] | None = None
    stopped: bool = False
    forgotten: bool = False

    @property
    def in_flight(self) -> bool:
        return self.flight is not None and not self.flight.done()


class Story:
    """Runs the steps of a story, which are methods, and checks all invariants after each step."""

    def __init__(self, world: World) -> None:
        self.world, self.server, self.time = world, world.server, world.time
        self.windows: list[Window] = []
        self.expected_jobs: list[ExpectedJob] = []
        self.runs = count(1)
        self._jitter = random.Random(0).random

    async def happens(self, step: Sequence[Any]) -> None:
        """Run one step, given as its method's name and arguments, and check all invariants."""
        name, *about = step
        await getattr(self, name)(*about)
        await self.time.settle()
        self.check()

    # Windows

    async def opens_a_window(self) -> None:
        if len(self.windows) < 2:
            self.windows.append(Window(self.world, self._jitter))

    async def closes_a_window(self, which: int) -> None:
        if window := _one_of(self.windows, which):
            for expected in self._launches_in_flight(window):
                expected.fate = "unconfirmed"
            self.windows.remove(window)
            await window.close()

    async def kills_a_window(self, which: int, elsewhere: bool) -> None:
        if window := _one_of(self.windows, which):
            died = self._launches_in_flight(window)
            for expected in died:
                expected.fate = "died"
            self.windows.remove(window)
            await window.kill()
            host = "elsewhere" if elsewhere else socket.gethostname()
            mark_owners_dead(self.world.path, [expected.number for expected in died], host)

    def _launches_in_flight(self, window: Window) -> list[ExpectedJob]:
        return [expected for expected in self.expected_jobs if expected.flight in window.in_flight]

    # Launches

    async def launches(self, which: int, prompt: str, how: str, truth: str) -> None:
        if window := _one_of(self.windows, which):
            draft = Draft((next(self.runs),), Prompt(prompt), 7, "Agent 7")
            await self._launch([window], draft, lambda window: window.engine.launch(draft), how, truth, allowed=True)

    async def launches_six(self, which: int, prompt: str, truth: str) -> None:
        for _ in range(6):
            await self.launches(which, prompt, "taken", truth)

    async def launches_a_draft(self, which: int, how: str, truth: str) -> None:
        """Launch a saved draft from all windows at once, unless a launch of the draft is in flight."""
        expected = _one_of(
            [expected for expected in self.expected_jobs if expected.fate == "draft" and not expected.forgotten], which
        )
        if expected and not expected.in_flight:
            await self._launch(
                self.windows,
                expected.draft,
                lambda window: window.engine.launch(expected.draft, window.store.jobs.get(expected.number)),
                how,
                truth,
                allowed=True,
            )

    async def launches_again(self, which: int, how: str, truth: str) -> None:
        """Relaunch a job from all windows at once. Only one launch is sent, or none if a relaunch is not allowed."""
        if expected := _one_of(self.expected_jobs, which):
            again = "SELECT 1 FROM jobs WHERE again_of = ? AND state NOT IN ('draft', 'forgotten')"
            allowed = self._state(expected) in LAUNCHED_AGAIN and not self._rows(again, expected.number)
            await self._launch(
                self.windows,
                expected.draft,
                lambda window: window.desk.launch_again(expected.number),
                how,
                truth,
                allowed=allowed,
            )

    async def _launch(
        self,
        windows: Sequence[Window],
        draft: Draft,
        launch: Callable[[Window], Awaitable[Job]],
        how: str,
        truth: str,
        *,
        allowed: bool,
    ) -> None:
        (run,) = draft.run_ids
        posts = self.server.posts[run]
        self.server.next_launch, self.server.next_truth = how, truth
        flights = [window.launch(launch) for window in windows]
        await self._wait_for_launches()
        sent = self.server.posts[run] - posts
        assert sent == (1 if flights and allowed and not self.world.offline else 0), "a launch is sent once"
        assert not sent or self.server.sent[run] == draft.prompt
        if flights and allowed:
            expected = self._expected_job(draft)
            expected.flight = next((flight for flight in flights if not flight.done()), None)
            expected.fate = "draft" if not sent or how in REFUSED else "taken" if how == "taken" else "unconfirmed"
            expected.taken = self.server.newest if expected.fate == "taken" else None

    async def _wait_for_launches(self) -> None:
        """Wait until every launch is answered. Return early if the server's answers are held back."""
        await self.time.settle()
        if not self.world.held:
            in_flight = [flight for window in self.windows for flight in window.in_flight]
            await asyncio.gather(*in_flight, return_exceptions=True)

    def _expected_job(self, draft: Draft) -> ExpectedJob:
        """The newest job of the draft's run. If the job is not among the expected jobs, the job is added."""
        number = self._rows("SELECT max(number) FROM jobs WHERE run_ids = ?", f"[{draft.run_ids[0]}]")[0][0]
        known = [expected for expected in self.expected_jobs if expected.number == number]
        if not known:
            known = [ExpectedJob(number, draft)]
            self.expected_jobs += known
        return known[0]

    # The server, the network and the clocks

    async def will_answer(self, which: int, answers: Sequence[str]) -> None:
        if job := _one_of(self._unfinished, which):
            job.script.extend(answers)

    async def has_ended(self, which: int) -> None:
        if job := _one_of(self._unfinished, which):
            job.done = True

    @property
    def _unfinished(self) -> list[AcceptedJob]:
        """Accepted jobs whose end no window has received yet."""
        return [job for name, job in self.server.jobs.items() if not self.world.heard[name].end]

    async def always_answers(self, mood: str, seconds: float) -> None:
        self.server.mood = mood
        await self.time.advance(seconds)

    async def network_is(self, there: bool) -> None:
        self.world.offline = not there

    async def answers_are(self, held: bool) -> None:
        self.world.hold(held)
        await self._wait_for_launches()

    async def passes(self, seconds: float) -> None:
        await self.time.advance(seconds)

    async def sleeps(self, seconds: float) -> None:
        self.time.jump(seconds)

    async def clock_is_set(self, seconds: float) -> None:
        self.time.wall += seconds

    # Requests of the user

    async def lists_runs(self, which: int) -> None:
        """Resume polling, as the program does after the server accepted the key in a request for a list of runs."""
        if window := _one_of(self.windows, which):
            window.engine.resume_polling()

    async def stops(self, window: int, which: int) -> None:
        if job := await self._request(window, which, JobService.stop):
            job.stopped = True

    async def resumes(self, window: int, which: int) -> None:
        if job := await self._request(window, which, JobService.resume):
            job.stopped = False
            heard = self.world.heard[job.taken.progress_id if job.taken else ""]
            if heard.end and heard.end.state == S.FAILED:
                heard.end = None

    async def asks_again(self, window: int, which: int) -> None:
        """Stop and resume a job, so that the job is polled again even if the last poll is not answered yet."""
        await self.stops(window, which)
        await self.resumes(window, which)

    async def is_overtaken(self, window: int, which: int, answers: Sequence[str]) -> None:
        """Release the answers to two polls of a job at the same moment."""
        asked_about = [expected for expected in self.expected_jobs if expected.taken in self._unfinished]
        if expected := _one_of(asked_about, which):
            assert expected.taken is not None
            expected.taken.script.extend(answers)
            await self.answers_are(held=True)
            await self.time.advance(70.0)
            await self.asks_again(window, self.expected_jobs.index(expected))
            await self.time.advance(3.0)
            await self.answers_are(held=False)

    async def forgets(self, window: int, which: int) -> None:
        if job := await self._request(window, which, JobService.forget):
            job.forgotten = True

    async def _request(
        self, window: int, which: int, request: Callable[[JobService, int], Awaitable[Job]]
    ) -> ExpectedJob | None:
        """Apply `request` (stop, resume or forget) to a job, and return the job. Returns None if the window or the job
        does not exist, or if the program refuses the request."""
        desk, job = _one_of(self.windows, window), _one_of(self.expected_jobs, which)
        if desk is None or job is None:
            return None
        progress_id = job.taken.progress_id if job.taken else ""
        with contextlib.suppress(UsageError):
            await request(desk.desk, job.number)
            self.world.requests[progress_id] += 1
            for each in self.windows:
                each.client.not_before.pop(progress_id, None)
            return job
        return None

    # Invariants

    def check(self) -> None:
        """Check all invariants: there are no complaints, and another process reads every job in an allowed state."""
        assert not self.world.complaints, self.world.complaints
        with connect_to(self.world.path) as sql:
            rows = sql.execute(_KEPT).fetchall()
            assert [row["number"] for row in rows] == [expected.number for expected in self.expected_jobs]
            assert sql.execute(_UNUSED_PROMPTS).fetchall() == []
        for expected, row in zip(self.expected_jobs, rows, strict=True):
            what = f"job {expected.number}: {expected.fate}, {row['state']}"
            assert row["state"] in self._allowed_states(expected), what
            prompt, proposal, error = self._texts(expected)
            kept = (row["sent"], row["proposed"], row["error"])
            assert kept == (prompt_bytes(prompt), None if proposal is None else prompt_bytes(proposal), error), what
            if expected.fate == "taken" and expected.taken and not expected.in_flight:
                assert row["progress_id"] == expected.taken.progress_id, what
            if expected.forgotten:
                assert row["answers"] == 0, what
            if S(row["state"]).final:
                assert expected.taken is not None
                ends = self.world.heard[expected.taken.progress_id].ends
                assert (self.world.ended[expected.number], row["stale_since"]) == (ends, None), what

    def _allowed_states(self, expected: ExpectedJob) -> set[JobState]:
        if expected.forgotten:
            return {S.FORGOTTEN}
        if expected.in_flight:
            return {S.LAUNCHING}
        if expected.fate != "taken" or expected.taken is None:
            return {S.LAUNCHING, S.UNCONFIRMED} if expected.fate == "died" else {S(expected.fate)}
        heard = self.world.heard[expected.taken.progress_id]
        if heard.end:
            return {heard.end.state}
        if expected.stopped:
            return {S.STOPPED}
        return {S.RUNNING, S.LOST} if max(heard.unknown, heard.overdue) >= 3 else {S.RUNNING}

    def _texts(self, expected: ExpectedJob) -> tuple[Prompt, Prompt | None, str | None]:
        """Sent prompt, improved prompt and error text that the database must hold for a job."""
        if expected.forgotten:
            return (Prompt(""), None, None)
        end = self.world.heard[expected.taken.progress_id].end if expected.taken else None
        if end is None:
            return (expected.draft.prompt, None, None)
        proposal, error = (Prompt(end.answer), None) if end.state == S.SUCCEEDED else (None, end.answer)
        return (expected.draft.prompt, proposal, error)

    async def ends(self) -> None:
        """End every job truthfully, let the windows poll the jobs, and close the windows."""
        for step in (("network_is", True), ("answers_are", False), ("opens_a_window",), ("clock_is_set", 700.0)):
            await self.happens(step)
        self.server.answer_truthfully()
        await self._wait_for_all()
        for number, expected in enumerate(self.expected_jobs):
            if self._state(expected) in (S.LOST, S.STOPPED):
                await self.happens(("resumes", 0, number))
        await self._wait_for_all()
        for expected in self.expected_jobs:
            assert expected.forgotten or self._state(expected).final == (expected.fate == "taken"), (
                f"job {expected.number}"
            )
        while self.windows:
            await self.happens(("closes_a_window", 0))

    async def _wait_for_all(self) -> None:
        """Advance time until no job is launching or running; fail after ten minutes, more than any wait of a story."""
        going = "SELECT number FROM jobs WHERE state IN ('launching', 'running')"
        for _ in range(120):
            if not self._rows(going):
                return
            await self.happens(("passes", 5.0))
        raise AssertionError(f"jobs that never end: {[row[0] for row in self._rows(going)]}")

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with connect_to(self.world.path) as sql:
            found: list[sqlite3.Row] = sql.execute(query, values).fetchall()
            return found

    def _state(self, expected: ExpectedJob) -> JobState:
        return S(self._rows("SELECT state FROM jobs WHERE number = ?", expected.number)[0][0])


_KEPT = """
SELECT sent.text AS sent, proposed.text AS proposed, jobs.*,
(SELECT count(*) FROM job_answers WHERE job = number) AS answers
FROM jobs JOIN prompts AS sent ON sent.sha256 = prompt_sha256
LEFT JOIN prompts AS proposed ON proposed.sha256 = improved_sha256 ORDER BY number"""
_UNUSED_PROMPTS = """
SELECT sha256 FROM prompts WHERE sha256 NOT IN (SELECT prompt_sha256 FROM jobs)
AND sha256 NOT IN (SELECT improved_sha256 FROM jobs WHERE improved_sha256 IS NOT NULL)"""


def _one_of(things: Sequence[T], which: int) -> T | None:
    return things[which % len(things)] if things else None
