"""The improve dialog sends exactly the shown or typed prompt and loses no typed text."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import LAUNCH, SMALL, Served, on_run, opened, setup_of
from improve_dialogs import AGENT, PROMPT, agent_with, choose, improving, name_file, sent, serve_improvable, typing
from one_dialog import answer
from scripted_server import Hold, Reply, ScriptedServer, run_of
from seeded_jobs import app_state_of
from textual.pilot import Pilot
from textual.widgets import Input, TextArea
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.text import Prompt, clean_line
from cekura_tui.store.errors import StoreError
from cekura_tui.ui.messages import GivenPrompt
from cekura_tui.workspace.job_service import JobService
from cekura_tui.workspace.setup import Setup

FAILED = 900238
CONTROL_CHARACTERS = "# Rules\r\n\tBe brief.\r\n\x1b[31mred\x1b[0m\r\n" + "long " * 4_000 + "\r\nend\r\n"


@pytest.fixture
def setup(scripted: ScriptedServer) -> Setup:
    """Settings for a scripted server with one run."""
    return serve_improvable(scripted)


def last_message(pilot: Pilot[None]) -> str:
    return clean_line([one.message for one in pilot.app._notifications][-1])


# From the list of runs


async def dialog(pilot: Pilot[None], run_id: int = FAILED) -> None:
    await on_run(pilot, run_id)
    await pilot.press("i")
    await sees(pilot, "Improve the prompt", "words,", "Launch", gone="Loading")


async def test_prompt_of_the_agent_is_shown_and_sent_unchanged(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await dialog(pilot)
        await sees(pilot, "Maya, the appointment line", str(FAILED), served.server.url, "May cost credits", "Launch")
        await pilot.press("pagedown")
        await sees(pilot, gone="Maya, the appointment line")
        await pilot.press("tab", "q", "q", "question_mark")
        await sees(pilot, "Cursor line start")
        await pilot.press("escape", "q")
        await sees(pilot, "Press enter to edit the prompt.")
        await pilot.press("escape")
        await sees(pilot, "240 runs", gone="Improve the prompt")
        await sees(pilot, gone="Press enter to edit")
        assert served.requests_to(LAUNCH, "POST") == []
        await dialog(pilot)
        shown = pilot.app.screen.query_one(TextArea).text
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 1 launched", gone="Improve the prompt")
        (launch,) = served.requests_to(LAUNCH, "POST")
        assert launch["prompt_sha256"] == hashlib.sha256(shown.encode()).hexdigest()


async def test_quitting_from_the_dialog_keeps_typed_text(setup: Setup) -> None:
    async with opened(setup) as pilot:
        await dialog(pilot, 5)
        await typing(pilot, *"Typed ", "ctrl+q")
    async with improving(setup, "(•) Your draft", f"Typed {PROMPT}"):
        pass


async def test_launch_answered_without_an_id_is_unconfirmed_and_not_retried(
    setup: Setup, scripted: ScriptedServer
) -> None:
    scripted.on("POST", LAUNCH, Reply({"id": 5, "status": "completed"}))
    async with opened(setup) as pilot:
        await dialog(pilot, 5)
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 1 unconfirmed", "has no", gone="Improve the prompt")
        await pilot.press("2")
        await sees(pilot, "1 unconfirmed", "progress_id", "No automatic")
        assert len(sent(scripted)) == 1


async def test_launch_completes_while_the_window_is_too_small(setup: Setup, scripted: ScriptedServer) -> None:
    async with opened(setup, size=SMALL) as pilot:
        await dialog(pilot, 5)
        pilot.app.simulate_key("ctrl+g")
        await pilot.resize_terminal(40, 10)
        await sees(pilot, "cekura-tui needs")
        await eventually(lambda: app_state_of(pilot).jobs, "the job is launched")
        await pilot.resize_terminal(*SMALL)
        await sees(pilot, "1 running", gone="Improve the prompt")
        assert len(sent(scripted)) == 1


# The prompt that is sent


async def test_keys_do_not_edit_the_prompt_before_enter_is_pressed(setup: Setup) -> None:
    async with improving(setup, PROMPT) as (app, pilot):
        await pilot.press("tab", "space", "q")
        await sees(pilot, "characters · enter edit", "Press enter to edit the prompt.")
        assert app.screen.query_one(TextArea).text == PROMPT
        await pilot.press("enter", "q")
        await sees(pilot, "characters · edited", f"q{PROMPT}", gone="enter edit")
        await pilot.press("tab", "shift+tab", "q")
        await sees(pilot, "edited · enter edit", f"q{PROMPT}")


async def test_file_with_an_odd_name_is_sent_byte_for_byte_and_named_in_the_job(
    setup: Setup, scripted: ScriptedServer, tmp_path: Path
) -> None:
    own = tmp_path / "Prompt at 9.41\u202fAM\u00a0v2.md"
    own.write_bytes(CONTROL_CHARACTERS.encode())
    async with improving(setup, PROMPT) as (app, pilot):
        await name_file(pilot, str(own))
        await sees(pilot, "Loaded Prompt at 9.41", "control characters, sent", "unchanged unless you edit here")
        assert "\x1b" not in screen_text(app)
        job = await answer(app, pilot, "ctrl+g")
        assert sent(scripted) == [CONTROL_CHARACTERS]
        assert job.prompt_source == str(own.resolve())


async def test_a_blank_prompt_or_an_unusable_file_is_refused(
    setup: Setup, scripted: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "binary").write_bytes(b"\0\xff\xfe")
    async with improving(setup, PROMPT) as (app, pilot):
        button = app.screen.query_one("#launch").region
        for name, sentence in (("missing", "There is no file"), ("binary", "is not a text file")):
            await name_file(pilot, name)
            assert app.screen.query_one("#launch").region == button, "no part moves with the source of the prompt"
            await sees(pilot, sentence)
            assert app.screen.query_one("#prompt-file", Input).value == name
        area = await typing(pilot)
        area.text = "  \n "
        await pilot.press("ctrl+g")
        await sees(pilot, "is blank")
        area.text = "binary"
        await pilot.press("ctrl+g")
        await sees(pilot, "The prompt is only the path of a file.")
        assert sent(scripted) == []
        await pilot.resize_terminal(60, 15)
        await sees(pilot, "ctrl+g launch", "esc close")


async def test_typed_text_is_kept_as_a_draft_until_a_launch(setup: Setup, scripted: ScriptedServer) -> None:
    async with improving(setup, PROMPT) as (app, pilot):
        await typing(pilot, *"One ")
        await answer(app, pilot, "escape")
        assert last_message(pilot) == "Draft saved. Press i on the same runs to open it."
        app.ask()
        await sees(pilot, "(•) Your draft", f"One {PROMPT}", "Draft saved ")
        await choose(pilot, "agent")
        await choose(pilot, "draft")
        await typing(pilot, *"Two ")
        await answer(app, pilot, "ctrl+g")
        assert sent(scripted) == [f"Two One {PROMPT}"]
        app.ask()
        await sees(pilot, "Last launched prompt", gone="Loading")
        assert "Your draft" not in screen_text(app)


async def test_edits_of_a_given_prompt_become_a_draft_that_opens_from_the_same_runs(setup: Setup) -> None:
    given = GivenPrompt("staged from job 1", Prompt("Staged."))
    async with improving(setup, "(•) Staged from job 1", given=given) as (app, pilot):
        await typing(pilot, *"Mine. ")
        await answer(app, pilot, "escape")
        assert last_message(pilot).endswith("on the same runs to open it; here, choose “Your draft”.")
        app.ask()
        await sees(pilot, "(•) Staged from job 1", "( ) Your draft", gone="Loading")
        assert app.dialog.query_one("#sources").text_of("draft") == "Mine. Staged."
    async with improving(setup, "(•) Your draft", "Mine. Staged."):
        pass


async def test_text_typed_while_the_agents_prompt_loads_is_kept(setup: Setup, scripted: ScriptedServer) -> None:
    scripted.on("GET", AGENT, hold := Hold(agent_with(PROMPT)))
    async with improving(setup, "Loading the agent's prompt", gone=PROMPT) as (app, pilot):
        area = app.screen.query_one(TextArea)
        area.focus()
        await pilot.press(*"Mine.")
        hold.released.set()
        await sees(pilot, "Launch", gone="Loading the agent's prompt")
        assert area.text == "Mine."
        await choose(pilot, "file")
        await sees(pilot, "Your draft")


async def test_load_error_stays_until_a_retry_succeeds(
    setup: Setup, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []

    async def fails(*_: object) -> None:
        raise StoreError("Can't read the drafts.")

    def delay(failures: int, after: float | None, jitter: float) -> float:
        waits.append(failures)
        return 600.0 if len(waits) == 2 else 0.01

    monkeypatch.setattr("cekura_tui.ui.jobs.improve.retry_delay", delay)
    monkeypatch.setattr(JobService, "draft", fails)
    scripted.on("GET", AGENT, Reply(b"{"))
    async with improving(setup) as (app, pilot):
        await eventually(lambda: len(waits) == 2, "one retry done, another scheduled much later")
        await sees(pilot, "Can't read the drafts.", "(•) Cekura")
        await pilot.press("ctrl+g")
        await sees(pilot, "Can't read the prompt of agent 7", "Retrying at ", "ctrl+r retry now", "The prompt is empty")
        scripted.on("GET", AGENT, Reply({"detail": "Gone."}, 404))
        await pilot.press("ctrl+r")
        await sees(pilot, "(404: Gone.). ctrl+r", gone="Retrying")
        scripted.on("GET", AGENT, Reply(b"{"), agent_with(PROMPT))
        await pilot.press("ctrl+r")
        await sees(pilot, PROMPT, gone="could not be read")
        assert "The prompt is empty" not in screen_text(app)
        assert waits == [1, 2, 1], "one retry by key, and an automatic one after it"
        assert sent(scripted) == []


async def test_editor_that_cannot_start_is_reported_and_leaves_no_file(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "/nowhere/editor")
    monkeypatch.delenv("VISUAL", raising=False)
    async with improving(setup, PROMPT) as (app, pilot):
        with monkeypatch.context() as patch:
            # The test driver cannot be suspended; everything else is real.
            patch.setattr(app, "suspend", nullcontext)
            await pilot.press("ctrl+e")
        await sees(pilot, "could not be started", "unchanged.")
        assert not list(setup.paths.home.glob("prompt-*"))


# Launching


async def test_read_only_session_launches_nothing(setup: Setup, scripted: ScriptedServer) -> None:
    async with improving(setup_of(scripted.url, "key", 1, read_only=True), PROMPT) as (_, pilot):
        await pilot.press("ctrl+g")
        await sees(pilot, "Read-only session: nothing was launched")
        assert sent(scripted) == []


async def test_launch_in_progress_cannot_be_closed_or_sent_twice(setup: Setup, scripted: ScriptedServer) -> None:
    scripted.on("POST", LAUNCH, hold := Hold(Reply({"progress_id": "p-1"})))
    async with improving(setup, PROMPT) as (app, pilot):
        await typing(pilot, *"Hi ")
        await sees(pilot, "edited")
        app.dialog.action_launch()
        app.dialog.action_launch()
        await eventually(hold.arrived.is_set, "the launch at the server")
        await pilot.press("escape", "enter", "ctrl+g")
        await sees(pilot, "Improve the prompt", "Launching.")
        hold.released.set()
        assert (await answer(app, pilot)).number == 1
        assert sent(scripted) == [f"Hi {PROMPT}"]


async def test_chosen_focus_is_sent(setup: Setup, scripted: ScriptedServer) -> None:
    metric = {"id": 31, "name": "Greets", "type": "binary_workflow_adherence", "score": 0, "explanation": ["No."]}
    run = run_of(5, evaluation={"metrics": [metric]}, critical_categories=[{"category_id": 9, "category": "Privacy"}])
    async with improving(setup, "[ ] Metric: Greets", "[ ] Category: Privacy", PROMPT, run=run) as (app, pilot):
        app.screen.query_one("#focuses").focus()
        await pilot.press("j", "space")
        await answer(app, pilot, "escape")
        app.ask()
        await sees(pilot, "[ ] Metric: Greets", "[x] Category: Privacy", PROMPT, gone="Loading")
        await answer(app, pilot, "ctrl+g")
        (launch,) = scripted.requests("POST", LAUNCH)
        assert launch.json() == {"run_ids": [5], "prompt": PROMPT, "agent": 7, "category_ids": [9]}


async def test_improving_an_unfinished_run_asks_for_confirmation(setup: Setup, scripted: ScriptedServer) -> None:
    run: dict[str, Any] = run_of(5, status="in_progress", evaluation_status=None)
    async with improving(setup, "! Run 5 has not finished", PROMPT, run=run) as (app, pilot):
        await pilot.press("ctrl+g")
        await sees(pilot, "Launch from an unfinished run?")
        await pilot.press("escape", "ctrl+g")
        await sees(pilot, "Launch from an unfinished run?")
        assert sent(scripted) == []
        await answer(app, pilot, "ctrl+g")
        assert len(sent(scripted)) == 1
