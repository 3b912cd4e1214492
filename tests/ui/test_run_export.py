"""Runs are written to a CSV or JSON Lines file; a file that cannot be written is reported."""

from __future__ import annotations

import csv
import json
import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_server import run_of

from cekura_tui.model.errors import UsageError
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.run.words import CSV_COLUMNS, csv_header
from cekura_tui.ui.runs.export import check_export, write_runs
from cekura_tui.workspace.prompt_files import AlreadyThere


def row(number: int, **fields: object) -> RunRow:
    return row_of(Run.read(run_of(number, evaluation={}, **fields)))


def export(path: Path, rows: list[RunRow]) -> None:
    write_runs(path, rows, {}, checks=True, force=False)


@given(st.lists(st.text(alphabet=st.characters(), max_size=20), min_size=1, max_size=4))
def test_an_export_with_any_names_has_one_line_per_run_and_no_formulas(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        rows = [row(n, scenario_name=name or "x", agent_name=name) for n, name in enumerate(names)]
        for ending in ("csv", "jsonl"):
            path = Path(folder) / f"runs.{ending}"
            write_runs(path, rows, {0: names[0]}, checks=False, force=False)
            lines = path.read_text("utf-8").split("\n")
            assert len(lines) == len(rows) + (2 if ending == "csv" else 1)
        cells = [cell for line in csv.reader((Path(folder) / "runs.csv").open(newline="")) for cell in line]
        assert len(cells) == (len(CSV_COLUMNS) - 2) * (len(rows) + 1)
        assert not any(cell.startswith(("=", "@", "\t", "\r")) for cell in cells)


def test_nothing_is_written_without_runs_or_over_a_file_that_was_created_meanwhile(tmp_path: Path) -> None:
    path = check_export(str(tmp_path / "runs.csv"), force=False)
    with pytest.raises(UsageError, match="No runs match"):
        export(path, [])
    assert not path.exists()
    path.write_text("another's")
    with pytest.raises(AlreadyThere):
        export(path, [row(1)])
    assert path.read_text() == "another's"


def test_a_new_export_gets_default_permissions_and_a_replaced_file_keeps_its_own(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        new, old = tmp_path / "new.csv", tmp_path / "old.csv"
        old.touch(0o600)
        for path in (new, old):
            write_runs(path, [row(1)], {}, checks=True, force=True)
    finally:
        os.umask(mask)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (new, old)] == [0o640, 0o600]


def test_an_export_reports_a_directory_that_was_deleted_after_the_check(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    path = check_export(str(gone / "runs.csv"), force=False)
    gone.rmdir()
    with pytest.raises(UsageError, match=r"Can't write .*runs\.csv: No such file or directory\."):
        export(path, [row(1)])


@pytest.mark.parametrize("name", ["runs.csv", "RUNS.CSV", "runs.jsonl", "runs.ndjson"])
def test_the_file_ending_selects_the_format(tmp_path: Path, name: str) -> None:
    path = check_export(str(tmp_path / name), force=False)
    export(path, [row(1)])
    first = path.read_text().splitlines()[0]
    assert first == csv_header() if name.lower().endswith("csv") else json.loads(first)["id"] == 1


def test_an_export_path_is_expanded_and_an_existing_file_needs_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert check_export("~/runs.csv", force=False) == tmp_path / "runs.csv"
    (tmp_path / "runs.csv").touch()
    with pytest.raises(AlreadyThere, match="exists already"):
        check_export("~/runs.csv", force=False)
    assert check_export("~/runs.csv", force=True) == tmp_path / "runs.csv"
    for name in ("~/runs", "~/runs.json", "~/runs.xlsx"):
        with pytest.raises(UsageError, match="Unknown file type"):
            check_export(name, force=False)
