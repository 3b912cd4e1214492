"""Read and write files that the user names, such as prompts and suggestions. No file is overwritten without consent."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path

from cekura_tui.config.atomic_file import output_file
from cekura_tui.config.paths import expand
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import MAX_PROMPT_BYTES, Suggestion
from cekura_tui.model.text import Prompt, clean, clean_line, count, prompt_bytes
from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import are_too_long
from cekura_tui.prose.lines import as_text
from cekura_tui.prose.patch import unified_patch

_NO_FILES = frozenset({"", "-", "agent", "file", "last", "draft"})
"""Values of `prompt_source` that name no file."""


class AlreadyThere(UsageError):
    """The file exists, and overwriting was not requested."""

    title = "The file exists"


def safe_name(text: str, ending: str) -> str:
    """A file name from any text: at most 120 bytes of letters, digits, `-`, `_` and `.`, ending with `ending`."""
    name = re.sub(r"[^\w.-]+", "-", clean(text)).strip(".-")
    name = name.encode()[: 120 - len(ending.encode())].decode(errors="ignore").rstrip(".-")
    return f"{name or 'unnamed'}{ending}"


def check_output(name: str, *, force: bool) -> Path:
    """Path of a file to write, checked early. Raises AlreadyThere unless `force`, and UsageError if not writable."""
    path = expand(name)
    try:
        target = path.resolve()
        folder = target.parent
        if target.is_symlink():
            raise RuntimeError("a link to itself")  # as `resolve` does in other Python versions
        if path.is_dir() or name.endswith(os.sep):
            raise UsageError(f"{name} is a directory.", "Choose a file in it.")
        if not folder.is_dir():
            raise UsageError(f"There is no directory {folder}.", "Create it, or choose another.")
        if target.exists() and not force:
            raise _exists(name)
        if target.exists() and not target.is_file():
            raise UsageError(f"{name} is not a regular file.", "Choose a file.")
        if target.exists() and not os.access(target, os.W_OK):
            raise UsageError(f"{name} may not be written to.", "Choose another file, or change its permissions.")
        if not os.access(folder, os.W_OK):
            raise UsageError(f"{folder} is not writable.", "Choose another directory.")
    except OSError as error:
        raise UsageError(f"Can't write {name}: {error.strerror}.", "Choose another file.") from None
    except ValueError:
        raise UsageError(f"{name} is not a valid file name.", "Choose another file.") from None
    except RuntimeError:
        raise UsageError(f"{name} is a link to itself.", "Choose another file.") from None
    return path


def _exists(name: object) -> AlreadyThere:
    return AlreadyThere(f"{name} exists already.", "Overwrite it with --force, or choose another file.")


def write_text(path: Path, text: str, *, force: bool = True) -> None:
    """Write a text as UTF-8 with a final newline; raises the errors of `write_output`."""
    write_output(path, (text if text.endswith("\n") else f"{text}\n").encode(errors="replace"), force=force)


def write_output(path: Path, data: bytes, *, force: bool = True, hint: str = "") -> None:
    """Write a whole file. Raises UsageError with this `hint`, AlreadyThere if the file exists and not `force`."""
    try:
        with output_file(path, force=force) as file:
            file.write(data)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise UsageError(f"Can't write {path}: {error.strerror}.", hint) from None


def check_prompt(prompt: str, named: str = "The prompt") -> Prompt:
    """Check that a prompt can be sent, and return the prompt; raises UsageError if the prompt is blank or too large."""
    if not prompt.strip():
        raise UsageError(f"{named} is blank.", "Use a prompt file, or the agent's current prompt.")
    size = len(prompt_bytes(prompt))
    if size > MAX_PROMPT_BYTES:
        raise UsageError(f"{named} is {size:,} bytes; the limit is {MAX_PROMPT_BYTES:,}.", "Shorten it.")
    return Prompt(prompt)


def without_file_end(text: str, before: str) -> str:
    """A file's text without the byte order mark and final line break that editors add, unless `before` had them."""
    text = text if before.startswith("\ufeff") else text.removeprefix("\ufeff")
    return text if before.endswith("\n") else text.removesuffix("\n").removesuffix("\r")


def read_prompt_file(name: str, *, ordinary: bool = False) -> Prompt:
    """The exact prompt in a file; raises UsageError, also for a blank prompt. See `read_text_file`."""
    shown = "standard input" if name == "-" and not ordinary else name
    return check_prompt(read_text_file(name, ordinary=ordinary), shown)


