"""What can be wrong with the local database."""

from __future__ import annotations

from cekura_tui.model.errors import CekuraTuiError


class StoreError(CekuraTuiError):
    """The database cannot be read or written; nothing was launched."""

    title = "The local database"


class NewerDatabase(StoreError):
    """The file was made by a newer version of the program and is left alone."""


class TakenUnrecorded(StoreError):
    """The server took a launch, and this cannot be recorded: it must not be sent again."""


class Unrecorded(StoreError):
    """The record could not be written, so what was to be recorded was not done."""
