"""Notifications and the title are sent whole and in the terminal's wrapper; the former title is restored at the end."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from raw_output import foreign_in
from terminal import Start, Terminal

DEMO = ("--demo", "--demo-speed", "30")
AWAY, BACK = "\x1b[O", "\x1b[I"
NOTIFIED = rb"\x1b\]777;notify;cekura-tui;job 1 succeeded, [^\x00-\x1f\x7f;]+\x07"


def config(home: Path, text: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(text)


def launch_and_leave(terminal: Terminal) -> None:
    terminal.wait("240 runs", "900238")
    terminal.press("j", "j", "i").wait("Improve the prompt", "792 words")
    terminal.press("ctrl+g").wait("Job 1 launched")
    terminal.press(AWAY)


@pytest.mark.parametrize("where", ["a terminal", "tmux"])
def test_the_end_of_a_job_is_notified_while_the_terminal_has_no_focus(start: Start, home: Path, where: str) -> None:
    config(home, 'notify = "osc777"\n')
    frame, env = NOTIFIED, dict[str, str]()
    if where == "tmux":
        frame, env = rb"\x1bPtmux;\x1b" + NOTIFIED + rb"\x1b\\", {"TMUX": "/tmp/tmux-0/default,1,0"}
    terminal = start(*DEMO, env=env)
    launch_and_leave(terminal)
    terminal.until(lambda: re.search(frame, terminal.raw), "the notification")
    assert "While you were away" not in terminal.text
    terminal.press(BACK).wait("While you were away: 1 suggestion.")
    terminal.press("U").wait("Suggestion of job 1", "· 1 of")
    terminal.quit()
    assert len(re.findall(frame, terminal.raw)) == 1
    assert foreign_in(re.sub(frame, b"", terminal.raw)) == []
    terminal.assert_restored()


def test_no_notification_is_sent_while_the_terminal_has_the_focus(start: Start, home: Path) -> None:
    config(home, 'notify = "osc777"\n')
    terminal = start(*DEMO)
    launch_and_leave(terminal)
    terminal.press(BACK).wait("1 new", "✓ succeeded")
    terminal.quit()
    assert foreign_in(terminal.raw) == []


@pytest.mark.parametrize("leave", ["q", "a signal"])
def test_the_title_shows_the_state_of_jobs_and_the_former_title_is_restored(
    start: Start, home: Path, leave: str
) -> None:
    config(home, "title = true\n")
    terminal = start(*DEMO)
    terminal.until(lambda: b"\x1b[22;2t\x1b]2;cekura-tui\x07" in terminal.raw, "the title, after the former was kept")
    launch_and_leave(terminal)
    terminal.press(BACK)
    for title in ("1 running", "1 new"):
        terminal.until(lambda title=title: f"\x1b]2;{title}\x07".encode() in terminal.raw, f"the title {title}")
    if leave == "q":
        terminal.quit()
    else:
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ended() == 128 + signal.SIGTERM
    assert b"\x1b]2;\x07\x1b[23;2t" in terminal.raw[-200:]
    assert terminal.raw.count(b"\x1b[22;2t") == terminal.raw.count(b"\x1b[23;2t") == 1
    terminal.assert_restored()
