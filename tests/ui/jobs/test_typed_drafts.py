"""Text typed into the improve dialog is soon saved as a draft, and no window deletes the text of another window."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from improve_dialogs import AGENT, PROMPT, agent_with, choose, improving, name_file, sent, serve_improvable, typing
from one_dialog import OneDialog, answer
from scripted_server import LAUNCH, Hold, Reply, ScriptedServer
from seeded_jobs import seeded_jobs
from textual.pilot import Pilot
from textual.widgets import TextArea
from waiting import eventually
from watching import sees

from cekura_tui.config.credentials import ApiKey, save_key
from cekura_tui.model.text import Prompt
from cekura_tui.store.jobs import JobStore
from cekura_tui.ui.jobs import improve
from cekura_tui.workspace.setup import Setup

OTHER_WINDOW_TEXT = Prompt("of the other window")


@pytest.fixture
def setup(scripted: ScriptedServer) -> Setup:
    """Settings for a scripted server with one run."""
    return serve_improvable(scripted)


@pytest.fixture(autouse=True)
def fast_autosave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(improve, "AUTOSAVE", 0.2)


@pytest.fixture
def other(setup: Setup) -> Iterator[JobStore]:
    """The store of drafts and jobs that another window would use."""
    with seeded_jobs(setup, "key") as seeded:
        yield seeded.jobs


def saved_drafts(setup: Setup) -> list[str]:
    """The prompts of all drafts in the database, oldest first."""
    found = "SELECT text FROM jobs JOIN prompts ON sha256 = prompt_sha256 WHERE state = 'draft' ORDER BY number"
    with closing(sqlite3.connect(setup.paths.database)) as sql:
        return [bytes(text).decode() for (text,) in sql.execute(found)]


async def drafts_are(setup: Setup, *prompts: str) -> None:
    """Wait until the saved drafts have exactly these prompts, oldest first."""
    await eventually(lambda: saved_drafts(setup) == list(prompts), f"these drafts: {prompts}")


async def test_continuous_typing_is_saved_but_not_after_every_key(setup: Setup) -> None:
    async with improving(setup, PROMPT) as (_, pilot):
        area = await typing(pilot)
        found, started = set(), time.monotonic()
        while len(found) < 2:
            await pilot.press("w")
            await asyncio.sleep(0.03)
            found.update(saved_drafts(setup))
            assert time.monotonic() - started < 20, "nothing is saved during typing"
        assert len(found) <= (time.monotonic() - started) / improve.AUTOSAVE
        await drafts_are(setup, area.text)


async def test_undo_after_an_autosave_restores_the_saved_draft(setup: Setup) -> None:
    async with improving(setup, PROMPT) as (app, pilot):
        await typing(pilot, *"Long ")
        await answer(app, pilot, "escape")
        app.ask()
        await sees(pilot, "Draft saved ", gone="Loading")
        area = await typing(pilot)
        area.select_all()
        await pilot.press("x")
        await drafts_are(setup, "x")
        await pilot.press("ctrl+z")
        await eventually(lambda: area.text == "Long " + PROMPT, "the text before the mistake")
        await drafts_are(setup, "Long " + PROMPT)


@asynccontextmanager
async def with_typed_draft(
    setup: Setup, other: JobStore | None = None
) -> AsyncIterator[tuple[OneDialog, Pilot[None], TextArea]]:
    """Open the dialog, type "A" and wait until the draft is saved; yields the app, its pilot and the text area. With
    `other`, the draft is then overwritten as if by another window."""
    async with improving(setup, PROMPT) as (app, pilot):
        area = await typing(pilot, "A")
        await drafts_are(setup, "A" + PROMPT)
        if other is not None:
            job = other.latest_draft(7, (5,))
            assert job is not None
            other.save_draft(replace(other.draft_of(job), prompt=OTHER_WINDOW_TEXT), time.time(), job)
        yield app, pilot, area


@pytest.mark.long
async def test_two_windows_typing_into_one_draft_keep_both_texts(setup: Setup) -> None:
    async with with_typed_draft(setup) as (app, here, area):
        async with improving(setup, "Draft saved ") as (there_app, there):
            there_area = await typing(there)
            for window, key, texts in (
                (here, "2", ["A2"]),
                (there, "B", ["A2", "BA"]),
                (here, "3", ["A23", "BA"]),
                (there, "4", ["A23", "B4A"]),
            ):
                await window.press(key)
                await drafts_are(setup, *(text + PROMPT for text in texts))
            assert (area.text, there_area.text) == ("A23" + PROMPT, "B4A" + PROMPT)
            await answer(there_app, there, "escape")
        await answer(app, here, "escape")
        await drafts_are(setup, "A23" + PROMPT, "B4A" + PROMPT)
        app.ask()
        await sees(here, "A23" + PROMPT, "Draft saved ")


async def test_closing_saves_typed_text_again_if_another_window_overwrote_its_draft(
    setup: Setup, other: JobStore
) -> None:
    async with with_typed_draft(setup, other) as (app, pilot, _):
        await answer(app, pilot, "escape")
        await sees(pilot, "Draft saved.")
        assert saved_drafts(setup) == [OTHER_WINDOW_TEXT, "A" + PROMPT]
        app.ask()
        await sees(pilot, "A" + PROMPT, "Draft saved ")


async def test_launch_keeps_text_that_another_window_typed_into_the_draft(
    setup: Setup, other: JobStore, scripted: ScriptedServer
) -> None:
    scripted.on("POST", LAUNCH, Reply({"run_ids": ["These are gone."]}, 400))
    async with with_typed_draft(setup, other) as (app, pilot, _):
        for launches in (1, 2):
            await pilot.press("ctrl+g")
            await eventually(lambda launches=launches: len(sent(scripted)) == launches, f"{launches} launches")
            await sees(pilot, "These are", "Draft saved as job 2.")
        assert saved_drafts(setup) == [OTHER_WINDOW_TEXT, "A" + PROMPT], "a refused launch is saved once"
        scripted.on("POST", LAUNCH, Reply({"progress_id": "p-1"}))
        assert (await answer(app, pilot, "ctrl+g")).number == 2
        assert (saved_drafts(setup), sent(scripted)) == ([OTHER_WINDOW_TEXT], ["A" + PROMPT] * 3)


async def test_text_launched_by_another_window_is_not_sent_or_saved_again(
    setup: Setup, other: JobStore, scripted: ScriptedServer
) -> None:
    async with with_typed_draft(setup) as (app, pilot, _):
        job = other.latest_draft(7, (5,))
        assert job is not None
        other.begin_launch(other.draft_of(job), time.time(), "another window", job)
        for _ in range(2):
            await pilot.press("ctrl+g")
            await sees(pilot, "Job 1 was already launched.", gone="draft is kept")
        assert await answer(app, pilot, "escape") is None
        assert (saved_drafts(setup), sent(scripted)) == ([], [])


async def test_launch_sends_unsaved_text_and_text_typed_later_becomes_a_draft(
    setup: Setup, scripted: ScriptedServer
) -> None:
    scripted.on("POST", LAUNCH, hold := Hold(Reply({"progress_id": "p-1"})))
    async with with_typed_draft(setup) as (app, pilot, area):
        area.insert("B")  # not saved yet
        await pilot.press("ctrl+g")
        await eventually(hold.arrived.is_set, "the launch at the server")
        await pilot.press("C")
        await drafts_are(setup, "ABC" + PROMPT)
        await pilot.press("D")
        hold.released.set()
        assert (await answer(app, pilot)).number == 1
        await drafts_are(setup, "ABCD" + PROMPT)
        assert sent(scripted) == ["AB" + PROMPT]


async def test_choosing_another_source_keeps_typed_text(setup: Setup, scripted: ScriptedServer, tmp_path: Path) -> None:
    file = tmp_path / "p.md"
    file.write_text("from a file")
    async with with_typed_draft(setup) as (app, pilot, area):
        await choose(pilot, "file")
        area.focus()
        await pilot.press(*"typed")
        await name_file(pilot, str(file))
        await sees(pilot, "Loaded ", "from a file")
        await eventually(
            lambda: saved_drafts(setup)[:2] == ["A" + PROMPT, "typed"],
            "typed text is saved first",
        )
        await choose(pilot, "draft")
        await eventually(lambda: area.text == "typed", "the text that was typed last")
        await choose(pilot, "agent")
        await eventually(lambda: area.text == PROMPT, "the agent's prompt as it was")
        await answer(app, pilot, "ctrl+g")
        assert sent(scripted) == [PROMPT]
        assert {"A" + PROMPT, "typed"} <= set(saved_drafts(setup))


KEY = "ck_test_0123456789abcdef"


async def test_launch_of_a_prompt_with_an_api_key_asks_for_confirmation(setup: Setup, scripted: ScriptedServer) -> None:
    async with improving(setup.with_key(ApiKey(KEY, "CEKURA_API_KEY")), "2 words,") as (app, pilot):
        await typing(pilot, *KEY[:-1])
        assert not app.screen.query_one("#improve-key").display
        await pilot.press(KEY[-1])
        await sees(pilot, "! The prompt contains your API key.", "Drafts and jobs keep the prompt as it is")
        await pilot.press("ctrl+g")
        await sees(pilot, "Launch a prompt with an API key in it?")
        await pilot.press("enter")
        await sees(pilot, "Improve the prompt", gone="with an API key in it?")
        assert sent(scripted) == []
        await answer(app, pilot, "ctrl+g", "ctrl+g")
        assert sent(scripted) == [KEY + PROMPT]


def has_key(home: Path) -> bool:
    """Whether the database contains the API key."""
    return any(KEY.encode() in path.read_bytes() for path in home.glob("cekura.db*"))


async def test_key_of_another_profile_in_the_agents_prompt_is_reported(
    setup: Setup, scripted: ScriptedServer, home: Path
) -> None:
    save_key(setup.paths.credentials, setup.server, ApiKey(KEY, ""), "work")
    scripted.on("GET", AGENT, agent_with(KEY))
    async with improving(setup, "! The prompt contains the API key of profile work.") as (app, pilot):
        await answer(app, pilot, "escape")
    assert not has_key(home)
