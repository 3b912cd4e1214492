"""What the commands here measure with. Importing it makes the program and the tests' own modules importable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent / "support")]


def resident_bytes() -> int:
    """How much memory of the machine this process holds."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        told = subprocess.run(["ps", "-o", "rss=", "-p", str(os.getpid())], capture_output=True, text=True, check=True)
        return int(told.stdout) * 1024


def drift(before: float, after: float) -> float:
    """By how many percent it grew."""
    return (after - before) / before * 100
