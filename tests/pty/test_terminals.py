"""Small, ASCII-only, idle and incapable terminals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from terminal import PROGRAM, Start


def test_a_terminal_that_is_too_small_shows_a_message_and_recovers_on_resize(start: Start) -> None:
    terminal = start("--demo", columns=40, lines=10).wait("cekura-tui needs")
    assert "900240" not in terminal.text
    terminal.resize(100, 30)
    terminal.wait("240 runs", "900240", gone="cekura-tui needs")
    terminal.press("j", "j", "enter").wait("Run 900238", "agent")
    terminal.resize(59, 30)
    terminal.wait("cekura-tui needs")
    terminal.resize(80, 24)
    terminal.wait("Run 900238", "agent", gone="cekura-tui needs")
    terminal.quit()


def test_without_a_capable_terminal_one_sentence_is_printed(start: Start, surroundings: dict[str, str]) -> None:
    dumb = start("42", env={"TERM": "dumb"})
    assert dumb.ended() == 2
    piped = subprocess.run(PROGRAM, env=surroundings, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (piped.returncode, piped.stdout) == (2, b"")
    for said in (dumb.raw, piped.stderr):
        assert said.strip().count(b"\n") <= 1
        assert b"terminal" in said
        assert b"\x1b" not in said


def test_option_ascii_draws_the_run_list_with_plain_characters(start: Start) -> None:
    terminal = start("--demo", "--ascii", env={"LC_ALL": "C", "PYTHONUTF8": "0"}, command=PROGRAM)
    terminal.wait("240 runs", "900240")
    terminal.press("j", "j").wait("Run 900238 . x 4 checks", "length    when v")
    terminal.settle()
    assert terminal.text.isascii()
    terminal.quit()


def test_a_still_screen_sends_nothing(start: Start) -> None:
    terminal = start("--demo").wait("240 runs", "900240").settle()
    assert terminal.written_within(3) == 0
    for keys, shown in (("jj", "4 checks"), ("\r", "Run 900238"), ("i", "792 words")):
        terminal.press(*keys).wait(shown).settle()


# Writes which modules are loaded when the first frame is drawn.
_NOTES = """
import pathlib, sys
from cekura_tui.cli.main import main
from cekura_tui.ui.app import CekuraApp
noted, start = pathlib.Path(sys.argv.pop(1)), CekuraApp._start
def note_and_start(app):
    noted.write_text("\\n".join(sys.modules))
    start(app)
CekuraApp._start = note_and_start
main()
"""


def test_the_first_frame_loads_no_network_or_server_library(start: Start, tmp_path: Path) -> None:
    noted = tmp_path / "modules"
    start(str(noted), "--demo", command=(sys.executable, "-c", _NOTES)).wait("240 runs").quit()
    loaded = set(noted.read_text().split())
    assert "textual" in loaded
    assert loaded & {"httpx", "starlette", "uvicorn", "tomlkit"} == set()
