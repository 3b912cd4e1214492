"""Following the jobs only while one is seen.

Textual repaints the whole screen on top whenever the one right below it handles a message, seen or not: with jobs that
change every second that would never end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen
from textual.widget import Widget

from cekura_tui.ui.board import Board

ELAPSED = 5.0
"""Seconds between two looks at how long jobs go on."""


def in_sight(screen: Screen[Any]) -> bool:
    """Whether a screen is on top, or under a dialog."""
    return screen.is_current and (screen.is_active or screen.app.screen.is_modal)


def follow(widget: Widget, board: Board, draw: Callable[[], None]) -> None:
    """Draw whenever the jobs change, as time passes while some go on, and when the widget comes into sight again.

    It must be mounted, and is not drawn while its screen is covered by another.
    """

    def tick() -> None:
        if any(job.state.going for job in board.jobs):
            draw()

    timer = widget.set_interval(ELAPSED, tick, pause=True)

    def look(_: object = None) -> None:
        board.jobs_changed.unsubscribe(widget)
        if in_sight(widget.screen):
            board.jobs_changed.subscribe(widget, lambda _: draw())
            timer.resume()
            draw()
        else:
            timer.pause()

    widget.app.screen_change_signal.subscribe(widget, look)
    look()
