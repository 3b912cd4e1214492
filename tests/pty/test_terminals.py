"""What kind of terminal it is: small, plain, still, or none at all."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from terminal import PROGRAM, Start


def test_a_terminal_that_is_too_small_says_so_and_recovers_on_resize(start: Start) -> None:
    terminal = start("--demo", columns=40, lines=10).wait("cekura-tui needs")
    assert "900240" not in terminal.text
    terminal.resize(100, 30)
    terminal.wait("240 runs", "900240", gone="cekura-tui needs")
    terminal.press("j", "j", "enter")
    terminal.wait("Run 900238", "agent")
    terminal.resize(59, 30)
    terminal.wait("cekura-tui needs")
    terminal.resize(80, 24)
    terminal.wait("Run 900238", "agent", gone="cekura-tui needs")
    terminal.press("q")
    assert terminal.ended() == 0


def test_a_dumb_terminal_gets_one_sentence_and_no_escape(start: Start) -> None:
    terminal = start("42", env={"TERM": "dumb"})
    assert terminal.ended() == 2
    said = terminal.raw.decode().strip()
    assert said.count("\n") <= 1
    assert "terminal" in said
    assert "\x1b" not in said


def test_output_in_a_pipe_gets_one_sentence_and_no_escape(surroundings: dict[str, str]) -> None:
    done = subprocess.run(PROGRAM, env=surroundings, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"terminal" in done.stderr
    assert b"\x1b" not in done.stderr
    assert done.stderr.strip().count(b"\n") <= 1


def test_ascii_draws_the_run_list_with_plain_characters(start: Start) -> None:
    terminal = start("--demo", "--ascii", env={"LC_ALL": "C", "PYTHONUTF8": "0"}, command=PROGRAM).wait(
        "240 runs", "900240"
    )
    terminal.press("j", "j")
    terminal.wait("Run 900238 . x 4 checks", "length when v")
    terminal.settle()
    strange = sorted(set(re.findall(r"[^\x00-\x7f]", terminal.text)))
    assert strange == []
    terminal.press("q")
    assert terminal.ended() == 0


def test_a_still_screen_sends_nothing(start: Start) -> None:
    terminal = start("--demo").wait("240 runs", "900240").settle()
    assert terminal.written_within(3) == 0
    for keys, shown in (("jj", "4 checks"), ("\r", "Run 900238"), ("i", "792 words")):
        terminal.press(*keys)
        terminal.wait(shown).settle()


def test_the_first_frame_waits_for_no_library_of_network_or_server(start: Start, tmp_path: Path) -> None:
    noted = tmp_path / "modules"
    launcher = Path(__file__).parent / "first_frame.py"
    terminal = start(str(noted), "--demo", command=(sys.executable, str(launcher))).wait("240 runs")
    terminal.press("q")
    assert terminal.ended() == 0
    loaded = set(noted.read_text().split())
    assert "textual" in loaded
    assert loaded & {"httpx", "starlette", "uvicorn", "tomlkit"} == set()
