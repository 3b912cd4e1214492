"""Change single entries of config.toml, keeping comments and layout; create a file that lists all settings."""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from cekura_tui.config.atomic_file import atomic_file, locked, output_file
from cekura_tui.config.own_file import read_regular, unwritable
from cekura_tui.config.paths import make_private
from cekura_tui.config.settings import SETTINGS, Name
from cekura_tui.config.settings_check import TABLES, check_text, entry_names, line_numbers, lines_with_ends
from cekura_tui.config.settings_file import UTF8, Problem, SettingsFile, line_of
from cekura_tui.config.sources import read_settings_file
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean_line


def setting_name(dotted: str) -> Name:
    """Parse a name such as `theme.name` or `profiles.work.api_url`. Raises UsageError. Within tables such as
    `keys`, all that follows the table's name is one name, quoted or not."""
    try:
        if "=" in dotted or "\n" in dotted:
            raise ValueError
        *_, name = entry_names(tomllib.loads(f"{dotted} = 0"))
    except (ValueError, RecursionError):
        raise UsageError(f"“{clean_line(dotted, 60)}” is not the name of a setting.", _NAMES_HINT) from None
    start = 2 if name[0] == "profiles" else 0
    if len(name) > start + 1 and name[start] in TABLES:
        return (*name[: start + 1], ".".join(name[start + 1 :]))
    return name


_NAMES_HINT = "`cekura-tui config show` lists the settings; write theme.name for an entry of a table."


Check = Callable[[SettingsFile], Sequence[Problem]]


def set_setting(path: Path, name: str, value: object, check: Check = lambda file: file.problems) -> bool:
    """Set one entry of config.toml by dotted name (see `setting_name`), or remove an entry or a table if `value` is
    None; return False if there is nothing to remove. Comments and layout stay, and text is converted to the setting's
    type. If `check` finds a new problem, or the file can't be read or written, raises UsageError and writes nothing."""
    import tomlkit

    entry = setting_name(name)
    with _changing(path):
        document = _editable(path)
        table: Any = document
        for depth, part in enumerate(entry[:-1], 2):
            if part not in table:
                table[part] = tomlkit.table(is_super_table=depth < len(entry))
            table = table[part]
            if not isinstance(table, dict):
                raise UsageError(f"{'.'.join(entry)} can't be changed: {part} is not a table.", _FIX)
        table, last = _dotted_entry(table, entry) or (table, entry[-1])
        if value is None:
            if last not in table:
                return False
            del table[last]
            text = tomlkit.dumps(document)
        else:
            before = tomlkit.dumps(document)
            table[last] = typed = _typed(entry, value)
            text = _with_line(before, entry, typed) or tomlkit.dumps(document)
        after = check_text(path, text)
        line = line_of(after.lines, entry) if value is not None else 0
        problems = check(after)
        older = [problem.text for problem in check(read_settings_file(path))] if problems else []
        for problem in problems:
            if problem.line == line or problem.text not in older:
                raise UsageError(f"{path} is not changed: {problem.text}{'' if problem.text[-1] in '.?' else '.'}")
        _write(path, text)
    return True


