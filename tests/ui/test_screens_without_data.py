"""Screens that are loading, empty or failed say why, and name the key that helps."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_on_a_server import LAUNCH, LIST, SMALL, Served, no_crash, opened, setup_of
from hostile import serve_hostile
from read_only_place import read_only_place
from scripted_server import HTML_502, Hold, Reply, Reset, ScriptedServer, closed_port, run_of, serve_runs
from seeded_jobs import DONE, KEY, seeded_jobs
from watching import sees


def page(*runs: dict[str, object]) -> Reply:
    return Reply({"count": len(runs), "next": None, "previous": None, "results": list(runs)})


async def test_the_screen_says_that_a_list_is_loading_and_then_that_the_list_is_empty(scripted: ScriptedServer) -> None:
    hold = Hold(page())
    scripted.on("GET", LIST, hold)
    async with opened(setup_of(scripted.url, KEY, 1)) as pilot:
        await sees(pilot, "Loading runs", "loading")
        hold.released.set()
        await sees(pilot, "No runs here yet.", "0 runs", "p choose another project", "/ Filter")
        await pilot.press("enter", "i", "space", "j", "G", "exclamation_mark")
        await sees(pilot, "No failed runs here.", "! show all runs")
        no_crash(pilot)


async def test_an_unreachable_server_is_named_with_the_keys_that_help(scripted: ScriptedServer) -> None:
    port = closed_port()
    async with opened(setup_of(f"http://127.0.0.1:{port}", KEY, 1), size=SMALL) as pilot:
        await sees(pilot, f"Can't reach 127.0.0.1:{port}", "r retries", "enter shows the whole error")
        await pilot.press("enter")
        await sees(pilot, "Check the network", "esc close")
        await pilot.press("escape", "2")
        await sees(pilot, "No jobs yet.", "press i")


async def test_an_answer_that_is_no_list_is_explained_and_r_retries(scripted: ScriptedServer) -> None:
    scripted.on("GET", LIST, Reply(HTML_502, 502))
    async with opened(setup_of(scripted.url, KEY, 1)) as pilot:
        await sees(pilot, "502", "an HTML page", "r retries")
        scripted.on("GET", LIST, Reply({"hello": "world"}))
        await pilot.press("r")
        await sees(pilot, "is not a list", "r retries")
        scripted.on("GET", LIST, page(run_of(5)))
        await pilot.press("r")
        await sees(pilot, "1 run ", "Books a table", "Run 5 not found", gone="is not a list")  # the preview, too
        no_crash(pilot)


async def test_cached_runs_are_shown_at_once_while_the_server_is_unreachable(scripted: ScriptedServer) -> None:
    serve_runs(scripted, run_of(5))
    scripted.on("GET", LIST, page(run_of(5)))
    setup = setup_of(scripted.url, KEY, 1)
    async with opened(setup) as pilot:
        await sees(pilot, "1 run ", "This run has no transcript.")
    for path in (LIST, f"{LIST}5/"):
        scripted.on("GET", path, Reset())
    async with opened(setup) as pilot:
        await sees(pilot, "1 run ", "Books a table", "unreachable since", "retrying · cached")
        await pilot.press("enter")
        await sees(pilot, "Run 5", "This run has no transcript.", "cached ")
        no_crash(pilot)


async def test_a_malformed_run_is_shown_and_does_not_affect_other_runs(scripted: ScriptedServer) -> None:
    odd = {"id": 6, "agent": "x", "duration": {"a": 1}, "scenario_name": 5, "transcript_object": [None, 7]}
    scripted.on("GET", LIST, page(run_of(7), odd))
    serve_runs(scripted, run_of(7), odd)
    async with opened(setup_of(scripted.url, KEY, 1), size=SMALL) as pilot:
        await sees(pilot, "2 runs", "Books a table")
        await pilot.press("G", "enter")
        await sees(pilot, "Run 6", "2 turns", "(no words)")
        no_crash(pilot)


@pytest.mark.long
async def test_hostile_names_are_shown_literally_in_lists_and_pages_and_dialogs(scripted: ScriptedServer) -> None:
    serve_hostile(scripted, end={"status": "failed", "error": "[/red] [@click=app.quit]it[/] \x1b[2Jbroke"})
    evil = "[/red] [@click=app.quit]"
    async with opened(setup_of(scripted.url, KEY, None), size=(140, 40)) as pilot:
        await sees(pilot, "2 runs", evil)
        await pilot.press("p")
        await sees(pilot, "List runs of", "[/red]")
        await pilot.press("escape", "enter")
        await sees(pilot, "Run 102", "4 turns", evil)
        await pilot.press("i")
        await sees(pilot, "Improve the prompt", evil, "Ask for the name.", gone="Loading")
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 1 launched", gone="Improve the prompt")
        await pilot.press("2")
        await sees(pilot, "1 failed", "[2Jbroke")
        await pilot.press("enter")
        await sees(pilot, "The job ended without a suggestion.", "[/red]", "[2Jbroke")
        await pilot.press("escape", "1", "escape")
        await sees(pilot, "2 runs", "─ Jobs ─", "✗ failed")
        scripted.on("GET", LIST, Reply({"detail": "[/red] [@click=app.quit]no[/] \x1b[31m"}, 400))
        await pilot.press("r")
        await sees(pilot, "refused since", "2 runs")
        await pilot.press("slash", *"zzz", "enter")
        await sees(pilot, "[/red] [@click=app.quit]no[/] [31m")
        await pilot.press("enter")
        await sees(pilot, "esc close", "[/red]")
        no_crash(pilot)


async def test_a_read_only_session_says_that_nothing_is_saved_and_shows_runs_and_jobs(
    served: Served, home: Path
) -> None:
    with seeded_jobs(served.setup(), served.server.key) as seeded:
        seeded.ended(DONE, took=30.0)
        seeded.running()
    with read_only_place(home):
        async with opened(served.setup()) as pilot:
            await sees(pilot, "Read-only session: nothing is saved or launched.", "read-only", "240 runs")
            await pilot.press("2")
            await sees(pilot, "succeeded", "running", "none: nothing can be")
    assert served.requests_to(LAUNCH, "POST") == []
