"""Errors of the local database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cekura_tui.model.errors import CekuraTuiError, Exit

_NOT_AGAIN = "Do not launch the job again."


class StoreError(CekuraTuiError):
    title = "Database error"


class Unavailable(StoreError):
    """The database is locked, or the disk is full or failing; a retry may succeed. `reason` says which, in words."""

    def __init__(self, message: str, hint: str, reason: str) -> None:
        super().__init__(message, hint)
        self.reason = reason


class DamagedText(StoreError):
    """A stored text cannot be decoded or does not match its hash; `what` names the text in the message."""

    def __init__(self, what: str = "A text") -> None:
        hint = "Take the prompt from the agent or a file, and launch again."
        super().__init__(f"{what} in the database is damaged.", hint)


class NotOpened(StoreError):
    """The database cannot be opened or created."""


class RestartNeeded(StoreError):
    """While open, the database file was removed, replaced, or migrated by a newer version of the program."""

    title, reason = "Restart needed", "restart needed"
    exit_status = Exit.RESTART_NEEDED

    def __init__(self, message: str) -> None:
        super().__init__(message, "Restart cekura-tui.")


class NewerDatabase(StoreError):
    """A newer version of the program wrote the database file, which is left unchanged."""


class SentUnrecorded(StoreError):
    """A launch was sent and must not be sent again, but its outcome could not be recorded. `progress_id` is the
    server's id for job `number`, `saved` a file from which the next start records the outcome; each may be None."""

    exit_status = Exit.NOT_SUCCEEDED

    def __init__(self, message: str, number: int, progress_id: str | None, saved: Path | None) -> None:
        self.number, self.progress_id, self._file = number, progress_id, saved
        self._saved = f"The answer is saved in {saved} and will be recorded later." if saved else ""
        super().__init__(message, f"{self._saved or 'cekura-tui keeps retrying while open.'} {_NOT_AGAIN}")

    @property
    def is_recorded(self) -> bool:
        """Whether another process has recorded the outcome and removed the file with the outcome."""
        return self._file is not None and not self._file.exists()

    def hint_at_end(self, command_line: Callable[[str], str]) -> str:
        """The hint to print at the end, with a `jobs adopt` command for a usable id; `command_line` completes it."""
        import shlex  # not needed at start-up

        hint = f"{self._saved} {_NOT_AGAIN}".strip()
        if not self.progress_id or not self.progress_id.isprintable() or len(self.progress_id) > 1_000:
            return hint
        dashes = "-- " if self.progress_id.startswith("-") else ""
        command = command_line(f"jobs adopt {dashes}{self.number} {shlex.quote(self.progress_id)}")
        return f"{hint} To record the answer by hand, run `{command}`."


class Unrecorded(StoreError):
    """The launch could not be recorded beforehand, so nothing was sent."""
