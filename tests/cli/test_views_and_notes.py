"""`views` and `notes` save views and notes on this machine without a request."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from calling import call, called, refused
from documented_shapes import read_all
from scripted_server import ScriptedServer

from cekura_tui.model.run.columns import ChosenColumn, RunColumns
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup

FILTER = "outcome:failed -persona:~hurry"


@pytest.fixture(autouse=True)
def silent(api: ScriptedServer) -> ScriptedServer:
    """The scripted server of the environment; the commands should send no requests."""
    return api


def test_a_view_is_saved_and_listed_and_shown_and_deleted_without_a_request(silent: ScriptedServer) -> None:
    saved = called("views", "save", "  Slow\n ones ", "outcome:failed", "-persona:~hurry")
    assert (saved.out, saved.err) == ("", "Saved as “Slow ones”.\n")
    listed = call("views", "list").out.splitlines()
    names = [line.split("  ")[0] for line in listed]
    assert names == ["VIEW", "Failed today", "Errors", "To review", "Running", "Slow ones"]
    shown = call("views", "show", "slow ONES").out
    assert shown == f"name: Slow ones\nfilter: {FILTER}\nbuilt in: no\ncolumns: default\n"
    called("views", "delete", "Slow ones")
    assert len(call("views", "list").out.splitlines()) == len(listed) - 1
    assert silent.seen == []


def test_a_view_has_the_columns_chosen_in_the_app(home: Path) -> None:
    call("views", "save", "Mine", FILTER)
    columns = RunColumns(RunColumns().all).toggled("agent").sized("scenario", 20)
    assert columns.chosen[0] == ChosenColumn("run")

    async def choose() -> None:
        session = Session.open(make_setup(config_dir=str(home), env=os.environ))
        await session.saved_views.save_columns(FILTER, columns.text)
        await session.close()

    asyncio.run(choose())
    shown = call("views", "show", "Mine").out
    assert (
        "columns: run, outcome, scenario (20 wide), personality, length, when, note\nhidden columns: agent\n" in shown
    )
    (view,) = read_all("views", call("views", "show", "Mine", "--json").out)
    assert view in read_all("views", call("views", "list", "--json").out)
    changed = [(one["name"], one["width"]) for one in view["columns"] if one["width"] or not one["shown"]]
    assert changed == [("scenario", 20), ("agent", None)]


def test_a_view_is_replaced_only_with_force_and_a_built_in_view_is_never_replaced() -> None:
    call("views", "save", "Mine", FILTER)
    refused(f"“Mine” already exists: {FILTER}. Add --force.", "views", "save", "MINE", "outcome:error")
    assert call("views", "save", "MINE", "outcome:error", "--force").err == "Saved as “Mine”.\n"
    assert "filter: outcome:error\n" in call("views", "show", "Mine").out
    refused("Can't change the built-in view", "views", "save", "errors", "outcome:failed")
    refused("is built in and can't be deleted", "views", "delete", "errors")
    refused("No view named “None”. See `views list`.", "views", "show", "None")
    refused("No view named “None”.", "views", "delete", "None")
    refused("Can't read the filter:", "views", "save", "Mine", "outcome:broken")
    refused("No filter to save.", "views", "save", "Mine", "")


def test_a_note_is_written_and_listed_and_shown_and_removed_without_a_request(silent: ScriptedServer) -> None:
    assert call("notes", "list").err == "No notes yet. Write one with `notes set`.\n"
    assert call("notes", "set", 5, "call\nagain").err == "run 5: note saved\n"
    assert call("notes", "set", 7, "-", stdin="très \x1b[31mbien\n".encode()).status == 0
    assert call("notes", "list").out == "7  très [31mbien\n5  call again\n"
    assert call("notes", "show", 5).out == "call again\n"
    notes = read_all("notes", call("notes", "list", "--json").out)
    assert notes == [{"run": 7, "note": "très [31mbien"}, {"run": 5, "note": "call again"}]
    assert read_all("notes", call("notes", "show", 5, "--json").out) == notes[1:]
    assert call("notes", "set", 5, "").err == "run 5: note removed\n"
    refused("No note on run 5. See `notes list`.", "notes", "show", 5)
    refused("The note has 4,001 characters; the limit is 4,000.", "notes", "set", 5, "a" * 4_001)
    assert call("notes", "list").out == "7  très [31mbien\n"
    assert silent.seen == []
