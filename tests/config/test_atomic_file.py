"""A file is replaced completely, or remains unchanged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cekura_tui.config.atomic_file import atomic_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "kept"
    path.write_text("old")
    return path


def test_a_write_replaces_the_file_with_a_private_file(path: Path) -> None:
    with atomic_file(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_an_interrupted_write_leaves_the_old_file_and_no_temporary_file(path: Path) -> None:
    def interrupted() -> None:
        with atomic_file(path) as file:
            file.write(b"ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


WRITES = """
import os, sys
from pathlib import Path
from cekura_tui.config.atomic_file import atomic_file
with atomic_file(Path(sys.argv[1])) as file:
    print("begun", flush=True)
    sys.stdin.read()
"""


def writing(path: Path) -> subprocess.Popen[bytes]:
    """Start a process that writes a file and stops in the middle; return the process after the writing has begun."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    started = subprocess.Popen([sys.executable, "-c", WRITES, str(path)], env=env, **pipes)
    assert started.stdout is not None
    assert started.stdout.readline() == b"begun\n"
    return started


def test_temporary_files_of_killed_processes_are_removed_by_the_next_write(tmp_path: Path) -> None:
    path, other = tmp_path / "runs.csv", tmp_path / "runs"
    killed = [writing(path), writing(other)]
    goes_on = writing(path)
    for one in killed:
        one.kill()
        one.communicate()
    foreign = [tmp_path / ".runs.csv-notes", tmp_path / ".runs.csv-999999999-mine"]
    for file in foreign:
        file.touch()
    left = len(list(tmp_path.iterdir()))
    with atomic_file(path) as written:
        written.write(b"new")
        assert len(list(tmp_path.iterdir())) == left  # one was removed, one added
    assert all(file.exists() for file in foreign)
    goes_on.communicate()
    assert (goes_on.returncode, path.read_bytes()) == (0, b"")
    with atomic_file(other):
        pass
    assert sorted(tmp_path.iterdir()) == sorted([path, other, *foreign])


@pytest.mark.parametrize("name", ["漢" * 83 + ".csv", "x" * 251 + ".csv", "🙂" * 62 + ".csv"])
def test_a_file_with_the_longest_possible_name_can_be_written(tmp_path: Path, name: str) -> None:
    with atomic_file(tmp_path / name) as file:
        file.write(b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"new")]
