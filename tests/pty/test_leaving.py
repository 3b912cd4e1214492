"""However the program ends, the terminal is handed back as it was, and the exit status says how."""

from __future__ import annotations

import signal

import pytest
from terminal import Start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_hands_the_terminal_back(start: Start, number: signal.Signals) -> None:
    terminal = start("--demo").wait("240 runs")
    terminal.process.send_signal(number)
    assert terminal.ended() == 128 + number
    terminal.assert_handed_back()


@pytest.mark.parametrize("where", ["the improve dialog", "the project picker"])
def test_ctrl_q_leaves_from_a_dialog_too(start: Start, where: str) -> None:
    terminal = start("--demo", columns=80, lines=24).wait("240 runs", "900238")
    if where == "the improve dialog":
        terminal.press("j", "j", "i")
        terminal.wait("792 words")
    else:
        terminal.press("p")
        terminal.wait("Northgrid")
    terminal.press("ctrl+q")
    assert terminal.ended() == 0
    terminal.assert_handed_back()


def test_ctrl_c_says_how_to_leave_and_stays(start: Start) -> None:
    terminal = start("--demo").wait("240 runs")
    terminal.press("ctrl+c")
    terminal.wait("Press q")
    terminal.press("q")
    assert terminal.ended() == 0
