"""The change of a suggestion in the user's own pager, a real one: it has the terminal, and gives it back."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
from terminal import Start, Terminal

PAGED = ("--- a/prompt.md", "+++ b/prompt.md", "@@ -12,7 +12,7 @@")
pytestmark = pytest.mark.skipif(shutil.which("less") is None, reason="this machine has no less")


@pytest.fixture
def opened(start: Start, home: Path, prepared: Path) -> Terminal:
    """A short patch in a `less` whose options have it leave at once with what fits on the screen."""
    shutil.copytree(prepared / "demo", home)
    env = {"PAGER": "less -F", "LESS": "FX", "LESSHISTFILE": "-"}
    terminal = start("--demo", columns=100, lines=60, env=env).wait("240 runs", "900238")
    terminal.press("2")
    terminal.wait("Job 4").press("j")
    terminal.wait("Job 3").press("enter").wait("· 1 of 2")
    terminal.press("y").wait("Open patch in less")
    terminal.press("tab", "tab", "tab", "tab", "enter")
    return terminal.wait(*PAGED, "(END)")


def test_it_stays_until_it_is_left_and_the_dialog_is_there_again(opened: Terminal) -> None:
    opened.settle()
    assert opened.shows(*PAGED)
    opened.press("ctrl+c").settle()
    opened.press("q").wait("Copy or save the prompt", "Open patch in less", gone="(END)")
    opened.press("esc").wait("· 1 of 2", gone="Copy or save the prompt")
    opened.quit("ctrl+q")


def test_a_signal_while_it_is_open_ends_both_and_hands_the_terminal_back(opened: Terminal) -> None:
    opened.process.send_signal(signal.SIGTERM)
    assert opened.ended() == 128 + signal.SIGTERM
    opened.assert_handed_back()
