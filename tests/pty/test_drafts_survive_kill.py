"""Text typed into a conflict or a note is restored after kill -9."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from scripted_server import Reply, ScriptedServer
from terminal import Start, Terminal

from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.store.store import Store
from cekura_tui.workspace.setup import make_setup

KEY = "key-of-who-words"
SENT, NOW, PROPOSED = "Be kind to callers.\n", "Be patient with callers.\n", "Be brief with callers.\n"


@pytest.fixture
def store(scripted: ScriptedServer, home: Path) -> Iterator[Store]:
    env = {"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": KEY}
    setup = make_setup(api_url=scripted.url, project_id=1, env=env)
    with closing(Store(setup.paths.database, setup.origin, KEY, setup.profile)) as store:
        yield store


@pytest.fixture
def app(start: Start, scripted: ScriptedServer) -> Callable[[], Terminal]:
    args = ("--api-url", scripted.url, "--project", "1")
    return lambda: start(*args, env={"CEKURA_API_KEY": KEY}, columns=80, lines=24)


def list_runs(scripted: ScriptedServer, *runs: dict[str, object]) -> None:
    answer = {"count": len(runs), "next": None, "previous": None, "results": runs}
    scripted.on("GET", "/test_framework/v1/runs/", Reply(answer))


def conflict(scripted: ScriptedServer, store: Store) -> None:
    """Save job 1, which succeeded, and serve an agent whose prompt has changed since its launch."""
    list_runs(scripted)
    scripted.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "agent_name": "Line", "description": NOW}))
    job = store.jobs.begin_launch(Draft((5,), Prompt(SENT), 7, "Line"), time.time() - 60, "")
    store.jobs.record_progress_id(job.number, "p", json.dumps({"progress_id": "p"}), time.time() - 50)
    answer = {"status": "completed", "output": {"improved_prompt": PROPOSED}}
    store.jobs.record_answer(job.number, read_progress(answer), json.dumps(answer), time.time() - 40)


def test_text_typed_into_a_conflict_survives_kill_9(
    app: Callable[[], Terminal], scripted: ScriptedServer, store: Store
) -> None:
    conflict(scripted, store)

    def open_conflict() -> Terminal:
        terminal = app().wait("No runs here yet.").press("2")
        terminal.wait("Job 1", "1 succeeded").press("enter")
        terminal.wait("Suggestion of job 1", "Changes · 1 of 1").press("A")
        terminal.wait("✓1").press("W")
        return terminal.wait("1 conflict to decide").press("c").wait("ctrl+g apply")

    terminal = open_conflict()
    terminal.press(*"Please. ")
    terminal.until(lambda: any("Please. " in text for text in store.stagings.typed(1).values()), "it is kept")
    terminal.press(*"And")  # may not be saved completely
    terminal.kill()
    again = open_conflict().wait("Be brief with callers.", "Please.")
    again.press("ctrl+g")
    again.wait("ctrl+g update", "Please.").press("ctrl+q")
    assert again.ended() == 0


def test_a_typed_note_survives_kill_9(app: Callable[[], Terminal], scripted: ScriptedServer, store: Store) -> None:
    list_runs(scripted, {"id": 7001, "status": "completed", "success": True})

    def open_note() -> Terminal:
        return app().wait("7001", "1 run").press("m").wait("Note on run 7001")

    terminal = open_note()
    terminal.press(*"Asked twice. ")
    terminal.until(lambda: store.notes.draft(7001).startswith("Asked"), "it is kept")
    terminal.press(*"And")  # may not be saved completely
    terminal.kill()
    again = open_note().wait("Asked", "Typed earlier, not saved.")
    assert store.notes.all() == {}
    again.press("enter")
    again.until(lambda: store.notes.all(), "the note is saved")
    assert store.notes.draft(7001) == ""
    again.quit()
