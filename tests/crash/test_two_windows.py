"""Two windows and the command line on one profile: none meddles with what another does, and all show the same."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from calling import call, ended, process
from fronts import BY_COMMAND, Front
from one_job import DONE, PROMPT, Polls, held_launch, launches, listed, state
from scripted_server import PROGRESS, ScriptedServer
from terminal import Start
from waiting import until

SEEN_WITHIN = 5.0
"""Seconds from an answer about a job to the last window that shows it."""


@BY_COMMAND
def test_a_launch_is_left_to_the_window_that_sent_it_and_all_windows_show_its_end(
    server: ScriptedServer, front: Front, start: Start
) -> None:
    hold, polls = held_launch(server), Polls(server)
    front.launch()
    until(hold.arrived.is_set, "the server has the launch")
    window = start().wait("1 run")
    window.press("2").wait("Job 1", "1 launching")
    waiting = process("jobs", "wait", 1)
    assert waiting.stderr is not None
    assert waiting.stderr.readline() == b"job 1: launching\n"
    assert [job["state"] for job in listed()] == ["launching"]
    window.settle()
    assert launches(server) == [PROMPT]

    hold.released.set()
    front.see_it_run()
    window.wait("Job 1", "1 running")

    done = polls.finish()
    front.see_its_end()
    window.wait("Job 1", "1 succeeded")
    waited = ended(waiting)
    assert time.monotonic() - done <= SEEN_WITHIN
    assert waited.status == 0
    assert waited.err.splitlines()[-1] == "job 1: succeeded"
    assert launches(server) == [PROMPT]


def test_a_choice_of_one_window_can_be_undone_in_another_after_the_first_quit(
    server: ScriptedServer, start: Start, prompt_file: Path
) -> None:
    server.on("GET", PROGRESS, DONE)
    assert call("improve", 5, "--prompt-file", prompt_file, "--wait").status == 0
    one, two = (start().wait("1 run") for _ in range(2))
    for window in (one, two):
        window.press("2")
        window.wait("Job 1", "1 succeeded").press("enter")
        window.wait("Suggestion of job 1", "2 of 2 undecided")
    one.press("a")
    two.wait("In another window, change 1 is now accepted.", "✓1")
    two.press("u").wait("Nothing to undo: another window decided change 1 last.")
    one.quit()
    two.press("u").wait("Undone: change 1 is undecided.")


def test_a_launch_of_a_stopped_process_is_not_given_up_and_gets_its_answer_later(
    server: ScriptedServer, home: Path, prompt_file: Path
) -> None:
    hold = held_launch(server)
    launching = process("improve", 5, "--prompt-file", prompt_file)
    until(hold.arrived.is_set, "the server has the launch")
    launching.send_signal(signal.SIGSTOP)
    hold.released.set()
    assert [job["state"] for job in listed()] == ["launching"]
    launching.send_signal(signal.SIGCONT)
    assert ended(launching).out == "1\n"
    assert (state(home), launches(server)) == ("running", [PROMPT])
