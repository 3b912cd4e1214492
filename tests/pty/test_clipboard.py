"""Copies arrive in tmux and GNU screen with the users' configurations, on a display, and in a plain terminal."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from calling import call
from multiplexers import NEEDS_SCREEN, NEEDS_TMUX, Screen, Tmux
from raw_output import copied_in
from terminal import Start, Terminal
from waiting import until

from cekura_tui.ui.terminal.clipboard import LARGE, copy_methods, probe

RUN = "900230"
DEMO = ("--demo", "--demo-epoch", "1700000000")
SENT = re.compile(rb"\x1b\]52;c?;([A-Za-z0-9+/=]+)(?:\x07|\x1b\\)")


@pytest.fixture(scope="session")
def transcript(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The transcript that the tests copy: more than 3 kB of JSON."""
    home = tmp_path_factory.mktemp("other")
    text = call(*DEMO, "--config-dir", home, "runs", "show", RUN, "--transcript", "--json").out
    assert len(text) > 3_000
    return text.removesuffix("\n")


def wait_for_copy(text: str, window: Tmux | Screen) -> None:
    """Wait until the outer terminal was asked to copy exactly this text."""

    def arrived() -> bool:
        texts = [base64.b64decode(sent, validate=True).decode() for sent in SENT.findall(window.outer.raw)]
        return texts == [text]

    window.outer.until(arrived, "the copy is in the terminal around")


def copy_transcript(window: Terminal | Tmux | Screen) -> None:
    window.wait(f"Run {RUN}", "Transcript ·").press("y")
    window.wait("transcript as JSON").press("j" * 5)
    window.wait(f'"run": {RUN}').press("enter")


def copy_all_rows(window: Terminal | Tmux | Screen) -> None:
    """Copy all runs as JSON lines, more than 50 kB."""
    window.wait("900240").press("F")
    window.wait("240 runs", gone="loaded").press(" ")
    window.wait("1 marked").press("G")
    window.wait("900001").press("V")
    window.wait("240 marked").press("y")
    window.wait("JSON lines").press("j" * 4)
    window.wait('{"id": ').press("enter")


@NEEDS_TMUX
@pytest.mark.parametrize(("clipboard", "passthrough"), [("off", "on"), ("external", "off"), ("on", "on")])
def test_a_copy_in_tmux_reaches_the_tmux_buffer_and_the_outer_terminal(
    surroundings: dict[str, str], transcript: str, clipboard: str, passthrough: str
) -> None:
    config = f"set -s set-clipboard {clipboard}\nset -g allow-passthrough {passthrough}"
    with Tmux(*DEMO, RUN, env=surroundings, config=config) as tmux:
        copy_transcript(tmux)
        tmux.wait("Copied the transcript as JSON", f"{len(transcript.encode()):,} bytes", "with tmux")
        assert tmux.buffer.decode() == transcript
        wait_for_copy(transcript, tmux)


@NEEDS_TMUX
def test_a_copy_in_tmux_counts_as_sent_if_the_outer_terminal_has_no_clipboard(
    surroundings: dict[str, str], transcript: str
) -> None:
    with Tmux(*DEMO, RUN, env={**surroundings, "TERM": "linux"}) as tmux:
        copy_transcript(tmux)
        tmux.wait("Sent the transcript as JSON", "(tmux)", "copied.txt")
        assert tmux.buffer.decode() == transcript
        assert not SENT.search(tmux.outer.raw)


@NEEDS_TMUX
def test_an_old_tmux_passes_a_copy_through_to_the_outer_terminal(
    surroundings: dict[str, str], transcript: str, tmp_path: Path
) -> None:
    old = tmp_path / "bin" / "tmux"
    old.parent.mkdir()
    old.write_text(f'#!/bin/sh\n[ "$1 $2" = "load-buffer -w" ] && exit 1\nexec {shutil.which("tmux")} "$@"\n')
    old.chmod(0o755)
    env = {**surroundings, "PATH": f"{old.parent}:{surroundings['PATH']}"}
    with Tmux(*DEMO, RUN, env=env, config="set -g allow-passthrough on") as tmux:
        copy_transcript(tmux)
        tmux.wait("Sent the transcript as JSON", "through tmux", "If nothing pastes", "copied.txt")
        assert tmux.buffer.decode() == transcript
        wait_for_copy(transcript, tmux)


