"""The state for the first frame is read from the database without importing large libraries."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
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


@pytest.fixture
def read(home: Path) -> Callable[..., CachedStart]:
    """A function that reads the cached state of a scope for the first frame; None means the scope chosen last."""

    def read_scope(scope: str | None = None, key: str = "key", profile: str = "default") -> CachedStart:
        return read_cached_start(home / "cekura.db", ORIGIN, key, profile, scope)

    return read_scope


def counted(start: CachedStart) -> tuple[bool, int, list[int]]:
    """Whether the cached list is filtered, the total of the list, and the ids of the list's rows."""
    assert start.seen is not None
    return start.filtered, start.seen.count, [row.id for row in start.seen.rows]


def test_the_first_frame_shows_the_last_scope_with_runs_and_jobs(
    store: Store, home: Path, read: Callable[..., CachedStart]
) -> None:
    store.choose("project", 9, "Nine")
    store.runs.save_rows("project_id=9", 240, rows(2, 1), 1.0, first=True)
    job = store.jobs.begin_launch(Draft((5,), Prompt("x"), 7), 1.0, "me")
    store.jobs.save_draft(Draft((5,), Prompt("x"), 7), 1.0)
    start = read()
    assert (start.chosen, start.jobs, counted(start)) == (("project", 9, "Nine"), (job,), (False, 240, [2, 1]))
    assert read("agent_id=3").seen is None
    assert read(None, "other", "else").jobs == ()
    opened = open_read_only(home / "cekura.db")
    assert opened is not None
    with closing(opened) as sql, pytest.raises(sqlite3.OperationalError, match="readonly"):
        sql.execute("DELETE FROM jobs")


def test_the_first_frame_shows_notes_and_the_last_filter(store: Store, read: Callable[..., CachedStart]) -> None:
    store.choose("project", 9, "Nine")
    store.runs.save_rows("project_id=9", 240, rows(2, 1), 1.0, first=True)
    store.notes.put(2, "look", 1.0)
    store.views.save_columns("", "[]")
    left = "status:failed note:yes"
    store.views.save_last_filter("project_id=9", left)
    store.views.save_last_filter("agent_id=3", "id:1")
    for scope in (None, "project_id=9"):
        shown = read(scope)
        assert (shown.filter, dict(shown.notes), shown.columns) == (left, {2: "look"}, {"": "[]"})
        assert counted(shown) == (False, 240, [2, 1])
    assert (read("agent_id=3").filter, read("agent_id=4").filter) == ("id:1", "")
    assert (read(None, "other").filter, read(None, "other").notes) == ("", {})

    # Notes are local, so the list is cached under the server's part of the filter.
    key = RunQuery(Scope("project", 9), parse(left).filter).key
    assert key == "project_id=9 status:failed"
    store.runs.save_rows(key, 12, rows(2), 1.0, first=True)
    assert counted(read()) == (True, 12, [2])
    store.views.save_last_filter("project_id=9", "note:yes")
    assert counted(read()) == (True, 240, [2, 1])


@pytest.mark.parametrize("left", ["status:faild", 'status:failed "a', "status:failed since:never"])
def test_the_whole_list_is_shown_if_the_last_filter_is_unreadable(
    store: Store, read: Callable[..., CachedStart], left: str
) -> None:
    store.runs.save_rows("project_id=9", 240, rows(2, 1), 1.0, first=True)
    store.runs.save_rows("project_id=9 status:failed", 12, rows(2), 1.0, first=True)
    store.views.save_last_filter("project_id=9", left)
    shown = read("project_id=9")
    assert (shown.filter, counted(shown)) == (left, (False, 240, [2, 1]))


_READ_CACHED_START = """
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from cekura_tui.store.runs import read_cached_start
start = read_cached_start(Path(sys.argv[1]), "https://api.cekura.ai", "key", "default", "project_id=9")
assert start.filtered and len(start.seen.rows) == 2, start
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_reading_a_filtered_list_for_the_first_frame_imports_no_large_library(store: Store, home: Path) -> None:
    left = 'status:failed since:2d scenario:"Books a table" metric:~latency dur>2m30s refund'
    store.views.save_last_filter("project_id=9", left)
    store.runs.save_rows(list_key("project_id=9", parse(left).filter), 12, rows(2, 1), 1.0, first=True)
    loaded = set(
        subprocess.check_output([sys.executable, "-c", _READ_CACHED_START, home / "cekura.db"], text=True).split()
    )
    assert "cekura_tui" in loaded
    assert loaded & {"pydantic", "httpx", "asyncio", "textual", "rich", "starlette", "tomlkit"} == set()


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 1000])
def test_the_first_frame_is_empty_without_a_readable_database(
    home: Path, read: Callable[..., CachedStart], content: bytes | None
) -> None:
    home.mkdir()
    if content is not None:
        (home / "cekura.db").write_bytes(content)
    start = read()
    assert (start.chosen, start.seen, start.jobs) == (None, None, ())
    assert [path.name for path in home.iterdir()] == ([] if content is None else ["cekura.db"])


@pytest.mark.parametrize("damaged", ["[1, 2", "", " ", "1, 2", "[1], [2]", "[]", "null"])
@pytest.mark.parametrize("listed", [1, 3])
def test_a_list_with_a_damaged_row_is_not_in_the_first_frame(
    store: Store, read: Callable[..., CachedStart], listed: int, damaged: str
) -> None:
    store.runs.save_rows("s", listed, rows(*range(1, listed + 1)), 1.0, first=True)
    with store.database.write() as sql:
        assert sql.execute("UPDATE run_rows SET row = ? WHERE id = 1", (damaged,)).rowcount == 1
    assert read("s").seen is None
    with pytest.raises((ValueError, TypeError)):
        store.runs.cached_list("s")
