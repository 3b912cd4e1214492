"""Over a slow connection keys come together: what was pressed first is done first."""

from __future__ import annotations

from terminal import Start


def test_keys_before_a_slash_move_and_what_follows_it_is_typed(start: Start) -> None:
    terminal = start("--demo").wait("240 runs", "live")
    for moves in ("j", "jj", "jjjj"):
        terminal.press(f"{moves}/agent:~pizza\r")
        terminal.wait("/ agent:~pizza", "0 of 240 runs", "No matching runs.")
        terminal.press("esc")
        terminal.wait("240 runs", "900240", gone="agent:~pizza")
    terminal.press("q")
    assert terminal.ended() == 0


def test_a_q_right_after_a_key_that_opens_a_dialog_does_not_quit(start: Start) -> None:
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