def read_text_file(name: str, *, ordinary: bool = False) -> str:
    """The exact text of a regular file or, unless `ordinary`, of any file or standard input (-). Raises UsageError."""
    piped = name == "-" and not ordinary
    shown = "standard input" if piped else name
    path = expand(name)
    try:
        if piped:
            if sys.stdin is None:
                raise UsageError("There is no standard input.", "Name the file that holds the text.")
            raw = sys.stdin.buffer.read(MAX_PROMPT_BYTES + 1)
        elif ordinary and path.exists() and not path.is_file() and not path.is_dir():
            raise UsageError(f"{shown} is not a regular file.", "Name the file that holds the text.")
        elif path.is_dir():
            raise UsageError(f"{shown} is a directory.", "Name the file that holds the text.")
        else:
            with path.open("rb") as file:
                raw = file.read(MAX_PROMPT_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"There is no file {shown}.", "Name the file that holds the text, or - .") from None
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise UsageError(f"{shown} is not a valid file name.", "Name the file that holds the text.") from None
    if len(raw) > MAX_PROMPT_BYTES:
        raise UsageError(f"{shown} is over {MAX_PROMPT_BYTES:,} bytes.", "Is it the right file? Shorten it.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UsageError(f"{shown} is not a text file in UTF-8.", "Name the file that holds the text.")
    return text


def source_of(name: str) -> str:
    """The absolute path of a file, as a job's `prompt_source`; an invalid name is returned unchanged. Bytes of the path
    that are not UTF-8 become surrogates."""
    try:
        path = expand(name)
        return str(path.parent.resolve() / path.name)
    except (OSError, ValueError, RuntimeError, UsageError):
        return name


def relative_source(source: str) -> str:
    """Make a path relative if it is below the working directory; any other text is returned unchanged."""
    try:
        return str(Path(source).relative_to(Path.cwd().resolve())) if source.startswith("/") else source
    except (OSError, ValueError):
        return source


def source_file(source: str) -> Path | None:
    if source in _NO_FILES:
        return None
    try:
        path = expand(source)
        return path if path.is_file() else None
    except (OSError, ValueError, UsageError):
        return None


def is_source(name: str, source: str) -> bool:
    """Whether the path `name` leads to the file of a job's prompt; `source` is the job's `prompt_source`."""
    file = source_file(source)
    try:
        if file is None:  # earlier versions stored an unprintable name as displayed
            return source not in _NO_FILES and expand(name).is_file() and clean_line(source_of(name)) == source
        return expand(name).samefile(file)
    except (OSError, ValueError, UsageError):
        return False


def patch_of(suggestion: Suggestion, text: Prompt) -> Prompt:
    """A patch that turns a suggestion's sent prompt into `text`; raises UsageError if the texts are too long."""
    if are_too_long(suggestion.prompt, text):
        size = count(len(text), "character")
        raise UsageError(f"No patch: the prompt is too long to be compared ({size}).", "Save the prompt instead.")
    return Prompt(unified_patch(suggestion.prompt, text, patch_path(relative_source(suggestion.job.prompt_source))))


class PromptFileDrifted(UsageError):
    """The file that a job's prompt was read from has changed since the launch."""

    title = "The file has changed"

    def __init__(self, path: Path, sent: Prompt, now: bytes) -> None:
        hint = "Choose another file, or save a patch. The suggestion is still in the list of jobs."
        super().__init__(f"{path} has changed since its prompt was sent, so nothing was written.", hint)
        self._sent, self._now = sent, now

    def drift(self) -> str:
        if len(self._now) > MAX_PROMPT_BYTES:
            return f"It is over {MAX_PROMPT_BYTES:,} bytes now.\n"
        try:
            now = self._now.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return "It is no longer UTF-8 text.\n"
        return as_text(compare(self._sent, now), context=1)


def write_suggestion(path: Path, text: Prompt, suggestion: Suggestion, *, force: bool) -> str:
    """Write a text made from a suggestion to a file; returns a message for the user, empty in the normal case.

    If the prompt was read from this file and the file was deleted, it is created again, and the message says so. If it
    has changed since, PromptFileDrifted is raised, even with `force`. Raises AlreadyThere if the file exists and
    `force` is false, and UsageError if the file cannot be read or written.
    """
    source = suggestion.job.prompt_source
    gone = source not in _NO_FILES and not os.path.lexists(path) and source_of(str(path)) == source_of(source)
    if is_source(str(path), source):
        try:
            with path.open("rb") as file:
                now = file.read(max(MAX_PROMPT_BYTES, len(prompt_bytes(suggestion.prompt))) + 1)
        except OSError as error:
            hint = "Choose another file: this one can't be checked for changes."
            raise UsageError(f"{path} cannot be read: {error.strerror}.", hint) from None
        if hashlib.sha256(now).hexdigest() != suggestion.job.prompt_sha256:
            raise PromptFileDrifted(path, suggestion.prompt, now)
    # If the deleted file exists again, it was not checked for changes, so do not overwrite it.
    hint = "The suggestion is still in the list of jobs."
    write_output(path, prompt_bytes(text), force=force and not gone, hint=hint)
    return "The file was deleted since its prompt was sent, and was created again." if gone else ""


# The file that a patch changes

_UNNAMED = "prompt.md"
_NO_PATH = re.compile(r"staged from job \d+|/(?:dev|proc)/.*|.*[\\\n\0].*|.*…", re.DOTALL)
"""Matches prompt sources that are not regular files, or whose names `patch` refuses."""
_REFUSED_BY_GIT = re.compile(r"(?:\.git|git~\d)[ .]*(?::.*)?", re.IGNORECASE)
_NAME_BYTES = 240


def patch_path(source: str) -> str:
    """The path of the file that a job's `prompt_source` names, accepted by git and patch, else "prompt.md". Of an
    absolute path or one with "..", only the file name, as a patch cannot leave the working directory."""
    source = source.removesuffix(", edited")
    if source in _NO_FILES or _NO_PATH.fullmatch(source):
        return _UNNAMED
    parts = [part for part in source.split("/") if part not in ("", ".")]
    if source.startswith(("/", "~")) or ".." in parts:
        parts = parts[-1:]
    return "/".join(parts) if parts and all(map(_fits, parts)) and parts[-1] not in ("..", "~") else _UNNAMED


def _fits(part: str) -> bool:
    """Whether git and patch accept a part of a path, also on file systems that ignore invisible characters."""
    try:
        length = len(part.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return False
    return length <= _NAME_BYTES and not _REFUSED_BY_GIT.fullmatch("".join(filter(str.isprintable, part)))
