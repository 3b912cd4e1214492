"""Saving runs to a file from the list: the file, the progress, and what remains of a stopped export."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from app_on_a_server import EPOCH, LIST, PROJECT, Served, setup_of
from one_dialog import asked
from scripted_server import Hold, Reply, ScriptedServer, run_of
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.scope import Scope
from cekura_tui.ui.runs.export import ExportRunsDialog
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.setup import Setup

NOTHING = "no answer yet"
QUERY = RunQuery(Scope("project", PROJECT, "Clinics"))


def row(number: int, **fields: object) -> RunRow:
    return row_of(Run.read(run_of(number, **fields)))


@asynccontextmanager
async def dialog(
    setup: Setup,
    query: RunQuery = QUERY,
    marked: Sequence[RunRow] = (),
    shown: Sequence[RunRow] | None = None,
    notes: Mapping[int, str] | None = None,
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[Pilot[None]]:
    def export(state: AppState) -> ExportRunsDialog:
        state.clock = lambda: EPOCH
        return ExportRunsDialog(state, query, marked, shown, notes or {})

    async with asked(setup, export, size=size) as (_, pilot):
        await sees(pilot, "Export runs")
        yield pilot


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    return place


async def name(pilot: Pilot[None], text: str) -> None:
    pilot.app.screen.query_one(Input).value = text
    await pilot.pause()


def answer_of(pilot: Pilot[None]) -> object:
    return next(iter(pilot.app.answers), NOTHING)  # type: ignore[attr-defined]


async def test_only_the_marked_runs_are_saved_and_the_message_says_where(served: Served, here: Path) -> None:
    file = time.strftime("runs-%Y-%m-%d.csv", time.localtime(EPOCH))
    rows = [row(9, scenario_name="=HYPERLINK(1)"), row(4)]
    async with dialog(served.setup(), marked=rows, notes={4: "ask Mo"}) as pilot:
        await sees(pilot, "(•) 2 marked runs", "( ) all runs of Clinics", file)
        await pilot.press("enter")
        await sees(pilot, "2 of 2 runs", "Saved 2 runs to", "enter close")
        await pilot.press("enter")
        await eventually(lambda: answer_of(pilot) is not NOTHING, "the dialog closes")
    assert served.log == []
    written = here / file
    assert answer_of(pilot) == f"Saved 2 runs to {written}"
    header, first, second = written.read_text().splitlines()
    assert header.startswith("id,outcome,")
    assert (first.split(",")[0], second.split(",")[0]) == ("9", "4")
    assert ",'=HYPERLINK(1)," in first
    assert second.endswith(",ask Mo")


async def test_all_runs_that_match_the_filter_are_requested_and_saved(served: Served, here: Path) -> None:
    query = RunQuery(QUERY.scope, parse("outcome:passed persona:~calm").filter)
    async with dialog(served.setup(), query, [row(4)]) as pilot:
        await pilot.press("down")
        await sees(pilot, "( ) 1 marked run", "(•) all runs of Clinics matching outcome:passed persona:~calm")
        await name(pilot, "~/passed.jsonl")
        await pilot.press("enter")
        await sees(pilot, "Saved ", " runs to", " written")
    found = [json.loads(line) for line in (here / "passed.jsonl").read_text().splitlines()]
    assert found
    assert {run["outcome"] for run in found} == {"passed"}
    assert all("calm" in run["personality"].casefold() for run in found)
    assert served.asked(LIST)


async def test_a_list_that_is_loaded_whole_is_saved_as_shown_without_a_request(served: Served, here: Path) -> None:
    shown = [row(number) for number in (5, 7, 6)]
    async with dialog(served.setup(), shown=shown) as pilot:
        await sees(pilot, "(•) all 3 runs of Clinics")
        await name(pilot, "shown.jsonl")
        await pilot.press("enter")
        await sees(pilot, "Saved 3 runs to")
    assert served.log == []
    assert [json.loads(line)["id"] for line in (here / "shown.jsonl").read_text().splitlines()] == [5, 7, 6]


async def test_a_file_that_exists_is_only_overwritten_when_asked_for_twice(served: Served, here: Path) -> None:
    (here / "old.csv").write_text("precious")
    async with dialog(served.setup(), marked=[row(4)]) as pilot:
        await name(pilot, "old.csv")
        await pilot.press("enter")
        await sees(pilot, "old.csv already exists. Press enter again to overwrite.")
        await name(pilot, "old.csv ")
        await pilot.press("enter")
        await sees(pilot, "already exists")
        assert (here / "old.csv").read_text() == "precious"
        await pilot.press("enter")
        await sees(pilot, "Saved 1 run to")
    assert (here / "old.csv").read_text().startswith("id,")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Type a file name."),
        ("runs.txt", "Unknown file type"),
        ("[/oops].csv/", "is a directory"),
        ("nowhere/runs.csv", "There is no directory"),
        ("~nobody-at-all/runs.csv", "no such home directory"),
    ],
)
async def test_a_name_that_cannot_be_is_refused_with_a_sentence(
    served: Served, here: Path, typed: str, said: str
) -> None:
    async with dialog(served.setup(), marked=[row(4)]) as pilot:
        await name(pilot, typed)
        await pilot.press("enter")
        await sees(pilot, said)
        await pilot.press("escape")
        await eventually(lambda: answer_of(pilot) is None, "the dialog closes")
    assert os.listdir(here) == []


@pytest.fixture
def half(scripted: ScriptedServer) -> Hold:
    """A list of two pages; the test releases the second."""
    pages = [{"count": 2, "next": str(2 - n), "results": [run_of(2 - n)]} for n in range(2)]
    hold = Hold(Reply({**pages[1], "next": None}))
    scripted.on("GET", LIST, Reply({**pages[0], "next": "2"}), hold)
    return hold


async def test_an_export_shows_its_progress_and_leaves_no_file_when_stopped(
    scripted: ScriptedServer, half: Hold, here: Path
) -> None:
    async with dialog(setup_of(scripted.url, "key", PROJECT)) as pilot:
        await name(pilot, "all.csv")
        await pilot.press("enter")
        await sees(pilot, "████████████············ 1 of 2 runs", "Writing CSV to", "esc stop")
        await eventually(half.arrived.is_set, "the second page is asked for")
        await pilot.press("escape")
        await sees(pilot, "Press esc again to stop")
        assert os.listdir(here) != []
        await pilot.press("escape")
        await sees(pilot, "Stopped. Nothing was saved.", "enter export")
        assert os.listdir(here) == []
        scripted.on("GET", LIST, Reply({"count": 1, "next": None, "results": [run_of(1)]}))
        await pilot.press("enter")
        await sees(pilot, "Saved 1 run to")
    assert os.listdir(here) == ["all.csv"]


async def test_quitting_during_an_export_leaves_no_file(scripted: ScriptedServer, half: Hold, here: Path) -> None:
    async with dialog(setup_of(scripted.url, "key", PROJECT)) as pilot:
        await pilot.press("enter")
        await eventually(half.arrived.is_set, "the second page is asked for")
        assert os.listdir(here) != []
    assert os.listdir(here) == []


async def test_a_server_failure_half_way_is_shown_and_leaves_no_file(
    scripted: ScriptedServer, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.api.errors.TRIES", 1)
    first = Reply({"count": 2, "next": "2", "results": [run_of(2)]})
    scripted.on("GET", LIST, first, Reply(b"<html>", 502))
    async with dialog(setup_of(scripted.url, "key", PROJECT)) as pilot:
        await pilot.press("enter")
        await sees(pilot, "failed (502", "enter export")
        assert "with 1 run was discarded." in pilot.app.screen._note_text  # type: ignore[attr-defined] # may be wrapped
    assert os.listdir(here) == []


async def test_an_export_waits_for_a_busy_server_and_says_so(scripted: ScriptedServer, here: Path) -> None:
    busy = Reply({"detail": "Slow down."}, 429, {"Retry-After": "0"})
    hold = Hold(Reply({"count": 1, "next": None, "results": [run_of(1)]}))
    scripted.on("GET", LIST, busy, hold)
    async with dialog(setup_of(scripted.url, "key", PROJECT)) as pilot:
        await pilot.press("enter")
        await sees(pilot, "Too many requests to")
        hold.released.set()
        await sees(pilot, "Saved 1 run to", gone="slow down")


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_everything_is_seen_on_a_small_terminal(served: Served, size: tuple[int, int]) -> None:
    hostile = RunQuery(Scope("project", 1, "[/b]\x1b[31mred"), parse('scenario:~"[@click=quit]"').filter)
    async with dialog(served.setup(), hostile, [row(4)], size=size) as pilot:
        await sees(pilot, "Export runs", "runs-2025", "(•) 1 marked run", "[@click", "enter export", "esc cancel")
        assert "\x1b" not in screen_text(pilot.app)
