"""The program draws and answers keys in tmux and in screen."""

from __future__ import annotations

from multiplexers import NEEDS_SCREEN, NEEDS_TMUX, Screen, Tmux


@NEEDS_TMUX
def test_the_runs_are_shown_and_keys_arrive_in_tmux(surroundings: dict[str, str]) -> None:
    with Tmux("--demo", env=surroundings) as tmux:
        tmux.wait("Runs", "900240").press("?")
        tmux.wait("ctrl+q").press("esc")
        tmux.wait("900240", gone="esc close").press("ctrl+q")
        assert tmux.outer.ended() == 0


@NEEDS_SCREEN
def test_the_runs_are_shown_and_keys_arrive_in_screen(surroundings: dict[str, str]) -> None:
    with Screen("--demo", env=surroundings) as screen:
        screen.wait("Runs", "900240").press("?")
        screen.wait("Keys · Runs", "Copy or save").press("ctrl+q")
        assert screen.outer.ended() == 0
