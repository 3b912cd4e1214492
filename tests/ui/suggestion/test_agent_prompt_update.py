"""Updating an agent's prompt: every write is confirmed first, and the former prompt can be restored."""

from __future__ import annotations

import asyncio

import pytest
from agents_on_a_server import BANK, CLINIC, Agents, revised, sees_wrapped
from app_on_a_server import SMALL, setup_of
from one_dialog import answer
from scripted_server import Hold, Reply, ScriptedServer
from seeded_jobs import KEY, seeded_jobs
from suggestion_screens import updating
from textual import events
from textual.pilot import Pilot
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.text import Prompt
from cekura_tui.ui.kit.dialog import ConfirmDialog
from cekura_tui.workspace.setup import Setup

AGENT = "/test_framework/v1/aiagents/7/"
SENT = Prompt("Be kind to the caller.")
NEW = Prompt("Be kind (revised) to the caller.")
OTHER_CLIENTS_PROMPT = "Another client wrote this."


class Line:
    """Agent 7 of a scripted server; `prompts` has all versions of its prompt, the current one last."""

    def __init__(self, scripted: ScriptedServer, *prompts: str) -> None:
        self.prompts = list(prompts)
        scripted.on("GET", AGENT, lambda got: self.reply())
        scripted.on("PATCH", AGENT, lambda got: self.write(got.json()["description"]))

    def reply(self) -> Reply:
        return Reply({"id": 7, "agent_name": "Line", "description": self.prompts[-1]})

    def write(self, prompt: str) -> Reply:
        self.prompts.append(prompt)
        return self.reply()


@pytest.fixture
def line(scripted: ScriptedServer) -> Line:
    return Line(scripted, SENT)


@pytest.fixture
def at_line(scripted: ScriptedServer) -> Setup:
    """Settings for a server with a successful job for agent 7."""
    setup = setup_of(scripted.url, KEY, 1)
    with seeded_jobs(setup) as seeded:
        seeded.ended({"status": "completed", "output": {"improved_prompt": NEW}}, took=5)
    return setup


async def confirm_update(pilot: Pilot[None]) -> None:
    """Press the update key once the change is shown."""
    await sees(pilot, "ctrl+g update", "(revised")
    await pilot.press("ctrl+g")
    await pilot.pause()


async def test_update_is_confirmed_and_verified_and_the_former_prompt_can_be_restored(server: Agents) -> None:
    sent, name = server.prompt_of(CLINIC), server.name_of(CLINIC)
    number = server.job(CLINIC, sent)
    words = f"+2 words · {len(sent.split()):,} words now"
    async with updating(server.setup(), number, revised(sent), size=SMALL) as (app, pilot):
        await sees(pilot, f"Update the prompt of {name}?", words, f"agent {CLINIC} at {server.server.url}")
        await sees(
            pilot, "The agent's prompt is the same as when job 1 started.", "(revised", "ctrl+g update", "esc close"
        )
        await pilot.press("enter")  # does not write
        await sees(pilot, "ctrl+g updates the prompt.")
        assert server.prompt_of(CLINIC) == sent
        await confirm_update(pilot)
        await sees_wrapped(
            pilot, f"✓ Updated the prompt of {name} · verified byte for byte", "R restore the former prompt"
        )
        assert server.prompt_of(CLINIC) == revised(sent)
        await sees(pilot, "R restore the former prompt", "h history", gone="ctrl+g update")
        assert not any(words in screen_text(app) for words in ("Nothing to update", "no changes", "words now"))
        for key in "Ryy":  # both y arrive before the question is shown and do not confirm it
            app.post_message(events.Key(key, key))
        await sees(pilot, f"Restore the former prompt of {name}?", "−2 words", "ctrl+g restore the prompt")
        for _ in range(2):
            app.post_message(events.Key("ctrl+g", None))
        await sees_wrapped(pilot, f"✓ Restored the former prompt of {name} · verified byte for byte")
        await eventually(lambda: server.prompt_of(CLINIC) == sent, "the former prompt is back")
        await pilot.press("ctrl+g", "R", "r", "enter")  # have no effect any more
        await sees_wrapped(pilot, f"Prompt of {name} ", "✓ Restored the former prompt", "esc close")
        assert server.prompt_of(CLINIC) == sent
        assert not any(word in screen_text(app) for word in ("Update", "update", "reload", "words now"))
        assert await answer(app, pilot, "escape") is None
        app.ask()
        await sees(pilot, "ctrl+g update · h history", gone="R restore")
        await pilot.press("R")
        await sees_wrapped(pilot, f"The last update of {name} was taken back already, so there is nothing to restore.")
        assert await answer(app, pilot, "escape") is None
    assert server.saved(CLINIC, "replaced") == [revised(sent), sent]
    assert server.saved(CLINIC, "written") == [sent, revised(sent)]


