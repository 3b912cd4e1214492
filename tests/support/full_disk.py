"""A small disk that a test can fill."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def small_disk(home: Path) -> Iterator[Path]:
    """A config directory on its own file system of three megabytes."""
    home.mkdir(mode=0o700)
    mount = ("mount", "-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", str(home))
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only the superuser may mount a small disk")
    yield home
    subprocess.run(("umount", "-l", str(home)), check=True)


def fill_disk(disk: Path, *, room: int = 0) -> Path:
    """Leave `room` bytes free on a small disk; return the file that takes the rest."""
    free = os.statvfs(disk)
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:  # one write takes what is left, even if the program wrote meanwhile
        file.write(bytes(max(0, free.f_bavail * free.f_frsize - room)))
    return ballast
