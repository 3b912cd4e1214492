"""Zip the log, facts about the settings and the doctor's report for a bug report, without what may be a secret."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cekura_tui.config.own_file import read_own
from cekura_tui.config.paths import Paths
from cekura_tui.config.settings import SETTINGS, show_value
from cekura_tui.config.sources import read_settings_file
from cekura_tui.doctor.files import log_files
from cekura_tui.doctor.report import Report
from cekura_tui.model.secrets import redact, shown_words
from cekura_tui.model.text import json_text
from cekura_tui.workspace.prompt_files import write_output


def write_bundle(
    out: Path, report: Report, paths: Paths, env: Mapping[str, str], *, force: bool
) -> list[tuple[str, int]]:
    """Write the zip file; return name and size in bytes of each member. Raises UsageError."""
    directories = [(str(paths.home), "[config directory]")]
    if len(home := env.get("HOME", "")) > 1:
        directories.insert(0, (home, "~"))
    members = []
    for name, text in _members(report, paths):
        for directory, instead in directories:
            text = text.replace(directory, instead)
        members.append((name, redact(text).encode(errors="backslashreplace")))  # paths may not be UTF-8
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
                # An earlier version may have written the log.
                yield f"{folder}/{path.name}", shown_words(read_own(path).decode(errors="backslashreplace"))


def settings_facts(path: Path) -> Iterator[str]:
    """A line for each valid setting of config.toml: its boolean, number or known word, or only that it is set."""
    file = read_settings_file(path)
    tables = {"": file.values} | {f"profile {n}: ": one for n, one in enumerate(file.profiles.values(), 1)}
    for table, values in tables.items():
        for name, value in values.items():
            is_text = isinstance(value, str | dict) and name != "notify"
            yield f"{table}{name} = {'set' if is_text else str(show_value(SETTINGS[name].kind, value)).lower()}"
