"""The dialog that copies links, ids or rows of runs, saves runs to a file, and says why something is not offered."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

from hostile import EVIL, SHOWN, hostile_run
from one_dialog import OneDialog, answer, ask_again, opened_dialog
from scripted_server import run_of
from textual.pilot import Pilot
from watching import sees

from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.scope import Scope, scope_of_link
from cekura_tui.ui.kit.copying import CopyDialog
from cekura_tui.ui.runs.export import SAVE_ALL, SAVE_THESE, RowsText, RunCopies
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.setup import Setup

DASHBOARD = "https://dashboard.cekura.ai"
PROJECT = Scope("project", 4021, "Clinic")


def row(number: int, agent: int = 7, **fields: object) -> RunRow:
    return row_of(Run.read(run_of(number, agent, **fields)))


ONE = row(48213, result_id=991)
THREE = [ONE, row(48212, result_id=991), row(48211, result_id=990)]


def copy_of(
    *rows: RunRow, dashboard: str | None = DASHBOARD, scope: Scope | None = PROJECT, notes: dict[int, str] | None = None
) -> Callable[[AppState], CopyDialog]:
    return lambda _: RunCopies(rows, dashboard, scope, notes or {}, "cekura-tui").dialog()


def offered(app: OneDialog) -> list[str]:
    return [offer.words for offer in app.dialog.query_one("#copies").rows]


async def choose(app: OneDialog, pilot: Pilot[None], words: str) -> object:
    """Choose the offer `words` and return the dialog's answer; first reopen a dialog that was answered before."""
    if app.answers:
        await ask_again(app)
    app.clear_notifications()  # they would cover the dialog
    await sees(pilot, "Copy or save", "esc close")
    steps = offered(app).index(words)
    return await answer(app, pilot, *["j"] * steps, "enter")


async def test_each_offer_copies_its_text_or_returns_which_runs_to_save(quiet: Setup, home: Path) -> None:
    async with opened_dialog(quiet, copy_of(ONE)) as (app, pilot):
        await sees(pilot, "Copy or save run 48213", "link to the result", f"{DASHBOARD}/4021/results/991")
        assert await answer(app, pilot, "enter") is None
        assert app.copied == [f"{DASHBOARD}/4021/results/991"]
        await sees(pilot, "Sent the link to the result, 44 bytes,", "If nothing pastes")
        assert scope_of_link(app.copied[0], DASHBOARD) == Scope("result", 991)
    async with opened_dialog(quiet, copy_of(*THREE)) as (app, pilot):
        for words in ("links to 2 results", "run IDs", "improve command"):
            assert await choose(app, pilot, words) is None
        assert app.copied == [
            f"{DASHBOARD}/4021/results/991\n{DASHBOARD}/4021/results/990",
            "48213 48212 48211",
            "cekura-tui improve 48213 48212 48211 --from-agent",
        ]
        assert await choose(app, pilot, "save 3 runs to a file …") == SAVE_THESE
        assert await choose(app, pilot, "save the whole list to a file …") == SAVE_ALL


async def test_rows_are_copied_as_clean_text_that_spreadsheets_and_scripts_read(quiet: Setup) -> None:
    rows = [ONE, row(48212, scenario_name='=cmd|"x"', duration="01:10"), row_of(Run.read(hostile_run(101)))]
    rows = [one._replace(whole=True) for one in rows]
    async with opened_dialog(quiet, copy_of(*rows, notes={48213: "late, again", 101: EVIL})) as (app, pilot):
        for words in ("CSV", "JSON lines", "rows as text"):
            await choose(app, pilot, words)
        table, lines, text = app.copied
        first, second, _ = csv.DictReader(io.StringIO(table))
        assert (first["id"], first["note"], first["result_id"]) == ("48213", "late, again", "991")
        assert second["scenario"] == '\'=cmd|"x"', "no cell is run"
        one, other, _ = map(json.loads, lines.splitlines())
        assert (one["id"], one["note"], one["seconds"]) == (48213, "late, again", None)
        assert (other["scenario"], other["seconds"], other["note"]) == ('=cmd|"x"', 70, "")
        assert [words.split()[0] for words in text.splitlines()] == ["48213", "48212", "101"]
        for copied in app.copied:
            assert SHOWN in copied
            assert not set(copied) & set("\x1b\x07\x9b\u202e\x7f\x08")


async def test_dialog_says_what_copying_loads_and_returns_the_text_to_make(quiet: Setup) -> None:
    async with opened_dialog(quiet, copy_of(*THREE)) as (app, pilot):
        await sees(pilot, "Copying rows, CSV or JSON loads the failed checks of 3 runs (1 request,")
        text = await choose(app, pilot, "CSV")
        assert isinstance(text, RowsText)
        assert (text.words, text.make(THREE).count("\n"), app.copied) == ("CSV", 4, [])


async def test_dialog_says_why_a_copy_is_not_offered(quiet: Setup) -> None:
    four = [row(n, result_id=n if n > 3 else None) for n in (1, 2, 3, 4)]
    others = "Links for 1 of 4 runs", "No improve command: mark at most 3 runs of one agent."
    cases = (
        (copy_of(*four), "link to the result", others),
        (copy_of(row(1), row(2, agent=8)), "run IDs", ("No link: the runs have no result", "No improve command:")),
        (copy_of(ONE, scope=Scope("agent", 7)), "run ID", ("No link: the run has no result or project.",)),
        (copy_of(ONE, dashboard=None), "run ID", ("No link: no dashboard URL is set.",)),
        (copy_of(), "save the whole list to a file …", ()),
    )
    dialogs = (dialog for dialog, _, _ in cases)
    async with opened_dialog(quiet, lambda state: next(dialogs)(state)) as (app, pilot):
        for _, first, reasons in cases:
            await sees(pilot, "Copy or save ", *reasons, gone="" if reasons else "No ")
            assert offered(app)[0] == first
            if reasons:
                await answer(app, pilot, "escape")
                await ask_again(app)
        assert offered(app) == ["save the whole list to a file …"]
        assert await answer(app, pilot, "enter") == SAVE_ALL
