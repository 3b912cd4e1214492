"""Write runs to a CSV or JSON Lines file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cekura_tui.model.errors import UsageError
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.run.words import csv_header, csv_row, json_row
from cekura_tui.model.text import clean_line
from cekura_tui.workspace.prompt_files import check_output, write_output

ENDINGS = {".csv": "CSV", ".jsonl": "JSON lines", ".ndjson": "JSON lines"}


def write_runs(path: Path, rows: Sequence[RunRow], notes: Mapping[int, str], *, checks: bool, force: bool) -> None:
    """Write runs to a CSV or JSON Lines file, whichever `path` ends with, with the failed checks if `checks`. Raises
    the errors of `write_output`, and UsageError if there are no rows."""
    if not rows:
        raise UsageError("No runs match; no file was written.")
    as_csv = ENDINGS[path.suffix.lower()] == "CSV"
    line = csv_row if as_csv else json_row
    lines = [csv_header(checks=checks)] if as_csv else []
    lines += (line(row, notes.get(row.id, ""), checks=checks) for row in rows)
    data = "".join(f"{text}\n" for text in lines).encode("utf-8", "replace")
    write_output(path, data, force=force, hint="No file was written.")


def check_export(name: str, *, force: bool) -> Path:
    """The path of the file for an export; the ending of `name` selects the format. Raises the errors of
    `check_output`."""
    if Path(name).suffix.lower() not in ENDINGS:
        raise UsageError(f"Unknown file type: {clean_line(name)}.", "Use .csv, or .jsonl for JSON lines.")
    return check_output(name, force=force)
