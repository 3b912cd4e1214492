"""The user's own keys and theme in a real terminal, over several starts."""

from __future__ import annotations

from pathlib import Path

from own_settings import own_settings
from terminal import Start

DEMO = ("--demo", "--demo-speed", "20")


def test_rebound_keys_work_and_conflicting_keys_are_reported(start: Start, home: Path) -> None:
    own_settings('[keys]\n"runs.improve" = "ctrl+e"\n"runs.views" = "space"\n"app.quit" = "Q"\n')
    terminal = start(*DEMO).wait("240 runs", "900238", "ctrl+e Improve", "space Views", "Q Quit")
    terminal.wait("[keys] runs.views and run-list.mark")
    terminal.press("q").settle()
    terminal.press("?").wait("Problems in config.toml", "runs.views and run-list.mark both have space")
    terminal.press("esc").wait("240 runs", gone="Problems in config.toml")
    terminal.press("j", "j", "ctrl+e").wait("Agent's current prompt", "792 words")
    terminal.press("esc").wait("240 runs", gone="Agent's current prompt")
    terminal.press("space").wait("Views", "save filter")
    terminal.press("esc").wait("240 runs", gone="save filter")
    terminal.quit("Q")


def test_a_chosen_theme_is_used_from_the_first_frame_after_a_restart(start: Start, home: Path) -> None:
    first = start(*DEMO).wait("240 runs", "900238")
    first.press(":").wait("type to find one")
    first.press(*"theme", "enter").wait("dark · current")
    first.press(*"cekura-light").wait("light", gone="dark · current")
    first.press("enter")
    config = home / "config.toml"
    first.until(lambda: config.is_file() and "cekura-light" in config.read_text("utf-8"), "the theme is saved")
    first.quit()
    again = start(*DEMO).wait("240 runs", "900238")
    # Even its first frame has the light theme's background only.
    assert b"48;2;251;251;253" in again.raw
    assert b"48;2;23;27;42" not in again.raw
    again.quit()
