"""The program's log: a file of limited size in the config directory, without API keys."""

from __future__ import annotations

import logging
import logging.handlers
import os
from io import TextIOWrapper
from pathlib import Path

from cekura_tui.config.own_file import open_own
from cekura_tui.config.paths import Paths, make_private
from cekura_tui.model.secrets import redact, shown_words

LOG_BYTES, LOG_FILES = 1_000_000, 3
"""Size in bytes at which a new log file is started, and the number of log files kept."""
_log = logging.getLogger("cekura_tui")


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log file that drops records which cannot be written, instead of printing an error over the screen."""

    def _open(self) -> TextIOWrapper:
        handle = open_own(Path(self.baseFilename), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        return os.fdopen(handle, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class _WithoutSecrets(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return shown_words(redact(super().format(record)))


def log_to(paths: Paths) -> None:
    """Log requests and errors to the log file from now on. If the log's directory cannot be used, nothing is logged."""
    try:
        make_private(paths.log.parent)
        handler = _LogFile(paths.log, maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1, delay=True)
    except OSError:
        return
    handler.setFormatter(_WithoutSecrets("%(asctime)s %(levelname)s %(name)s %(message)s"))
    _log.handlers = [handler]
    _log.propagate = False
    _log.setLevel(logging.INFO)
