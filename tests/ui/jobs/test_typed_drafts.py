"""What is typed into a prompt is on the disk soon, and no window takes away what was typed in another."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import LIST, on_run, opened, setup_of
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, ScriptedServer, run_of, serve_runs
from test_improve_dialog import choose, name_file
from textual.pilot import Pilot
from textual.widgets import TextArea
from waiting import eventually
from watching import sees

from cekura_tui.config.credentials import ApiKey, save_key
from cekura_tui.store.store import Store
from cekura_tui.ui.jobs import improve
from cekura_tui.workspace.setup import Setup

PROMPT = "Be kind."


@pytest.fixture
def setup(scripted: ScriptedServer) -> Setup:
    """The settings of somebody whose server has one run."""
    serve_runs(scripted, run_of(5))
    scripted.on("GET", LIST, Reply({"count": 1, "next": None, "previous": None, "results": [run_of(5)]}))
    scripted.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "agent_name": "A", "description": PROMPT}))
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p-1"}))
    scripted.on("GET", PROGRESS, Reply({"status": "running", "output": None, "error": None}))
    return setup_of(scripted.url, "key", 1)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts are kept after a fifth of a second without a key."""
    monkeypatch.setattr(improve, "AUTOSAVE", 0.2)


@pytest.fixture
def other(setup: Setup) -> Any:
    """Another window's drafts and jobs."""
    store = Store(setup.paths.database, setup.origin, "key", setup.profile)
    yield store.jobs
    store.close()


def kept(setup: Setup, state: str = "draft") -> list[str]:
    """The prompts of all drafts as another program finds them, oldest first."""
    found = "SELECT text FROM jobs JOIN prompts ON sha256 = prompt_sha256 WHERE state = ? ORDER BY number"
    with closing(sqlite3.connect(setup.paths.database)) as sql:
        return [bytes(text).decode() for (text,) in sql.execute(found, (state,))]


def sent(scripted: ScriptedServer) -> list[str]:
    return [launch.json()["prompt"] for launch in scripted.requests("POST", LAUNCH)]


async def dialog(pilot: Pilot[None], *shown: str) -> TextArea:
    """Open the dialog; the cursor is before the prompt's text."""
    await on_run(pilot, 5)
    await pilot.press("i")
    await sees(pilot, "Improve the prompt", *shown, gone="Loading")
    area = pilot.app.screen.query_one(TextArea)
    area.focus()
    await pilot.press("enter")
    return area


async def is_kept(setup: Setup, *prompts: str) -> None:
    await eventually(lambda: kept(setup) == list(prompts), f"these drafts: {prompts}")


def write_over(other: Any, prompt: str) -> None:
    """Another window takes up the draft and types into it."""
    job = other.latest_draft(7, (5,))
    assert job is not None
    draft = other.draft_of(job)
    other.save_draft(type(draft)(draft.run_ids, prompt, 7, "A"), time.time(), job)


async def test_what_is_typed_without_a_pause_is_kept_while_one_types(setup: Setup) -> None:
    async with opened(setup) as pilot:
        area = await dialog(pilot, PROMPT)
        found, begun = set(), time.monotonic()
        for _ in range(30):
            await pilot.press("w")
            await asyncio.sleep(0.03)
            found.update(kept(setup))
        took = time.monotonic() - begun
        assert max(map(len, found), default=0) >= len(PROMPT) + 5, "it is kept while one types"
        assert len(found) <= took / improve.AUTOSAVE, "but not with every key"
        await is_kept(setup, area.text)


async def test_what_was_kept_by_mistake_and_undone_is_not_what_is_left_of_a_draft(setup: Setup) -> None:
    async with opened(setup) as pilot:
        await dialog(pilot, PROMPT)
        await pilot.press(*"Long ", "escape")
        await sees(pilot, "Draft saved.", gone="Improve the prompt")
    async with opened(setup) as pilot:
        area = await dialog(pilot, "Draft saved ")
        area.select_all()
        await pilot.press("x")
        await is_kept(setup, "x")
        await pilot.press("ctrl+z")
        await eventually(lambda: area.text == "Long " + PROMPT, "it is undone")
        await is_kept(setup, "Long " + PROMPT)