@NEEDS_TMUX
def test_a_large_copy_arrives_whole_in_tmux(surroundings: dict[str, str]) -> None:
    with Tmux(*DEMO, env=surroundings) as tmux:
        copy_all_rows(tmux)
        tmux.wait("Copied the JSON lines", "(over 50 kB)")
        rows = tmux.buffer.decode()
        assert len(rows) > LARGE
        assert len([json.loads(line) for line in rows.splitlines()]) == 240
        wait_for_copy(rows, tmux)


@NEEDS_SCREEN
def test_a_copy_in_gnu_screen_reaches_the_outer_terminal(
    surroundings: dict[str, str], transcript: str, home: Path
) -> None:
    with Screen(*DEMO, RUN, env=surroundings) as screen:
        copy_transcript(screen)
        screen.wait("Sent the transcript as JSON", "through screen", "copied.txt")
        wait_for_copy(transcript, screen)
    assert (home / "demo" / "copied.txt").read_text() == transcript
    assert (home / "demo" / "copied.txt").stat().st_mode & 0o777 == 0o600


@NEEDS_SCREEN
def test_a_large_copy_arrives_whole_through_gnu_screen(surroundings: dict[str, str], home: Path) -> None:
    with Screen(*DEMO, env=surroundings) as screen:
        copy_all_rows(screen)
        screen.wait("Sent the JSON lines", "(over 50 kB)", "Some terminals drop that much")
        rows = (home / "demo" / "copied.txt").read_text()
        assert len(rows) > LARGE
        wait_for_copy(rows, screen)


@pytest.mark.parametrize("env", [{}, {"DISPLAY": ":987"}], ids=["no display", "a display that is gone"])
def test_without_a_display_a_copy_is_sent_to_the_terminal(
    start: Start, transcript: str, home: Path, env: dict[str, str]
) -> None:
    terminal = start(*DEMO, RUN, env=env)
    copy_transcript(terminal)
    terminal.wait("Sent the transcript as JSON", "OSC 52", "copied.txt")
    assert copied_in(terminal.raw) == [transcript]
    assert (home / "demo" / "copied.txt").read_text() == transcript


@pytest.fixture
def display(tmp_path: Path) -> Iterator[str]:
    """An X display that only this test uses."""
    if not (shutil.which("Xvfb") and shutil.which("xclip")):
        pytest.skip("Xvfb or xclip is not installed")
    numbers = tmp_path / "display"
    with numbers.open("wb") as file:
        argv = ["Xvfb", "-displayfd", str(file.fileno()), "-nolisten", "tcp"]
        server = subprocess.Popen(argv, pass_fds=[file.fileno()], stderr=subprocess.DEVNULL)
    try:
        until(lambda: numbers.read_text().endswith("\n"), "the display is there")
        yield f":{numbers.read_text().strip()}"
    finally:
        server.terminate()
        server.wait()


def test_a_copy_stays_on_the_display_clipboard_after_the_program_ended(
    start: Start, display: str, transcript: str, home: Path
) -> None:
    terminal = start(*DEMO, RUN, env={"DISPLAY": display})
    copy_transcript(terminal)
    terminal.wait("Copied the transcript as JSON", "with xclip").press("ctrl+q")
    assert terminal.ended() == 0
    argv = ["xclip", "-selection", "clipboard", "-out"]
    pasted = subprocess.run(argv, env={"DISPLAY": display, "PATH": os.environ["PATH"]}, capture_output=True, check=True)
    assert pasted.stdout.decode() == transcript
    assert copied_in(terminal.raw) == []
    assert not (home / "demo" / "copied.txt").exists()


def test_doctor_reads_back_a_test_copy_and_restores_the_clipboard(display: str, surroundings: dict[str, str]) -> None:
    env = {**surroundings, "DISPLAY": display}
    xclip = ["xclip", "-selection", "clipboard"]

    def has_mine() -> bool:
        return subprocess.run([*xclip, "-out"], env=env, capture_output=True).stdout == b"mine"

    subprocess.run([*xclip, "-in"], env=env, input=b"mine", stdout=subprocess.DEVNULL, check=True)
    until(has_mine, "it is there")
    assert probe(copy_methods(env), env) == (True, "a test text was copied and read back")
    until(has_mine, "it is restored")
