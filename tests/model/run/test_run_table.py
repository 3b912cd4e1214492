"""An exported run is one line, keeps the values shown on screen, and contains nothing that a spreadsheet executes."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.run.words import CSV_COLUMNS, csv_header, csv_row, iso_time, json_row, text_row
from cekura_tui.model.text import clean

FAILED = Outcome("failed", "failed")
BARE = RunRow(5, "", "", None, "", Outcome("unknown", "unknown"), "", None)
FULL = RunRow(
    *(48213, 'Says "no", twice', "Calm; slow", 7, "Forno Nove, orders", FAILED, "01:02:03", 1_760_000_000.0),
    status="completed",
    result_id=991,
    as_text=True,
    reviewed=True,
    failing=("Tone", "Ends well"),
    whole=True,
)
NUMBERS = st.one_of(st.none(), st.integers(0, 2**63))
TEXTS = st.text(max_size=30) | st.text("=+-@\t\r\n ;,\"'0123\u2028\x1b\u202e", max_size=8)
ROWS = st.builds(
    RunRow,
    id=st.integers(0, 2**63),
    scenario=TEXTS,
    personality=TEXTS,
    agent_id=NUMBERS,
    agent=TEXTS,
    outcome=st.builds(Outcome, st.sampled_from(["passed", "failed", "error"]), TEXTS),
    duration=TEXTS,
    at=st.one_of(st.none(), st.floats()),
    status=TEXTS,
    result_id=NUMBERS,
    as_text=st.sampled_from([None, True, False]),
    reviewed=st.booleans(),
    failing=st.lists(TEXTS, max_size=3).map(tuple),
    whole=st.just(True),
)


def read_csv(line: str) -> dict[str, str]:
    (row,) = csv.DictReader(io.StringIO(f"{csv_header()}\n{line}\n"), strict=True)
    return row


def test_every_column_of_a_run_is_exported() -> None:
    cells = read_csv(csv_row(FULL, "late"))
    assert cells == {
        **{"id": "48213", "outcome": "failed", "outcome_text": "failed", "status": "completed"},
        **{"scenario": 'Says "no", twice', "personality": "Calm; slow", "agent": "Forno Nove, orders"},
        **{"agent_id": "7", "duration": "01:02:03", "seconds": "3723", "at": "2025-10-09T08:53:20Z"},
        **{"result_id": "991", "mode": "text", "reviewed": "yes", "failed_checks": "2"},
        **{"failing": "Tone; Ends well", "note": "late"},
    }
    read = json.loads(json_row(FULL, "late"))
    assert tuple(read) == CSV_COLUMNS
    assert (read["reviewed"], read["failing"], read["seconds"]) == (True, ["Tone", "Ends well"], 3723)
    assert text_row(FULL, "late") == (
        f"48213  {FAILED.mark} failed (reviewed), 2 checks  "
        'Says "no", twice  Calm; slow  Forno Nove, orders  01:02:03  2025-10-09T08:53:20Z  late'
    )


def test_unknown_values_are_null_in_json_and_empty_in_csv() -> None:
    unknown = [name for name, value in json.loads(json_row(BARE)).items() if value is None]
    names = "status scenario personality agent agent_id duration seconds at result_id mode failed_checks"
    assert " ".join(unknown) == names
    cells = read_csv(csv_row(BARE))
    assert [name for name, text in cells.items() if text] == ["id", "outcome", "outcome_text", "reviewed"]


def test_failed_checks_that_are_not_loaded_are_unknown_and_may_be_left_out() -> None:
    known, unknown = json.loads(json_row(FULL)), json.loads(json_row(FULL._replace(whole=False)))
    assert [run["failing"] for run in (known, unknown, json.loads(json_row(BARE)))] == [["Tone", "Ends well"], None, []]
    assert [run["failed_checks"] for run in (known, unknown)] == [2, None]
    assert text_row(FULL._replace(whole=False)).startswith(f"48213  {FAILED.mark} failed (reviewed)  Says")
    left = csv.DictReader([csv_header(checks=False), csv_row(FULL, "late", checks=False)])
    assert [[*run] for run in left] == [[name for name in CSV_COLUMNS if name not in ("failed_checks", "failing")]]


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1-800", "-2+3", "@SUM(A1)", "＝1", "=", "+", "-"])
def test_a_name_like_a_formula_is_escaped_in_csv_and_unchanged_in_json(text: str) -> None:
    row = RunRow(5, text, "", None, "", FAILED, "", None, failing=(text,), whole=True)
    cells = read_csv(csv_row(row, text))
    assert (cells["scenario"], cells["failing"], cells["note"]) == (f"'{text}",) * 3
    assert json.loads(json_row(row, text))["scenario"] == text


@pytest.mark.parametrize("text", ["-2", "+1.5", "-0,25", "12"])
def test_a_number_stays_a_number_in_csv(text: str) -> None:
    assert read_csv(csv_row(BARE, text))["note"] == text


@given(row=ROWS, note=TEXTS | st.just("x" * 5_000))
def test_an_exported_run_is_one_clean_line_that_contains_every_name_in_full(row: RunRow, note: str) -> None:
    for line in (csv_row(row, note), json_row(row, note), text_row(row, note)):
        assert len(line.splitlines()) == 1
        assert clean(line) == line
        line.encode()
    cells = read_csv(csv_row(row, note))
    assert None not in cells
    assert None not in cells.values()
    assert not any(cell.startswith(("=", "@", "\t", "\r")) for cell in cells.values())
    read = json.loads(json_row(row, note))
    assert cells["id"] == str(row.id)
    for name, sent in (("scenario", row.scenario), ("personality", row.personality), ("note", note)):
        assert (read[name] or "").split() == clean(sent).split()
        assert cells[name].removeprefix("'") == (read[name] or "").removeprefix("'")
    assert len(read["failing"]) == (len(row.failing) if row.outcome.kind == "failed" else 0)


@given(st.floats(-62_135_596_800, 253_402_300_799))
def test_an_exported_time_is_exact_to_the_second_and_empty_if_out_of_range(at: float) -> None:
    assert len(iso_time(at)) == 20
    assert abs(datetime.fromisoformat(iso_time(at)).timestamp() - at) <= 1
    assert {iso_time(at) for at in (None, float("nan"), float("inf"), -1e300, 1e18)} == {""}
