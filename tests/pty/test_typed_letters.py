"""Every letter that a keyboard sends is kept, to the byte, in a real terminal."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from terminal import Start

TYPED = "می\u200cخواهم 👩\u200d👩\u200d👧"


def steps(home: Path) -> list[tuple[str, bytes]]:
    """What was chosen, step by step, as another program finds it."""
    with closing(sqlite3.connect(next(home.rglob("*.db")))) as sql:
        return [(what, bytes(text)) for what, text in sql.execute("SELECT what, text FROM stagings ORDER BY step")]


def test_persian_typed_in_one_burst_with_the_key_that_opens_the_box_is_kept(
    start: Start, home: Path, prepared: Path
) -> None:
    shutil.copytree(prepared / "demo", home)
    terminal = start("--demo").wait("240 runs")
    terminal.press("2")
    terminal.wait("Job 4").press("j")
    terminal.wait("Job 3").press("enter")
    terminal.wait("Suggestion of job 3", "· 1 of 2", "reason:")
    terminal.press(f"e{TYPED} Always ask. \x07")
    terminal.wait("✎1", gone="Edit change")
    [(what, text)] = steps(home)
    assert (what, text[: len(typed := f"{TYPED} Always ask. ".encode())]) == ("edited", typed)
    terminal.press("q")
    assert terminal.ended() == 0
