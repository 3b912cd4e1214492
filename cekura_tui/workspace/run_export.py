"""Export runs to a CSV or JSON Lines file, page by page; an incomplete file is discarded."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cekura_tui.config.atomic_file import output_file
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.run.words import CSV_HEADER, csv_row, json_row
from cekura_tui.model.text import clean_line, count
from cekura_tui.workspace.all_runs import ListOptions, matching_runs, wait_text
from cekura_tui.workspace.prompt_files import AlreadyThere, check_output

if TYPE_CHECKING:
    from cekura_tui.api.errors import ApiError
    from cekura_tui.workspace.session import Session

ENDINGS = {".csv": "CSV", ".jsonl": "JSON lines", ".ndjson": "JSON lines"}
_AT_ONCE = 500
ExportSource = RunQuery | Sequence[RunRow]


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """The numbers of runs that an export has read and written, of `total` runs. `waiting` says why the export waits for
    the server; empty if the export does not wait."""

    read: int = 0
    total: int = 0
    written: int = 0
    waiting: str = ""


class RunExport:
    """One export of a query or of given rows. Call `run` on the session's loop; all else is thread-safe. If the export
    is stopped or fails, the partial file is removed. `progress` is immutable; each step replaces `progress`."""

    def __init__(
        self,
        path: Path,
        wanted: ExportSource,
        notes: Mapping[int, str],
        *,
        force: bool = False,
        options: ListOptions | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path, self._wanted, self._notes = path, wanted, dict(notes)
        self._force, self._options, self._clock = force, options or ListOptions(), clock
        self.progress = ExportProgress()
        self._stopped = False
        self._task: tuple[asyncio.AbstractEventLoop, asyncio.Task[object]] | None = None

    def stop(self) -> None:
        """Stop the export, from any thread. A finished export is not affected."""
        self._stopped = True
        if self._task is not None:
            loop, task = self._task
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the export
                loop.call_soon_threadsafe(task.cancel)

    async def run(self, session: Session) -> int | None:
        """Write the file; returns the number of runs in the file, or None if the export was stopped. Raises
        CekuraTuiError, for example if no run matches."""
        task = asyncio.current_task()
        assert task is not None
        self._task = asyncio.get_running_loop(), task
        try:
            return None if self._stopped else await self._write(session)
        except asyncio.CancelledError:
            if not self._stopped:
                raise
            task.uncancel()
            return None
        finally:
            self._task = None

    async def _write(self, session: Session) -> int:
        as_csv = ENDINGS.get(self.path.suffix.lower()) == "CSV"
        line = csv_row if as_csv else json_row
        try:
            with output_file(self.path, force=self._force) as file:
                file.write(f"{CSV_HEADER}\n".encode() if as_csv else b"")
                async with aclosing(self._rows(session)) as parts:
                    async for rows, read, total in parts:
                        lines = (f"{line(row, self._notes.get(row.id, ''))}\n" for row in rows)
                        file.write("".join(lines).encode("utf-8", "replace"))
                        self.progress = ExportProgress(read, total, self.progress.written + len(rows))
                if not self.progress.written:
                    raise UsageError("No runs match; no file was written.")
                return self.progress.written
        except FileExistsError:
            raise _already_there(str(self.path)) from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise UsageError(f"Can't write {clean_line(str(self.path))}: {why}.", "No file was written.") from None
        except CekuraTuiError as error:
            if self.progress.written:
                error.hint = f"{error.hint} The file with {count(self.progress.written, 'run')} was discarded.".strip()
            raise

    async def _rows(self, session: Session) -> AsyncGenerator[tuple[Sequence[RunRow], int, int], None]:
        """Yield parts of the rows to write, each with the number of runs read and the total number of runs."""
        if not isinstance(self._wanted, RunQuery):
            rows = self._wanted
            for first in range(0, len(rows), _AT_ONCE):
                part = rows[first : first + _AT_ONCE]
                yield part, first + len(part), len(rows)
                await asyncio.sleep(0)  # let other tasks on this loop run
            return
        options = replace(self._options, on_wait=self._note_wait, filled=session.lists.filled)
        found = matching_runs(session.client, session.budget, self._wanted, self._notes, self._clock(), options)
        async with aclosing(found) as pages:
            async for page in pages:
                yield [row for _, row in page.matches], page.read, page.total

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
