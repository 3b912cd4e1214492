"""Killed while one words a conflict with the agent's prompt otherwise, or a note: what was typed is there again."""

from __future__ import annotations

import json
import time
from pathlib import Path

from scripted_server import Reply, ScriptedServer
from terminal import Start, Terminal

from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.store.store import Store
from cekura_tui.workspace.setup import make_setup

KEY = "key-of-who-words"
SENT, NOW, PROPOSED = "Be kind to callers.\n", "Be patient with callers.\n", "Be brief with callers.\n"


def opened(scripted: ScriptedServer, home: Path) -> Store:
    """The database of the program."""
    env = {"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": KEY}
    setup = make_setup(api_url=scripted.url, project_id=1, env=env)
    return Store(setup.paths.database, setup.origin, KEY, setup.profile)


def conflict(scripted: ScriptedServer, home: Path) -> Store:
    """Somebody has changed the agent's prompt since it was sent with job 1, which succeeded."""
    nothing = {"count": 0, "next": None, "previous": None, "results": []}
    scripted.on("GET", "/test_framework/v1/runs/", Reply(nothing))
    scripted.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "agent_name": "Line", "description": NOW}))
    store = opened(scripted, home)
    job = store.jobs.begin_launch(Draft((5,), Prompt(SENT), 7, "Line"), time.time() - 60, "")
    store.jobs.record_progress_id(job.number, "p", json.dumps({"progress_id": "p"}), time.time() - 50)
    answer = {"status": "completed", "output": {"improved_prompt": PROPOSED}}
    store.jobs.record_answer(job.number, read_progress(answer), json.dumps(answer), time.time() - 40)
    return store


def test_what_was_typed_into_a_conflict_is_there_after_kill_9(
    start: Start, scripted: ScriptedServer, home: Path
) -> None:
    store = conflict(scripted, home)

    def worded() -> Terminal:
        """Up to the box of the conflict."""
        terminal = start("--api-url", scripted.url, "--project", "1", env={"CEKURA_API_KEY": KEY}, columns=80, lines=24)
        terminal.wait("No runs here yet.").press("2")
        terminal.wait("Job 1", "1 succeeded").press("enter")
        terminal.wait("Suggestion of job 1", "Changes · 1 of 1").press("A")
        terminal.wait("✓1").press("p")
        terminal.wait("1 conflict to decide").press("e")
        return terminal.wait("ctrl+g apply")

    terminal = worded()
    terminal.press(*"Please. ")
    terminal.until(lambda: any(text.startswith("Please. ") for text in store.stagings.typed(1).values()), "it is kept")
    terminal.press(*"And")  # not all of this may be there yet
    terminal.kill()
    store.close()
    again = worded().wait("Please. ", "Be brief with callers.")
    again.press("ctrl+g")
    again.wait("y update", "Please.").press("ctrl+q")
    assert again.ended() == 0


def test_a_note_that_was_being_typed_is_there_after_kill_9(start: Start, scripted: ScriptedServer, home: Path) -> None:
    run = {"id": 7001, "status": "completed", "success": True}
    scripted.on(
        "GET", "/test_framework/v1/runs/", Reply({"count": 1, "next": None, "previous": None, "results": [run]})
    )
    store = opened(scripted, home)

    def noted() -> Terminal:
        """Up to the line of the note."""
        args = ("--api-url", scripted.url, "--project", "1")
        terminal = start(*args, env={"CEKURA_API_KEY": KEY}, columns=80, lines=24)
        terminal.wait("7001", "1 run").press("m")
        return terminal.wait("Note on run 7001")

    terminal = noted()
    terminal.press(*"Asked twice. ")
    terminal.until(lambda: store.notes.draft(7001).text.startswith("Asked"), "it is kept")
    terminal.press(*"And")  # not all of this may be there yet
    terminal.kill()
    again = noted().wait("Asked", "Typed earlier, not saved.")
    assert store.notes.all() == {}
    again.press("enter")
    again.until(lambda: store.notes.all(), "the note is saved")
    assert store.notes.draft(7001).text == ""
    again.quit()
    store.close()
