"""Whatever servers, networks, clocks and windows do, in any order: a job keeps what the server told of it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from fickle_server import BAD, ENDS, GOING, LAUNCHES, NOT_TAKEN, FickleServer, Taken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_server import ScriptedServer, closed_port
from simulated_time import SimulatedTime
from windows import Window, World, bury, looking_into

from cekura_tui.api.client import Client
from cekura_tui.jobs.schedule import DAY, HOUR, OFTEN
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt, prompt_bytes
from cekura_tui.workspace.job_desk import JobDesk

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
        launch: Callable[[JobDesk], Awaitable[Job]],
        how: str,
        truth: str,
        *,
        allowed: bool,
    ) -> None:
        (run,) = draft.run_ids
        posts = self.server.posts[run]
        self.server.next_launch, self.server.next_truth = how, truth
        flights = [window.launch(launch) for window in windows]
        await self.time.settle()
        sent = self.server.posts[run] - posts
        assert sent == (1 if flights and allowed and not self.world.offline else 0), "a launch is sent once"
        assert not sent or self.server.sent[run] == draft.prompt
        if flights and allowed:
            wish = self._wish_for(draft)
            wish.flight = next((flight for flight in flights if not flight.done()), None)
            wish.fate = "draft" if not sent or how in NOT_TAKEN else "taken" if how == "taken" else "unconfirmed"
            wish.taken = self.server.newest if wish.fate == "taken" else None

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
        if job := _one_of(list(self.server.jobs.values()), which):
            job.script.extend(answers)

    async def has_ended(self, which: int) -> None:
        if job := _one_of(list(self.server.jobs.values()), which):
            job.done = True

    async def always_says(self, mood: str) -> None:
        self.server.mood = mood

    async def network_is(self, there: bool) -> None:
        self.world.offline = not there

    async def answers_are(self, held: bool) -> None:
        self.world.hold(held)

    async def passes(self, seconds: float) -> None:
        await self.time.passes(seconds)

    async def sleeps(self, seconds: float) -> None:
        self.time.leap(seconds)

    async def clock_is_set(self, seconds: float) -> None:
        self.time.wall += seconds

    # What a person wishes of jobs

    async def lists_runs(self, which: int) -> None:
        if window := _one_of(self.windows, which):
            window.resume_asking()

    async def stops(self, window: int, which: int) -> None:
        if job := await self._wished(window, which, JobDesk.stop):
            job.stopped = True

    async def resumes(self, window: int, which: int) -> None:
        if job := await self._wished(window, which, JobDesk.resume):
            job.stopped = False
            self.windows[window % len(self.windows)].resume_asking()

    async def forgets(self, window: int, which: int) -> None:
        if job := await self._wished(window, which, JobDesk.forget):
            job.forgotten = True

    async def _wished(
        self, window: int, which: int, wish: Callable[[JobDesk, int], Awaitable[Job]]
    ) -> Wish | None:
        """Wish something of a job, if there is one and it is of a kind for this."""
        desk, job = _one_of(self.windows, window), _one_of(self.wishes, which)
        if desk is None or job is None:
            return None
        with contextlib.suppress(UsageError):
            await wish(desk.desk, job.number)
            for each in self.windows:
                each.way.not_before.pop(job.taken.progress_id if job.taken else "", None)
            return job
        return None

    # What must hold

    def check(self) -> None:
        """Look at every job as another program sees it."""
        assert self.world.complaints == []
        with looking_into(self.world.path) as sql:
            for wish in self.wishes:
                (row,) = sql.execute("SELECT * FROM jobs WHERE number = ?", (wish.number,))
                what = f"job {wish.number}, {wish.fate}"
                assert row["state"] in self._may_be(wish), what
                assert self._texts(sql, row) == self._expected_texts(wish), what
                if wish.taken and not wish.flying and wish.fate == "taken":
                    assert row["progress_id"] == wish.taken.progress_id, what
                if S(row["state"]).final:
                    assert (self.world.ended[wish.number], row["stale_since"]) == (1, None), what
            assert sql.execute("SELECT count(*) FROM jobs").fetchone()[0] == len(self.wishes)
            assert sql.execute(_UNUSED_PROMPTS).fetchall() == []

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
        return {S.RUNNING, S.LOST} if max(heard.unknown, heard.overdue) >= OFTEN else {S.RUNNING}

    def _expected_texts(self, wish: Wish) -> tuple[bytes, bytes | None, str | None, bool]:
        """The prompt, the proposal, the error, and whether there are raw answers."""
        ...

    ...
