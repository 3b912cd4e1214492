"""Launching from the app: what is sent is what was shown or meant, and nothing that was typed is ever lost."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import LAUNCH, SMALL, WIDE, Served, no_crash, on_run, opened, setup_of
from kept_jobs import app_state_of
from scripted_server import LAUNCH as LAUNCH_PATH
from scripted_server import Hold, Reply, ScriptedServer, run_of, serve_runs
from textual.pilot import Pilot
from textual.widgets import Input, TextArea
from waiting import eventually
from watching import screen_text, sees, still

FAILED = 900238
AGENT = "/test_framework/v1/aiagents/7/"
ODD = "# Rules\r\n\tBe brief.\r\n\x1b[31mred\x1b[0m\r\n" + "long " * 4_000 + "\r\nend\r\n"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def dialog(pilot: Pilot[None], run_id: int = FAILED) -> None:
    await on_run(pilot, run_id)
    await pilot.press("i")
    await sees(pilot, "Improve the prompt", "words,", "Launch", gone="Loading")


async def choose(pilot: Pilot[None], source: str) -> None:
    """Choose where the prompt comes from, by keys in the list of sources."""
    sources: Any = pilot.app.screen.query_one("#sources")
    sources.focus()
    await pilot.press("g")
    while sources.cursor_key != source:
        await pilot.press("j")
    await pilot.press("space")


async def name_file(pilot: Pilot[None], path: str) -> None:
    await choose(pilot, "file")
    field = pilot.app.screen.query_one("#prompt-file", Input)
    field.focus()
    field.value = path
    await pilot.press("enter")


def prompt_sent(served: Served) -> Any:
    return served.asked(LAUNCH, "POST")[-1]["prompt_sha256"]


async def sent(served: Served) -> None:
    await eventually(lambda: served.asked(LAUNCH, "POST"), "a launch at the server")


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_it_shows_the_agents_prompt_where_it_goes_and_that_it_may_cost(
    served: Served, size: tuple[int, int]
) -> None:
    async with opened(served.setup(), size=size) as pilot:
        await dialog(pilot)
        await sees(pilot, "Maya, the appointment line", str(FAILED), served.server.url, "May cost credits", "Launch")
        await pilot.press("escape")
        await sees(pilot, "240 runs", gone="Improve the prompt")
        assert served.asked(LAUNCH, "POST") == []


async def test_the_agents_prompt_is_sent_as_the_server_has_it(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        shown = pilot.app.screen.query_one(TextArea).text
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 1 launched", gone="Improve the prompt")
        await sent(served)
        assert prompt_sent(served) == sha256(shown)


async def test_a_letter_on_the_way_through_the_dialog_changes_no_prompt(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        before = pilot.app.screen.query_one(TextArea).text
        await pilot.press("tab", "space", "q")
        await sees(pilot, "characters · enter edit", "Press enter to edit the prompt.")
        assert pilot.app.screen.query_one(TextArea).text == before
        await pilot.press("enter", "q")
        await sees(pilot, "characters · edited", "q# ", gone="enter edit")
        await pilot.press("tab", "shift+tab", "q")
        await sees(pilot, "edited · enter edit", "q# ")


async def test_an_edited_prompt_is_what_is_sent(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        area = pilot.app.screen.query_one(TextArea)
        area.focus()
        before = area.text
        await pilot.press("enter", *"Hi ")
        await sees(pilot, "edited")
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 1 launched")
        await sent(served)
        assert prompt_sent(served) == sha256("Hi " + before)


@pytest.fixture
def odd_file(tmp_path: Path) -> Path:
    file = tmp_path / "p.md"
    file.write_bytes(ODD.encode())
    return file


async def test_the_job_of_a_file_of_an_odd_name_knows_the_file(served: Served, tmp_path: Path) -> None:
    own = tmp_path / "Prompt at 9.41\u202fAM\u00a0v2.md"
    own.write_text("Be kind.")
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        await name_file(pilot, str(own))
        await sees(pilot, "Loaded Prompt at 9.41")
        await pilot.press("ctrl+g")
        await sent(served)
        await eventually(lambda: pilot.app.state.jobs, "the job is there")  # type: ignore[attr-defined]
        assert [job.prompt_source for job in pilot.app.state.jobs] == [str(own.resolve())]  # type: ignore[attr-defined]


async def test_a_file_with_tabs_line_ends_and_escapes_is_sent_to_the_byte(served: Served, odd_file: Path) -> None:
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        await name_file(pilot, str(odd_file))
        await sees(pilot, "Loaded p.md", "control characters, sent", "unchanged unless you edit here")
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 1 launched")
        await sent(served)
        assert prompt_sent(served) == sha256(ODD)
        assert "\x1b" not in screen_text(pilot.app)


WRONG_FILES = {
    "missing": (None, "There is no file"),
    "directory": (None, "is a directory"),
    "binary": (b"\0\xff\xfe", "is not a text file"),
    "too big": (b"x" * 200_001, "is over 200,000 bytes"),
    "blank": (b" \n ", "is blank"),
}


@pytest.fixture(params=WRONG_FILES)
def wrong_file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file `p` that is no prompt's, and what is said of it."""
    content, told = WRONG_FILES[request.param]
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("p").write_bytes(content)
    elif request.param == "directory":
        Path("p").mkdir()
    return told


