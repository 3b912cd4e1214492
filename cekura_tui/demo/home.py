"""The demo's directory, and two files that are created in it once: the API key and the epoch."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path


def key_of(directory: Path) -> str:
    """The API key of this workspace, created at random on the first start."""
    return read_or_create(directory / "key", f"demo_{secrets.token_hex(24)}")


def read_key(directory: Path) -> str | None:
    """The API key of this workspace; None before the first start."""
    try:
        return (directory / "key").read_text(encoding="utf-8")
    except OSError:
        return None


def epoch_of(directory: Path, now: float) -> float:
    """Unix time of the first start, from which the runs are dated back."""
    return float(read_or_create(directory / "epoch", str(int(now))))


def read_or_create(path: Path, text: str) -> str:
    """The content of a file, created with `text` if missing or empty; two processes at once get the same text."""
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        with contextlib.suppress(OSError):  # some file systems have no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if content := file.read():
            return content
        file.write(text)
        return text
