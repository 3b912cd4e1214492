"""The dialog that `y` opens copies or saves parts of a run, or opens the run's recording in a browser."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import setup_of
from calling import call
from one_dialog import OneDialog, answer, opened_dialog
from scripted_server import ScriptedServer, run_of, serve_runs
from textual.pilot import Pilot
from watching import sees

from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.model.text import clean_json
from cekura_tui.ui.kit.copying import CopyDialog
from cekura_tui.ui.run.copy import copy_run_dialog
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.setup import DemoOptions, Setup, make_setup

DASHBOARD = "https://dashboard.cekura.ai"
NO_RECORDING = "No link to the recording: the server sent no web link."
RECORDING = "https://storage.example/run.wav?signature=a%20b&x=1"
CALL: dict[str, object] = {
    "result_id": 991,
    "project": 4021,
    "voice_recording_url": RECORDING,
    "transcript_object": [
        {"role": "Main Agent", "content": "Clinic, *hello*.\n# Who is it?", "start_time": 0.5, "end_time": 2.0},
        {"role": "Testing Agent", "content": "It is me…", "start_time": 61.0, "end_time": 63.0},
        {"role": "Function Call", "data": {"name": "book", "arguments": '{"day": "Tuesday"}'}, "start_time": 64.0},
        {"role": "Supervisor", "content": "<b>Stop</b>", "start_time": 3_700.0},
    ],
    "evaluation": {
        "metrics": [
            {"id": 1, "name": "Identity", "score": 2, "explanation": ["Asked too late."]},
            {"id": 2, "name": "Politeness", "passed": True, "type": "binary", "score": 5},
        ]
    },
    "rubric": [{"metric_id": 1, "conditions": "score gte 4", "passed": False}],
}


def view(**fields: object) -> RunView:
    return view_of(Run.read(clean_json(run_of(48213, **{**CALL, **fields}))), 0.0)


@pytest.fixture
def setup(scripted: ScriptedServer) -> Setup:
    return linking(setup_of(scripted.url, "secret-key", 1), DASHBOARD)


def linking(setup: Setup, dashboard: str | None) -> Setup:
    return replace(setup, settings=replace(setup.settings, dashboard_url=dashboard or ""))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def copy_of(shown: RunView, **given: Any) -> Callable[[AppState], CopyDialog]:
    options = {"turns": {}, "verdict": None, "verdict_first": False, **given}
    return lambda state: copy_run_dialog(state, shown, **options)


def offered(app: OneDialog) -> list[str]:
    return [offer.words for offer in app.dialog.query_one("#copies").rows]


async def go_to(app: OneDialog, pilot: Pilot[None], words: str) -> None:
    """Move the cursor to the offer `words`; first open the dialog again if it is closed."""
    if not isinstance(app.screen, CopyDialog):
        app.ask()
    app.clear_notifications()  # they would cover the dialog
    await sees(pilot, "Copy or save run 48213")
    await pilot.press("g", *["j"] * offered(app).index(words))


async def choose(app: OneDialog, pilot: Pilot[None], words: str) -> object:
    await go_to(app, pilot, words)
    return await answer(app, pilot, "enter")


# To the clipboard


def test_the_dialog_copies_and_saves_what_the_command_line_prints(
    scripted: ScriptedServer, setup: Setup, monkeypatch: pytest.MonkeyPatch, here: Path
) -> None:
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", "secret-key")
    serve_runs(scripted, run_of(48213, **CALL))
    forms = {"Markdown": ("md", ["--markdown"]), "text": ("txt", []), "JSON": ("json", ["--json"])}
    printed = [call("runs", "show", 48213, "--transcript", *words).out for _, words in forms.values()]

    async def copied() -> list[str]:
        async with opened_dialog(setup, copy_of(view())) as (app, pilot):
            for form in forms:
                await choose(app, pilot, f"transcript as {form}")
            for form in forms:
                await go_to(app, pilot, f"save the transcript as {form} to a file …")
                await pilot.press("enter")
                await sees(pilot, "Save the transcript of run 48213 as")
                await answer(app, pilot, "enter")
            return app.copied

    assert [text + "\n" for text in asyncio.run(copied())] == printed
    assert [(here / f"run-48213-transcript.{ending}").read_text() for ending, _ in forms.values()] == printed
    assert "**1:01:40 Supervisor:** \\<b\\>Stop\\</b\\>" in printed[0]
    assert "0:01:01  Caller: It is me…" in printed[1]
    assert [turn["n"] for turn in json.loads(printed[2])["turns"]] == [1, 2, 3, 4]


async def test_each_offered_part_of_a_run_is_copied_exactly(scripted: ScriptedServer, setup: Setup) -> None:
    shown = view()
    verdict = shown.verdicts[1]
    copies = {
        "run ID": "48213",
        "link to the result": f"{DASHBOARD}/4021/results/991",
        "turn at 0:01:01": "0:01:01  Caller: It is me…",
        "verdict “Politeness”": "✓ Politeness: passed",
        "link to the recording": RECORDING,
        "request as curl": f'curl {scripted.url}/test_framework/v1/runs/48213/ -H "X-CEKURA-API-KEY: $CEKURA_API_KEY"',
    }
    async with opened_dialog(setup, copy_of(shown, turns={2: "sure"}, verdict=verdict)) as (app, pilot):
        for words in copies:
            assert await choose(app, pilot, words) is None
        assert app.copied == list(copies.values())
        await sees(pilot, "Sent the request as curl, ")
    assert scripted.seen == [], "the recording is not fetched, nor anything else"


async def test_each_offer_previews_the_start_of_its_text(setup: Setup) -> None:
    async with opened_dialog(setup, copy_of(view())) as (app, pilot):
        for words, *texts in (
            ("transcript as text", "0:00:00 Agent: Clinic, *hello*.", "# Who is it?"),
            ("save the transcript as Markdown to a file …", "# Transcript of run 48213"),
            ("transcript as JSON", '"run": 48213'),
            ("link to the recording", RECORDING),
        ):
            await go_to(app, pilot, words)
            await sees(pilot, *texts)
        await go_to(app, pilot, "save the transcript as text to a file …")
        await pilot.press("enter")
        await sees(pilot, "Save the transcript of run 48213 as")
        await pilot.press("escape")
        await sees(pilot, "Copy or save run 48213", gone="Save the transcript of")
        await choose(app, pilot, "verdict “Identity”")  # the first failed one, since no verdict is under the cursor
        assert app.copied == ["✗ Identity: failed · 2, needs ≥ 4\n    Asked too late."]


@pytest.mark.parametrize(
    ("fields", "dashboard", "reason", "missing"),
    [
        ({"result_id": None}, DASHBOARD, "No link: the run has no result or project.", ("link to the result", "turn")),
        ({}, None, "No link: no dashboard URL is set.", "link to the result"),
        ({"voice_recording_url": "javascript:alert(1)"}, DASHBOARD, NO_RECORDING, ("open", "link to the recording")),
        ({"voice_recording_url": 7}, DASHBOARD, NO_RECORDING, ("open", "link to the recording")),
        ({"evaluation": None, "rubric": None}, DASHBOARD, "Copy or save", "verdict"),
    ],
)
async def test_the_dialog_says_why_something_is_not_offered(
    setup: Setup, fields: dict[str, object], dashboard: str | None, reason: str, missing: str | tuple[str, ...]
) -> None:
    async with opened_dialog(linking(setup, dashboard), copy_of(view(**fields))) as (app, pilot):
        await sees(pilot, reason)
        assert [words for words in offered(app) if words.startswith(missing)] == []


async def test_the_demo_offers_no_curl_command(home: Path) -> None:
    demo = make_setup(demo=DemoOptions(), env={"CEKURA_TUI_HOME": str(home)})
    async with opened_dialog(demo, copy_of(view())) as (app, pilot):
        await sees(pilot, "No curl: the demo server ends with the app.")
        assert "request as curl" not in offered(app)


@pytest.mark.parametrize("name", ["SSH_CONNECTION", "SSH_TTY"])
async def test_over_ssh_the_link_of_the_recording_is_offered_but_no_browser(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "/dev/pts/1")
    async with opened_dialog(setup, copy_of(view())) as (app, pilot):
        await sees(pilot, "Copy or save run 48213")
        assert "link to the recording" in offered(app)
        assert not [words for words in offered(app) if "browser" in words]


# To a browser


@pytest.fixture
def browser(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that makes shell code the user's browser."""

    def use(code: str) -> None:
        script = here / "browser"
        script.write_text(f"#!/bin/sh\n{code}\n")
        script.chmod(0o700)
        monkeypatch.setenv("BROWSER", f"{script} %s")

    return use