async def test_a_file_that_will_not_do_gets_a_sentence_and_its_name_stays(served: Served, wrong_file: str) -> None:
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        await name_file(pilot, "p")
        await sees(pilot, wrong_file)
        assert pilot.app.screen.query_one("#prompt-file", Input).value == "p"
        assert served.asked(LAUNCH, "POST") == []
        no_crash(pilot)


async def test_a_blank_prompt_is_refused_before_it_is_sent(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        area = pilot.app.screen.query_one(TextArea)
        area.focus()
        area.text = "  \n "
        await pilot.press("ctrl+g")
        await sees(pilot, "is blank")
        assert served.asked(LAUNCH, "POST") == []


@pytest.mark.long
async def test_what_was_typed_is_there_again_after_esc_and_after_a_restart(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        pilot.app.screen.query_one(TextArea).focus()
        await pilot.press("enter", *"One ")
        await pilot.press("escape")
        await sees(pilot, "Draft saved.", gone="Improve the prompt")
        await pilot.press("i")
        await sees(pilot, "(•) Your draft", "One #", "Draft saved ")
        pilot.app.screen.query_one(TextArea).focus()
        await pilot.press("enter", *"Two ")
        await pilot.press("escape")
        await sees(pilot, "240 runs", gone="Improve the prompt")
    async with opened(served.setup()) as pilot:
        await on_run(pilot, FAILED)
        await pilot.press("i")
        await sees(pilot, "(•) Your draft", "One", "Two")
        await pilot.press("ctrl+g")
        await sees(pilot, "launched")
        assert len(served.asked(LAUNCH, "POST")) == 1
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        assert "Your draft" not in screen_text(pilot.app)


async def test_leaving_the_app_from_the_dialog_keeps_what_was_typed(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        pilot.app.screen.query_one(TextArea).focus()
        await pilot.press("enter", *"Typed ", "ctrl+q")
    async with opened(served.setup()) as pilot:
        await on_run(pilot, FAILED)
        await pilot.press("i")
        await sees(pilot, "(•) Your draft", "Typed #")


async def test_a_launch_that_this_server_does_not_offer_says_so_and_keeps_the_draft(
    misbehaving: Callable[[str], Served],
) -> None:
    served = misbehaving("withdrawn")
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        pilot.app.screen.query_one(TextArea).focus()
        await pilot.press("enter", *"Typed ", "ctrl+g")
        await sees(pilot, "does not support", "Draft saved", "Typed #")
        await pilot.press("escape")
        await sees(pilot, "240 runs", "Jobs · none yet", gone="Improve the prompt")
        await pilot.press("i")
        await sees(pilot, "(•) Your draft", "Typed #")
        assert len(served.asked(LAUNCH, "POST")) == 1
        no_crash(pilot)


async def test_a_launch_without_an_id_is_shown_as_unconfirmed_and_not_sent_again(
    misbehaving: Callable[[str], Served],
) -> None:
    served = misbehaving("no-progress-id")
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 1 unconfirmed", "has no", gone="Improve the prompt")
        await pilot.press("2")
        await sees(pilot, "1 unconfirmed", "progress_id", "No automatic")
        await pilot.press("enter")
        await sees(pilot, "Job 1  ? unconfirmed", "no answer confirms", "No automatic retry", "launching")
        no_crash(pilot)
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "unconfirmed")
        assert len(served.asked(LAUNCH, "POST")) == 1


async def test_a_read_only_session_launches_nothing(served: Served) -> None:
    async with opened(served.setup(read_only=True)) as pilot:
        await sees(pilot, "read-only")
        await dialog(pilot)
        await pilot.press("ctrl+g")
        await sees(pilot, "Read-only session: nothing was launched")
        assert served.asked(LAUNCH, "POST") == []


async def test_while_a_launch_waits_esc_does_not_leave_it_and_enter_does_not_send_it_twice(
    scripted: ScriptedServer,
) -> None:
    hold = Hold(Reply({"progress_id": "p-1"}))
    serve_runs(scripted, run_of(5))
    page = {"count": 1, "next": None, "previous": None, "results": [run_of(5)]}
    scripted.on("GET", "/test_framework/v1/runs/", Reply(page))
    scripted.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "agent_name": "A", "description": "Be kind."}))
    scripted.on("POST", LAUNCH_PATH, hold)
    async with opened(setup_of(scripted.url, "key", 1)) as pilot:
        await on_run(pilot, 5)
        await pilot.press("i")
        await sees(pilot, "Be kind.", gone="Loading")
        await pilot.press("ctrl+g")
        await eventually(hold.arrived.is_set, "the launch at the server")
        await pilot.press("escape", "enter", "ctrl+g")
        await sees(pilot, "Improve the prompt", "Launching.")
        hold.released.set()
        await sees(pilot, "Job 1 launched", gone="Improve the prompt")
        assert len(scripted.requests("POST", LAUNCH_PATH)) == 1


