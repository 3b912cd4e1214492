"""$EDITOR is a user's script that starts an editor: signals and ctrl+c reach the editor."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from examples import nightly
from terminal import PROGRAM, Start, Terminal
from waiting import until

SHELL = """\
{program} --demo &
echo $! > {pid}
fg
echo The program has ended with $?.
read over
"""
SCRIPT = """\
trap : INT
sh {editor} "$1"
exit $?
"""
EDITOR = """\
trap 'touch {signalled}; exit 1' TERM HUP
trap 'echo The editor was interrupted.' INT
echo As edited. > "$1"
echo The editor is open.
while [ ! -e {over} ]; do sleep 0.05; done
exit 0  # ctrl+c may have ended the last sleep, and its status would be the loop's
"""


@pytest.fixture
def opened(start: Start, tmp_path: Path) -> Iterator[Callable[[], Terminal]]:
    """A function that opens the editor from the improve dialog, in a shell that continues after the program's end."""
    script, editor = tmp_path / "script.sh", tmp_path / "editor.sh"
    script.write_text(SCRIPT.format(editor=editor))
    editor.write_text(EDITOR.format(signalled=tmp_path / "signalled", over=tmp_path / "over"))
    shell = ("sh", "-mc", SHELL.format(program=shlex.join(PROGRAM), pid=tmp_path / "pid"))

    def from_the_dialog() -> Terminal:
        terminal = start(command=shell, columns=80, lines=24, env={"EDITOR": f"sh {script}"})
        terminal.wait("240 runs", "900240")
        terminal.press("i").wait("792 words")
        terminal.press("ctrl+e")
        return terminal.wait("The editor is open.")

    yield from_the_dialog
    (tmp_path / "over").touch()


@pytest.mark.parametrize("number", [signal.SIGTERM, nightly(signal.SIGHUP)])
def test_a_signal_that_ends_the_program_reaches_the_editor(
    opened: Callable[[], Terminal], tmp_path: Path, number: signal.Signals
) -> None:
    terminal = opened()
    os.kill(int((tmp_path / "pid").read_text()), number)
    terminal.wait(f"The program has ended with {128 + number}.")
    until((tmp_path / "signalled").exists, "the editor gets the signal")
    terminal.press("enter")
    terminal.ended()
    terminal.assert_restored()


def test_ctrl_c_goes_to_the_editor(opened: Callable[[], Terminal], tmp_path: Path) -> None:
    terminal = opened()
    terminal.press("ctrl+c").wait("The editor was interrupted.")
    (tmp_path / "over").touch()
    terminal.wait("As edited.", "2 words", "edited")
    terminal.press("ctrl+q").wait("The program has ended with 0.")
    terminal.press("enter")
    terminal.ended()
    terminal.assert_restored()
