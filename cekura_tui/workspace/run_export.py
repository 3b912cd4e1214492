"""Export runs to a CSV or JSON Lines file, with the failed checks of all failed runs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cekura_tui.config.atomic_file import output_file
from cekura_tui.model.errors import UsageError
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.run.words import csv_header, csv_row, json_row
from cekura_tui.model.text import clean_line, count
from cekura_tui.workspace.all_runs import ListOptions, matching_runs, wait_text
from cekura_tui.workspace.prompt_files import AlreadyThere, check_output

if TYPE_CHECKING:
    from cekura_tui.api.errors import ApiError
    from cekura_tui.workspace.session import Session

ENDINGS = {".csv": "CSV", ".jsonl": "JSON lines", ".ndjson": "JSON lines"}
ExportSource = RunQuery | Sequence[RunRow]


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """The number of runs that an export has read, of `total` runs, and then the number of runs whose failed checks are
    `loaded`, of `to_load` runs. `waiting` says why the export waits for the server; empty if the export does not wait.
    `unknown` is the number of written runs whose failed checks are not loaded."""

    read: int = 0
    total: int = 0
    loaded: int = 0
    to_load: int = 0
    unknown: int = 0
    waiting: str = ""

    @property
    def gaps(self) -> str:
        """What the file lacks, as a sentence after another; empty if the file lacks nothing."""
        read = f"{self.read:,} of {count(self.total, 'run')} read" if self.read < self.total else ""
        unknown = f"the failed checks of {count(self.unknown, 'run')} are unknown" if self.unknown else ""
        gaps = ", ".join(filter(None, (read, unknown)))
        return f". Incomplete: {gaps}." if gaps else ""


class RunExport:
    """One export of a query or of given rows. Call `run` on the session's loop; all else is thread-safe. The file is
    written once all is read, or after `stop` with `write`. `progress` is immutable; each step replaces `progress`."""

    def __init__(
        self,
        path: Path,
        wanted: ExportSource,
        notes: Mapping[int, str],
        *,
        force: bool = False,
        checks: bool = True,
        options: ListOptions | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path, self._wanted, self._notes = path, wanted, dict(notes)
        self._force, self._options, self._clock = force, options or ListOptions(), clock
        self.progress = ExportProgress()
        self._rows: list[RunRow] = []
        self._checks = checks
        self._stopped = self._as_is = False
        self._reading: asyncio.Task[None] | None = None

    def stop(self, *, write: bool = False) -> None:
        """Stop reading, from any thread. With `write`, the file is written with what was read, else no file."""
        self._stopped, self._as_is = True, write
        if self._reading is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the export
                self._reading.get_loop().call_soon_threadsafe(self._reading.cancel)

    async def run(self, session: Session) -> int | None:
        """Write the file; returns the number of runs in the file, or None if the export was stopped. Raises
        CekuraTuiError, for example if no run matches."""
        if not self._stopped:
            self._reading = asyncio.ensure_future(self._read(session))
            try:
                await self._reading
            except asyncio.CancelledError:
                if not self._stopped:
                    raise
        if self._stopped and not self._as_is:
            return None
        rows = session.lists.filled(self._rows) if self._checks else self._rows
        unknown = sum(row.lacks_checks for row in rows) if self._checks else 0
        self.progress = replace(self.progress, unknown=unknown, waiting="")
        return await asyncio.to_thread(self._write, rows)

    def _write(self, rows: Sequence[RunRow]) -> int:
        if not rows:
            raise UsageError("No runs match; no file was written.")
        as_csv = ENDINGS.get(self.path.suffix.lower()) == "CSV"
        line, checks = csv_row if as_csv else json_row, self._checks
        try:
            with output_file(self.path, force=self._force) as file:
                file.write(f"{csv_header(checks=checks)}\n".encode() if as_csv else b"")
                for row in rows:
                    text = line(row, self._notes.get(row.id, ""), checks=checks)
                    file.write(f"{text}\n".encode("utf-8", "replace"))
        except FileExistsError:
            raise _already_there(str(self.path)) from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise UsageError(f"Can't write {clean_line(str(self.path))}: {why}.", "No file was written.") from None
        return len(rows)

    async def _read(self, session: Session) -> None:
        """Read the rows to write, then the full runs of rows that lack failed checks. `stop` cancels this."""

        async def load(ids: Sequence[int]) -> ApiError | None:
            self.progress = replace(self.progress, loaded=0, to_load=len(ids), waiting="")
            return (await session.findings.all(ids, self._note_wait, loaded, fresh=True))[1]

        def loaded(known: int) -> None:
            self.progress = replace(self.progress, loaded=known, waiting="")

        if isinstance(self._wanted, RunQuery):
            options = replace(self._options, on_wait=self._note_wait, filled=session.lists.filled, load_whole=load)
            found = matching_runs(session.client, session.budget, self._wanted, self._notes, self._clock(), options)
            async with aclosing(found) as pages:
                async for page in pages:
                    self._rows += [row for _, row in page.matches]
                    self.progress = ExportProgress(page.read, page.total)
        else:
            self._rows += self._wanted
            self.progress = ExportProgress(len(self._rows), len(self._rows))
        if self._checks:
            error = await load([row.id for row in session.lists.filled(self._rows) if row.lacks_checks])
            if error is not None:
                raise error

    def _note_wait(self, error: ApiError, seconds: float) -> None:
        self.progress = replace(self.progress, waiting=wait_text(error, seconds))


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
