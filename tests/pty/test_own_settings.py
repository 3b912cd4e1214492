"""Keys, theme and columns of one's own in a real terminal, over several starts."""

from __future__ import annotations

from pathlib import Path

from own_settings import own_settings
from terminal import Start

DEMO = ("--demo", "--demo-speed", "20")


def test_another_key_improves_and_a_clash_is_said_and_listed(start: Start, home: Path) -> None:
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


def test_a_theme_that_was_chosen_is_there_after_a_restart(start: Start, home: Path) -> None:
    first = start(*DEMO).wait("240 runs", "900238")
    first.press(":").wait("type to find one")
    first.press(*"theme", "enter").wait("dark · current")
    first.press(*"cekura-light").wait("light", gone="dark · current")
    first.press("enter")
    config = home / "config.toml"
    first.until(lambda: config.is_file() and "cekura-light" in config.read_text("utf-8"), "the theme is saved")
    first.quit()
    again = start(*DEMO).wait("240 runs", "900238")
    # Its first frame is of the light theme's background, and of no other's.
    assert b"48;2;251;251;253" in again.raw
    assert b"48;2;23;27;42" not in again.raw
    again.quit()
