"""If any thread crashes, the terminal is restored, one line names the log, and the exit status is 2."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from terminal import Start

# SIGUSR1 raises an error in the thread named by the environment variable, at any point.
_PROGRAM = """
import ctypes, os, signal, sys, threading
def kill(number, frame):
    hidden = "what a variable holds"
    if os.environ["DYING"] == "MainThread":
        raise MemoryError
    for thread in threading.enumerate():
        if thread.name == os.environ["DYING"]:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(MemoryError))
signal.signal(signal.SIGUSR1, kill)
from cekura_tui.cli.main import main
sys.argv = ["cekura-tui", "--demo"]
main()
"""
THREADS = ("MainThread", "textual-input", "textual-output", "workspace")
LAST_LINE = "cekura-tui crashed (MemoryError). Details are in {log}."


@pytest.mark.parametrize("name", THREADS)
def test_a_crash_in_any_thread_restores_the_terminal_and_names_the_log(start: Start, home: Path, name: str) -> None:
    terminal = start(env={"DYING": name}, command=(sys.executable, "-c", _PROGRAM)).wait("240 runs", "900238")
    terminal.settle()  # once nothing is loading, the error is raised in the event loop, not in a task
    before = len(terminal.raw)
    terminal.process.send_signal(signal.SIGUSR1)

    def ended() -> bool:
        terminal.press("j")  # gives each thread work, so that it reaches the error
        return terminal.process.poll() is not None

    terminal.until(ended, "the program ends")
    assert terminal.ended() == 2
    terminal.assert_restored()
    [log] = home.rglob("*.log")
    written = terminal.raw[before:].decode()
    assert written.count("MemoryError") == written.count(LAST_LINE.format(log=log)) == 1
    assert "Traceback" not in written
    assert f"thread {name}" in log.read_text()
    assert "what a variable holds" not in log.read_text() + written