async def test_two_windows_that_type_into_one_draft_keep_both_texts(setup: Setup) -> None:
    async with opened(setup) as here:
        area = await dialog(here, PROMPT)
        await here.press(*"A")
        await is_kept(setup, "A" + PROMPT)
        async with opened(setup) as there:
            there_area = await dialog(there, "Draft saved ")
            await here.press("2")
            await is_kept(setup, "A2" + PROMPT)
            await there.press(*"B")
            await is_kept(setup, "A2" + PROMPT, "BA" + PROMPT)
            await here.press("3")
            await is_kept(setup, "A23" + PROMPT, "BA" + PROMPT)
            await there.press("4")
            await is_kept(setup, "A23" + PROMPT, "B4A" + PROMPT)
            assert (area.text, there_area.text) == ("A23" + PROMPT, "B4A" + PROMPT)
            for pilot in (there, here):
                await pilot.press("escape")
                await sees(pilot, "Draft saved.", gone="Improve the prompt")
        await is_kept(setup, "A23" + PROMPT, "B4A" + PROMPT)
        await here.press("i")
        await sees(here, "A23" + PROMPT, "Draft saved ")


async def test_a_draft_that_is_said_to_be_kept_is_though_another_window_wrote_over_it(setup: Setup, other: Any) -> None:
    async with opened(setup) as pilot:
        await dialog(pilot, PROMPT)
        await pilot.press(*"A")
        await is_kept(setup, "A" + PROMPT)
        write_over(other, "of the other window")
        await pilot.press("escape")
        await sees(pilot, "Draft saved.", gone="Improve the prompt")
        assert kept(setup) == ["of the other window", "A" + PROMPT]
        await pilot.press("i")
        await sees(pilot, "A" + PROMPT, "Draft saved ")


async def test_a_launch_leaves_what_another_window_typed_into_the_draft(
    setup: Setup, other: Any, scripted: ScriptedServer
) -> None:
    async with opened(setup) as pilot:
        await dialog(pilot, PROMPT)
        await pilot.press(*"A")
        await is_kept(setup, "A" + PROMPT)
        write_over(other, "of the other window")
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 2 launched", gone="Improve the prompt")
        assert (kept(setup), sent(scripted)) == (["of the other window"], ["A" + PROMPT])


async def test_a_launch_of_more_than_is_kept_yet_takes_its_own_draft(setup: Setup, scripted: ScriptedServer) -> None:
    async with opened(setup) as pilot:
        area = await dialog(pilot, PROMPT)
        await pilot.press(*"A")
        await is_kept(setup, "A" + PROMPT)
        area.insert("B")
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 1 launched", gone="Improve the prompt")
        assert (kept(setup), sent(scripted)) == ([], ["AB" + PROMPT])


async def test_a_refused_launch_beside_another_windows_draft_is_kept_once(
    setup: Setup, other: Any, scripted: ScriptedServer
) -> None:
    scripted.on("POST", LAUNCH, Reply({"run_ids": ["These are gone."]}, 400))
    async with opened(setup) as pilot:
        await dialog(pilot, PROMPT)
        await pilot.press(*"A")
        await is_kept(setup, "A" + PROMPT)
        write_over(other, "of the other window")
        for _ in range(2):
            await pilot.press("ctrl+g")
            await sees(pilot, "These are", "Draft saved as job 2.")
        await pilot.press("escape")
        await sees(pilot, "Draft saved.", gone="Improve the prompt")
        assert kept(setup) == ["of the other window", "A" + PROMPT]


async def test_the_very_text_that_another_window_launched_is_neither_sent_nor_kept_again(
    setup: Setup, other: Any, scripted: ScriptedServer
) -> None:
    async with opened(setup) as pilot:
        await dialog(pilot, PROMPT)
        await pilot.press(*"A")
        await is_kept(setup, "A" + PROMPT)
        job = other.latest_draft(7, (5,))
        other.begin_launch(other.draft_of(job), time.time(), "another window", job.number)
        for _ in range(2):
            await pilot.press("ctrl+g")
            await sees(pilot, "Job 1 was already launched.", gone="draft is kept")
        await pilot.press("escape")
        await sees(pilot, gone="Improve the prompt")
        assert (kept(setup), sent(scripted)) == ([], [])