async def test_refused_write_changes_nothing_and_an_altered_write_can_be_undone(
    scripted: ScriptedServer, line: Line, at_line: Setup
) -> None:
    scripted.on("PATCH", AGENT, Reply({"detail": "No."}, 403))
    async with updating(at_line, 1, NEW, size=SMALL) as (_, pilot):
        await confirm_update(pilot)
        await sees_wrapped(
            pilot, "This key can read", "but not change it", "Line still has its former prompt", "r reload"
        )
        await sees_wrapped(pilot, "A copy of the former prompt is in the prompt history.")
        scripted.on("PATCH", AGENT, lambda got: line.write(f"{got.json()['description']}\n"))
        await confirm_update(pilot)
        await sees_wrapped(pilot, "Line has the new prompt", "changed its white space", "R restore", "h history")
        await pilot.press("R")
        await sees(pilot, "Restore the former prompt")
        await pilot.press("ctrl+g")
        await eventually(lambda: line.prompts[-1] == f"{SENT}\n", "the former prompt is back")
        await sees_wrapped(pilot, "changed its white space")


async def test_update_is_merged_with_changes_by_other_clients(server: Agents) -> None:
    sent = server.prompt_of(CLINIC)
    number = server.job(CLINIC, sent)
    server.write_elsewhere(CLINIC, f"{sent}\nConfirm every booking by its code word.\n")
    async with updating(server.setup(), number, revised(sent), size=SMALL) as (_, pilot):
        await sees_wrapped(
            pilot, "! The agent's prompt has changed since job 1 (+7 words); the update keeps that change."
        )
        server.write_elsewhere(CLINIC, f"{server.prompt_of(CLINIC)}\nSay the name of the clinic twice.\n")
        await confirm_update(pilot)
        await sees_wrapped(pilot, "changed a moment ago, so nothing was written", "since job 1 (+14 words)")
        assert "(revised" not in server.prompt_of(CLINIC)
        await confirm_update(pilot)
        await sees_wrapped(pilot, "verified byte for byte")
    there = server.prompt_of(CLINIC)
    assert all(words in there for words in ("(revised today)", "by its code word.", "the name of the clinic twice."))
    assert len(server.saved(CLINIC, "replaced")) == 1


async def test_conflicts_are_decided_one_by_one_before_the_write(server: Agents) -> None:
    sent = Prompt("# Rules\n\nBe kind to callers.\n\n# Prices\n\nNever guess a price.\n\n# End\n\nSay goodbye.\n")
    theirs = sent.replace("kind to", "patient with").replace("guess", "invent").replace("goodbye", "goodbye, Sir")
    staged = Prompt(sent.replace("kind to", "brief with").replace("guess", "estimate"))
    server.write_elsewhere(CLINIC, theirs)
    number = server.job(CLINIC, sent)
    async with updating(server.setup(), number, staged, size=SMALL) as (_, pilot):
        await sees(pilot, "2 conflicts to decide", "Conflict 1 of 2 · Rules", "2 undecided", "sent with job 1")
        await sees(pilot, "Be kind to callers.", "Be patient with callers.", "Be brief with callers.")
        await pilot.press("enter")
        await sees_wrapped(pilot, "Decide every conflict first")
        await pilot.press("n")
        await sees(pilot, "Conflict 2 of 2 · Prices", "Never estimate a price.")
        await pilot.press("x")
        await sees(pilot, "Conflict 1 of 2 · Rules", "1 undecided", "Decide every conflict first")
        await pilot.press("a")
        await sees(pilot, "ctrl+g update", "tab conflicts", gone="Decide every conflict first")
        await pilot.press("tab")
        await sees(pilot, "all decided", "✓")
        await pilot.press("tab")
        await sees(pilot, "brief", "ctrl+g update", gone="all decided")
        assert server.prompt_of(CLINIC) == theirs
        await pilot.press("ctrl+g")
        await sees_wrapped(pilot, "verified byte for byte")
    assert server.prompt_of(CLINIC) == theirs.replace("Be patient with", "Be brief with")
    assert server.saved(CLINIC, "replaced") == [theirs]


