"""Saving runs from the list: the contents of the file, the progress, and no file after a stopped export."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from app_on_a_server import EPOCH, LIST, PROJECT, Served, setup_of
from one_dialog import OneDialog, answer, opened_dialog
from scripted_server import Got, Hold, Reply, ScriptedServer, run_of
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import eventually
from watching import sees

from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.run.words import csv_row
from cekura_tui.model.scope import Scope
from cekura_tui.ui.runs.export import ExportRunsDialog, RowsText
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.setup import Setup

QUERY = RunQuery(Scope("project", PROJECT, "Clinics"))
PASSED = {"evaluation_status": "success"}
FIRST = Reply({"count": 2, "next": "2", "results": [run_of(2, **PASSED)]})


def row(number: int, **fields: object) -> RunRow:
    return row_of(Run.read(run_of(number, **{**PASSED, **fields})))


@asynccontextmanager
async def dialog(
    setup: Setup,
    query: RunQuery = QUERY,
    marked: Sequence[RunRow] = (),
    shown: Sequence[RunRow] | None = None,
    notes: Mapping[int, str] | None = None,
) -> AsyncIterator[tuple[OneDialog, Pilot[None]]]:
    def export(state: AppState) -> ExportRunsDialog:
        state.clock = lambda: EPOCH
        return ExportRunsDialog(state, query, marked, shown, notes or {})

    async with opened_dialog(setup, export) as (app, pilot):
        await sees(pilot, "Export runs")
        yield app, pilot


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which is also the home directory."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    return place


async def type_name(pilot: Pilot[None], text: str) -> None:
    pilot.app.screen.query_one(Input).value = text
    await pilot.pause()


async def test_only_the_marked_runs_are_saved_and_the_message_says_where(served: Served, here: Path) -> None:
    file = time.strftime("runs-%Y-%m-%d.csv", time.localtime(EPOCH))
    rows = [row(9, scenario_name="=HYPERLINK(1)"), row(4)]
    async with dialog(served.setup(), marked=rows, notes={4: "ask Mo"}) as (app, pilot):
        await sees(pilot, "(•) 2 marked runs", "( ) all runs of Clinics", file)
        assert await answer(app, pilot, "enter") == f"Saved 2 runs to {here / file}"
    assert served.log == []
    header, first, second = (here / file).read_text().splitlines()
    assert header.startswith("id,outcome,")
    assert (first.split(",")[0], second.split(",")[0]) == ("9", "4")
    assert ",'=HYPERLINK(1)," in first
    assert second.endswith(",ask Mo")


async def test_all_runs_that_match_the_filter_are_requested_and_saved(served: Served, here: Path) -> None:
    query = RunQuery(QUERY.scope, parse("outcome:passed persona:~calm").filter)
    async with dialog(served.setup(), query, [row(4)]) as (app, pilot):
        await pilot.press("down")
        await sees(pilot, "( ) 1 marked run", "(•) all runs of Clinics matching outcome:passed persona:~calm")
        await type_name(pilot, "~/passed.jsonl")
        assert " runs to " in await answer(app, pilot, "enter")
    assert served.requests_to(LIST)
    found = [json.loads(line) for line in (here / "passed.jsonl").read_text().splitlines()]
    assert found
    assert {run["outcome"] for run in found} == {"passed"}
    assert all("calm" in run["personality"].casefold() for run in found)
    served.log.clear()
    async with dialog(served.setup(), shown=[row(number) for number in (5, 7, 6)]) as (app, pilot):
        await sees(pilot, "(•) all 3 runs of Clinics")
        await type_name(pilot, "runs.txt")
        await pilot.press("enter")
        await sees(pilot, "Unknown file type")
        await type_name(pilot, "shown.jsonl")
        assert (await answer(app, pilot, "enter")).startswith("Saved 3 runs to")
    assert served.log == [], "what is loaded whole is saved as shown"
    assert [json.loads(line)["id"] for line in (here / "shown.jsonl").read_text().splitlines()] == [5, 7, 6]


@pytest.fixture
def second_page(scripted: ScriptedServer) -> Hold:
    """The second page of a list of two pages, held back until the test releases it."""
    hold = Hold(Reply({"count": 2, "next": None, "results": [run_of(1, **PASSED)]}))
    scripted.on("GET", LIST, FIRST, hold)
    return hold


async def test_an_export_shows_its_progress_and_leaves_no_file_when_stopped(
    scripted: ScriptedServer, second_page: Hold, here: Path
) -> None:
    one, busy = {"count": 1, "next": None, "results": [run_of(1, **PASSED)]}, Reply({}, 429, {"Retry-After": "0"})
    last = Hold(Reply(one))
    async with dialog(setup_of(scripted.url, "key", PROJECT)) as (app, pilot):
        await type_name(pilot, "all.csv")
        await pilot.press("enter")
        await sees(pilot, "████████████············ 1 of 2 runs", "Writing CSV to", "esc stop")
        await eventually(second_page.arrived.is_set, "the second page is asked for")
        await pilot.press("escape")
        await sees(pilot, "Stop the export?", "Nothing will be saved.", "Keep exporting", gone="Cancel")
        await pilot.press("ctrl+g")
        await sees(pilot, "Stopped. Nothing was saved.", "enter export")
        assert os.listdir(here) == []
        scripted.on("GET", LIST, busy, last)
        await pilot.press("enter")
        await sees(pilot, "Too many requests to")
        last.released.set()
        assert (await answer(app, pilot)).startswith("Saved 1 run to")
    assert os.listdir(here) == ["all.csv"]


async def test_quitting_or_a_server_error_during_an_export_leaves_no_file(
    scripted: ScriptedServer, second_page: Hold, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with dialog(setup_of(scripted.url, "key", PROJECT)) as (_, pilot):
        await pilot.press("enter")
        await eventually(second_page.arrived.is_set, "the second page is asked for")
    assert os.listdir(here) == []
    monkeypatch.setattr("cekura_tui.api.errors.TRIES", 1)
    scripted.on("GET", LIST, FIRST, Reply(b"<html>", 502))
    async with dialog(setup_of(scripted.url, "key", PROJECT)) as (_, pilot):
        await pilot.press("enter")
        await sees(pilot, "failed (502", "enter export")
    assert os.listdir(here) == []


async def test_failed_checks_are_loaded_or_left_out_and_what_is_loaded_may_be_written(
    scripted: ScriptedServer, here: Path
) -> None:
    failed = [row_of(Run.read(run_of(number))) for number in range(30, 0, -1)]
    last = Hold(Reply([]))
    whole = [run_of(n, evaluation={"metrics": [{"id": 1, "name": "Tone", "passed": False}]}) for n in range(30, 5, -1)]
    scripted.on("GET", f"{LIST}bulk/", Reply(whole), last)

    def saved(name: str) -> list[tuple[object, ...]]:
        found = [json.loads(line) for line in (here / name).read_text().splitlines()]
        return sorted({(run.get("failed_checks", "left out"), *(run.get("failing") or ())) for run in found}, key=str)

    async with dialog(setup_of(scripted.url, "key", PROJECT), shown=failed) as (_, pilot):
        await sees(pilot, "[x] include: load 30 runs (2 requests, about 1 s)")
        await type_name(pilot, "part.jsonl")
        await pilot.press("enter")
        await sees(
            pilot, " 25 of 30 runs", "Loading the failed checks of 30 runs (2 requests", "w write what is loaded"
        )
        await eventually(last.arrived.is_set, "the other five runs are requested")
        await pilot.press("w")
        await sees(pilot, "Saved 30 runs to", "Incomplete: the failed checks of 5 runs are unknown")
        assert saved("part.jsonl") == [(1, "Tone"), (None,)]
        last.released.set()
    async with dialog(setup_of(scripted.url, "key", PROJECT), shown=failed[25:]) as (app, pilot):
        await pilot.press("shift+tab", "space")
        await sees(pilot, "[ ] include: load 5 runs (1 request, about 1 s)")
        await pilot.press("tab")
        await type_name(pilot, "none.jsonl")
        assert (await answer(app, pilot, "enter")).endswith("none.jsonl. The failed checks are left out.")
    assert saved("none.jsonl") == [("left out",)]
    assert len(scripted.seen) == 2


async def test_copied_runs_get_their_failed_checks_or_a_message_says_what_is_missing(scripted: ScriptedServer) -> None:
    setup, rows = setup_of(scripted.url, "key", PROJECT), [row_of(Run.read(run_of(n))) for n in range(27, 0, -1)]
    evaluation = {"metrics": [{"id": 1, "name": "Tone", "passed": False}]}

    def whole(got: Got) -> Reply:
        return Reply([run_of(int(n), evaluation=evaluation) for n in got.query["run_ids"].split(",")])

    held = Hold(Reply([]))
    scripted.on("GET", f"{LIST}bulk/", whole, held, whole, Reply({}, 400))
    text, marked = RowsText("CSV", lambda copied: " ".join(map(csv_row, copied))), iter((rows, rows[26:], rows[25:26]))

    def copy(state: AppState) -> ExportRunsDialog:
        return ExportRunsDialog(state, QUERY, next(marked), None, {}, text)

    async with opened_dialog(setup, copy) as (app, pilot):
        await sees(pilot, " 25 of 27 runs", "failed checks of 27 runs (2 requests", "w copy what is loaded · esc stop")
        await eventually(held.arrived.is_set, "the other two runs are requested")
        await pilot.press("w")
        await sees(pilot, "Copied 27 runs. Incomplete: the failed checks of 2 runs are unknown.", "enter close")
        held.released.set()
        await answer(app, pilot, "enter")
        app.ask()
        await eventually(lambda: app.answers[1:] == [None], "all checks are loaded, and the dialog closes")
        app.ask()
        await sees(pilot, "Copied 1 run. Incomplete: the failed checks of 1 run are unknown. ")
    assert [copied.count("Tone") for copied in app.copied] == [25, 1, 0]
