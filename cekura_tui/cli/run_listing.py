"""`runs list` as it is printed: page by page as it comes, as a table, as CSV, or as one object a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from cekura_tui.cli.output import put, put_json
from cekura_tui.model.text import clean_line, count

if TYPE_CHECKING:
    from cekura_tui.model.run import Run
    from cekura_tui.model.view import RunRow

Found = Sequence[tuple["Run", "RunRow"]]


class Listing(Protocol):
    """Prints runs in one form."""

    def put(self, found: Found, notes: Mapping[int, str]) -> None:
        """These are next; at first a header too, where the form has one."""


class Table:
    """Columns as wide as their widest cell so far."""

    def __init__(self) -> None:
        self._widths: list[int] = []

    def put(self, found: Found, notes: Mapping[int, str]) -> None:
        """A line a run."""
        lines = [_cells(row) for _, row in found]
        if not self._widths:
            lines.insert(0, _HEADER)
            self._widths = [0] * len(_HEADER)
        for line in lines:
            self._widths = [max(width, len(cell)) for width, cell in zip(self._widths, line, strict=True)]
        for line in lines:
            put("  ".join(cell.ljust(width) for cell, width in zip(line, self._widths, strict=True)).rstrip())


class Csv:
    """A header, and a line of CSV a run."""

    def __init__(self) -> None:
        self._begun = False

    def put(self, found: Found, notes: Mapping[int, str]) -> None:
        """A line a run."""
        from cekura_tui.model.run_table import CSV_HEADER, csv_row

        lines = [] if self._begun else [CSV_HEADER]
        self._begun = True
        if lines := lines + [csv_row(row, notes.get(row.id, "")) for _, row in found]:
            put("\n".join(lines))


class JsonLines:
    """One object a line: the server's row with its outcome."""

    def put(self, found: Found, notes: Mapping[int, str]) -> None:
        """A line a run."""
        for run, row in found:
            put_json({**run.source, "outcome": row.outcome.to_json()})


def counted(shown: int, limit: int, looked: int, total: int, *, told_here: bool) -> str:
    """How many runs were listed, in words; `told_here` says that only of those looked at it is known that they pass."""
    if not told_here:
        return f"{shown:,} of {count(total, 'run')}" if shown < total else count(shown, "run")
    return f"{count(shown, 'run')}{', the limit' if shown >= limit else ''}; {looked:,} of {total:,} looked at"


_HEADER = ("RUN", "OUTCOME", "SCENARIO", "PERSONALITY", "AGENT", "LENGTH", "WHEN")


def _cells(row: RunRow) -> tuple[str, ...]:
    from cekura_tui.model.times import clock_text

    return (
        str(row.id),
        f"{row.outcome.mark} {row.outcome.text}",
        clean_line(row.scenario, 40),
        clean_line(row.personality, 24),
        clean_line(row.agent, 24),
        row.duration,
        clock_text(row.at) if row.at is not None else "",
    )