async def test_key_pressed_before_the_change_is_shown_does_not_update_the_prompt(line: Line, at_line: Setup) -> None:
    async with updating(at_line, 1, NEW, size=SMALL) as (app, pilot):
        await sees(pilot, "ctrl+g update", "(revised)")
        early = events.Key("ctrl+g", None)
        line.prompts.append(OTHER_CLIENTS_PROMPT)
        await pilot.press("r")
        await sees_wrapped(pilot, "to decide")
        await pilot.press("a")
        await sees(pilot, "ctrl+g update")
        app.screen.post_message(early)
        await pilot.pause()
        assert line.prompts[-1] == OTHER_CLIENTS_PROMPT


async def test_read_only_session_shows_change_and_warnings_but_writes_nothing(server: Agents) -> None:
    sent, name = server.prompt_of(BANK), server.name_of(BANK)
    number = server.job(BANK, sent)
    async with updating(server.setup(read_only=True), number, revised(sent), size=SMALL) as (_, pilot):
        await sees(pilot, "! Read-only session: nothing is written. Start without", "(revised")
        warning = f"! {name} syncs its prompt from its voice platform (such as Vapi or Retell): change the prompt"
        await sees_wrapped(pilot, f"{warning} there too, or the next sync will undo the update.")
        for key in ("ctrl+g", "R"):
            await pilot.press(key)
            await sees_wrapped(pilot, "Read-only session: nothing")
            assert not isinstance(pilot.app.screen, ConfirmDialog)
    assert server.prompt_of(BANK) == sent
    assert server.saved(BANK, "replaced") == []


async def test_esc_does_not_close_the_dialog_during_a_write(
    scripted: ScriptedServer, line: Line, at_line: Setup
) -> None:
    async with updating(at_line, 1, NEW, size=SMALL) as (app, pilot):
        await sees(pilot, "ctrl+g update", "(revised)")
        hold = Hold(line.reply())
        scripted.on("PATCH", AGENT, hold)
        await confirm_update(pilot)
        await eventually(hold.arrived.is_set, "the write request arrived")
        for _ in range(2):
            await pilot.press("escape")
            await sees_wrapped(pilot, "Updating the prompt … The result will be shown here.")
        await pilot.press("ctrl+g", "R", "r")
        assert (len(scripted.requests("PATCH")), app.answers) == (1, [])
        line.prompts.append(NEW)
        hold.released.set()
        await sees_wrapped(pilot, "Updated the prompt of Line")
        assert await answer(app, pilot, "escape") is None


async def test_restore_warns_before_replacing_changes_by_other_clients(line: Line, at_line: Setup) -> None:
    async with updating(at_line, 1, NEW, size=SMALL) as (_, pilot):
        await confirm_update(pilot)
        await sees_wrapped(pilot, "Updated the prompt of Line")
        line.prompts.append(OTHER_CLIENTS_PROMPT)
        await pilot.press("R")
        await sees_wrapped(pilot, "Restore the former prompt of Line?", "was changed elsewhere since")
        await pilot.press("enter")
        await sees_wrapped(pilot, "Nothing was restored.")
        await pilot.press("R")
        await sees(pilot, "Restore the former prompt of Line?")
        line.prompts.append("And this, while the question was open.")
        await pilot.press("ctrl+g")
        await sees_wrapped(pilot, "changed a moment ago, so nothing was restored")
        assert line.prompts[-1] == "And this, while the question was open."


async def test_r_retries_after_the_agent_could_not_be_loaded(scripted: ScriptedServer, at_line: Setup) -> None:
    scripted.on("GET", AGENT, Reply({"detail": "Gone."}, 404))
    async with updating(at_line, 1, NEW, size=SMALL) as (_, pilot):
        await sees(pilot, "There is no agent 7 any more", "r retry")
        Line(scripted, SENT)
        await pilot.press("r")
        await sees(pilot, "ctrl+g update")


async def test_late_answer_to_a_closing_dialog_raises_no_error(line: Line, at_line: Setup) -> None:
    async with updating(at_line, 1, NEW, size=SMALL) as (app, pilot):
        await sees(pilot, "ctrl+g update")
        dialog = app.dialog
        dialog.dismiss()
        while dialog.is_attached:
            dialog._show_message("It was restored.")
            dialog.draw()
            await asyncio.sleep(0)