def copy_settings(path: Path) -> tuple[Path, bytes]:
    """Copy config.toml, or `settings_template`, to a new file; return its path and content. Raises UsageError."""
    with _changing(path):
        make_private(path.parent)
        content = _content(path)
        handle, name = tempfile.mkstemp(".toml", "config-", path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    return Path(name), content


def put_copy(path: Path, copy: Path, before: bytes) -> bool:
    """Write an edited copy to config.toml, and remove the copy; return whether this changed config.toml. Raises
    UsageError if config.toml is no longer as it was `before`."""
    with _changing(path):
        if _content(path) != before:
            raise UsageError(f"Another program has changed {path} meanwhile.")
        if changed := (content := read_regular(copy)) != before:
            _write(path, content)
        copy.unlink()
    return changed


def left_text(path: Path, copy: Path, before: bytes) -> str:
    """A sentence that names a copy with edited text; empty if config.toml was saved, or if the copy, which is then
    removed, is as it was `before`."""
    if copy.exists() and copy.read_bytes() != before:
        return f"{path} is not changed. Your text is in {copy}."
    copy.unlink(missing_ok=True)
    return ""


def settings_template() -> str:
    """Content of a new config.toml, which lists all settings as comments."""
    lines = ["# Settings of cekura-tui. To change one, remove the # in front of it."]
    tables = []
    for name, (default, kind, description) in SETTINGS.items():
        if name in TABLES:
            named = [f"#{key} = {json.dumps(one.default)}  # {one.description}" for key, one in kind.named.items()]
            tables += ["", f"# {description}", f"#[{name}]", *(named or [f"#{_EXAMPLES[name]}"])]
        else:
            value = _EXAMPLES.get(name) or json.dumps(default)
            lines += ["", f"# {description}", f"#{name} = {value}"]
    tables += ["", "# Settings of a profile, in use with --profile work.", "#[profiles.work]", "#project_id = 4022"]
    return "\n".join([*lines, *tables, ""])


_EXAMPLES = {
    "project_id": "4021",
    "agent_id": "1201",
    "organization_id": "310",
    "api_key_command": '"pass show cekura"',
    "on_job_done": '"notify-send Cekura"',
    "keys": '"runs.improve" = "I"',
    "theme": 'name = "nord"',
    "columns": "scenario = 30",
}


def _with_line(text: str, entry: Name, value: object) -> str:
    """The text with a new top-level entry, in place of the comment that lists the entry, else above the first table.
    Empty if there is no such place, if the entry exists or belongs in a table, or if the new text does not set it."""
    import tomlkit

    (name, *more), line = entry, f"{entry[0]} = {tomlkit.item(value).as_string()}"
    if more or name in tomllib.loads(text):
        return ""
    listed = re.compile(rf"^#[ \t]*{re.escape(name)}[ \t]*=.*$", re.MULTILINE)
    lines = lines_with_ends(text)
    headers = [number for number in line_numbers(text).values() if lines[number - 1].lstrip().startswith("[")]
    if listed.search(text):
        changed = listed.sub(lambda _: line, text, count=1)
    elif headers:
        at = min(headers) - 1
        while at and lines[at - 1].startswith("#"):
            at -= 1
        while at and not lines[at - 1].strip():
            at -= 1
        changed = "".join([*lines[:at], f"{line}\n", *([] if at else ["\n"]), *lines[at:]])[:-1]
    else:
        return ""
    try:
        return changed if tomllib.loads(changed).get(name) == value else ""
    except tomllib.TOMLDecodeError:  # the comment is inside a multi-line list, or the name needs quotes
        return ""


_FIX = "Correct the file with `cekura-tui config edit`."


def _editable(path: Path) -> Any:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        text = read_regular(path).decode(UTF8)
        tomllib.loads(text)
        return tomlkit.parse(text)
    except FileNotFoundError:
        return tomlkit.document()
    except (OSError, ValueError, RecursionError, TOMLKitError):
        problem, *_ = *read_settings_file(path).problems, Problem(None, "not valid TOML")
        raise UsageError(f"{path} is not changed: {problem.sentence}.", _FIX) from None


def _dotted_entry(table: Any, entry: Name) -> tuple[Any, str] | None:
    """Find an action id that is written without quotes, and therefore split over nested tables. Returns the innermost
    table and the last part of the id; None if the id is not found."""
    if len(entry) < 2 or entry[-2] != "keys" or entry[-1] in table:
        return None
    *above, last = entry[-1].split(".")
    for part in above:
        table = table.get(part) if isinstance(table, dict) else None
    return (table, last) if above and isinstance(table, dict) and last in table else None


def _typed(entry: Name, value: object) -> object:
    """Convert a text to the type of the setting `entry` if possible; return any other value unchanged."""
    setting, *more = entry[2:] if entry[0] == "profiles" and len(entry) > 2 else entry
    kind = SETTINGS[setting].kind if setting in SETTINGS else None
    kind = kind.entry(more[0]) if kind is not None and more else kind
    if kind is None:
        return value
    return value == "true" if kind.type is bool and value in ("true", "false") else kind.read(value)


def _content(path: Path) -> bytes:
    return read_regular(path) if path.exists() else settings_template().encode()


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Lock the directory, if it exists, against other processes. Raises UsageError, also for an unwritable file."""
    if why := unwritable(path):
        raise UsageError(f"Can't write {path}: {why}")
    try:
        with locked(path.parent) if path.parent.exists() else nullcontext():
            yield
    except OSError as error:
        raise UsageError(f"Can't write {path}: {error.strerror}.") from None


def _write(path: Path, changed: str | bytes) -> None:
    """Replace the file's content; follow a link, and keep an existing file's mode and hard links. If all lines of the
    file end with CRLF, all lines of a changed text do, too."""
    make_private(path.parent)
    if isinstance(changed, str):
        before = read_regular(path) if path.exists() else b""
        crlf = before.count(b"\n") == before.count(b"\r\n") > 0
        changed = (re.sub("(?<!\r)\n", "\r\n", changed) if crlf else changed).encode()
    with output_file(path) if path.exists() else atomic_file(path.resolve()) as file:
        file.write(changed)
