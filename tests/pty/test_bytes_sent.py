"""A start and each change send few bytes and frames, for the sake of slow connections."""

from __future__ import annotations

import sys

import pytest
from scenes import EPOCH
from terminal import Start, Terminal

SIZE = {"columns": 120, "lines": 40}
# Let screens wait for their first data even on a busy machine, so that they are drawn once.
PATIENT = """
from cekura_tui.cli.main import main
from cekura_tui.ui.kit import app_screen
app_screen.FIRST_READ = app_screen.BUSY = app_screen.OPENING = 10.0
main()
"""
FRAME, FRAME_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"
"""Sequences that start and end each frame (synchronized output)."""
_REPEATED = 0.033
"""Seconds between repeats of a key that is held."""


def answer_to(terminal: Terminal, key: str, *, shows: str = "", gone: str = "") -> tuple[int, int]:
    """Press a key and wait until `shows` appears or `gone` disappears; return the numbers of bytes and frames sent."""
    terminal.settle().raw = b""
    assert shows not in terminal.text if shows else gone in terminal.text, f"{key}: it is so before the key"
    terminal.press(key).wait(shows, gone=gone).settle()
    return len(terminal.raw), terminal.raw.count(FRAME)


@pytest.fixture
def cached(start: Start) -> Start:
    """A function that starts the demo with its list and one run already cached."""
    terminal = start("--demo", "--demo-epoch", str(EPOCH), **SIZE).wait("900240", "live").settle()
    terminal.press("enter").wait("Timeline").settle()
    terminal.quit()
    return start


def test_the_start_and_each_screen_are_painted_once_and_in_few_bytes(cached: Start) -> None:
    terminal = cached("--demo", **SIZE, command=(sys.executable, "-c", PATIENT)).wait("900240")
    assert b"900240" in terminal.raw.split(FRAME)[1]
    terminal.wait("live").settle()
    assert len(terminal.raw) <= 16_000
    terminal.press("enter")  # the first time imports the screen's modules
    terminal.wait("Timeline").settle()
    terminal.press("1").wait("b Groups").settle()
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


def test_moving_in_a_run_draws_once_for_each_key(start: Start) -> None:
    terminal = start("--demo", "900238").wait("Run 900238", "14 turns").settle()
    terminal.press("/")
    terminal.wait("Find").press("the", "enter")
    terminal.wait("“the”", " of ").settle()
    for key in "jjkknnNGg":
        terminal.raw = b""
        terminal.press(key)
        terminal.until(lambda: FRAME_ENDS in terminal.raw, f"an answer to {key}")
        terminal.settle()
        assert terminal.raw.count(FRAME_ENDS) == 1, key
    terminal.quit()
