"""A key in a run is answered by one drawing: over a slow connection the second one is what one waits for."""

from __future__ import annotations

from terminal import Start

DRAWN = b"\x1b[?2026l"
"""What ends each drawing."""


def test_moving_in_a_run_draws_once_for_each_key(start: Start) -> None:
    terminal = start("--demo", "900238").wait("Run 900238", "14 turns").settle()
    terminal.press("/")
    terminal.wait("Find")
    terminal.press("the", "enter")
    terminal.wait("“the”", " of ").settle()
    for key in "jjkknnNGg":
        terminal.raw = b""
        terminal.press(key)
        terminal.until(lambda: DRAWN in terminal.raw, f"an answer to {key}")
        terminal.settle()
        assert terminal.raw.count(DRAWN) == 1, key
    terminal.press("q")
    assert terminal.ended() == 0
