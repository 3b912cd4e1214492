"""Zip the log, facts about the settings and the doctor's report for a bug report, without what may be a secret. Files
with keys are read only to redact the keys."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cekura_tui.config.own_file import read_own, read_regular
from cekura_tui.config.paths import Paths
from cekura_tui.config.programs import VARIABLE
from cekura_tui.config.settings import SETTINGS, show_value
from cekura_tui.config.sources import read_settings_file
from cekura_tui.config.vendor_file import find_vendor_file
from cekura_tui.doctor.files import log_files
from cekura_tui.doctor.report import Report
from cekura_tui.model.secrets import known_keys, redact, shown_words
from cekura_tui.model.text import count, json_text
from cekura_tui.workspace.prompt_files import write_output

_REQUEST_ID = re.compile(r"(, id [\w.-]{1,64}\b)", re.ASCII)


def write_bundle(
    out: Path, report: Report, paths: Paths, env: Mapping[str, str], *, force: bool
) -> list[tuple[str, int]]:
    """Write the zip file; return name and size in bytes of each member. Raises UsageError. All known keys are redacted,
    as are the keys found through `paths` and `env`."""
    secrets = {*_known_secrets(paths, env), *known_keys}
    directories = [(str(paths.home), "[config directory]")]
    if len(home := env.get("HOME", "")) > 1:
        directories.insert(0, (home, "~"))
    members = []
    for name, text in _members(report, paths):
        for directory, instead in directories:
            text = text.replace(directory, instead)
        members.append((name, redact(text, secrets).encode(errors="backslashreplace")))  # paths may not be UTF-8
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    write_output(out, buffer.getvalue(), force=force)
    return [(name, len(data)) for name, data in members]


def _members(report: Report, paths: Paths) -> Iterator[tuple[str, str]]:
    yield "doctor.txt", f"{report.text()}\n"
    yield "doctor.json", f"{json_text(report.json(), indent=1)}\n"
    if paths.settings.exists():
        yield "settings.txt", "".join(f"{line}\n" for line in settings_facts(paths.settings))
    for folder, one in (("log", paths), ("demo/log", paths.demo)):
        for path in log_files(one):
            with contextlib.suppress(OSError):  # rotated by another process, or unsafe to read
                text = read_own(path).decode(errors="backslashreplace")
                # An earlier version may have written the log.
                parts = (shown_words(part) if n % 2 == 0 else part for n, part in enumerate(_REQUEST_ID.split(text)))
                yield f"{folder}/{path.name}", "".join(parts)


def settings_facts(path: Path) -> Iterator[str]:
    """A line for each valid setting of config.toml: booleans, numbers and known words, otherwise only that it is
    set."""
    file = read_settings_file(path)
    tables = {"": file.values} | {f"profile {n}: ": one for n, one in enumerate(file.profiles.values(), 1)}
    yield from (
        f"{table}{name} = {_fact(name, one)}" for table, values in tables.items() for name, one in values.items()
    )


def _fact(name: str, value: object) -> str:
    if isinstance(value, dict):
        return count(len(value), "entry", "entries")
    if isinstance(value, str) and name != "notify":
        return "default" if value == SETTINGS[name].default else "own"
    return str(show_value(name, value)).lower()


def _known_secrets(paths: Paths, env: Mapping[str, str]) -> Iterator[str]:
    """The keys that the program could use, and all words of its files that may be keys."""
    yield env.get(VARIABLE, "").strip()
    vendor = find_vendor_file(env)
    for path in (paths.credentials, paths.demo.home / "key", paths.settings, *([vendor] if vendor else [])):
        with contextlib.suppress(OSError, ValueError):  # ValueError: a path with a NUL
            words = re.split(r"""[\s"'=,\[\]{}#]+""", read_regular(path).decode(errors="replace"))
            yield from (word for word in words if shown_words(word) != word)
