"""A suspended app leaves the terminal to the shell. After a suspend, stop or foreign output the screen is redrawn."""

from __future__ import annotations

import shutil
import signal

import pytest
from terminal import PROGRAM, Start, Terminal

NEEDS_BASH = pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
SHELL = ("bash", "--noprofile", "--norc", "--noediting", "-i")
APP = " ".join((*PROGRAM, "--demo"))


def in_shell(start: Start, command: str = APP) -> Terminal:
    terminal = start(command=SHELL, env={"PS1": "shell> "}, columns=80, lines=24).wait("shell>")
    terminal.press(command, "enter")
    return terminal.wait("240 runs", "900240", "? Keys")


def suspend(terminal: Terminal) -> None:
    terminal.press("ctrl+z").wait("Stopped")
    terminal.assert_restored()
    terminal.press("echo six times seven: $((6 * 7))", "enter").wait("seven: 42")


def leave(terminal: Terminal) -> None:
    terminal.press("q")
    terminal.until(lambda: terminal.raw.endswith(b"shell> "), "the shell's prompt")
    terminal.press("exit $?", "enter")
    assert terminal.ended() == 0
    terminal.assert_restored()


@NEEDS_BASH
def test_ctrl_z_in_a_script_returns_to_the_shell_and_fg_redraws(start: Start) -> None:
    terminal = in_shell(start, f"sh -c '{APP}; exit $?'")
    terminal.press("j", "j", "enter").wait("Run 900238")
    suspend(terminal)
    terminal.press("fg", "enter").wait("Run 900238", "? Keys", gone="seven: 42")
    terminal.press("esc").wait("240 runs")
    suspend(terminal)
    terminal.press("fg", "enter").wait("240 runs", gone="seven: 42")
    leave(terminal)


@NEEDS_BASH
def test_a_suspended_app_draws_nothing_and_fg_uses_the_new_size(start: Start) -> None:
    terminal = in_shell(start)
    suspend(terminal)
    terminal.press("bg", "enter").wait("--demo &").settle()
    terminal.press("echo still $((40 + 2))", "enter").wait("still 42")
    terminal.press("fg", "enter").wait("240 runs", "? Keys", gone="still 42")
    suspend(terminal)
    terminal.resize(100, 30)
    terminal.press("fg", "enter").wait("240 runs", gone="seven: 42")
    terminal.until(lambda: "? Keys" in terminal.screen.display[29], "the last line is at the bottom")
    suspend(terminal)
    terminal.resize(40, 10)
    terminal.press("fg", "enter").wait("cekura-tui needs", gone="seven: 42")
    suspend(terminal)
    terminal.resize(80, 24)
    terminal.press("fg", "enter").wait("240 runs", "? Keys", gone="seven: 42")
    leave(terminal)


@NEEDS_BASH
@pytest.mark.parametrize("command", [(), ("bash", "-c", f"{APP}; exit $?")], ids=["alone", "in a script"])
def test_ctrl_z_without_a_shell_to_return_to_shows_a_message(start: Start, command: tuple[str, ...]) -> None:
    terminal = start(command=command) if command else start("--demo")
    terminal.wait("240 runs", "900240")
    terminal.press("ctrl+z").wait("Can't suspend")
    terminal.press("j", "j", "enter").wait("Run 900238")
    assert not terminal.stopped
    terminal.quit()


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGTSTP])
def test_a_stopped_program_redraws_its_screen_when_continued(start: Start, number: signal.Signals) -> None:
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


def test_the_screen_is_redrawn_if_a_stalled_terminal_is_resized_and_resized_back(start: Start) -> None:
    terminal = start("--demo", columns=80, lines=24).wait("240 runs", "900240")
    terminal.stall()
    terminal.resize(80, 28)
    terminal.resize(80, 24)  # the terminal may shift lines, although the app sees its old size again
    terminal.wait("240 runs", "? Keys")
    terminal.quit()


def test_ctrl_l_redraws_over_output_of_another_program(start: Start) -> None:
    terminal = start("--demo").wait("900240", "live").settle()
    before = terminal.text
    terminal.scribble("\x1b[10;10Hwall: the machine goes down at six")
    terminal.wait("goes down at six")
    terminal.press("ctrl+l").wait("900240", gone="goes down at six").settle()
    assert terminal.text == before
    terminal.quit()
