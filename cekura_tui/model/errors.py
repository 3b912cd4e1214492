"""The base of every error a person may see."""

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
    """Something went wrong that a person can do something about.

    `title` is a few words, `message` one or two sentences, `hint` what to do. All three are shown, so none may
    hold a key or text that did not pass `clean()`.
    """

    title = "Something went wrong"
    exit_status = Exit.WRONG_USE
    retry_after: float | None = None
    """Seconds that the server asked to wait, where it did."""

    def __init__(self, message: str, hint: str = "", *, title: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if title:
            self.title = title

    @property
    def is_transient(self) -> bool:
        """Whether the same may go well later, without anybody doing anything."""
        return self.exit_status != Exit.KEY_REFUSED

    def facts(self) -> list[tuple[str, str]]:
        """What happened, for the screen that shows the whole error: names and texts."""
        return []

    def sentence(self) -> str:
        """Message and hint as one line for standard error or a status line."""
        return f"{self.message} {self.hint}".strip()


class UsageError(CekuraTuiError):
    """The person asked for something that cannot be done; nothing was sent."""

    title = "Can't do that"
    is_transient = False


class KeyMissing(CekuraTuiError):
    """There is no key, or none that may go to this server."""

    title = "No API key"
    exit_status = Exit.KEY_REFUSED
