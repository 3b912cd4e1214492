"""Make a directory read-only for any user who runs the tests, even root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def read_only_place(directory: Path) -> Iterator[None]:
    """Make the directory read-only by its mode, or for root by a read-only bind mount, because root ignores modes.
    Skips the test if root may not mount."""
    if os.geteuid():
        directory.chmod(0o500)
        try:
            yield
        finally:
            directory.chmod(0o700)
        return
    mount = ("mount", "--bind", directory, directory)
    if subprocess.run(mount, check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("root may not mount here, and nothing else keeps it from writing")
    try:
        subprocess.run(("mount", "-o", "remount,bind,ro", directory), check=True)
        yield
    finally:
        subprocess.run(("umount", "--lazy", directory), check=True)
