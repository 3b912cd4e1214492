"""Write runs to a CSV or JSON Lines file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cekura_tui.config.atomic_file import output_file
from cekura_tui.model.errors import UsageError
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.run.words import csv_header, csv_row, json_row
from cekura_tui.model.text import clean_line
from cekura_tui.workspace.prompt_files import AlreadyThere, check_output

ENDINGS = {".csv": "CSV", ".jsonl": "JSON lines", ".ndjson": "JSON lines"}


def write_runs(path: Path, rows: Sequence[RunRow], notes: Mapping[int, str], *, checks: bool, force: bool) -> None:
    """Write runs to a CSV or JSON Lines file, whichever `path` ends with, with the failed checks if `checks`. Raises
    UsageError if there are no rows or the file cannot be written, and AlreadyThere if it exists and not `force`."""
    if not rows:
        raise UsageError("No runs match; no file was written.")
    as_csv = ENDINGS[path.suffix.lower()] == "CSV"
    line = csv_row if as_csv else json_row
    try:
        with output_file(path, force=force) as file:
            file.write(f"{csv_header(checks=checks)}\n".encode() if as_csv else b"")
            for row in rows:
                text = line(row, notes.get(row.id, ""), checks=checks)
                file.write(f"{text}\n".encode("utf-8", "replace"))
    except FileExistsError:
        raise _already_there(str(path)) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(f"Can't write {clean_line(str(path))}: {why}.", "No file was written.") from None


def check_export(name: str, *, force: bool) -> Path:
    """The path of the file for an export; the ending of `name` selects the format. Raises AlreadyThere if the file
    exists and `force` is false, and UsageError if the file cannot be written."""
    path = check_output(name, force=True)
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"Unknown file type: {clean_line(name)}.", "Use .csv, or .jsonl for JSON lines.")
    if not force and path.resolve().exists():
        raise _already_there(name)
    return path


def _already_there(name: str) -> AlreadyThere:
    return AlreadyThere(f"{clean_line(name)} already exists.", "Overwrite the file, or choose another name.")
