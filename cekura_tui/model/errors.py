"""The base of every error that is shown to the user."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit statuses of the command line."""

    DONE = 0
    NOT_SUCCEEDED = 1
    WRONG_USE = 2
    NO_ISSUES = NOTHING_TO_DO = NO_CALLS = 3
    KEY_REFUSED = 4
    RESTART_NEEDED = NOT_ENDED = 5
    NOT_VERIFIED = 6


class CekuraTuiError(Exception):
    """An error to show to the user. `title` is a few words, `message` one or two sentences; `hint` says what the user
    can do, or is empty. All three are shown, so they must contain no key, and no text that did not pass `clean()`."""

    title = "Something went wrong"
    exit_status = Exit.WRONG_USE
    retry_after: float | None = None
    """Seconds to wait before a retry, as requested by the server; None if the server requested no wait."""

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
        """(name, text) pairs that the error screen shows; none by default."""
        return []

    def sentence(self) -> str:
        """Message and hint as one line for standard error or a status line."""
        return f"{self.message} {self.hint}".strip()


class UsageError(CekuraTuiError):
    """The user asked for something impossible; nothing was sent."""

    title = "Can't do that"
    is_transient = False


class KeyMissing(CekuraTuiError):
    """There is no API key, or no key that may be sent to this server."""

    title = "No API key"
    exit_status = Exit.KEY_REFUSED
