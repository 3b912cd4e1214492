"""Runs as rows for spreadsheets and scripts: CSV and JSON lines of one shape."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cekura_tui.model.text import clean_line
from cekura_tui.model.view import RunRow

COLUMNS = (
    *("id", "outcome", "outcome_text", "status", "scenario", "personality", "agent", "agent_id"),
    *("duration", "seconds", "at", "result_id", "mode", "reviewed", "failing", "note"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of a formula, and run."""
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")


def csv_row(row: RunRow, note: str = "") -> str:
    """A run as a line of CSV, without a line end; no cell of it is run by a spreadsheet."""
    cells = _cells(row, note)
    return _csv("; ".join(_texts(cell)) if isinstance(cell, list) else _text(cell) for cell in cells)


def json_row(row: RunRow, note: str = "") -> str:
    """A run as one line of JSON, without a line end; what is not known is null, and `failing` is a list."""
    return json.dumps(dict(zip(COLUMNS, _cells(row, note), strict=True)), ensure_ascii=False)


def text_row(row: RunRow, note: str = "") -> str:
    """A run as a line to be read, without a line end."""
    outcome = f"{row.outcome.mark} {row.outcome.text}"
    parts = (str(row.id), outcome, row.scenario, row.personality, row.agent, row.duration, iso_time(row.at), note)
    return "  ".join(filter(None, map(_whole, parts)))


def iso_time(at: float | None) -> str:
    """A moment (Unix) in UTC as ISO 8601 says it, to the second; empty where there is none that it can say."""
    try:
        return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    except (ValueError, OverflowError, OSError):
        return ""


def _cells(row: RunRow, note: str) -> Sequence[object]:
    mode = None if row.as_text is None else "text" if row.as_text else "voice"
    texts = (row.outcome.kind, row.outcome.text, row.status, row.scenario, row.personality, row.agent)
    return (
        row.id,
        *map(_whole, texts),
        row.agent_id,
        _whole(row.duration),
        row.seconds,
        iso_time(row.at) or None,
        row.result_id,
        mode,
        row.reviewed,
        [_whole(name) for name in row.failing],
        _whole(note),
    )


def _texts(cells: Iterable[object]) -> Iterable[str]:
    return map(str, cells)


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return "" if cell is None else str(cell)


def _csv(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(map(_harmless, cells))
    return line.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell


def _whole(text: str) -> str:
    """The text clean and on one line, however long."""
    return clean_line(text, max(len(text), 1))


CSV_HEADER = _csv(COLUMNS)
"""The names of the columns as a line of CSV, without a line end."""
