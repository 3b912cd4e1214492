"""If the database cannot be written after a launch, the outcome is saved in a file, reported and recorded later."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from engine_window import ACCEPTED, DRAFT, RUNNING, OpenWindow, Window
from scripted_server import HTML_502, LAUNCH, PROGRESS, Reply, ScriptedServer
from waiting import eventually

from cekura_tui.api.errors import ApiError
from cekura_tui.jobs import launch_records
from cekura_tui.jobs.engine import mark_orphaned_launches
from cekura_tui.jobs.owner import this_process
from cekura_tui.model.job import Job, JobState
from cekura_tui.store.errors import SentUnrecorded, Unrecorded
from cekura_tui.store.pending_answers import PendingAnswer, PendingAnswers


@pytest.fixture(autouse=True)
def short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the delays between attempts to write to the database."""
    for name, value in (("TRIES", 3), ("RETRY_DELAY", 0.05), ("LATE_RETRY_DELAY", 0.1)):
        monkeypatch.setattr(launch_records, name, value)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the database's write lock, as another process would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """Within the block, fail writes that grow a file beyond the present size of the write-ahead log."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.with_name(f"{path.name}-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


async def answered_under_lock(here: Window, reply: Reply) -> asyncio.Task[Job]:
    """Start a launch whose answer arrives at the next await, so that the caller can lock the database first."""
    here.store.database.read("PRAGMA busy_timeout = 20")
    hold, launching = await here.launch_held(reply)
    hold.released.set()
    return launching


@pytest.mark.parametrize(
    ("reply", "found", "reason"),
    [
        (ACCEPTED, (JobState.RUNNING, "p-1"), ""),
        (Reply(HTML_502, 502), (JobState.UNCONFIRMED, None), "502"),
        (Reply({"detail": "No credits."}, 402), (JobState.DRAFT, None), "No credits."),
    ],
)
async def test_a_launch_answered_on_a_full_disk_is_recorded_at_the_next_start(
    open_window: OpenWindow, home: Path, reply: Reply, found: tuple[JobState, str | None], reason: str
) -> None:
    here = await open_window()
    hold, launching = await here.launch_held(reply)
    pending = home / "cekura.db-taken-1.json"
    size = pending.stat().st_size
    with full_disk(here.path):
        hold.released.set()
        with pytest.raises((SentUnrecorded, ApiError)):
            await launching
        assert here.job().state == JobState.LAUNCHING
        assert (pending.stat().st_size, pending.read_bytes().strip()[:1]) == (size, b"{")
        await here.engine.close()
    await here.close()
    again = await open_window()
    again.engine.reload()
    job = again.job()
    assert ((job.state, job.progress_id), reason in job.reason) == (found, True)
    assert pending_files(home) == []


async def test_a_launch_is_not_sent_if_no_space_can_be_reserved_for_its_answer(here: Window, home: Path) -> None:
    (home / "cekura.db-taken-1.json").mkdir()
    with pytest.raises(Unrecorded, match=r"Nothing was launched\."):
        await here.engine.launch(DRAFT)
    assert (here.store.jobs.all(drafts=True), here.posts()) == ([], 0)


async def test_a_pending_answer_of_a_dead_process_is_recorded(here: Window) -> None:
    job = here.store.jobs.begin_launch(DRAFT, 1.0, this_process())
    here.engine.reload()
    for number in (0, 1):
        PendingAnswers(here.path).save(PendingAnswer(number, job.launched_at or 0.0, "p-1", "{}", 2.0))
    mark_orphaned_launches(here.store.jobs, [replace(job, owner="")], 3.0)
    assert [change.state for change in here.store.jobs.changes(1)] == [JobState.LAUNCHING, JobState.RUNNING]


async def test_disk_space_reserved_for_the_answer_of_a_dead_process_is_freed(here: Window, home: Path) -> None:
    here.store.jobs.begin_launch(DRAFT, 1.0, "nobody")
    here.engine.reload()
    assert here.job().state == JobState.UNCONFIRMED
    here.engine.reload()
    assert pending_files(home) == []


def pending_files(home: Path) -> list[str]:
    return [path.name for path in home.glob("*-taken-*")]


async def test_an_accepted_launch_is_reported_with_its_id_and_is_recorded_later(here: Window, home: Path) -> None:
    here.server.on("GET", PROGRESS, RUNNING)
    here.engine.start()
    launching = await answered_under_lock(here, ACCEPTED)
    with held(here.path):
        with pytest.raises(SentUnrecorded, match=r"accepted job 1 \(progress_id p-1\).*not recorded yet"):
            await launching
        assert pending_files(home) == ["cekura.db-taken-1.json"]
        assert (home / "cekura.db-taken-1.json").stat().st_mode & 0o077 == 0
        assert [launch.number for launch in here.engine.unrecorded] == [1]
        (home / "cekura.db-taken-1.json").rename(home / "saved")
        assert here.engine.unrecorded == [], "another process seems to have recorded it"
    job = await here.wait_for_state(JobState.RUNNING)
    assert job.progress_id == "p-1"
    await here.wait_for_polls(1)
    assert (pending_files(home), here.posts()) == ([], 1)


