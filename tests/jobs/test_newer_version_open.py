"""A newer version migrates the database while jobs run: this version sends nothing more, and no answer is lost."""

from __future__ import annotations

import pytest
from engine_window import ACCEPTED, DONE, DRAFT, RUNNING, Follow, OpenWindow, Window, fast_engine
from newer_database import ADDED, NOTHING, REPLACED, contents, migrate
from scripted_server import PROGRESS, Hold, ScriptedServer
from waiting import eventually

from cekura_tui.model.job import Job, JobState
from cekura_tui.store import database
from cekura_tui.store.errors import RestartNeeded, SentUnrecorded, Unrecorded
from cekura_tui.store.schema import VERSION


async def stopped(here: Window) -> None:
    await eventually(lambda: isinstance(here.engine.trouble, RestartNeeded), "the engine saw the newer version")


@pytest.mark.parametrize("script", [ADDED, REPLACED], ids=["added", "replaced"])
async def test_polls_and_launches_end_and_the_database_stays_unchanged(follow: Follow, script: str) -> None:
    here = await follow(RUNNING)
    await here.wait_for_polls(2)
    migrate(here.path, script)
    polls, saved = here.polls(), contents(here.path)
    await stopped(here)
    with pytest.raises(Unrecorded, match=r"Nothing was launched\. A newer cekura-tui"):
        await here.engine.launch(DRAFT)
    with pytest.raises(RestartNeeded):
        await here.engine.resume(1)
    await here.close()
    assert here.polls() - polls <= 1  # in flight during the migration
    assert (here.posts(), contents(here.path)) == (1, saved)


async def test_an_end_that_arrives_after_the_migration_is_left_to_the_newer_version(
    follow: Follow, open_window: OpenWindow, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Job] = []
    hold = Hold(DONE)
    here = await follow(hold, DONE, engine=lambda *args, **more: fast_engine()(*args, **more, ended=ended.append))
    await eventually(hold.arrived.is_set, "the poll arrived")
    migrate(here.path, NOTHING)
    hold.released.set()
    await stopped(here)
    assert (ended, here.job().state) == ([], JobState.RUNNING)
    monkeypatch.setattr(database, "VERSION", VERSION + 1)
    newer = await open_window(engine=lambda *args, **more: fast_engine()(*args, **more, ended=ended.append))
    newer.engine.start()
    await newer.wait_for_state(JobState.SUCCEEDED)
    assert ([job.number for job in ended], newer.polls(), newer.posts()) == ([1], 2, 1)


async def test_the_answer_to_a_launch_in_flight_is_recorded_by_the_newer_version(
    here: Window, open_window: OpenWindow, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET", PROGRESS, RUNNING)
    hold, launching = await here.launch_held(ACCEPTED)
    migrate(here.path, NOTHING)
    saved = contents(here.path)
    hold.released.set()
    with pytest.raises(SentUnrecorded, match=r"accepted job 1 .* is not recorded yet\. A newer cekura-tui") as caught:
        await launching
    assert "will be recorded later. Do not launch the job again." in caught.value.hint
    assert contents(here.path) == saved
    await here.close()
    monkeypatch.setattr(database, "VERSION", VERSION + 1)
    newer = await open_window()
    newer.engine.reload()
    assert (newer.job().state, newer.job().progress_id) == (JobState.RUNNING, "p-1")
    assert (newer.posts(), caught.value.is_recorded) == (1, True)