async def test_a_chosen_focus_is_sent_with_it(scripted: ScriptedServer) -> None:
    metric = {"id": 31, "name": "Greets", "type": "binary_workflow_adherence", "score": 0, "explanation": ["No."]}
    run = run_of(5, evaluation={"metrics": [metric]}, critical_categories=[{"category_id": 9, "category": "Privacy"}])
    serve_runs(scripted, run)
    page = {"count": 1, "next": None, "previous": None, "results": [run]}
    scripted.on("GET", "/test_framework/v1/runs/", Reply(page))
    scripted.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "agent_name": "A", "description": "Be kind."}))
    scripted.on("POST", LAUNCH_PATH, Reply({"progress_id": "p-1"}))
    async with opened(setup_of(scripted.url, "key", 1)) as pilot:
        await on_run(pilot, 5)
        await pilot.press("i")
        await sees(pilot, "[ ] Metric: Greets", "[ ] Category: Privacy", "Be kind.", gone="Loading")
        pilot.app.screen.query_one("#focuses").focus()
        await pilot.press("j", "space")
        await sees(pilot, "[ ] Metric: Greets", "[x] Category: Privacy")
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 1 launched")
        (launch,) = scripted.requests("POST", LAUNCH_PATH)
        assert launch.json() == {"run_ids": [5], "prompt": "Be kind.", "agent": 7, "category_ids": [9]}


def serve_prompt(scripted: ScriptedServer, *runs: dict[str, object]) -> None:
    """These runs, the first of them in a list, and the prompt of their agent."""
    serve_runs(scripted, *runs)
    scripted.on("GET", "/test_framework/v1/runs/", Reply({"count": 1, "results": [runs[0]]}))
    scripted.on("GET", AGENT, Reply({"id": 7, "agent_name": "A", "description": "Be kind."}))
    scripted.on("POST", LAUNCH_PATH, Reply({"progress_id": "p-1"}))


async def test_improving_from_a_run_that_goes_on_says_so_and_asks(scripted: ScriptedServer) -> None:
    serve_prompt(scripted, run_of(5, status="in_progress", evaluation_status=None))
    async with opened(setup_of(scripted.url, "key", 1)) as pilot:
        await on_run(pilot, 5)
        await pilot.press("i")
        await sees(pilot, "! Run 5 has not finished", "Be kind.", gone="Loading")
        await pilot.press("ctrl+g")
        await sees(pilot, "Launch from an unfinished run?")
        await pilot.press("n", "ctrl+g")
        await sees(pilot, "Launch from an unfinished run?")
        assert not scripted.requests("POST")
        await pilot.press("y")
        await sees(pilot, "Job 1 launched", gone="Improve the prompt")
        assert len(scripted.requests("POST", LAUNCH_PATH)) == 1