async def test_enter_opens_the_recording_and_browser_output_is_hidden(
    setup: Setup,
    browser: Callable[[str], None],
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    browser('echo NOISE; echo NOISE >&2\n(echo "$1"; env) > took.part\nmv took.part took')
    monkeypatch.setenv("CEKURA_API_KEY", "secret-key")
    async with opened_dialog(setup, copy_of(view())) as (app, pilot):
        await go_to(app, pilot, "open the recording in a browser")
        await sees(pilot, RECORDING)
        assert "took" not in os.listdir(here)
        assert await answer(app, pilot, "enter") == "Opened the recording in a browser."
    link, *environment = (here / "took").read_text().splitlines()
    assert link == RECORDING
    assert not [line for line in environment if "secret-key" in line or line.startswith("TERM=")]
    assert "NOISE" not in "".join(capfd.readouterr())


def test_closing_does_not_wait_for_a_slow_browser(setup: Setup, browser: Callable[[str], None], here: Path) -> None:
    browser("until [ -e release ]; do sleep 0.05; done")

    async def opened_and_closed() -> None:
        async with opened_dialog(setup, copy_of(view())) as (app, pilot):
            await go_to(app, pilot, "open the recording in a browser")
            await pilot.press("enter")
            await sees(pilot, "Opening a browser …")
            assert await answer(app, pilot, "escape") is None

    asyncio.run(opened_and_closed())
    (opening,) = [thread for thread in threading.enumerate() if thread.name == "program"]
    assert opening.daemon
    (here / "release").touch()
    opening.join(20)
    assert not opening.is_alive()


async def test_without_a_browser_the_link_of_the_recording_can_be_copied(
    setup: Setup, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "webbrowser.py").write_text("open('run', 'w').close()\ndef open(link): return True\n")
    monkeypatch.setenv("BROWSER", "false %s")
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    async with opened_dialog(setup, copy_of(view())) as (app, pilot):
        await go_to(app, pilot, "open the recording in a browser")
        await pilot.press("enter")
        await sees(pilot, "Can't open a browser. Copy the link instead.")
        await choose(app, pilot, "link to the recording")
        assert app.copied == [RECORDING]
    assert os.listdir(here) == ["webbrowser.py"], "nothing in the current directory is run"
