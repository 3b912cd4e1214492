"""If a terminal stops reading output, nothing is lost and the program can still be ended."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
from pathlib import Path

import pytest
from calling import call
from examples import nightly
from terminal import Start
from test_leaving import assert_ends_in_time
from waiting import until

LAUNCHED = ("--demo", "--demo-speed", "20")


def states(home: Path) -> list[str]:
    """The states of all jobs in the database, by job number. Checks that the database is intact."""
    with contextlib.closing(sqlite3.connect(home / "demo" / "cekura.db")) as sql:
        assert sql.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return [state for (state,) in sql.execute("SELECT state FROM jobs ORDER BY number")]


def test_a_job_that_ends_while_output_is_stalled_is_shown_afterwards(start: Start, home: Path) -> None:
    terminal = start(*LAUNCHED).wait("240 runs", "900238")
    terminal.press("j", "j", "i").wait("792 words")
    terminal.press("ctrl+g").wait("Job 1 launched")
    terminal.stall()
    until(lambda: states(home) == ["succeeded"], "the job ended while output was stalled")
    terminal.press("2").wait("1 succeeded", "Job 1")
    terminal.press("enter").wait("· 1 of")
    terminal.quit()


@pytest.mark.parametrize(
    ("number", "key"),
    [(signal.SIGTERM, "?"), (signal.SIGTERM, ""), nightly(signal.SIGHUP, "?"), nightly(signal.SIGINT, "j")],
)
def test_a_signal_while_output_is_stalled_ends_the_program(
    start: Start, home: Path, number: signal.Signals, key: str
) -> None:
    """With a key, the signal comes during a large redraw, such as the help. Without a key, the app is idle."""
    terminal = start("--demo", columns=200, lines=60).wait("240 runs", "900240").settle()
    terminal.stall(key)
    terminal.process.send_signal(number)
    assert terminal.ended_unread() == 128 + number
    terminal.assert_restored()
    assert states(home) == []


def test_text_typed_before_output_stalls_is_kept(start: Start) -> None:
    terminal = start("--demo", columns=80, lines=24).wait("240 runs", "900240")
    terminal.press("i").wait("792 words")
    terminal.press("tab")
    terminal.settle()  # until the focus has moved
    terminal.press("enter").settle()
    terminal.press("Typed ").wait("edited")
    terminal.stall()
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended_unread() == 128 + signal.SIGTERM
    terminal.assert_restored()
    assert call("--demo", "jobs", "show", 1, "--prompt").raw.startswith(b"Typed j")


def test_a_signal_ends_the_program_while_ctrl_s_stops_output(start: Start, home: Path) -> None:
    terminal = start("--demo").wait("240 runs")
    terminal.stop_output()
    terminal.stall()
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended_unread() == 128 + signal.SIGTERM
    terminal.assert_restored()


@pytest.mark.parametrize("ignoring", [nightly([], name="HUP"), pytest.param([signal.SIGHUP], id="HUP ignored")])
def test_closing_a_stalled_terminal_ends_the_program(start: Start, home: Path, ignoring: list[signal.Signals]) -> None:
    terminal = start("--demo", ignoring=ignoring).wait("240 runs")
    terminal.stall()
    terminal.close()
    assert_ends_in_time(terminal, 128 + signal.SIGHUP)
    assert states(home) == []
