"""An opened run is shown at once, and written to the database a moment later or when the session closes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from scripted_server import Reset, ScriptedServer, run_of, serve_runs
from waiting import eventually

from cekura_tui.store.errors import StoreError
from cekura_tui.store.runs import RunStore
from cekura_tui.workspace import opened_runs
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup

RUN = "/test_framework/v1/runs/5/"


async def test_an_opened_run_is_cached_at_once_and_written_later(session: Session, scripted: ScriptedServer) -> None:
    serve_runs(scripted, run_of(5), run_of(6, status="in_progress", evaluation_status=None))
    view = await session.run(5)
    assert (session.store.runs.opened_at(5), session.lists.whole_rows([5])) == (None, (view.row,))
    assert await session.known_run(5) == (view, True)
    await eventually(lambda: session.store.runs.opened_at(5) == view.got_at, "it is written")
    assert await session.known_run(5) == (view, True)
    assert len(scripted.requests("GET", RUN)) == 1
    scripted.on("GET", RUN, Reset())
    again = await session.run(5, once=True)
    assert (again.cached, again.got_at) == (True, view.got_at)

    await session.run(6)
    known, fresh = await session.known_run(6)
    assert (known is not None and known.cached, fresh) == (True, False), "a running run may have changed"


async def test_closing_the_session_writes_runs_that_are_not_written_yet(scripted: ScriptedServer, home: Path) -> None:
    serve_runs(scripted, run_of(5), run_of(6))
    env = {"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": "key"}
    setup = make_setup(api_url=scripted.url, project_id=1, env=env)
    first = Session.open(setup)
    views = [await first.run(number) for number in (5, 6)]
    await first.close()
    second = Session.open(setup)
    assert [second.store.runs.opened_at(view.row.id) for view in views] == [view.got_at for view in views]
    await second.close()


async def test_a_run_that_cannot_be_written_is_shown_and_logged(
    session: Session, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(store: RunStore, run: object, at: float) -> int:
        raise StoreError("The disk is full.", "Make room.")

    monkeypatch.setattr(RunStore, "save_opened", full)
    monkeypatch.setattr(opened_runs, "WRITE_DELAY", 0.0)
    serve_runs(scripted, run_of(5))
    with caplog.at_level(logging.WARNING, "cekura_tui.workspace"):
        view = await session.run(5)
        await eventually(lambda: "run 5 was not cached: The disk is full." in caplog.text, "the log")
    assert await session.known_run(5) == (view, True)
