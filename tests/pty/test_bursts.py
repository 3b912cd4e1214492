"""Over a slow connection keys come together: what was pressed first is done first."""

from __future__ import annotations

import pytest
from terminal import Start


@pytest.mark.parametrize("moves", ["j", "jj", "jjjj"])
def test_keys_before_a_slash_move_and_what_follows_it_is_typed(start: Start, moves: str) -> None:
    terminal = start("--demo").wait("240 runs", "live")
    terminal.press(f"{moves}/agent:~pizza\r")
    terminal.wait("/ agent:~pizza", "0 of 240 runs", "No matching runs.")
    terminal.press("q")
    assert terminal.ended() == 0


def test_a_q_right_after_a_key_that_opens_a_dialog_does_not_leave_the_program(start: Start) -> None:
    terminal = start("--demo").wait("240 runs", "live")
    for key, dialog in (
        ("p", "List runs of"),
        ("v", "Failed today"),
        ("y", "Copy or save"),
        ("i", "Improve the prompt"),
    ):
        terminal.press(f"{key}q")
        terminal.wait(dialog)
        terminal.press("esc")
        terminal.wait("240 runs", gone=dialog)
    terminal.press("q")
    assert terminal.ended() == 0
