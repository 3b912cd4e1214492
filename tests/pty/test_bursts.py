"""Over a slow connection keys come together: what was pressed first is done first."""

from __future__ import annotations

import pytest
from terminal import Start


@pytest.mark.parametrize("moves", ["j", "jj", "jjjj"])
def test_keys_before_a_slash_move_and_what_follows_it_is_typed(start: Start, moves: str) -> None:
    terminal = start("--demo").wait("240 runs", "live")
    terminal.press(f"{moves}/agent:~pizza\r")
    terminal.wait("/ agent:~pizza", "0 of 240 runs", "No run passes the filter")
    terminal.press("q")
    assert terminal.ended() == 0
