"""The cell writer sends fewer bytes than Textual and draws the same, also in tmux and GNU screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from multiplexers import NEEDS_SCREEN, NEEDS_TMUX, Multiplexer, Screen, Tmux
from terminal import Terminal, environment
from two_screens import TwoScreens, visible

SIZE = 120, 36


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Output of Textual while several screens are opened, split at the start and end of each frame."""
    home = tmp_path_factory.mktemp("recorded") / "home"
    home.mkdir()
    (home / "config.toml").write_text("whole_frames = true\n")
    env = environment(home, home) | {"COLORTERM": ""}  # screen supports only 256 colours
    with Terminal("--demo", columns=SIZE[0], lines=SIZE[1], env=env) as terminal:
        terminal.wait("240 runs", "900240").settle()
        for keys, text in (("jjj2", "No jobs yet"), ("1", "900240"), ("?", "Keys · Runs"), ("\x1b", "900240")):
            terminal.press(*keys).wait(text).settle()
        terminal.press(":")
        terminal.settle().press("\x1b")
        terminal.settle().press("enter").wait("Run 900237").settle()
        text = terminal.raw.decode().replace("\r\n", "\n")
    return [part for part in re.split(r"(\x1b\[\?2026[hl])", text) if part]


def test_the_cell_writer_shows_a_session_unchanged_with_a_third_of_the_bytes(recorded: list[str]) -> None:
    screens = TwoScreens(*SIZE)
    for part in recorded:
        screens.feed(part)
        assert not (difference := screens.difference()), difference
    assert screens.bytes_written > 150_000
    assert screens.bytes_sent < screens.bytes_written / 3


@pytest.mark.parametrize(
    ("kind", "bce"),
    [
        pytest.param(Tmux, True, marks=NEEDS_TMUX, id="tmux"),
        pytest.param(Screen, False, marks=NEEDS_SCREEN, id="screen"),
    ],
)
def test_a_multiplexer_draws_the_cell_writers_output_like_textuals_output(
    recorded: list[str], kind: type[Tmux | Screen], bce: bool, surroundings: dict[str, str], tmp_path: Path
) -> None:
    screens = TwoScreens(*SIZE, bce=bce)
    sent = [screens.feed(part) for part in recorded]
    shown = []
    for name, parts in (("written", recorded), ("sent", sent)):
        (tmp_path / name).write_text("".join(parts) + "\x1b[36;1HEND")
        multiplexer: Multiplexer
        with kind(env=surroundings, command=["sh", "-c", f"cat {tmp_path / name}; sleep 60"]) as multiplexer:
            screen = multiplexer.wait("END", "Run 900237").outer.settle().screen
            shown.append([[visible(screen.buffer[y][x]) for x in range(SIZE[0])] for y in range(SIZE[1])])
    assert shown[0] == shown[1]
