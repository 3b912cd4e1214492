"""The recording of a call: fetch it, play it with a program of the user, and find out who speaks when."""

from __future__ import annotations

from cekura_tui.model.errors import CekuraTuiError


class RecordingError(CekuraTuiError):
    """A recording that can't be fetched, played or read."""

    title = "No recording"
