"""A staged prompt on its way to the agent: nothing is written unasked, and the former one comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from agents_on_a_server import BANK, CLINIC, agents, reads, revised
from app_on_a_server import SMALL, WIDE, no_crash, setup_of
from demo_faults import DRIFTED
from kept_jobs import KEY, SeededJobs, seeded_jobs
from one_dialog import answer
from scripted_server import Got, Hold, Reply, ScriptedServer
from suggestion_screens import updating
from textual.pilot import Pilot
from textual.widgets import TextArea
from waiting import eventually
from watching import sees

from cekura_tui.model.text import Prompt
from cekura_tui.ui.kit.dialog import ConfirmDialog
from cekura_tui.ui.suggestion.agent_prompt_update import UpdatePromptDialog
from cekura_tui.workspace.setup import Setup

KEPT, KEPT_AS_WELL = "can be restored from there", "A copy of it is kept in the prompt history."
AGENT = "/test_framework/v1/aiagents/7/"


async def put(pilot: Pilot[None], *, sure: int = 1) -> None:
    """Press enter once what would change is shown, and say yes as often as one is asked."""
    await sees(pilot, "enter puts it there", "(revised")
    await pilot.press("enter")
    for _ in range(sure):
        await sees(pilot, "y yes")
        await pilot.press("y")
        await pilot.pause()


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_it_is_written_after_a_question_that_names_agent_and_words_and_it_comes_back(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    with agents(tmp_path) as server:
        sent, name = server.prompt_of(CLINIC), server.name_of(CLINIC)
        number = server.job(CLINIC, sent)
        words = f"{len(sent.split()):,} words there now; 0 words go, 2 come"
        async with updating(server.setup(), number, revised(sent), size=size) as (app, pilot):
            await sees(
                pilot, f"Put it onto {name}", f"agent {CLINIC}", words, "still the prompt that was sent with job 1"
            )
            await sees(pilot, "(revised", "enter puts it there", "esc closes")
            await pilot.press("enter")
            await reads(pilot, f"Put it onto {name}?", f"(agent {CLINIC}) at {server.server.url}: 0 words go, 2 come.")
            await pilot.press("enter")  # enter alone says no
            await sees(pilot, "enter puts it there", gone="y yes")
            assert server.prompt_of(CLINIC) == sent
            await put(pilot)
            await reads(pilot, f"{name} has the new prompt: read back, it is the same to the byte.", "R restores")
            assert server.prompt_of(CLINIC) == revised(sent)
            await sees(pilot, "Nothing to write", "R restores what was there before", gone="enter puts")
            await pilot.press("R")
            await sees(pilot, f"Restore the former prompt of {name}?", "2 words go, 0 come")
            await pilot.press("y")
            await reads(pilot, "read back, it is the same to the byte")
            await eventually(lambda: server.prompt_of(CLINIC) == sent, "the former prompt is back")
            await sees(pilot, "enter puts it there")
            await reads(pilot, f"{name} has its former prompt: read back, it is the same to the byte.")
            assert await answer(app, pilot, "escape") is None  # all was told, and is not told once more
        assert server.saved(CLINIC, "replaced") == [revised(sent), sent]


@pytest.mark.parametrize(
    ("fault", "words", "there"),
    [
        (
            "write-403",
            ("This key may read", "but not change it", "still has its former prompt", KEPT_AS_WELL),
            "former",
        ),
        (
            "write-lost",
            ("still has its former prompt", "before the answer came", KEPT_AS_WELL),
            "former",
        ),
        ("write-half", ("has the new prompt", "The server did not confirm it", "R restores"), "new"),
        ("write-trimmed", ("has the new prompt", "differs from it in white space only", KEPT), "spaced"),
    ],
)
async def test_however_a_write_fails_a_sentence_says_what_is_there_and_the_former_prompt_is_kept(
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
            await reads(pilot, "esc closes", "r looks again")
            await reads(pilot, *words)  # also when the agent was looked at again
            if there != "former":
                await sees(pilot, "R restores what was there before")
                await pilot.press("R")
                await sees(pilot, "Restore the former prompt")
                await pilot.press("y")
                await eventually(lambda: server.prompt_of(CLINIC).split() == sent.split(), "the former prompt is back")
                await reads(pilot, "read back" if there == "new" else "white space only")
        assert sent in server.saved(CLINIC, "replaced")


async def test_what_somebody_writes_meanwhile_is_put_together_with_it_and_never_written_over(tmp_path: Path) -> None:
    with agents(tmp_path, "drift") as server:
        sent = server.prompt_of(CLINIC)  # and behind this, somebody adds a sentence
        number = server.job(CLINIC, sent)
        async with updating(server.setup(), number, revised(sent), size=SMALL) as (_, pilot):
            drift = "has another prompt now than was sent with job 1: 11 words more, 0 gone"
            await reads(pilot, "! ", drift, "without a conflict")
            server.write_elsewhere(CLINIC, f"{server.prompt_of(CLINIC)}\nSay the name of the clinic twice.\n")
            await put(pilot)
            await reads(pilot, "was changed while you looked at it, so nothing was written")
            assert "(revised" not in server.prompt_of(CLINIC)
            await reads(pilot, "18 words more, 0 gone")
            await put(pilot)
            await reads(pilot, "the same to the byte")
        there = server.prompt_of(CLINIC)
        assert all(words in there for words in ("(revised today)", DRIFTED, "Say the name of the clinic twice."))
        assert len(server.saved(CLINIC, "replaced")) == 1


async def test_a_conflict_is_decided_text_by_text_before_anything_can_be_written(tmp_path: Path) -> None:
    with agents(tmp_path) as server:
        sent = Prompt("# Rules\n\nBe kind to callers.\n\n# Prices\n\nNever guess a price.\n\n# End\n\nSay goodbye.\n")
        theirs = sent.replace("kind to", "patient with").replace("guess", "invent").replace("goodbye", "goodbye, Sir")
        staged = Prompt(sent.replace("kind to", "brief with").replace("guess", "estimate"))
        server.write_elsewhere(CLINIC, theirs)
        number = server.job(CLINIC, sent)
        async with updating(server.setup(), number, staged, size=SMALL) as (_, pilot):
            await sees(
                pilot, "2 conflicts to be decided", "conflict 1 of 2 · Rules", "2 to be decided", "sent with job 1"
            )
            await sees(pilot, "Be kind to callers.", "Be patient with callers.", "Be brief with callers.")
            await pilot.press("enter")
            await reads(pilot, "Decide every conflict first")
            await pilot.press("n")
            await sees(pilot, "conflict 2 of 2 · Prices", "Never estimate a price.")
            await pilot.press("o")
            await sees(pilot, "conflict 1 of 2 · Rules", "1 to be decided")
            await pilot.press("s")
            await sees(pilot, "enter puts it there", "c conflicts", gone="conflict 1 of 2")
            await pilot.press("c")
            await sees(pilot, "all are decided", "✓")
            await pilot.press("e")
            await sees(pilot, "ctrl+g takes it")
            await reads(pilot, "Sent: Be kind to callers.")
            pilot.app.screen.query_one(TextArea).load_text("Be swift with callers.")
            await pilot.press("ctrl+g")
            await sees(pilot, "swift", "enter puts it there", gone="ctrl+g")
            assert server.prompt_of(CLINIC) == theirs
            await pilot.press("enter")
            await sees(pilot, "y yes")
            await pilot.press("y")
            await reads(pilot, "the same to the byte")
        there = server.prompt_of(CLINIC)
        assert there == theirs.replace("Be patient with", "Be swift with")
        assert server.saved(CLINIC, "replaced") == [theirs]


async def test_a_prompt_that_the_provider_syncs_is_written_only_when_one_says_so_twice(tmp_path: Path) -> None:
    with agents(tmp_path) as server:
        sent, name = server.prompt_of(BANK), server.name_of(BANK)
        number = server.job(BANK, sent)
        async with updating(server.setup(), number, revised(sent), size=SMALL) as (_, pilot):
            await reads(pilot, f"! The provider syncs the prompt of {name} and would undo this")
            await put(pilot)
            await sees(pilot, f"Put it onto {name}?")
            await pilot.press("escape")
            assert server.prompt_of(BANK) == sent
            await put(pilot, sure=2)
            await reads(pilot, "the same to the byte")
            assert server.prompt_of(BANK) == revised(sent)


async def test_a_read_only_session_shows_it_all_and_says_why_it_writes_nothing(tmp_path: Path) -> None:
    with agents(tmp_path) as server:
        sent = server.prompt_of(CLINIC)
        number = server.job(CLINIC, sent)
        async with updating(server.setup(read_only=True), number, revised(sent), size=SMALL) as (_, pilot):
            await sees(pilot, "! Read-only session: nothing is written. Start without", "(revised")
            for key in ("enter", "R"):
                await pilot.press(key)
                await reads(pilot, "Read-only session: nothing")
                assert not isinstance(pilot.app.screen, ConfirmDialog)
        assert server.prompt_of(CLINIC) == sent
        assert server.saved(CLINIC, "replaced") == []


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
    """The settings of somebody with a job for agent 7 that succeeded."""
    setup = setup_of(scripted.url, KEY, 1)
    with seeded_jobs(setup) as seeded:
        done(seeded)
    return setup


def done(seeded: SeededJobs) -> None:
    seeded.ended({"status": "completed", "output": {"improved_prompt": NEW}}, took=5)


async def test_nobody_leaves_by_accident_while_it_is_being_written(
    scripted: ScriptedServer, line: Line, at_line: Setup
) -> None:
    async with updating(at_line, 1, NEW, size=SMALL) as (app, pilot):
        await sees(pilot, "enter puts it there", "(revised)")
        hold = Hold(line.reply())
        scripted.on("PATCH", AGENT, hold)
        await put(pilot)
        await eventually(hold.arrived.is_set, "the write is on its way")
        for _ in range(2):
            await pilot.press("escape")
            await reads(pilot, "Writing … it is waited for")
        await pilot.press("enter", "R", "r")
        assert (len(scripted.requests("PATCH")), app.answers) == (1, [])
        line.prompts.append(NEW)
        hold.released.set()
        await reads(pilot, "Line has the new prompt")
        assert await answer(app, pilot, "escape") is None


async def test_what_somebody_else_wrote_since_is_asked_about_before_a_restore_replaces_it(
    line: Line, at_line: Setup
) -> None:
    async with updating(at_line, 1, NEW, size=SMALL) as (_, pilot):
        await put(pilot)
        await reads(pilot, "Line has the new prompt")
        line.prompts.append("Somebody else wrote this.")
        await pilot.press("R")
        await reads(pilot, "Restore the former prompt of Line?", "another prompt now than was written to it from here")
        await pilot.press("n")
        await reads(pilot, "Nothing was restored.")
        assert line.prompts[-1] == "Somebody else wrote this."
        await pilot.press("R")
        await sees(pilot, "Restore the former prompt of Line?")
        line.prompts.append("And this, while one was asked.")
        await pilot.press("y")
        await reads(pilot, "was changed while you were asked, so nothing was restored")
        await pilot.press("R")
        await sees(pilot, "Restore the former prompt of Line?")
        await pilot.press("y")
        await eventually(lambda: line.prompts[-1] == SENT, "the former prompt is back")


async def test_a_passage_that_was_moved_and_changed_is_decided_in_both_places_at_once(tmp_path: Path) -> None:
    with agents(tmp_path) as server:
        rules = ["Be kind to every caller.", "Ask for the order number first.", "Never guess a price.", "Say goodbye."]
        sent = Prompt("\n\n".join(rules))
        staged = Prompt(sent.replace("every caller", "every caller, and brief"))
        server.write_elsewhere(CLINIC, "\n\n".join([*rules[1:], rules[0]]))
        number = server.job(CLINIC, sent)
        async with updating(server.setup(), number, staged, size=SMALL) as (_, pilot):
            await reads(pilot, "2 conflicts to be decided", "conflict 1 of 2", "decided together with 2")
            await pilot.press("n")
            await reads(pilot, "conflict 2 of 2", "decided together with 1")
            await pilot.press("o")
            await reads(pilot, "Nothing to write.")
            await pilot.press("c")
            await reads(pilot, "conflict 2 of 2", "all are decided")
            await pilot.press("s")
            await sees(pilot, "enter puts it there", "and brief")
            await pilot.press("enter")
            await sees(pilot, "y yes")
            await pilot.press("y")
            await reads(pilot, "the same to the byte")
        assert server.prompt_of(CLINIC) == staged


async def test_an_agent_that_cannot_be_read_is_said_and_read_again(scripted: ScriptedServer, at_line: Setup) -> None:
    scripted.on("GET", AGENT, Reply({"detail": "Gone."}, 404))
    async with updating(at_line, 1, NEW, size=SMALL) as (_, pilot):
        await sees(pilot, "There is no agent 7 any more", "r looks again")
        Line(scripted, SENT)
        await pilot.press("r")
        await sees(pilot, "enter puts it there")


async def test_an_answer_that_comes_while_it_is_taken_apart_is_drawn_nowhere(tmp_path: Path) -> None:
    with agents(tmp_path) as server:
        sent = server.prompt_of(CLINIC)
        async with updating(server.setup(), server.job(CLINIC, sent), revised(sent), size=SMALL) as (app, pilot):
            await sees(pilot, "enter puts it there")
            dialog = app.screen
            assert isinstance(dialog, UpdatePromptDialog)
            dialog.dismiss()
            while dialog.is_attached:
                dialog._show_message("It was restored.")
                dialog.draw()
                await asyncio.sleep(0)
            no_crash(pilot)
