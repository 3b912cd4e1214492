"""Updating an agent's prompt: nothing is written unasked, and the former prompt can be restored."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from agents_on_a_server import BANK, CLINIC, Agents, agents, reads, revised
from app_on_a_server import SMALL, no_crash, setup_of
from demo_faults import DRIFTED
from kept_jobs import KEY, SeededJobs, seeded_jobs
from one_dialog import answer
from scripted_server import Got, Hold, Reply, ScriptedServer
from suggestion_screens import updating
from textual import events
from textual.pilot import Pilot
from textual.widgets import TextArea
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.text import Prompt
from cekura_tui.ui.kit.dialog import ConfirmDialog
from cekura_tui.ui.suggestion.agent_prompt_update import UpdatePromptDialog
from cekura_tui.workspace.setup import Setup

KEPT, KEPT_AS_WELL = "can be restored there", "A copy of the former prompt is in the prompt history."
AGENT = "/test_framework/v1/aiagents/7/"


async def put(pilot: Pilot[None]) -> None:
    """Say yes once the change is shown."""
    await sees(pilot, "y update", "(revised")
    await pilot.press("y")
    await pilot.pause()


async def test_an_update_is_asked_about_verified_and_restored(server: Agents) -> None:
    sent, name = server.prompt_of(CLINIC), server.name_of(CLINIC)
    number = server.job(CLINIC, sent)
    words = f"+2 words · {len(sent.split()):,} words now"
    async with updating(server.setup(), number, revised(sent), size=SMALL) as (app, pilot):
        await sees(
            pilot,
            f"Update the prompt of {name}?",
            words,
            f"agent {CLINIC} at {server.server.url}",
            "The agent's prompt is the same as when job 1 started.",
        )
        await sees(pilot, "(revised", "y update", "esc close")
        await pilot.press("enter")  # alone it writes nothing
        await sees(pilot, "y updates the prompt.")
        assert server.prompt_of(CLINIC) == sent
        await put(pilot)
        await reads(pilot, f"✓ Updated the prompt of {name} · verified byte for byte", "R restore the former prompt")
        assert server.prompt_of(CLINIC) == revised(sent)
        await sees(pilot, "R restore the former prompt", "h history", gone="y update")
        assert not any(words in screen_text(app) for words in ("Nothing to update", "no changes", "words now"))
        await pilot.press("R")
        await sees(pilot, f"Restore the former prompt of {name}?", "−2 words")
        await pilot.press("y")
        await reads(pilot, f"✓ Restored the former prompt of {name} · verified byte for byte")
        await eventually(lambda: server.prompt_of(CLINIC) == sent, "the former prompt is back")
        await pilot.press("y", "R", "r", "enter")  # in haste: all is done here
        await reads(pilot, f"Prompt of {name} ", "✓ Restored the former prompt", "esc close")
        assert server.prompt_of(CLINIC) == sent
        assert not any(word in screen_text(app) for word in ("Update", "update", "reload", "words now"))
        assert await answer(app, pilot, "escape") is None
    assert server.saved(CLINIC, "replaced") == [revised(sent), sent]


@pytest.mark.parametrize(
    ("fault", "words", "there"),
    [
        (
            "write-403",
            ("This key can read", "but not change it", "still has its former prompt", KEPT_AS_WELL),
            "former",
        ),
        ("write-lost", ("still has its former prompt", "before the answer came", KEPT_AS_WELL), "former"),
        ("write-half", ("Updated the prompt of", "The server did not confirm the write", "R restore"), "new"),
        ("write-trimmed", ("has the new prompt", "the server changed its white space", KEPT), "spaced"),
    ],
)
async def test_a_failed_write_says_what_is_there_and_the_former_prompt_is_saved(
    tmp_path: Path, fault: str, words: tuple[str, ...], there: str
) -> None:
    with agents(tmp_path, fault) as server:
        sent = server.prompt_of(CLINIC)
        number, text = server.job(CLINIC, sent), revised(sent)
        async with updating(server.setup(), number, text, size=SMALL) as (_, pilot):
            await put(pilot)
            await reads(pilot, *words)
            holds = server.prompt_of(CLINIC)
            assert {"former": holds == sent, "new": holds == text, "spaced": holds.split() == text.split()}[there]
            await reads(pilot, "esc close", "h history" if there == "new" else "r reload")
            await reads(pilot, *words)  # also when the agent was looked at again
            if there != "former":
                await sees(pilot, "R restore the former prompt")
                await pilot.press("R")
                await sees(pilot, "Restore the former prompt")
                await pilot.press("y")
                await eventually(lambda: server.prompt_of(CLINIC).split() == sent.split(), "the former prompt is back")
                await reads(pilot, "verified byte for byte" if there == "new" else "changed its white space")
        assert sent in server.saved(CLINIC, "replaced")


async def test_an_update_is_merged_with_changes_that_other_clients_make_meanwhile(tmp_path: Path) -> None:
    with agents(tmp_path, "drift") as server:
        sent = server.prompt_of(CLINIC)  # and after this, another client adds a sentence
        number = server.job(CLINIC, sent)
        async with updating(server.setup(), number, revised(sent), size=SMALL) as (_, pilot):
            drift = "! The agent's prompt has changed since job 1 (+11 words); the update keeps that change."
            await reads(pilot, drift)
            server.write_elsewhere(CLINIC, f"{server.prompt_of(CLINIC)}\nSay the name of the clinic twice.\n")
            await put(pilot)
            await reads(pilot, "changed a moment ago, so nothing was written")
            assert "(revised" not in server.prompt_of(CLINIC)
            await reads(pilot, "since job 1 (+18 words)")
            await put(pilot)
            await reads(pilot, "verified byte for byte")
        there = server.prompt_of(CLINIC)
        assert all(words in there for words in ("(revised today)", DRIFTED, "Say the name of the clinic twice."))
        assert len(server.saved(CLINIC, "replaced")) == 1


async def test_conflicts_are_decided_one_by_one_before_anything_is_written(server: Agents) -> None:
    sent = Prompt("# Rules\n\nBe kind to callers.\n\n# Prices\n\nNever guess a price.\n\n# End\n\nSay goodbye.\n")
    theirs = sent.replace("kind to", "patient with").replace("guess", "invent").replace("goodbye", "goodbye, Sir")
    staged = Prompt(sent.replace("kind to", "brief with").replace("guess", "estimate"))
    server.write_elsewhere(CLINIC, theirs)
    number = server.job(CLINIC, sent)
    async with updating(server.setup(), number, staged, size=SMALL) as (_, pilot):
        await sees(pilot, "2 conflicts to decide", "Conflict 1 of 2 · Rules", "2 undecided", "sent with job 1")
        await sees(pilot, "Be kind to callers.", "Be patient with callers.", "Be brief with callers.")
        await pilot.press("enter")
        await reads(pilot, "Decide every conflict first")
        await pilot.press("n")
        await sees(pilot, "Conflict 2 of 2 · Prices", "Never estimate a price.")
        await pilot.press("o")
        await sees(pilot, "Conflict 1 of 2 · Rules", "1 undecided")
        await pilot.press("s")
        await sees(pilot, "y update", "c conflicts", gone="Conflict 1 of 2")
        await pilot.press("c")
        await sees(pilot, "all decided", "✓")
        await pilot.press("e")
        await sees(pilot, "ctrl+g apply")
        await reads(pilot, "Original: Be kind to callers.")
        pilot.app.screen.query_one(TextArea).load_text("Be swift with callers.")
        await pilot.press("ctrl+g")
        await sees(pilot, "swift", "y update", gone="ctrl+g")
        assert server.prompt_of(CLINIC) == theirs
        await pilot.press("y")
        await reads(pilot, "verified byte for byte")
    there = server.prompt_of(CLINIC)
    assert there == theirs.replace("Be patient with", "Be swift with")
    assert server.saved(CLINIC, "replaced") == [theirs]


async def test_keys_in_haste_restore_at_most_once_and_never_update_again(server: Agents) -> None:
    sent = server.prompt_of(CLINIC)
    async with updating(server.setup(), server.job(CLINIC, sent), revised(sent), size=SMALL) as (_, pilot):
        await put(pilot)
        await reads(pilot, "✓ Updated the prompt", "R restore the former prompt")
        for event in [events.Key(key, key) for key in ("R", "y", "y")]:
            pilot.app.post_message(event)
        await sees(pilot, "Restore the former prompt of", "y yes")  # both y came before the question was seen
        for event in [events.Key(key, key) for key in ("y", "y")]:
            pilot.app.post_message(event)
        await reads(pilot, "✓ Restored the former prompt", "esc close")
        await pilot.press("y")
        await pilot.pause()
        assert server.prompt_of(CLINIC) == sent
    assert server.saved(CLINIC, "written") == [sent, revised(sent)]


async def test_a_key_pressed_before_the_change_is_shown_does_not_update(line: Line, at_line: Setup) -> None:
    async with updating(at_line, 1, NEW, size=SMALL) as (app, pilot):
        await sees(pilot, "y update", "(revised)")
        early = events.Key("y", "y")
        line.prompts.append("Somebody else wrote this.")
        await pilot.press("r")
        await reads(pilot, "to decide")
        await pilot.press("s")
        await sees(pilot, "y update")
        app.screen.post_message(early)
        await pilot.pause()
        assert line.prompts[-1] == "Somebody else wrote this."


async def test_a_read_only_session_shows_the_change_and_its_warnings_and_writes_nothing(server: Agents) -> None:
    sent, name = server.prompt_of(BANK), server.name_of(BANK)
    number = server.job(BANK, sent)
    async with updating(server.setup(read_only=True), number, revised(sent), size=SMALL) as (_, pilot):
        await sees(pilot, "! Read-only session: nothing is written. Start without", "(revised")
        warning = f"! {name} syncs its prompt from its voice platform (such as Vapi or Retell): change the prompt"
        await reads(pilot, f"{warning} there too, or the next sync will undo the update.")
        for key in ("y", "R"):
            await pilot.press(key)
            await reads(pilot, "Read-only session: nothing")
            assert not isinstance(pilot.app.screen, ConfirmDialog)
    assert server.prompt_of(BANK) == sent
    assert server.saved(BANK, "replaced") == []


class Line:
    """Agent 7 of a scripted server."""

    def __init__(self, scripted: ScriptedServer, *prompts: str) -> None:
        self.prompts = list(prompts)
        scripted.on("GET", AGENT, lambda got: self.reply())
        scripted.on("PATCH", AGENT, self.take)

    def reply(self) -> Reply:
        return Reply({"id": 7, "agent_name": "Line", "description": self.prompts[-1]})

    def take(self, got: Got) -> Reply:
        self.prompts.append(got.json()["description"])
        return self.reply()


SENT = Prompt("Be kind to the caller.")
NEW = Prompt("Be kind (revised) to the caller.")


@pytest.fixture
def line(scripted: ScriptedServer) -> Line:
    return Line(scripted, SENT)


@pytest.fixture
def at_line(scripted: ScriptedServer) -> Setup:
    """The settings of a user with a job for agent 7 that succeeded."""
    setup = setup_of(scripted.url, KEY, 1)
    with seeded_jobs(setup) as seeded:
        done(seeded)
    return setup


def done(seeded: SeededJobs) -> None:
    seeded.ended({"status": "completed", "output": {"improved_prompt": NEW}}, took=5)


async def test_esc_does_not_close_the_dialog_during_a_write(
    scripted: ScriptedServer, line: Line, at_line: Setup
) -> None:
    async with updating(at_line, 1, NEW, size=SMALL) as (app, pilot):
        await sees(pilot, "y update", "(revised)")
        hold = Hold(line.reply())
        scripted.on("PATCH", AGENT, hold)
        await put(pilot)
        await eventually(hold.arrived.is_set, "the write is on its way")
        for _ in range(2):
            await pilot.press("escape")
            await reads(pilot, "Updating the prompt … The result will be shown here.")
        await pilot.press("y", "R", "r")
        assert (len(scripted.requests("PATCH")), app.answers) == (1, [])
        line.prompts.append(NEW)
        hold.released.set()
        await reads(pilot, "Updated the prompt of Line")
        assert await answer(app, pilot, "escape") is None


async def test_a_restore_asks_before_it_replaces_what_other_clients_wrote_since(line: Line, at_line: Setup) -> None:
    async with updating(at_line, 1, NEW, size=SMALL) as (_, pilot):
        await put(pilot)
        await reads(pilot, "Updated the prompt of Line")
        line.prompts.append("Somebody else wrote this.")
        await pilot.press("R")
        await reads(pilot, "Restore the former prompt of Line?", "was changed elsewhere since")
        await pilot.press("n")
        await reads(pilot, "Nothing was restored.")
        assert line.prompts[-1] == "Somebody else wrote this."
        await pilot.press("R")
        await sees(pilot, "Restore the former prompt of Line?")
        line.prompts.append("And this, while one was asked.")
        await pilot.press("y")
        await reads(pilot, "changed a moment ago, so nothing was restored")
        await pilot.press("R")
        await sees(pilot, "Restore the former prompt of Line?")
        await pilot.press("y")
        await eventually(lambda: line.prompts[-1] == SENT, "the former prompt is back")


async def test_a_moved_and_changed_passage_is_decided_in_both_places_at_once(server: Agents) -> None:
    rules = ["Be kind to every caller.", "Ask for the order number first.", "Never guess a price.", "Say goodbye."]
    sent = Prompt("\n\n".join(rules))
    staged = Prompt(sent.replace("every caller", "every caller, and brief"))
    server.write_elsewhere(CLINIC, "\n\n".join([*rules[1:], rules[0]]))
    number = server.job(CLINIC, sent)
    async with updating(server.setup(), number, staged, size=SMALL) as (_, pilot):
        await reads(pilot, "2 conflicts to decide", "Conflict 1 of 2", "decided together with 2")
        await pilot.press("n")
        await reads(pilot, "Conflict 2 of 2", "decided together with 1")
        await pilot.press("o")
        await reads(pilot, "Nothing to update")
        await pilot.press("c")
        await reads(pilot, "Conflict 2 of 2", "all decided")
        await pilot.press("s")
        await sees(pilot, "y update", "and brief")
        await pilot.press("y")
        await reads(pilot, "verified byte for byte")
    assert server.prompt_of(CLINIC) == staged


async def test_an_agent_that_cannot_be_read_is_read_again_by_r(scripted: ScriptedServer, at_line: Setup) -> None:
    scripted.on("GET", AGENT, Reply({"detail": "Gone."}, 404))
    async with updating(at_line, 1, NEW, size=SMALL) as (_, pilot):
        await sees(pilot, "There is no agent 7 any more", "r retry")
        Line(scripted, SENT)
        await pilot.press("r")
        await sees(pilot, "y update")


async def test_an_answer_that_comes_while_the_dialog_closes_does_no_harm(server: Agents) -> None:
    sent = server.prompt_of(CLINIC)
    async with updating(server.setup(), server.job(CLINIC, sent), revised(sent), size=SMALL) as (app, pilot):
        await sees(pilot, "y update")
        dialog = app.screen
        assert isinstance(dialog, UpdatePromptDialog)
        dialog.dismiss()
        while dialog.is_attached:
            dialog._show_message("It was restored.")
            dialog.draw()
            await asyncio.sleep(0)
        no_crash(pilot)
