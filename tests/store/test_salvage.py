"""Salvage recovers data from a damaged database. tests/crash/test_damaged_pages.py damages every page."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from calling import call
from damaged_files import DAMAGES, KEY, ORIGIN, PAGE, STATES, Found, found_by_us, job_in_every_state, prompt_of
from recorded_answers import changed
from scripted_server import PROGRESS, Reply, ScriptedServer

from cekura_tui.api.client import Client
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt, sha256
from cekura_tui.store.database import Database
from cekura_tui.store.errors import DamagedText, RestartNeeded, StoreError
from cekura_tui.store.salvage import COPIED_TABLES, salvage
from cekura_tui.store.sqlite_pages import Pages, page_owners
from cekura_tui.store.store import Store


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("salvage") / "cekura.db"
    job_in_every_state(path)
    return path.read_bytes()


@pytest.fixture
def path(home: Path, whole_file: bytes) -> Path:
    """A database with a job in every state."""
    home.mkdir()
    (home / "cekura.db").write_bytes(whole_file)
    return home / "cekura.db"


def opened(path: Path) -> AbstractContextManager[Store]:
    return closing(Store(path, ORIGIN, KEY, "default"))


def job_of(store: Store, state: JobState) -> Job:
    """The job that had the state `state` before the damage."""
    job = store.jobs.get(number_of(state))
    assert job is not None
    return job


def pages_of(path: Path, name: str) -> list[int]:
    """The numbers of the pages that belong to a table or index."""
    with closing(Pages(path)) as pages:
        return [page for page, owner in page_owners(pages).items() if owner == name]


def number_of(state: JobState) -> int:
    return STATES.index(state) + 1


def damage(path: Path, *pages: int, kind: str = "noise") -> None:
    data = path.read_bytes()
    for page in pages:
        data = DAMAGES[kind](data, page)
    path.write_bytes(data)


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as sql:
        for statement in statements:
            sql.execute(statement)
        sql.commit()


def test_committed_pages_are_read_from_the_write_ahead_log(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "cekura.db"
    with closing(sqlite3.connect(path)) as sql:
        sql.execute("PRAGMA journal_mode = WAL")
        sql.execute("UPDATE prompts SET text = text || 'New.'")
        sql.commit()
        for name in ("", "-wal"):
            copy.with_name(f"cekura.db{name}").write_bytes(path.with_name(f"cekura.db{name}").read_bytes())
    whole = path.read_bytes()  # closing has written the log into the file
    with closing(Pages(copy)) as pages:
        assert copy.read_bytes() != whole
        assert [pages.page(n) for n in range(2, pages.count + 1)] == [
            whole[at : at + pages.size] for at in range(pages.size, len(whole), pages.size)
        ]


def test_salvage_of_an_intact_file_copies_every_row_exactly(path: Path, tmp_path: Path) -> None:
    new = Database(tmp_path / "new.db")
    with new.write() as sql:
        sql.execute("ROLLBACK")
        salvage(path, sql)
        sql.execute("BEGIN")
    with closing(sqlite3.connect(path)) as old:
        for table in (*COPIED_TABLES, "meta", "salt_copy", "sqlite_sequence"):
            rows = old.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            assert [tuple(row) for row in new.read(f"SELECT * FROM {table} ORDER BY 1, 2")] == rows
    new.close()


@pytest.mark.parametrize(("page", "kind"), [(-1, "cut off"), (-1, "zeros"), (1, "noise")])
def test_damage_to_the_first_or_last_page_of_the_file_loses_no_job_or_note(path: Path, page: int, kind: str) -> None:
    whole = found_by_us(path)
    damage(path, page if page > 0 else path.stat().st_size // PAGE, kind=kind)
    assert found_by_us(path).lacks(whole) == []
    with opened(path) as store:
        assert store.notes.all() == {101: "Asked twice for the name."}
        assert store.notes.draft(101) == "Asked twice."
        assert [(view.name, view.filter) for view in store.views.views()] == [("failed ones", "status:failed")]


def test_rows_in_the_write_ahead_log_are_salvaged(path: Path) -> None:
    with opened(path) as other:
        other.notes.put(102, "Written last.", 2_000_000.5)
        data = path.read_bytes()
        path.unlink()  # a copy: the open connection no longer writes to it
        path.write_bytes(data)
        damage(path, 1)
        with opened(path) as store:
            assert store.notes.all()[102] == "Written last."


def test_a_job_with_a_lost_row_is_rebuilt_from_its_history(path: Path) -> None:
    with opened(path) as store:
        before = {job.number: job for job in store.jobs.all(drafts=True)}
    damage(path, *pages_of(path, "jobs"))
    with opened(path) as store:
        after = {job.number: job for job in store.jobs.all(drafts=True)}
        expected = {number: job.state for number, job in before.items()}
        expected[number_of(JobState.LAUNCHING)] = JobState.UNCONFIRMED
        assert {number: job.state for number, job in after.items()} == expected
        for name in ("progress_id", "prompt_sha256", "improved_sha256", "error", "launched_at", "finished_at"):
            found, known = ({n: getattr(job, name) for n, job in jobs.items()} for jobs in (after, before))
            assert found == known, name
        assert "damaged" in after[number_of(JobState.RUNNING)].reason
        for job in after.values():  # their run ids are lost
            with pytest.raises(DamagedText, match="The record of job"):
                store.jobs.draft_of(job)
        assert store.jobs.begin_launch(Draft((5,), Prompt("Be kind."), 7), 9.0, "me").number == len(STATES) + 1


async def test_a_rebuilt_running_job_is_polled_until_it_succeeds(path: Path, scripted: ScriptedServer) -> None:
    change(path, *(f"UPDATE {table} SET origin = '{scripted.url}'" for table in ("jobs", "prompt_uses")))
    damage(path, *pages_of(path, "jobs"))
    scripted.on("GET", PROGRESS, Reply({"status": "completed", "output": {"improved_prompt": "Be kinder."}}))
    store, client = Store(path, scripted.url, KEY, "default"), Client(scripted.url, KEY, loopback=True)
    engine = JobEngine(store.jobs, client)
    engine.start()
    while job_of(store, JobState.RUNNING).state != JobState.SUCCEEDED:
        assert await engine.wait_for_change(10.0), "the job succeeds"
    assert [got.query for got in scripted.requests("GET", PROGRESS)] == [{"progress_id": "progress-running"}]
    await engine.close()
    await client.aclose()
    store.close()


def test_writes_of_another_window_during_salvage_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = []

    def salvage_while_another_writes(damaged: Path, into: sqlite3.Connection) -> str:
        with pytest.raises(StoreError, match="Can't write") as caught:
            other.notes.put(102, "Written meanwhile.", 2.0)
        refused.append(caught.value)
        return salvage(damaged, into)

    with opened(path) as other:
        other.database.read("PRAGMA busy_timeout = 0")
        damage(path, pages_of(path, "notes")[0])
        monkeypatch.setattr("cekura_tui.store.salvage.salvage", salvage_while_another_writes)
        with opened(path) as store:
            store.notes.all()
        assert len(refused) == 1
        with pytest.raises(RestartNeeded):
            other.notes.put(102, "Written later.", 3.0)


# Values


@pytest.mark.parametrize("page_size", [512, 4_096, 65_536])
def test_salvage_reads_values_of_any_kind_and_length_exactly(tmp_path: Path, page_size: int) -> None:
    path, copy = tmp_path / "any.db", tmp_path / "copy.db"
    powers = [sign * 2**n for n in (0, 7, 8, 15, 16, 23, 24, 31, 32, 47, 48, 62) for sign in (1, -1)]
    integers = [0, 2**63 - 1, 1 - 2**63, *(power + more for power in powers for more in (-1, 0, 1))]
    edges = [page_size - 35, *((page_size - 12) * part // 255 - 23 for part in (32, 64)), 2 * page_size - 39]
    lengths = [*range(140), *(edge + more for edge in edges for more in range(-24, 3))]
    texts = [f"{length}é" + "x" * length if length % 2 else b"y" * length for length in lengths]
    rows = [*((n, n, None) for n in sorted({*integers})), *((n + 5_000, n / 7, text) for n, text in enumerate(texts))]
    with closing(sqlite3.connect(path, isolation_level=None)) as sql, closing(sqlite3.connect(path)) as reader:
        for statement in (f"page_size = {page_size}", "journal_mode = WAL", "wal_autocheckpoint = 0", "cache_size = 1"):
            sql.execute(f"PRAGMA {statement}")
        sql.execute("CREATE TABLE t (a, b)")
        sql.execute("CREATE TABLE w (n, a, b, PRIMARY KEY (b, n)) WITHOUT ROWID")
        for begin in ("BEGIN", "PRAGMA wal_checkpoint", "BEGIN"):
            sql.execute(begin)
            if begin == "BEGIN":
                sql.execute("DELETE FROM t")
                sql.executemany("INSERT INTO t (rowid, a, b) VALUES (?, ?, ?)", rows)
                sql.executemany("INSERT OR REPLACE INTO w VALUES (?, ?, coalesce(?, ''))", rows)
                sql.execute("COMMIT")
        sql.execute("BEGIN")
        sql.execute("UPDATE t SET b = 'not committed, though some of its pages are in the log'")
        for name in ("", "-wal"):
            copy.with_name(f"copy.db{name}").write_bytes(path.with_name(f"any.db{name}").read_bytes())
        expected = {name: set(reader.execute(f"SELECT {of} FROM {name}")) for name, of in _COLUMNS.items()}
    with closing(Pages(copy)) as pages:
        found: dict[str, set[object]] = {"t": set(), "w": set()}
        for page, owner in page_owners(pages).items():
            for record in pages.records(page):
                found[owner].add((record.rowid, *record.values) if owner == "t" else record.values)
    assert pages.size == page_size
    assert found == expected


_COLUMNS = {"t": "rowid, a, b", "w": "b, n, a"}


# Long texts


@pytest.fixture
def long_text(tmp_path: Path) -> Path:
    """A database of five pages: the schema, one row, and the rest of the row's text on overflow pages 3, 4 and 5."""
    path = tmp_path / "long.db"
    with closing(sqlite3.connect(path)) as sql:
        sql.execute("CREATE TABLE t (text TEXT)")
        sql.execute("INSERT INTO t VALUES (?)", ("x" * 13_000,))
        sql.commit()
    assert path.stat().st_size == 5 * PAGE
    return path


