"""After a kill only the user can relaunch a job: once among all windows, and not if the launch was answered."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from calling import process
from one_job import ACCEPTED, DONE, IMPROVED, PROMPT, held_launch, launches
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, ScriptedServer
from waiting import PATIENCE, eventually, until

from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Job, JobState
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup

AGAIN = Reply({"progress_id": "p-2"})


@pytest.fixture
def killed(server: ScriptedServer, prompt_file: Path) -> Iterator[Hold]:
    """The held answer to the launch of job 1, whose process was killed after the server got the request."""
    hold = Hold(ACCEPTED)
    server.on("POST", LAUNCH, hold, AGAIN)
    launching = process("improve", 5, "--prompt-file", prompt_file)
    until(hold.arrived.is_set, "the server has the launch")
    launching.kill()
    launching.communicate()
    yield hold
    hold.released.set()


@asynccontextmanager
async def opened(home: Path, server: ScriptedServer, key: str = "key") -> AsyncIterator[Session]:
    """Open a session on the jobs in `home`, as another window does."""
    session = Session.open(make_setup(config_dir=str(home), env={"CEKURA_API_URL": server.url, "CEKURA_API_KEY": key}))
    session.engine.start()
    session.engine.reload()
    try:
        yield session
    finally:
        await session.close()


async def test_a_relaunched_job_has_the_same_prompt_and_gets_its_suggestion(
    home: Path, server: ScriptedServer, killed: Hold
) -> None:
    server.on("GET", PROGRESS, DONE)
    async with opened(home, server) as session:
        assert (await session.jobs.get(1)).state == JobState.UNCONFIRMED
        assert launches(server) == [PROMPT]
        again = await session.jobs.launch_again(1)
        assert (again.number, again.again_of, again.progress_id) == (2, 1, "p-2")
        assert launches(server) == [PROMPT, PROMPT]
        ended: list[Job] = []
        while not ended:
            await session.engine.wait_for_change(1.0)
            ended = [job for job in session.store.jobs.all() if job.state == JobState.SUCCEEDED]
        assert (await session.jobs.suggestion(2)).improved_prompt == IMPROVED
        assert (await session.jobs.get(1)).state == JobState.UNCONFIRMED


def test_a_relaunch_in_two_windows_at_the_same_moment_is_sent_once(
    home: Path, server: ScriptedServer, killed: Hold
) -> None:
    at_once = threading.Barrier(2)
    outcomes: list[Job | UsageError] = []

    async def ask() -> None:
        async with opened(home, server) as session:
            await session.jobs.get(1)
            at_once.wait(PATIENCE)
            try:
                outcomes.append(await session.jobs.launch_again(1))
            except UsageError as error:
                outcomes.append(error)

    windows = [threading.Thread(target=lambda: asyncio.run(ask())) for _ in range(2)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    assert launches(server) == [PROMPT, PROMPT]
    (message,) = [error.message for error in outcomes if isinstance(error, UsageError)]
    assert message == "Job 1 was already relaunched as job 2."


async def test_an_answer_just_before_a_relaunch_prevents_paying_twice(
    home: Path, server: ScriptedServer, killed: Hold
) -> None:
    async with opened(home, server) as here, opened(home, server) as there:
        assert (await here.jobs.get(1)).state == JobState.UNCONFIRMED

        async def answered() -> None:
            there.store.jobs.record_progress_id(1, "p-1", "{}", time.time())

        error, _ = await asyncio.gather(here.jobs.launch_again(1), answered(), return_exceptions=True)
        assert isinstance(error, UsageError)
        assert error.message == "Can't relaunch job 1 (running)."
        assert launches(server) == [PROMPT]


async def test_a_killed_launch_becomes_unconfirmed_after_the_key_was_replaced(
    home: Path, server: ScriptedServer, killed: Hold
) -> None:
    async with opened(home, server, "another-key") as session:
        job = await session.jobs.get(1)
        assert (job.state, job.other_key) == (JobState.UNCONFIRMED, True)
        assert (await session.jobs.suggestion(1)).prompt == PROMPT
        assert (await session.jobs.forget(1)).state == JobState.FORGOTTEN
    assert launches(server) == [PROMPT]


async def test_a_late_answer_is_recorded_for_a_job_that_another_machine_gave_up(
    home: Path, server: ScriptedServer, prompt_file: Path
) -> None:
    hold = held_launch(server)
    server.on("GET", PROGRESS, DONE)
    waiting = process("improve", 5, "--prompt-file", prompt_file, "--wait")
    await eventually(hold.arrived.is_set, "the server has the launch")
    # On another machine with the same directory, a launching process counts as dead after ten minutes.
    with closing(sqlite3.connect(home / "cekura.db", isolation_level=None)) as sql:
        owner = json.dumps({"host": "another-machine", "pid": waiting.pid, "start": "x", "token": "t"})
        sql.execute("UPDATE jobs SET owner = ?, launched_at = launched_at - 700", (owner,))
    async with opened(home, server) as session:
        assert (await session.jobs.get(1)).state == JobState.UNCONFIRMED
        hold.released.set()
        while (await session.jobs.get(1)).state != JobState.SUCCEEDED:
            await session.engine.wait_for_change(1.0)
        assert (await session.jobs.suggestion(1)).improved_prompt == IMPROVED
    assert await asyncio.to_thread(waiting.wait, PATIENCE) == 0
    waiting.communicate()
    assert launches(server) == [PROMPT]
