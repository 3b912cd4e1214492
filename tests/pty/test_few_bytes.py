"""What a slow line carries: bytes and paintings of a start and of each change, at 120×40 in 24-bit colour."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from scenes import EPOCH
from terminal import Start, Terminal

SIZE = {"columns": 120, "lines": 40}
FRAME = b"\x1b[?2026h"
"""What begins each painting."""
_MOVES_ON = re.compile(rb"\x1b\[\?2026h(.*?)\x1b\[\?2026l", re.DOTALL)


def answer_to(terminal: Terminal, key: str, shows: str) -> tuple[int, int]:
    """Press a key; the bytes and the paintings until the screen is still again."""
    terminal.settle().raw = b""
    terminal.press(key)
    terminal.wait(shows).settle()
    frames = _MOVES_ON.findall(terminal.raw)
    assert all(before != after for before, after in zip(frames, frames[1:], strict=False)), (
        "one painting repeats another"
    )
    return len(terminal.raw), len(frames)


@pytest.fixture
def cached(start: Start) -> Start:
    """The demo with its runs and two of them cached."""
    terminal = start("--demo", "--demo-epoch", str(EPOCH), **SIZE).wait("900240", "live").settle()
    terminal.press("enter")
    terminal.wait("Transcript").settle()
    terminal.press("q")
    assert terminal.ended() == 0
    return start


def test_a_start_and_the_screens_are_painted_once_in_few_bytes(cached: Start) -> None:
    terminal = cached("--demo", **SIZE, command=(sys.executable, str(Path(__file__).parent / "patient.py"))).wait(
        "900240"
    )
    assert terminal.raw.count(FRAME) == 1
    terminal.wait("live").settle()
    assert len(terminal.raw) <= 16_000
    terminal.press("enter")  # the first time its screen is imported
    terminal.wait("Transcript").settle()
    terminal.press("1")
    terminal.wait("of 240 runs" if "of 240 runs" in terminal.text else "240 runs")
    for key, shows, most in (
        ("enter", "Transcript", 18_000),
        ("esc", "240 runs", 18_000),
        ("2", "Jobs", 18_000),
        ("1", "240 runs", 18_000),
        ("?", "Move", 18_000),
        ("esc", "240 runs", 18_000),
        (":", "Find a command", 18_000),
        ("esc", "240 runs", 18_000),
    ):
        sent, frames = answer_to(terminal, {"esc": "\x1b"}.get(key, key), shows)
        assert (frames, sent <= most) == (1, True), f"{key}: {sent} bytes, {frames} paintings"
    total = sum(answer_to(terminal, "j", "240 runs")[0] for _ in range(20))
    assert total <= 8_000, f"20 × j: {total} bytes"