@pytest.mark.parametrize("then", [5, 0, 1, 4, 6])
def test_a_text_with_a_broken_overflow_chain_is_not_read(long_text: Path, then: int) -> None:
    data = bytearray(long_text.read_bytes())
    assert data[3 * PAGE : 3 * PAGE + 4] == (5).to_bytes(4)
    data[3 * PAGE : 3 * PAGE + 4] = then.to_bytes(4)  # the next page of the chain, stored on page 4
    long_text.write_bytes(data)
    with closing(Pages(long_text)) as pages:
        (record,) = pages.records(2)
    assert record.values == (("x" * 13_000,) if then == 5 else ()), "whole, or not at all"


# Prompts


def test_a_job_whose_sent_prompt_is_damaged_keeps_its_improved_prompt(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, improved = number_of(JobState.SUCCEEDED), prompt_of("proposed")
    change(path, f"UPDATE prompts SET text = x'00' WHERE sha256 = '{sha256(prompt_of('sent succeeded'))}'")
    with opened(path) as store:
        done = store.jobs.suggestion(job_of(store, JobState.SUCCEEDED))
        assert done.improved_prompt == improved
        with pytest.raises(CekuraTuiError, match="The prompt sent with job 4 is damaged"):
            _ = done.prompt
    monkeypatch.setenv("CEKURA_API_URL", ORIGIN)
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    assert call("jobs", "show", number, "--prompt").out == improved
    shown = call("jobs", "show", number)
    assert "prompt: damaged in the database" in shown.out
    assert (shown.status, "`jobs show 4 --prompt`" in shown.err) == (2, True)
    assert call("jobs", "show", number, "--curl").out.count("curl") == 1


@pytest.mark.long
def test_damage_scenarios_lose_only_the_recorded_data() -> None:
    assert not changed("store/damage_answers.txt")


def test_no_data_is_found_in_a_file_of_noise(home: Path) -> None:
    home.mkdir()
    (home / "cekura.db").write_bytes(b"garbage " * 100_000)
    assert found_by_us(home / "cekura.db") == Found()
