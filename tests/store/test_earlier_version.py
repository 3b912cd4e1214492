"""A database of an earlier version, with a job in every state, is migrated, and its jobs continue.
`earlier_version.sql` is the dump of this database, with `https://api.example` in place of the server's URL."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from calling import call
from scripted_server import PROGRESS, Reply, ScriptedServer

from cekura_tui.api.client import Client
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.job import DEFAULT_KIND, JobState
from cekura_tui.prose.compare import compare
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.store.schema import VERSION
from cekura_tui.store.store import Store

KEY = "key-of-the-test"
DUMP = Path(__file__).with_name("earlier_version.sql")
BEFORE = {
    1: JobState.DRAFT,
    2: JobState.SUCCEEDED,
    3: JobState.NO_ISSUES,
    4: JobState.FAILED,
    5: JobState.RUNNING,
    6: JobState.STOPPED,
    7: JobState.LOST,
    8: JobState.UNCONFIRMED,
    9: JobState.LAUNCHING,
    10: JobState.FORGOTTEN,
    11: JobState.SUCCEEDED,
}


@pytest.fixture
def path(home: Path, scripted: ScriptedServer) -> Path:
    path = home / "cekura.db"
    home.mkdir(parents=True, exist_ok=True)
    sql = sqlite3.connect(path)
    sql.executescript(DUMP.read_text().replace("https://api.example", scripted.url))
    assert sql.execute("PRAGMA user_version").fetchone()[0] == 5 < VERSION
    sql.close()
    return path


def test_migration_keeps_every_job_unchanged(path: Path, scripted: ScriptedServer) -> None:
    store = Store(path, scripted.url, KEY, "default")
    assert store.database.notice == ""
    jobs = {number: store.jobs.get(number) for number in BEFORE}
    assert {number: job.state for number, job in jobs.items() if job} == BEFORE
    assert {(job.kind, job.result, len(job.parameters)) for job in jobs.values() if job} == {(DEFAULT_KIND, None, 0)}
    assert [job.number for job in store.jobs.all(drafts=True)] == [11, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert store.jobs.unreadable is None
    changed = {number: store.jobs.changes(number)[-1].at for number in BEFORE}
    assert {number: job.since for number, job in jobs.items() if job} == changed
    done = store.jobs.suggestion(store.jobs.all()[-1])
    assert (done.prompt, done.improved_prompt) == (
        "\ufeffBe kind.\r\nAsk for the name.\n",
        "\ufeffBe kind.\r\nAsk for the name, and spell it back.\n",
    )
    (hunk,) = compare(done.prompt, done.improved_prompt or done.prompt).hunks
    assert store.stagings.choices(2) == {hunk.key: HunkChoice("accepted", "")}
    assert store.stagings.typed(2) == {hunk.key: "Ask for the na"}
    assert store.stagings.staged(2) == done.improved_prompt
    assert [answer.raw for answer in store.jobs.answers(7)][-1] == '{"detail": "Not found."}'
    assert [change.state for change in store.jobs.changes(6)] == ["launching", "running", "stopped"]
    assert store.jobs.durations() == {DEFAULT_KIND: [30.0, 5.0, 5.0, 10.0, 10.0]}
    assert store.notes.all() == {102: "Asked twice for the name."}
    assert [(view.name, view.filter) for view in store.views.views()] == [("failed ones", "status:failed")]
    assert store.runs.opened(102) is not None
    assert {use.how for use in store.prompt_uses.all(7)} == {"seen", "sent", "proposed", "staged"}
    store.close()


async def test_after_migration_a_running_job_is_polled_to_its_end(path: Path, scripted: ScriptedServer) -> None:
    done = {"status": "completed", "output": {"improved_prompt": "Be kinder.\r\n", "summary_of_changes": "Kinder."}}
    scripted.on("GET", PROGRESS, Reply(done))
    store, client = Store(path, scripted.url, KEY, "default"), Client(scripted.url, KEY, loopback=True)
    engine = JobEngine(store.jobs, client)
    engine.start()
    while not (job := store.jobs.get(5)) or job.state != JobState.SUCCEEDED:
        assert await engine.wait_for_change(10.0), "job 5 succeeds"
    assert [got.query for got in scripted.requests("GET", PROGRESS)] == [{"progress_id": "p-5"}]
    assert store.jobs.suggestion(job).improved_prompt == "Be kinder.\r\n"
    orphan = store.jobs.get(9)
    assert orphan is not None
    assert orphan.state == JobState.UNCONFIRMED
    assert (await engine.resume(6)).state == JobState.RUNNING
    await engine.close()
    await client.aclose()
    store.close()


def test_the_command_line_lists_and_shows_migrated_jobs(
    path: Path, home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    listed = call("jobs", "list")
    assert (listed.status, len(listed.out.splitlines())) == (0, 10)
    for number in set(BEFORE) - {10}:
        assert call("jobs", "show", number).status == 0
    assert "spell it back" in call("jobs", "show", 2).out
    assert call("jobs", "show", 10).status == 2
