"""Runs are exported to a file; an export that fails or is stopped leaves no incomplete file."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listed_runs import LIST, Listed
from scripted_server import Hold, Reply, ScriptedServer, run_of

from cekura_tui.model.errors import UsageError
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.run.words import CSV_COLUMNS, csv_header
from cekura_tui.model.scope import Scope
from cekura_tui.workspace.all_runs import IncompleteListError, ListOptions
from cekura_tui.workspace.prompt_files import AlreadyThere
from cekura_tui.workspace.run_export import ExportProgress, RunExport, check_export
from cekura_tui.workspace.session import Session

SCOPE = Scope("project", 1)


def row(number: int, **fields: object) -> RunRow:
    return row_of(Run.read(whole_run(number, **fields)))


def whole_run(number: int, **fields: object) -> dict[str, object]:
    return run_of(number, evaluation={}, **fields)


async def test_only_runs_that_match_the_filter_are_exported_with_their_notes(
    quick: Session, scripted: ScriptedServer, tmp_path: Path
) -> None:
    Listed(scripted, list(range(1, 9)), fields={n: {"evaluation": {}} for n in range(1, 9)})
    query = RunQuery(SCOPE, parse("note:~call").filter)
    export = RunExport(tmp_path / "runs.csv", query, {2: "call Mo, at 5", 5: "-", 7: "Called"})
    assert await export.run(quick) == 2
    found = list(csv.DictReader(io.StringIO(export.path.read_text())))
    assert [(run["id"], run["note"]) for run in found] == [("7", "Called"), ("2", "call Mo, at 5")]
    assert tuple(found[0]) == CSV_COLUMNS
    assert export.progress == ExportProgress(8, 8)
    assert scripted.seen[0].query["project_id"] == "1"


async def test_rows_given_to_an_export_are_written_without_a_request(
    quick: Session, scripted: ScriptedServer, tmp_path: Path
) -> None:
    rows = [row(number) for number in range(1_200, 0, -1)]
    export = RunExport(tmp_path / "runs.jsonl", rows, {3: "ü"})
    writing, turns = asyncio.create_task(export.run(quick)), 0
    while not writing.done():
        await asyncio.sleep(0)
        turns += 1
    assert (writing.result(), turns > 3) == (1_200, True), "others have their turn"
    found = [json.loads(line) for line in export.path.read_text().splitlines()]
    assert [run["id"] for run in found] == list(range(1_200, 0, -1))
    assert [run["note"] for run in found if run["note"]] == ["ü"]
    assert scripted.seen == []


@given(st.lists(st.text(alphabet=st.characters(), max_size=20), min_size=1, max_size=4))
def test_an_export_with_any_names_has_one_line_per_run_and_no_formulas(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        rows = [row(n, scenario_name=name or "x", agent_name=name) for n, name in enumerate(names)]
        for ending in ("csv", "jsonl"):
            path = Path(folder) / f"runs.{ending}"
            # Exporting given rows needs no session.
            assert asyncio.run(RunExport(path, rows, {0: names[0]}, checks=False).run(None)) == len(rows)  # type: ignore[arg-type]
            lines = path.read_text("utf-8").split("\n")
            assert len(lines) == len(rows) + (2 if ending == "csv" else 1)
        cells = [cell for line in csv.reader((Path(folder) / "runs.csv").open(newline="")) for cell in line]
        assert len(cells) == (len(CSV_COLUMNS) - 2) * (len(rows) + 1)
        assert not any(cell.startswith(("=", "@", "\t", "\r")) for cell in cells)


async def test_nothing_is_written_if_no_run_matches(quick: Session, scripted: ScriptedServer, tmp_path: Path) -> None:
    Listed(scripted, [1, 2])
    with pytest.raises(UsageError, match="No runs match"):
        await RunExport(tmp_path / "runs.csv", RunQuery(SCOPE, parse("note:yes").filter), {}).run(quick)
    assert not (tmp_path / "runs.csv").exists()


def held_after_one(server: ScriptedServer) -> Hold:
    hold = Hold(Reply({"count": 2, "next": None, "results": [whole_run(1)]}))
    server.on("GET", LIST, Reply({"count": 2, "next": "2", "results": [whole_run(2)]}), hold)
    return hold


async def started(export: RunExport, session: Session, hold: Hold) -> asyncio.Task[int | None]:
    writing = asyncio.create_task(export.run(session))
    await asyncio.to_thread(hold.arrived.wait, 20)
    return writing


async def test_a_stopped_export_leaves_an_existing_file_unchanged(
    quick: Session, scripted: ScriptedServer, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "runs.csv").write_text("precious")
    export = RunExport(folder / "runs.csv", RunQuery(SCOPE), {}, force=True)
    writing = await started(export, quick, held_after_one(scripted))
    assert export.progress == ExportProgress(1, 2)
    await asyncio.to_thread(export.stop)
    assert (await writing, writing.cancelling()) == (None, 0)
    assert os.listdir(folder) == ["runs.csv"]
    assert (folder / "runs.csv").read_text() == "precious"


async def test_an_export_of_an_incomplete_list_leaves_no_file(
    quick: Session, scripted: ScriptedServer, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    Listed(scripted, list(range(1, 31))).missing = range(4, 99)
    with pytest.raises(IncompleteListError) as caught:
        await RunExport(folder / "runs.csv", RunQuery(SCOPE), {}).run(quick)
    assert "reported 30 runs and sent 9." in caught.value.sentence()
    assert os.listdir(folder) == []


async def test_the_progress_says_why_an_export_waits(quick: Session, scripted: ScriptedServer, tmp_path: Path) -> None:
    waiting = list[str]()

    async def sleep(_: float) -> None:
        waiting.append(export.progress.waiting)

    scripted.on("GET", LIST, Reply(b"", 502), Reply({"count": 1, "next": None, "results": [whole_run(1)]}))
    export = RunExport(tmp_path / "runs.csv", RunQuery(SCOPE), {}, options=ListOptions(sleep=sleep))
    assert await export.run(quick) == 1
    assert len(waiting) == 1
    assert "failed (502). Retrying at " in waiting[0]
    assert export.progress.waiting == ""


async def test_an_export_may_be_stopped_before_its_start_or_after_its_end(
    quick: Session, scripted: ScriptedServer, tmp_path: Path
) -> None:
    early = RunExport(tmp_path / "early.csv", [row(1)], {})
    early.stop()
    assert await early.run(quick) is None
    late = RunExport(tmp_path / "late.csv", [row(1)], {})
    assert await late.run(quick) == 1
    late.stop()
    await asyncio.sleep(0)
    assert [name for name in os.listdir(tmp_path) if name.endswith("csv")] == ["late.csv"]


async def test_a_cancelled_export_leaves_no_file(quick: Session, scripted: ScriptedServer, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    export = RunExport(folder / "runs.csv", RunQuery(SCOPE), {})
    writing = await started(export, quick, held_after_one(scripted))
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert os.listdir(folder) == []


async def test_a_file_created_during_an_export_is_not_overwritten(
    quick: Session, scripted: ScriptedServer, tmp_path: Path
) -> None:
    hold = held_after_one(scripted)
    export = RunExport(check_export(str(tmp_path / "runs.csv"), force=False), RunQuery(SCOPE), {})
    writing = await started(export, quick, hold)
    export.path.write_text("another's")
    hold.released.set()
    with pytest.raises(AlreadyThere):
        await writing
    assert export.path.read_text() == "another's"


async def test_a_new_export_gets_default_permissions_and_a_replaced_file_keeps_its_own(
    quick: Session, tmp_path: Path
) -> None:
    mask = os.umask(0o027)
    try:
        new, old = tmp_path / "new.csv", tmp_path / "old.csv"
        old.touch(0o600)
        for path in (new, old):
            await RunExport(path, [row(1)], {}, force=True).run(quick)
    finally:
        os.umask(mask)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (new, old)] == [0o640, 0o600]


async def test_an_export_reports_a_directory_that_was_deleted_after_the_check(quick: Session, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    export = RunExport(check_export(str(gone / "runs.csv"), force=False), [row(1)], {})
    gone.rmdir()
    with pytest.raises(UsageError, match=r"Can't write .*runs\.csv: No such file or directory\."):
        await export.run(quick)


@pytest.mark.parametrize("name", ["runs.csv", "RUNS.CSV", "runs.jsonl", "runs.ndjson"])
async def test_the_file_ending_selects_the_format(quick: Session, tmp_path: Path, name: str) -> None:
    path = check_export(str(tmp_path / name), force=False)
    await RunExport(path, [row(1)], {}).run(quick)
    first = path.read_text().splitlines()[0]
    assert first == csv_header() if name.lower().endswith("csv") else json.loads(first)["id"] == 1


def test_an_export_path_is_expanded_and_an_existing_file_needs_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert check_export("~/runs.csv", force=False) == tmp_path / "runs.csv"
    (tmp_path / "runs.csv").touch()
    with pytest.raises(AlreadyThere, match="already exists"):
        check_export("~/runs.csv", force=False)
    assert check_export("~/runs.csv", force=True) == tmp_path / "runs.csv"
    for name in ("~/runs", "~/runs.json", "~/runs.xlsx"):
        with pytest.raises(UsageError, match="Unknown file type"):
            check_export(name, force=False)
