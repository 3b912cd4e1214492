"""From the run list to a saved suggestion with keys alone, in a real terminal."""

from __future__ import annotations

import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from calling import ended, process
from terminal import Start, Terminal

DEMO = ("--demo", "--demo-speed", "20")


def rows_of_runs(terminal: Terminal) -> list[str]:
    return [line for line in terminal.text.split("\n") if re.match(r"\W+9\d{5} ", line)]


def launch_from_the_newest_failed_run(terminal: Terminal) -> None:
    terminal.wait("240 runs", "900238")
    terminal.press("j", "j", "enter").wait("Run 900238", "Transcript", "agent")
    terminal.press("i").wait("Agent's current prompt", "792 words")
    terminal.press("ctrl+g").wait("Job 1 launched")


def test_the_demo_shows_240_runs_right_after_the_start(start: Start) -> None:
    terminal = start(*DEMO, columns=80, lines=24).wait("240 runs", "900240")
    terminal.until(lambda: len(rows_of_runs(terminal)) >= 16, "16 rows of runs")
    terminal.quit()


def test_keys_alone_go_from_the_list_to_a_saved_suggestion(start: Start, tmp_path: Path) -> None:
    saved = tmp_path / "better.md"
    terminal = start(*DEMO).wait("240 runs")
    terminal.until(lambda: len(rows_of_runs(terminal)) >= 20, "20 rows of runs")
    launch_from_the_newest_failed_run(terminal)
    terminal.press("2").wait("Job 1", "1 succeeded")
    terminal.press("enter").wait("Suggestion of job 1", "· 1 of")
    terminal.press("y").wait("Copy or save the prompt")
    terminal.press(str(saved)).wait("better.md")
    terminal.press("enter").wait("Saved to")
    terminal.quit()

    proposed = ended(process(*DEMO, "jobs", "show", 1, "--prompt"))
    assert (proposed.status, proposed.raw) == (0, saved.read_bytes())
    differs = ended(process(*DEMO, "jobs", "show", 1, "--diff")).out
    assert "Identity and privacy" in differs
    assert "{+" in differs or "\n+" in differs


@pytest.mark.parametrize("leave", ["quit", "kill -9"])
def test_a_job_running_when_the_app_ends_has_its_result_at_the_next_start(start: Start, home: Path, leave: str) -> None:
    terminal = start("--demo", "--demo-speed", "0.01")  # the job does not end before the app
    launch_from_the_newest_failed_run(terminal)
    if leave == "quit":
        terminal.quit()
        assert b"1 job still runs." in terminal.raw
    else:
        terminal.kill()
    with closing(sqlite3.connect(home / "demo" / "demo.db")) as server, server:
        server.execute("UPDATE job SET seconds = 1e-3")
    again = start(*DEMO).wait("240 runs")
    again.press("2").wait("Job 1", "1 succeeded")
    again.press("enter").wait("Suggestion of job 1", "· 1 of")
    again.quit()


def test_the_question_of_an_update_takes_ctrl_c_and_yes(start: Start) -> None:
    demo = ("--demo", "--demo-speed", "1000")
    for words in ("improve", "900238", "--from-agent", "--wait"), ("suggestion", "accept", "1", "--all"):
        assert start(*demo, *words).ended() == 0
    part_of_a_line = "y\x04"  # ctrl+d hands over what was typed
    for typed, left, status in ("", "ctrl+c", 130), (part_of_a_line, "ctrl+c", 130), ("", "\x04", 130):
        terminal = start(*demo, "suggestion", "update", "1").wait("[y/N]").press(typed).all_read().press(left)
        assert terminal.ended() == status
        assert terminal.raw.endswith(b"\r\nInterrupted.\r\n")
    terminal = start(*demo, "suggestion", "update", "1").wait("[y/N]").press(part_of_a_line).all_read()
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended() == 143
    assert start(*demo, "suggestion", "restore", "1201").ended() == 3, "nothing was written"
    assert start(*demo, "suggestion", "update", "1").wait("[y/N]").press("y", "enter").ended() == 0
