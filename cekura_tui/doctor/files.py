"""Check the config directory (access, settings, database, log, disk space) and the installed packages."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from cekura_tui import __version__
from cekura_tui.config.own_file import NotUsable, check_own, unwritable
from cekura_tui.config.paths import Paths
from cekura_tui.config.sources import read_settings_file
from cekura_tui.doctor.check import Check, Status
from cekura_tui.model.text import count
from cekura_tui.store.database import SIDE_FILES, examine, file_system_of, sqlite_version
from cekura_tui.store.pending_answers import PendingAnswers
from cekura_tui.store.schema import VERSION

MB = 1_000_000
LOW_SPACE, NO_SPACE = 100 * MB, 10 * MB
"""Free disk space in bytes below which a warning is reported (`LOW_SPACE`) or a failure (`NO_SPACE`)."""


def check_files(paths: Paths) -> Iterator[Check]:
    home = paths.home
    if not home.exists():
        yield Check("files", "directory", "ok", f"{home} (not there yet)")
    elif not home.is_dir():
        yield Check("files", "directory", "failure", f"{home} is not a directory", "Choose another with --config-dir.")
    else:
        yield _directory(home)
        yield from _own_file(paths.credentials, "failure", "others may read the keys", "readable by you alone")
    if os.path.isdir(paths.audio):
        sizes = [one.stat(follow_symlinks=False).st_size for one in os.scandir(paths.audio)]
        yield _directory(paths.audio, "recordings", f"{count(len(sizes), 'recording')}, {_size(sum(sizes))} in ")
    yield _space(home)


def _directory(home: Path, name: str = "directory", found: str = "") -> Check:
    mode = home.stat().st_mode & 0o777
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        advice = unwritable(home / "file") or f"Run `chmod 700 {shlex.quote(str(home))}`."
        return Check("files", name, "failure", f"{home} is not writable ({mode:04o})", advice)
    if mode & 0o077:
        advice = f"chmod 700 {shlex.quote(str(home))}"
        return Check("files", name, "warning", f"{home} is open to others ({mode:04o})", advice)
    return Check("files", name, "ok", f"{found}{home} ({mode:04o})")


def _own_file(path: Path, status: Status = "ok", open_to_others: str = "", fine: str = "") -> Iterator[Check]:
    """Check that a file of the program, if present, is usable and closed to other users. `open_to_others` is the
    finding if they can open it (empty: not checked), `fine` if all is well (empty: not reported)."""
    try:
        real = check_own(path)
        mode = real.lstat().st_mode & 0o777
    except FileNotFoundError:
        return
    except NotUsable as error:
        yield Check("files", path.name, "failure", f"{path} is not used: {error.strerror}", error.hint)
        return
    if open_to_others and mode & 0o077:
        advice = f"chmod 600 {shlex.quote(str(real))}"
        yield Check("files", path.name, status, f"{open_to_others} ({mode:04o})", advice)
    elif fine:
        yield Check("files", path.name, "ok", f"{fine} ({mode:04o})")


def _space(home: Path) -> Check:
    there = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(there).free
    status: Status = "failure" if free < NO_SPACE else "warning" if free < LOW_SPACE else "ok"
    advice = "Free some space: a job that can't be recorded is not launched." if status != "ok" else ""
    return Check("files", "disk", status, f"{_size(free)} free", advice)


def check_settings(paths: Paths) -> Iterator[Check]:
    path = paths.settings
    if not path.exists():
        yield Check("files", "settings", "ok", "no config.toml; all settings are defaults")
        return
    from cekura_tui.ui.catalogue import settings_problems

    yield Check("files", "settings", "ok", str(path))
    if (mode := path.stat().st_mode & 0o777) & 0o022:
        advice = f"chmod go-w {shlex.quote(str(path))}"
        yield Check("files", path.name, "warning", f"others may change the settings ({mode:04o})", advice)
    for problem in settings_problems(read_settings_file(path)):
        yield Check("files", path.name, "warning", problem.sentence, "Run `cekura-tui config edit`.")


def check_database(path: Path) -> Iterator[Check]:
    """Check whether the database is intact and private. Report unrecorded answers and damaged databases beside it."""
    state = examine(path)
    if state is None:
        yield Check("files", "database", "ok", "not there yet")
        return
    system = file_system_of(path.parent) or "an unknown file system"
    where = f"{_size(path.stat().st_size)}, version {state.version}, journal {state.journal} on {system}"
    if state.damage:
        advice = "Start cekura-tui: it saves what can be read, and moves the damaged file aside."
        yield Check("files", "database", "failure", f"damaged ({state.damage})", advice)
    elif state.version > VERSION:
        advice = "Update cekura-tui, or choose another directory with --config-dir."
        yield Check("files", "database", "failure", f"made by a newer cekura-tui ({where})", advice)
    else:
        yield Check("files", "database", "ok", where)
    for file in (path, *(path.with_name(path.name + suffix) for suffix in SIDE_FILES)):
        yield from _own_file(file, "warning", "others may read it")
    yield from _beside(path)


def _beside(path: Path) -> Iterator[Check]:
    keep = "Keep the files. The next start of cekura-tui records them."
    if pending := PendingAnswers(path).files():
        found = f"{count(len(pending), 'answer')} to a launch not in the database yet: {_names(pending)}"
        yield Check("files", "unrecorded answers", "warning", found, keep)
    if unsaved := sorted(path.parent.glob(f"{path.name}-unsaved-*.json")):
        found = f"drafts, decisions or notes not in the database yet: {_names(unsaved)}"
        yield Check("files", "unsaved input", "warning", found, keep)
    damaged = [one for one in path.parent.glob(f"{path.name}.damaged-*") if not one.name.endswith(("-wal", "-shm"))]
    if damaged:
        found = f"{count(len(damaged), 'damaged database')} moved aside: {_names(sorted(damaged))}"
        yield Check("files", "damaged databases", "warning", found, "Delete the files when nothing is missing.")


def _names(paths: list[Path]) -> str:
    return ", ".join(path.name for path in paths[:3]) + (", …" if len(paths) > 3 else "")


def _size(number: int) -> str:
    if number < MB:
        return f"{number / 1000:,.0f} kB"
    return f"{number / MB:,.0f} MB" if number < 1000 * MB else f"{number / 1000 / MB:,.1f} GB"


def log_files(paths: Paths) -> list[Path]:
    """The log and its rotated files, newest first."""
    return sorted(path for path in paths.log.parent.glob(f"{paths.log.name}*") if path.is_file())


def check_log(paths: Paths) -> Iterator[Check]:
    yield from _own_file(paths.log)
    files = log_files(paths)
    size = sum(path.stat().st_size for path in files)
    found = f"{paths.log} ({count(len(files), 'file')}, {_size(size)})" if files else "nothing logged yet"
    yield Check("files", "log", "ok", found)


def check_versions() -> Iterator[Check]:
    yield Check("versions", "cekura-tui", "ok", __version__)
    yield Check("versions", "Python", "ok", f"{platform.python_version()} ({platform.python_implementation()})")
    yield Check("versions", "system", "ok", platform.platform())
    yield from map(_package, _requirements())
    yield Check("versions", "SQLite", "ok", sqlite_version())


def _requirements() -> list[str]:
    """Declared requirements, such as "textual<9,>=8.2.8"; empty if the program is not an installed package."""
    try:
        return [one for one in requires("cekura-tui") or [] if "extra ==" not in one]
    except PackageNotFoundError:
        return []


def _package(requirement: str) -> Check:
    name, *_ = re.split(r"[^\w.-]", requirement, maxsplit=1)
    bounds = requirement.removeprefix(name)
    advice = f'pip install "{requirement}"'
    try:
        have = version(name)
    except PackageNotFoundError:
        return Check("versions", name, "failure", "not installed", advice)
    if not fits(have, bounds):
        return Check("versions", name, "failure", f"{have}, but cekura-tui needs {bounds}", advice)
    return Check("versions", name, "ok", have)


def fits(have: str, bounds: str) -> bool:
    """Whether a version is within bounds such as ">=8.2.8,<9"."""
    numbers = _numbers(have)
    return all(
        numbers >= _numbers(bound) if sign == ">=" else numbers < _numbers(bound)
        for sign, bound in re.findall(r"(>=|<)\s*([\d.]+)", bounds)
    )


def _numbers(text: str) -> tuple[int, ...]:
    return (*map(int, re.findall(r"\d+", text)), 0, 0, 0)[:3]