async def test_what_is_typed_while_a_launch_is_on_its_way_is_a_draft(setup: Setup, scripted: ScriptedServer) -> None:
    hold = Hold(Reply({"progress_id": "p-1"}))
    scripted.on("POST", LAUNCH, hold)
    async with opened(setup) as pilot:
        await dialog(pilot, PROMPT)
        await pilot.press(*"A", "ctrl+g")
        await eventually(hold.arrived.is_set, "the launch at the server")
        await pilot.press("B")
        await is_kept(setup, "AB" + PROMPT)
        await pilot.press("C")
        hold.released.set()
        await sees(pilot, "Job 1 launched", gone="Improve the prompt")
        await is_kept(setup, "ABC" + PROMPT)
        assert sent(scripted) == ["A" + PROMPT]


async def test_another_source_takes_no_typed_text_away(setup: Setup, scripted: ScriptedServer, tmp_path: Path) -> None:
    file = tmp_path / "p.md"
    file.write_text("from a file")
    async with opened(setup) as pilot:
        area = await dialog(pilot, PROMPT)
        await pilot.press(*"A")
        await is_kept(setup, "A" + PROMPT)
        await choose(pilot, "file")
        area.focus()
        await pilot.press(*"typed")
        await name_file(pilot, str(file))
        await sees(pilot, "Loaded ", "from a file")
        await eventually(lambda: kept(setup)[:2] == ["A" + PROMPT, "typed"], "what was typed is kept, whatever else is")
        await choose(pilot, "draft")
        await eventually(lambda: area.text == "typed", "the text that was typed last")
        await choose(pilot, "agent")
        await eventually(lambda: area.text == PROMPT, "the agent's prompt as it was")
        await pilot.press("ctrl+g")
        await sees(pilot, "launched", gone="Improve the prompt")
        assert sent(scripted) == [PROMPT]
        assert {"A" + PROMPT, "typed"} <= set(kept(setup))


KEY = "ck_test_0123456789abcdef"


def has_key(home: Path) -> bool:
    """Whether the database holds the key."""
    return any(KEY.encode() in path.read_bytes() for path in home.glob("cekura.db*"))


async def test_a_prompt_with_the_key_is_reported_as_it_is_typed_and_asked_about_before_it_is_sent(
    setup: Setup, scripted: ScriptedServer
) -> None:
    async with opened(setup.with_key(ApiKey(KEY, "CEKURA_API_KEY"))) as pilot:
        await dialog(pilot, "2 words,")
        await pilot.press(*KEY[:-1])
        assert not pilot.app.screen.query_one("#improve-key").display
        await pilot.press(KEY[-1])
        await sees(pilot, "! The prompt contains your API key.", "Drafts and jobs keep the prompt as it is")
        await pilot.press("ctrl+g")
        await sees(pilot, "Launch a prompt with an API key in it?")
        await pilot.press("n")
        await sees(pilot, "Improve the prompt", gone="with an API key in it?")
        assert sent(scripted) == []
        await pilot.press("ctrl+g", "y")
        await eventually(lambda: sent(scripted), "a launch at the server")
        assert sent(scripted) == [KEY + PROMPT]


async def test_an_agents_prompt_with_the_key_of_another_profile_is_reported(
    setup: Setup, scripted: ScriptedServer, home: Path
) -> None:
    save_key(setup.paths.credentials, setup.server, ApiKey(KEY, ""), "work")
    scripted.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "agent_name": "A", "description": KEY}))
    async with opened(setup) as pilot:
        await on_run(pilot, 5)
        await pilot.press("i")
        await sees(pilot, "Improve the prompt", "! The prompt contains the API key of profile work.")
        await pilot.press("escape")
        await sees(pilot, "1 run", gone="Improve the prompt")
    assert not has_key(home)
