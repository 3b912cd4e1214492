"""The demo's directory: its key and its epoch, written once."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path


def open_home(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)


def key_of(directory: Path) -> str:
    """The random key of this workspace, the same at every start."""
    return written_once(directory / "key", f"demo_{secrets.token_hex(24)}")


def read_key(directory: Path) -> str | None:
    """The key, or None before the first start."""
    try:
        return (directory / "key").read_text(encoding="utf-8")
    except OSError:
        return None


def epoch_of(directory: Path, now: float) -> float:
    """The Unix time of the first start, which runs count back from."""
    return float(written_once(directory / "epoch", str(int(now))))


def written_once(path: Path, text: str) -> str:
    """The content of a file, which gets `text` if it is new; the first of two writers wins."""
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        with contextlib.suppress(OSError):  # some file systems have no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if content := file.read():
            return content
        file.write(text)
        return text
