"""The demo's directory: its key and its epoch, written once."""

from __future__ import annotations

import contextlib
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
    """The content of a file, created with `text` if it is missing; the first of two writers wins."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8")
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    try:
        # A link, unlike a rename, never replaces a file that another process has just written.
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:
        # Some file systems have no links.
        draft.replace(path)
    draft.unlink(missing_ok=True)
    return path.read_text(encoding="utf-8")
