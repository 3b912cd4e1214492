"""The first frame shows what was seen last, and reads no more than that."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cekura_tui.model.filter.parse import parse
from cekura_tui.model.job import Draft
from cekura_tui.model.run.query import RunQuery, list_key
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import Prompt
from cekura_tui.store.database import open_read_only
from cekura_tui.store.runs import CachedStart, read_cached_start
from cekura_tui.store.store import Store

ORIGIN = "https://api.cekura.ai"


def rows(*numbers: int) -> list[RunRow]:
    return [row_of(Run.read({"id": number, "agent": 7, "duration": 61, "status": "failed"})) for number in numbers]


def test_the_first_frame_shows_what_was_chosen_seen_and_launched(store: Store, home: Path) -> None:
    store.choose("project", 9, "Nine")
    store.runs.keep_rows("project_id=9", 240, rows(2, 1), 1.0, first=True)
    job = store.jobs.begin_launch(Draft((5,), Prompt("x"), 7), 1.0, "me")
    store.jobs.save_draft(Draft((5,), Prompt("x"), 7), 1.0)
    start = read_cached_start(home / "cekura.db", ORIGIN, "key", "default", None)
    assert start.chosen == ("project", 9, "Nine")
    assert start.seen is not None
    assert [row.id for row in start.seen.rows] == [2, 1]
    assert start.jobs == (job,)
    assert read_cached_start(home / "cekura.db", ORIGIN, "key", "default", "agent_id=3").seen is None
    assert read_cached_start(home / "cekura.db", ORIGIN, "other", "else", None).jobs == ()


def test_the_first_frame_shows_the_notes_and_the_filter_that_the_list_was_left_with(store: Store, home: Path) -> None:
    store.choose("project", 9, "Nine")
    store.runs.keep_rows("project_id=9", 240, rows(2, 1), 1.0, first=True)
    store.notes.put(2, "look", 1.0)
    store.views.save_columns("", "[]")
    left = "status:failed note:yes"
    store.views.save_last_filter("project_id=9", left)
    store.views.save_last_filter("agent_id=3", "id:1")

    def start(scope: str | None, key: str = "key") -> CachedStart:
        return read_cached_start(home / "cekura.db", ORIGIN, key, "default", scope)

    for scope in (None, "project_id=9"):
        shown = start(scope)
        assert (shown.filter, shown.filtered, dict(shown.notes)) == (left, False, {2: "look"})
        assert shown.columns == {"": "[]"}
        assert shown.seen is not None
        assert shown.seen.count == 240
    assert start("agent_id=3").filter == "id:1"
    assert start("agent_id=4").filter == ""
    assert (start(None, "other").filter, start(None, "other").notes) == ("", {})

    # A note is known here alone: the server is asked for failed runs.
    key = RunQuery(Scope("project", 9), parse(left).filter).key
    assert key == "project_id=9 status:failed"
    store.runs.keep_rows(key, 12, rows(2), 1.0, first=True)
    shown = start(None)
    assert shown.seen is not None
    assert (shown.filtered, shown.seen.count, [row.id for row in shown.seen.rows]) == (True, 12, [2])
    store.views.save_last_filter("project_id=9", "note:yes")
    shown = start(None)
    assert shown.seen is not None
    assert (shown.filtered, shown.seen.count) == (True, 240)


@pytest.mark.parametrize("left", ["status:faild", 'status:failed "a', "status:failed since:never"])
def test_a_filter_that_cannot_be_read_shows_the_whole_list_and_is_still_told(
    store: Store, home: Path, left: str
) -> None:
    store.runs.keep_rows("project_id=9", 240, rows(2, 1), 1.0, first=True)
    store.runs.keep_rows("project_id=9 status:failed", 12, rows(2), 1.0, first=True)
    store.views.save_last_filter("project_id=9", left)
    shown = read_cached_start(home / "cekura.db", ORIGIN, "key", "default", "project_id=9")
    assert shown.seen is not None
    assert (shown.filter, shown.filtered, shown.seen.count) == (left, False, 240)


_READ_CACHED_START = """
import sys
from pathlib import Path
from cekura_tui.store.runs import read_cached_start
start = read_cached_start(Path(sys.argv[1]), "https://api.cekura.ai", "key", "default", "project_id=9")
assert start.filtered and len(start.seen.rows) == 2, start
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_a_list_with_a_filter_is_shown_without_waiting_for_any_large_library(store: Store, home: Path) -> None:
    left = 'status:failed since:2d scenario:"Books a table" metric:~latency dur>2m30s refund'
    store.views.save_last_filter("project_id=9", left)
    key = list_key("project_id=9", parse(left).filter)
    store.runs.keep_rows(key, 12, rows(2, 1), 1.0, first=True)
    done = subprocess.run(
        [sys.executable, "-c", _READ_CACHED_START, str(home / "cekura.db")], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "cekura_tui" in loaded
    assert loaded & {"pydantic", "httpx", "asyncio", "textual", "rich", "starlette", "tomlkit"} == set()


def test_the_first_frame_reads_and_never_writes(store: Store, home: Path) -> None:
    sql = open_read_only(home / "cekura.db")
    assert sql is not None
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        sql.execute("DELETE FROM jobs")
    sql.close()


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 1000])
def test_the_first_frame_is_empty_where_there_is_nothing_to_read(home: Path, content: bytes | None) -> None:
    home.mkdir()
    if content is not None:
        (home / "cekura.db").write_bytes(content)
    start = read_cached_start(home / "cekura.db", ORIGIN, "key", "default", None)
    assert (start.chosen, start.seen, start.jobs) == (None, None, ())
    assert [path.name for path in home.iterdir()] == ([] if content is None else ["cekura.db"])


@pytest.mark.parametrize("damaged", ["[1, 2", "", " ", "1, 2", "[1], [2]", "[]", "null"])
@pytest.mark.parametrize("listed", [1, 3])
def test_of_a_list_with_a_damaged_row_the_first_frame_shows_none(
    store: Store, home: Path, listed: int, damaged: str
) -> None:
    store.runs.keep_rows("s", listed, rows(*range(1, listed + 1)), 1.0, first=True)
    with store.database.write() as sql:
        assert sql.execute("UPDATE run_rows SET row = ? WHERE id = 1", (damaged,)).rowcount == 1
    assert read_cached_start(home / "cekura.db", ORIGIN, "key", "default", "s").seen is None
    with pytest.raises((ValueError, TypeError)):
        store.runs.seen("s")
