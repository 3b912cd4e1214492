"""What can be wrong with the local database."""

from __future__ import annotations

from cekura_tui.model.errors import CekuraTuiError, Exit


class StoreError(CekuraTuiError):
    """The database cannot be read or written; nothing was launched."""

    title = "Database error"


class DamagedText(StoreError):
    """A text is not as it was kept, and is not given out."""

    def __init__(self) -> None:
        super().__init__(
            "A text in the database is damaged.",
            "Take the prompt from the agent or a file, and launch again.",
        )


class NotOpened(StoreError):
    """The database can't be opened, so that nothing was begun."""


class NewerDatabase(StoreError):
    """The file was made by a newer version of the program and is left alone."""


class SentUnrecorded(StoreError):
    """A launch was sent, and what came of it cannot be recorded yet: it must not be sent again."""

    exit_status = Exit.NOT_SUCCEEDED


class Unrecorded(StoreError):
    """The record could not be written, so what was to be recorded was not done."""
