"""What comes out of a suggestion, to files: never over a prompt that somebody changed since it was sent."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cekura_tui.config.paths import expand
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import MAX_PROMPT_BYTES, Suggestion
from cekura_tui.model.prose_compare import compare
from cekura_tui.model.prose_text import as_text
from cekura_tui.model.text import Prompt, clean_line, prompt_bytes
from cekura_tui.workspace.prompt_files import source_of, write_prompt

_NO_FILES = frozenset({"", "-", "agent", "file", "last", "draft"})
"""What `prompt_source` is where it names no file."""


class Drifted(UsageError):
    """The file that a job's prompt came from holds another text than the one that was sent."""

    title = "The file has changed"

    def __init__(self, path: Path, sent: Prompt, now: bytes) -> None:
        super().__init__(
            f"{path} has changed since its prompt was sent, so it is left as it is.",
            "The suggestion is kept: name another file, or save it as a patch.",
        )
        self._sent, self._now = sent, now

    def drift(self) -> str:
        """What changed in the file since, as text for a person; takes as long as comparing two prompts."""
        if len(self._now) > MAX_PROMPT_BYTES:
            return f"It is over {MAX_PROMPT_BYTES:,} bytes now.\n"
        try:
            now = self._now.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return "It is not a text in UTF-8 any more.\n"
        return as_text(compare(self._sent, now), context=1)


def seen_from_here(source: str) -> str:
    """The same below the working directory by a path from there; anything else as it is."""
    try:
        return str(Path(source).relative_to(Path.cwd().resolve())) if source.startswith("/") else source
    except (OSError, ValueError):
        return source


def source_file(source: str) -> Path | None:
    """The file that a job's `prompt_source` names, None where it names none that is there."""
    if source in _NO_FILES:
        return None
    try:
        path = expand(source)
        return path if path.is_file() else None
    except (OSError, ValueError, UsageError):
        return None


def is_source(name: str, source: str) -> bool:
    """Whether a file as a person names it is the one that a job's `prompt_source` names, by whatever path."""
    file = source_file(source)
    try:
        if file is None:  # an earlier version kept a name that is hard to show only as it is shown
            return source not in _NO_FILES and expand(name).is_file() and clean_line(source_of(name)) == source
        return expand(name).samefile(file)
    except (OSError, ValueError, UsageError):
        return False


def _is_gone(path: Path, source: str) -> bool:
    """Whether the file that a job's `prompt_source` names is this one, and there is none any more."""
    return source not in _NO_FILES and not os.path.lexists(path) and source_of(str(path)) == source_of(source)


def write_out(path: Path, text: Prompt, done: Suggestion, *, force: bool) -> str:
    """Write a text that came of a suggestion exactly, the whole file or none of it; returns what else is to be told.

    Raises Drifted, also with `force`, where it is the file that the prompt came from and that is not the prompt any
    more; AlreadyThere, without `force`, where there is any file; UsageError. A file that was removed since has nothing
    to lose: it is written anew, and this is told.
    """
    gone = _is_gone(path, done.job.prompt_source)
    if is_source(str(path), done.job.prompt_source):
        try:
            with path.open("rb") as file:
                now = file.read(max(MAX_PROMPT_BYTES, len(prompt_bytes(done.prompt))) + 1)
        except OSError as error:
            raise UsageError(
                f"{path} cannot be read: {error.strerror}.",
                "So nobody can tell whether it is still the prompt that was sent; name another file.",
            ) from None
        if hashlib.sha256(now).hexdigest() != done.job.prompt_sha256:
            raise Drifted(path, done.prompt, now)
    # What has come to be there in this moment is no file that was looked at.
    write_prompt(path, text, force=force and not gone)
    return "The file had been removed since its prompt was sent, and is there again." if gone else ""
