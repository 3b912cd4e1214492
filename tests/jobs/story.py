"""What happens to jobs, told step by step, and what must hold after every step."""

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

from fickle_server import NOT_TAKEN, Taken
from windows import Window, World, bury, looking_into

from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt, prompt_bytes
from cekura_tui.workspace.job_service import JobService

T = TypeVar("T")
S = JobState
LAUNCHED_AGAIN = (S.UNCONFIRMED, S.LOST, S.FAILED)


@dataclass(eq=False)
class Wish:
    """A job that somebody wished for, and what is to be found of it in the database."""

    number: int
    draft: Draft
    fate: str = ""
    """What became of its launch, once that is answered: draft, unconfirmed, taken; or died."""
    taken: Taken | None = None
    flight: asyncio.Task[Job] | None = None
    stopped: bool = False
    forgotten: bool = False

    @property
    def flying(self) -> bool:
        return self.flight is not None and not self.flight.done()


class Story:
    """What happens, step by step; after each step everything that must hold is looked at."""

    def __init__(self, world: World) -> None:
        self.world, self.server, self.time = world, world.server, world.time
        self.windows: list[Window] = []
        self.wishes: list[Wish] = []
        self.runs = count(1)
        self._spread = random.Random(0).random

    async def happens(self, step: Sequence[Any]) -> None:
        """One step: its name and what it is about."""
        name, *about = step
        await getattr(self, name)(*about)
        await self.time.settle()
        for window in self.windows:
            window.way.wished = ""
        self.check()

    # Windows

    async def opens_a_window(self) -> None:
        if len(self.windows) < 2:
            self.windows.append(Window(self.world, self._spread))

    async def closes_a_window(self, which: int) -> None:
        if window := _one_of(self.windows, which):
            for wish in self._flying_in(window):
                wish.fate = "unconfirmed"
            self.windows.remove(window)
            await window.close()

    async def kills_a_window(self, which: int, elsewhere: bool) -> None:
        if window := _one_of(self.windows, which):
            died = self._flying_in(window)
            for wish in died:
                wish.fate = "died"
            self.windows.remove(window)
            await window.kill(elsewhere=elsewhere)
            host = "elsewhere" if elsewhere else socket.gethostname()
            bury(self.world.path, [wish.number for wish in died], host)

    def _flying_in(self, window: Window) -> list[Wish]:
        return [wish for wish in self.wishes if wish.flight in window.flying]

    # Launches

    async def launches(self, which: int, prompt: str, how: str, truth: str) -> None:
        if window := _one_of(self.windows, which):
            draft = Draft((next(self.runs),), Prompt(prompt), 7, "Agent 7")
            await self._launch([window], draft, lambda desk: desk.launch(draft), how, truth, allowed=True)

    async def launches_six(self, which: int, prompt: str, truth: str) -> None:
        for _ in range(6):
            await self.launches(which, prompt, "taken", truth)

    async def launches_a_draft(self, which: int, how: str, truth: str) -> None:
        """All windows do, at once."""
        wish = _one_of([wish for wish in self.wishes if wish.fate == "draft" and not wish.forgotten], which)
        if wish and not wish.flying:
            await self._launch(
                self.windows, wish.draft, lambda desk: desk.launch(wish.draft, wish.number), how, truth, allowed=True
            )

    async def launches_again(self, which: int, how: str, truth: str) -> None:
        """All windows do, at once; it makes another job, of the same run."""
        if wish := _one_of(self.wishes, which):
            again = "SELECT 1 FROM jobs WHERE again_of = ? AND state NOT IN ('draft', 'forgotten')"
            allowed = self._state(wish) in LAUNCHED_AGAIN and not self._rows(again, wish.number)
            await self._launch(
                self.windows, wish.draft, lambda desk: desk.launch_again(wish.number), how, truth, allowed=allowed
            )

    async def _launch(
        self,
        windows: Sequence[Window],
        draft: Draft,
        launch: Callable[[JobService], Awaitable[Job]],
        how: str,
        truth: str,
        *,
        allowed: bool,
    ) -> None:
        (run,) = draft.run_ids
        posts = self.server.posts[run]
        self.server.next_launch, self.server.next_truth = how, truth
        flights = [window.launch(launch) for window in windows]
        await self._land()
        sent = self.server.posts[run] - posts
        assert sent == (1 if flights and allowed and not self.world.offline else 0), "a launch is sent once"
        assert not sent or self.server.sent[run] == draft.prompt
        if flights and allowed:
            wish = self._wish_for(draft)
            wish.flight = next((flight for flight in flights if not flight.done()), None)
            wish.fate = "draft" if not sent or how in NOT_TAKEN else "taken" if how == "taken" else "unconfirmed"
            wish.taken = self.server.newest if wish.fate == "taken" else None

    async def _land(self) -> None:
        """Wait until every launch that is not held up was answered."""
        await self.time.settle()
        if not self.world.held:
            flying = [flight for window in self.windows for flight in window.flying]
            await asyncio.gather(*flying, return_exceptions=True)

    def _wish_for(self, draft: Draft) -> Wish:
        """The newest job of a run: one that is known, or another."""
        number = self._rows("SELECT max(number) FROM jobs WHERE run_ids = ?", f"[{draft.run_ids[0]}]")[0][0]
        known = [wish for wish in self.wishes if wish.number == number]
        if not known:
            known = [Wish(number, draft)]
            self.wishes += known
        return known[0]

    # The server, the network and the clocks

    async def will_say(self, which: int, answers: Sequence[str]) -> None:
        if job := _one_of(self._asked_about, which):
            job.script.extend(answers)

    async def has_ended(self, which: int) -> None:
        if job := _one_of(self._asked_about, which):
            job.done = True

    @property
    def _asked_about(self) -> list[Taken]:
        """The jobs of which no end has been heard yet."""
        return [job for name, job in self.server.jobs.items() if not self.world.heard[name].end]

    async def always_says(self, mood: str, seconds: float) -> None:
        self.server.mood = mood
        await self.time.passes(seconds)

    async def network_is(self, there: bool) -> None:
        self.world.offline = not there

    async def answers_are(self, held: bool) -> None:
        self.world.hold(held)
        await self._land()

    async def passes(self, seconds: float) -> None:
        await self.time.passes(seconds)

    async def sleeps(self, seconds: float) -> None:
        self.time.leap(seconds)

    async def clock_is_set(self, seconds: float) -> None:
        self.time.wall += seconds

    # What a person wishes of jobs

    async def lists_runs(self, which: int) -> None:
        """What a server that takes the key leads to: ask again."""
        if window := _one_of(self.windows, which):
            window.engine.resume_polling()

    async def stops(self, window: int, which: int) -> None:
        if job := await self._wished(window, which, JobService.stop):
            job.stopped = True

    async def resumes(self, window: int, which: int) -> None:
        if job := await self._wished(window, which, JobService.resume):
            job.stopped = False

    async def asks_anew(self, window: int, which: int) -> None:
        """Another question leaves, though the last one may not be answered yet."""
        await self.stops(window, which)
        await self.resumes(window, which)

    async def is_overtaken(self, window: int, which: int, answers: Sequence[str]) -> None:
        """The answers to two questions about a job come at once."""
        asked_about = [wish for wish in self.wishes if wish.taken in self._asked_about]
        if wish := _one_of(asked_about, which):
            assert wish.taken is not None
            wish.taken.script.extend(answers)
            await self.answers_are(held=True)
            await self.time.passes(70.0)
            await self.asks_anew(window, self.wishes.index(wish))
            await self.time.passes(3.0)
            await self.answers_are(held=False)

    async def forgets(self, window: int, which: int) -> None:
        if job := await self._wished(window, which, JobService.forget):
            job.forgotten = True

    async def _wished(self, window: int, which: int, wish: Callable[[JobService, int], Awaitable[Job]]) -> Wish | None:
        """Wish something of a job, if there is one and it is of a kind for this."""
        desk, job = _one_of(self.windows, window), _one_of(self.wishes, which)
        if desk is None or job is None:
            return None
        desk.way.wished = progress_id = job.taken.progress_id if job.taken else ""
        with contextlib.suppress(UsageError):
            await wish(desk.desk, job.number)
            self.world.wishes[progress_id] += 1
            for each in self.windows:
                each.way.not_before.pop(progress_id, None)
            return job
        return None

    # What must hold

    def check(self) -> None:
        """Look at every job as another program sees it."""
        assert not self.world.complaints, self.world.complaints
        with looking_into(self.world.path) as sql:
            rows = sql.execute(_KEPT).fetchall()
            assert [row["number"] for row in rows] == [wish.number for wish in self.wishes]
            assert sql.execute(_UNUSED_PROMPTS).fetchall() == []
        for wish, row in zip(self.wishes, rows, strict=True):
            what = f"job {wish.number}: {wish.fate}, {row['state']}"
            assert row["state"] in self._may_be(wish), what
            prompt, proposal, error = self._texts(wish)
            kept = (row["sent"], row["proposed"], row["error"])
            assert kept == (prompt_bytes(prompt), None if proposal is None else prompt_bytes(proposal), error), what
            if wish.fate == "taken" and wish.taken and not wish.flying:
                assert row["progress_id"] == wish.taken.progress_id, what
            if wish.forgotten:
                assert row["answers"] == 0, what
            if S(row["state"]).final:
                assert (self.world.ended[wish.number], row["stale_since"]) == (1, None), what

    def _may_be(self, wish: Wish) -> set[JobState]:
        if wish.forgotten:
            return {S.FORGOTTEN}
        if wish.flying:
            return {S.LAUNCHING}
        if wish.fate != "taken" or wish.taken is None:
            return {S.LAUNCHING, S.UNCONFIRMED} if wish.fate == "died" else {S(wish.fate)}
        heard = self.world.heard[wish.taken.progress_id]
        if heard.end:
            return {heard.end.state}
        if wish.stopped:
            return {S.STOPPED}
        return {S.RUNNING, S.LOST} if max(heard.unknown, heard.overdue) >= 3 else {S.RUNNING}

    def _texts(self, wish: Wish) -> tuple[Prompt, Prompt | None, str | None]:
        """The prompt that was sent, the proposal, and what an error said, as they must be kept."""
        if wish.forgotten:
            return (Prompt(""), None, None)
        end = self.world.heard[wish.taken.progress_id].end if wish.taken else None
        if end is None:
            return (wish.draft.prompt, None, None)
        proposal, error = (Prompt(end.told), None) if end.state == S.SUCCEEDED else (None, end.told)
        return (wish.draft.prompt, proposal, error)

    async def ends(self) -> None:
        """The server tells the truth of every job, and is heard."""
        for step in (("network_is", True), ("answers_are", False), ("opens_a_window",), ("clock_is_set", 700.0)):
            await self.happens(step)
        self.server.tell_the_truth()
        await self._comes_to_rest()
        for number, wish in enumerate(self.wishes):
            if self._state(wish) in (S.LOST, S.STOPPED):
                await self.happens(("resumes", 0, number))
        await self._comes_to_rest()
        for wish in self.wishes:
            assert wish.forgotten or self._state(wish).final == (wish.fate == "taken"), f"job {wish.number}"
        while self.windows:
            await self.happens(("closes_a_window", 0))

    async def _comes_to_rest(self) -> None:
        """Let time pass until nothing is to come any more; ten minutes are enough for the longest wait here."""
        going = "SELECT number FROM jobs WHERE state IN ('launching', 'running')"
        for _ in range(120):
            if not self._rows(going):
                return
            await self.happens(("passes", 5.0))
        raise AssertionError(f"these go on for ever: {[row[0] for row in self._rows(going)]}")

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with looking_into(self.world.path) as sql:
            found: list[sqlite3.Row] = sql.execute(query, values).fetchall()
            return found

    def _state(self, wish: Wish) -> JobState:
        return S(self._rows("SELECT state FROM jobs WHERE number = ?", wish.number)[0][0])


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
