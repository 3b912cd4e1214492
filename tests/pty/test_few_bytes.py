"""What a slow line carries: bytes and paintings of a start and of each change, at 120×40 in 24-bit colour."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from scenes import EPOCH
from terminal import Start, Terminal

SIZE = {"columns": 120, "lines": 40}
FRAME = b"\x1b[?2026h"
"""What begins each painting."""
_REPEATED = 0.033
"""Seconds between two keys of one that is held."""


def answer_to(terminal: Terminal, key: str, *, shows: str = "", gone: str = "") -> tuple[int, int]:
    """Press a key; the bytes and the paintings until a text has come or is gone, and the screen is still again."""
    terminal.settle().raw = b""
    assert shows not in terminal.text if shows else gone in terminal.text, f"{key}: it is so before the key"
    terminal.press(key)
    terminal.wait(shows, gone=gone).settle()
    return len(terminal.raw), terminal.raw.count(FRAME)


@pytest.fixture
def cached(start: Start) -> Start:
    """The demo with its runs and two of them cached."""
    terminal = start("--demo", "--demo-epoch", str(EPOCH), **SIZE).wait("900240", "live").settle()
    terminal.press("enter")
    terminal.wait("Timeline").settle()
    terminal.press("q")
    assert terminal.ended() == 0
    return start


def test_a_start_and_the_screens_are_painted_once_in_few_bytes(cached: Start) -> None:
    terminal = cached("--demo", **SIZE, command=(sys.executable, str(Path(__file__).parent / "patient.py"))).wait(
        "900240"
    )
    assert b"900240" in terminal.raw.split(FRAME)[1]
    terminal.wait("live").settle()
    assert len(terminal.raw) <= 16_000
    terminal.press("enter")  # the first time its screen is imported
    terminal.wait("Timeline").settle()
    terminal.press("1")
    terminal.wait("b Groups").settle()
    for key, change, most in (
        ("enter", {"shows": "Timeline"}, 7_500),
        ("esc", {"shows": "b Groups"}, 12_000),
        ("2", {"gone": "b Groups"}, 3_000),
        ("1", {"shows": "b Groups"}, 12_000),
        ("?", {"shows": "Keys · Runs"}, 10_500),
        ("esc", {"gone": "Keys · Runs"}, 12_000),
        (":", {"shows": "Commands ─"}, 11_500),
        ("esc", {"gone": "Commands ─"}, 12_000),
    ):
        sent, frames = answer_to(terminal, key, **change)
        assert (frames, sent <= most) == (1, True), f"{key}: {sent} bytes, {frames} paintings"
    terminal.raw = b""
    for _ in range(20):
        terminal.press("j")
        terminal.pump(_REPEATED)
    terminal.wait("─ Run 900220").settle()
    assert len(terminal.raw) <= 8_000, f"20 × j: {len(terminal.raw)} bytes"