async def test_an_id_that_was_not_recorded_before_quitting_is_recorded_at_the_next_start(
    open_window: OpenWindow, home: Path, scripted: ScriptedServer
) -> None:
    scripted.on("GET", PROGRESS, RUNNING)
    here = await open_window()
    launching = await answered_under_lock(here, ACCEPTED)
    with held(here.path):
        await eventually(lambda: pending_files(home), "the answer is kept aside")
        await here.engine.close()
        with pytest.raises(SentUnrecorded):
            await launching
    await here.close()
    again = await open_window()
    again.engine.reload()
    job = again.job()
    assert (job.state, job.progress_id) == (JobState.RUNNING, "p-1")
    assert (pending_files(home), again.posts()) == ([], 1)


@pytest.mark.parametrize(
    ("reply", "kind", "said", "state"),
    [
        (Reply(HTML_502, 502), SentUnrecorded, r"Job 1 was sent\..*502", JobState.UNCONFIRMED),
        (Reply({"detail": "No credits."}, 402), ApiError, r"No credits\.", JobState.DRAFT),
    ],
)
async def test_an_unclear_or_refused_launch_is_reported_before_the_outcome_is_recorded(
    here: Window, reply: Reply, kind: type[Exception], said: str, state: JobState
) -> None:
    launching = await answered_under_lock(here, reply)
    with held(here.path), pytest.raises(kind, match=said):
        await launching
    await here.wait_for_state(state)
    assert here.posts() == 1


async def test_pending_answers_that_are_unreadable_or_of_another_launch_are_not_touched(
    here: Window, home: Path
) -> None:
    here.server.on("POST", LAUNCH, Reply(HTML_502, 502))
    job = await here.engine.launch(DRAFT)
    kept = PendingAnswers(here.path)
    assert kept.save(PendingAnswer(1, (job.launched_at or 0.0) - 1, "p-1", "{}", 2.0))
    assert kept.save(PendingAnswer(2, 1.0, "p-2", "{}", 2.0))
    for name, text in (("3", "no json"), ("4", "[]"), ("5", '{"number": 6}'), ("6", "[" * 100_000)):
        (home / f"cekura.db-taken-{name}.json").write_text(text)
    os.mkfifo(home / "cekura.db-taken-7.json")
    here.engine.reload()
    assert here.job().state == JobState.UNCONFIRMED
    assert len(pending_files(home)) == 7


ANSWER = PendingAnswer(1, 1.0, "p-1", "{}", 2.0)


def test_saving_an_answer_returns_none_if_no_directory_is_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    env = {"XDG_STATE_HOME": "relative", "TMPDIR": str(tmp_path / "file")}
    pending = PendingAnswers(tmp_path / "gone" / "cekura.db", env)
    assert pending.save(ANSWER) is None
    pending.drop(1)
    assert list(pending.all()) == []


def test_an_answer_larger_than_its_reserved_space_is_saved_without_its_body(tmp_path: Path) -> None:
    pending = PendingAnswers(tmp_path / "cekura.db")
    pending.reserve(1)
    assert pending.save(replace(ANSWER, raw="x" * 10_000))
    assert list(pending.all()) == [replace(ANSWER, raw="")]


def test_an_answer_is_saved_in_the_state_directory_if_the_database_has_no_directory(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path / "user")}
    pending = PendingAnswers(tmp_path / "gone" / "cekura.db", env)
    where = pending.save(ANSWER)
    assert where is not None
    assert where.parent == tmp_path / "user/.local/state/cekura-tui"
    assert (where.parent.stat().st_mode & 0o777, where.stat().st_mode & 0o777) == (0o700, 0o600)
    assert list(PendingAnswers(tmp_path / "gone" / "cekura.db", env).all()) == [ANSWER]
    assert list(PendingAnswers(tmp_path / "other" / "cekura.db", env).all()) == []
    pending.drop(1)
    assert not where.exists()


@pytest.mark.parametrize("trap", ["open to others", "a link"])
def test_a_linked_or_public_directory_is_neither_written_nor_read(tmp_path: Path, trap: str) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path / "state"), "TMPDIR": str(tmp_path)}
    pending, target = PendingAnswers(tmp_path / "gone" / "cekura.db", env), tmp_path / "target"
    where = pending.save(ANSWER)
    assert where is not None
    where.parent.rename(target)
    if trap == "a link":
        where.parent.symlink_to(target)
    else:
        target.rename(where.parent).chmod(0o777)
    assert list(pending.all()) == []
    other = pending.save(ANSWER)
    assert other is not None
    assert (other.parent.parent, list(pending.all())) == (tmp_path, [ANSWER])
