"""The program's own log, in a file of the config directory: bounded, and without the key whatever is written to it."""

from __future__ import annotations

import logging
import logging.handlers
import os
from collections.abc import Callable, Iterable
from io import TextIOWrapper
from pathlib import Path

from cekura_tui.config.own_file import open_own
from cekura_tui.config.paths import Paths, make_private
from cekura_tui.model.secrets import redact

LOG_BYTES, LOG_FILES = 1_000_000, 3
"""A file that has become so large is kept beside a new one, and so many there are at the most."""
_log = logging.getLogger("cekura_tui")


class _LogFile(logging.handlers.RotatingFileHandler):
    """What cannot be written to it is lost, and nothing is printed over the screen."""

    def _open(self) -> TextIOWrapper:
        handle = open_own(Path(self.baseFilename), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        return os.fdopen(handle, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:
        """Leave it."""


class _WithoutKeys(logging.Formatter):
    """An error that nobody expected may have anything in its message."""

    def __init__(self, keys: Callable[[], Iterable[str]]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._keys = keys

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines."""
        return redact(super().format(record), self._keys())


def log_to(paths: Paths, keys: Callable[[], Iterable[str]]) -> None:
    """Have requests and what goes wrong written to the log from now on, without `keys`.

    A file that cannot be written costs nothing but the log.
    """
    try:
        make_private(paths.log.parent)
        handler = _LogFile(paths.log, maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1, delay=True)
    except OSError:
        return
    handler.setFormatter(_WithoutKeys(keys))
    _log.handlers = [handler]
    _log.propagate = False
    _log.setLevel(logging.INFO)
