"""The base of every error that is shown to the user."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit statuses of the command line."""

    DONE = 0
    NOT_SUCCEEDED = 1
    WRONG_USE = 2
    NO_ISSUES = 3
    KEY_REFUSED = 4


class CekuraTuiError(Exception):
    """An error that the user can do something about.

    `title` is a few words, `message` one or two sentences, `hint` what to do. All three are shown, so they must hold no
    key and no text that did not pass `clean()`.
    """

    title = "Something went wrong"
    exit_status = Exit.WRONG_USE
    retry_after: float | None = None
    """Seconds that the server asked to wait; None if it did not."""

    def __init__(self, message: str, hint: str = "", *, title: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if title:
            self.title = title

    @property
    def is_transient(self) -> bool:
        """Whether a retry may succeed later without the user doing anything."""
        return self.exit_status != Exit.KEY_REFUSED

    def facts(self) -> list[tuple[str, str]]:
        """(name, text) pairs for the error screen."""
        return []

    def sentence(self) -> str:
        """Message and hint as one line for standard error or a status line."""
        return f"{self.message} {self.hint}".strip()


class UsageError(CekuraTuiError):
    """The user asked for something impossible; nothing was sent."""

    title = "Can't do that"
    is_transient = False


class KeyMissing(CekuraTuiError):
    """There is no key, or none that may be sent to this server."""

    title = "No API key"
    exit_status = Exit.KEY_REFUSED
