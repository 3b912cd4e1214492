"""Whatever happened to the terminal meanwhile, the screen is right afterwards, and it is handed back in the end."""

from __future__ import annotations

import signal

import pytest
from terminal import Start


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGTSTP])
def test_a_stopped_program_draws_its_screen_when_it_is_continued(start: Start, number: signal.Signals) -> None:
    terminal = start("--demo", columns=80, lines=24).wait("240 runs", "900240")
    terminal.process.send_signal(number)
    terminal.until(lambda: terminal.stopped, "it is stopped")
    while terminal.pump(0.1):
        pass
    terminal.screen.reset()
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait("240 runs", "900240", "? Keys")
    terminal.press("j", "j", "enter").wait("Run 900238")
    terminal.quit()


def test_a_resize_and_back_while_nobody_reads_is_drawn_right_afterwards(start: Start) -> None:
    terminal = start("--demo", columns=80, lines=24).wait("240 runs", "900240")
    terminal.stall()
    terminal.resize(80, 28)
    terminal.resize(80, 24)  # a terminal may move its lines at that, and the app sees the same size as before
    terminal.wait("240 runs", "? Keys")
    terminal.quit()


def test_ctrl_l_draws_over_what_another_program_wrote(start: Start) -> None:
    terminal = start("--demo").wait("900240", "live").settle()
    before = terminal.text
    terminal.scribble("\x1b[10;10Hwall: the machine goes down at six")
    terminal.wait("goes down at six")
    terminal.press("ctrl+l").wait("900240", gone="goes down at six").settle()
    assert terminal.text == before
    terminal.quit()
