"""A user's program is awaited until it ends, and no longer; a program that goes on or prints without end is killed."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from forked import is_running
from waiting import until

from cekura_tui.config import programs
from cekura_tui.config.key_lookup import run_key_command
from cekura_tui.config.programs import Ended, run_program
from cekura_tui.model.errors import KeyMissing

ENV = {"PATH": os.environ["PATH"]}


def run(script: str, **options: object) -> Ended:
    return run_program(("sh", "-c", script), ENV, kept="stdout", **options)  # type: ignore[arg-type]


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A file to which a script writes the id of a process that it leaves behind."""
    return tmp_path / "left"


def test_a_program_has_ended_although_its_child_keeps_the_output_open(left: Path) -> None:
    assert run(f"sleep 600 & echo $! > {left}; echo key", limit=30.0) == Ended("", 0, b"key\n")
    assert is_running(int(left.read_text())), "a daemon that the program started"
    os.kill(int(left.read_text()), 9)


@pytest.mark.parametrize("script", ["yes", "yes; true", "yes & wait"])
def test_a_key_command_that_prints_without_end_is_killed_after_64_kb(script: str) -> None:
    with pytest.raises(KeyMissing, match=r"sh \(api_key_command\) printed over 64 kB"):
        run_key_command(f"sh -c '{script}'", ENV)


@pytest.mark.parametrize("failure", ["did not end within 9 seconds", "was stopped"])
def test_a_program_and_its_children_are_killed_at_the_limit_or_when_stopped(
    left: Path, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    """Nine seconds pass, or the stop is set, as soon as the child runs."""
    left.touch()
    calls = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: next(calls) and 10.0 * bool(left.read_text()))
    monkeypatch.setattr(programs, "time", clock)
    stop, limit = threading.Event(), 9.0 if "9" in failure else math.inf
    if limit == math.inf:
        monkeypatch.setattr(stop, "is_set", left.read_text)
    assert run(f"trap '' TERM INT; sleep 600 & echo $! > {left}; wait", limit=limit, stop=stop).failure == failure
    until(lambda: not is_running(int(left.read_text())), "the child is gone")


def test_a_signal_during_the_start_of_an_editor_reaches_the_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen

    def interrupted(*words: object, **options: object) -> subprocess.Popen[bytes]:
        editor: subprocess.Popen[bytes] = start(*words, **options)  # type: ignore[call-overload]
        monkeypatch.undo()
        programs.hang_up()
        return editor

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    assert run_program(("sleep", "5"), ENV, in_front=True).failure == "was ended by signal 1"


def test_a_tilde_in_a_command_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key.sh").write_text("#!/bin/sh\necho key-of-the-test\n")
    (tmp_path / "key.sh").chmod(0o700)
    assert run_key_command("~/key.sh", ENV).text == "key-of-the-test"


def test_no_variable_that_contains_a_key_reaches_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "known_keys", {"key-of-the-command"})
    env = {**ENV, "CEKURA_API_KEY": "key-of-the-test", "MINE": "key-of-the-command", "CURL": "-H key-of-the-test"}
    printed = run_program(("env",), env, kept="stdout").output.decode()
    assert "PATH=" in printed
    assert "key-of" not in printed