async def test_why_there_is_no_prompt_stays_until_it_was_read_by_itself_or_by_a_key(
    scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []

    def delay(failures: int, after: float | None, spread: float) -> float:
        waits.append(failures)
        return 600.0 if len(waits) == 2 else 0.01

    monkeypatch.setattr("cekura_tui.ui.jobs.improve.retry_delay", delay)
    serve_prompt(scripted, run_of(5))
    scripted.on("GET", AGENT, Reply(b"{"))
    async with opened(setup_of(scripted.url, "key", 1)) as pilot:
        await on_run(pilot, 5)
        await pilot.press("i")
        await eventually(lambda: len(waits) == 2, "read again by itself, and to be read again much later")
        await pilot.press("ctrl+g")
        await sees(pilot, "Can't read the prompt of agent 7", "ctrl+r retry now", "The prompt is empty")
        scripted.on("GET", AGENT, Reply(b"{"), Reply({"id": 7, "agent_name": "A", "description": "Be kind."}))
        await pilot.press("ctrl+r")
        await sees(pilot, "Be kind.", gone="could not be read")
        assert "The prompt is empty" not in screen_text(pilot.app)
        assert waits == [1, 2, 1], "the key asked, and once more it was asked by itself"
        assert not scripted.requests("POST")


async def test_enter_in_a_dialog_that_was_just_opened_launches_nothing(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        await pilot.press("enter", "space", "enter")
        await still(pilot)
        await sees(pilot, "Improve the prompt")
        assert not served.asked(LAUNCH, "POST")


async def test_a_launch_key_that_comes_twice_at_once_launches_once(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        screen: Any = pilot.app.screen
        screen.action_launch()
        screen.action_launch()
        await sees(pilot, "launched", gone="Improve the prompt")
        assert len(served.asked(LAUNCH, "POST")) == 1


async def test_what_is_typed_before_the_agents_prompt_arrives_stays(scripted: ScriptedServer) -> None:
    serve_runs(scripted, run_of(5))
    page = {"count": 1, "next": None, "previous": None, "results": [run_of(5)]}
    scripted.on("GET", "/test_framework/v1/runs/", Reply(page))
    hold = Hold(Reply({"id": 7, "agent_name": "Agent 7", "description": "The agent's own prompt."}))
    scripted.on("GET", "/test_framework/v1/aiagents/7/", hold)
    async with opened(setup_of(scripted.url, "key", 9)) as pilot:
        await on_run(pilot, 5)
        await pilot.press("i")
        await sees(pilot, "Improve the prompt", "Loading the agent's prompt")
        area = pilot.app.screen.query_one(TextArea)
        area.focus()
        await pilot.press(*"Mine.")
        hold.released.set()
        await sees(pilot, "Launch", gone="Loading the agent's prompt")
        assert area.text == "Mine."
        await choose(pilot, "file")
        await sees(pilot, "Your draft")


async def test_an_editor_that_cannot_be_started_is_a_sentence_and_leaves_no_file(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "/nowhere/editor")
    monkeypatch.delenv("VISUAL", raising=False)
    setup = served.setup()
    async with opened(setup) as pilot:
        await dialog(pilot)
        with monkeypatch.context() as patch:
            # The driver of these tests cannot be suspended; what happens inside is real.
            patch.setattr(pilot.app, "suspend", nullcontext)
            await pilot.press("ctrl+e")
        await sees(pilot, "could not be started", "unchanged.")
        assert not list(setup.paths.home.glob("prompt-*"))


async def test_a_launch_goes_on_in_a_window_that_became_too_small(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await dialog(pilot)
        pilot.app.simulate_key("ctrl+g")
        await pilot.resize_terminal(40, 10)
        await sees(pilot, "cekura-tui needs")
        state = app_state_of(pilot)
        await eventually(lambda: [job.state for job in state.jobs] == ["succeeded"], "the job has ended")
        await pilot.resize_terminal(*SMALL)
        await sees(pilot, "240 runs", "succeeded", gone="Improve the prompt")
        assert len(served.asked(LAUNCH, "POST")) == 1
