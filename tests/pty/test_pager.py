"""The user's pager shows a patch in the whole terminal; when the pager ends, the app has the terminal again."""

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
    """A terminal with a short patch open in `less`; its options would make `less` quit if the text fits the screen."""
    shutil.copytree(prepared / "demo", home)
    env = {"PAGER": "less -F", "LESS": "FX", "LESSHISTFILE": "-"}
    terminal = start("--demo", columns=100, lines=60, env=env).wait("240 runs", "900238")
    terminal.press("2")
    terminal.wait("Job 4").press("j")
    terminal.wait("Job 3").press("enter").wait("· 1 of 2")
    terminal.press("y").wait("Open patch in less")
    terminal.press("tab", "tab", "tab", "tab", "enter")
    return terminal.wait(*PAGED, "(END)")


def test_the_pager_stays_open_until_q_returns_to_the_dialog(opened: Terminal) -> None:
    opened.settle()
    assert opened.shows(*PAGED)
    opened.press("ctrl+c").settle()
    opened.press("q").wait("Copy or save the prompt", "Open patch in less", gone="(END)")
    opened.press("esc").wait("· 1 of 2", gone="Copy or save the prompt")
    opened.quit("ctrl+q")


def test_a_signal_ends_app_and_pager_and_restores_the_terminal(opened: Terminal) -> None:
    opened.process.send_signal(signal.SIGTERM)
    assert opened.ended() == 128 + signal.SIGTERM
    opened.assert_restored()
