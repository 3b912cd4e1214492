"""A timeline strip in an app of its own: what it asks to be painted, and what a terminal shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyte
from quick_pilot import painted
from rich.console import Console, RenderableType
from textual._compositor import CompositorUpdate
from textual.app import ComposeResult
from textual.geometry import Region
from textual.screen import Screen
from themed_app import ThemedApp

from cekura_tui.model.run.verdict import State
from cekura_tui.model.transcript.timeline import Timeline, timeline_of
from cekura_tui.model.transcript.transcript import Speaker, Turn
from cekura_tui.ui.run.timeline import TimelineStrip


def make_turn(n: int, who: Speaker, start: float | None, end: float | None) -> Turn:
    return Turn(n, who, "role", start, end, "Hello.")


CALL = timeline_of(
    [
        make_turn(1, "main", 0, 9),
        make_turn(2, "testing", 10, 20),
        make_turn(3, "main", 24.2, 34),
        make_turn(4, "tool_call", 30, 30),
        make_turn(5, "tool_result", 33, 33),
        make_turn(6, "testing", 32, 40),
        make_turn(7, "main", 41, 50),
        make_turn(8, "testing", 51, 60),
        make_turn(9, "main", 80, 100),
    ],
    120,
)
LONG = timeline_of(
    [make_turn(n, "main" if n % 2 else "testing", n * 4.0, n * 4.0 + 3 + n % 3) for n in range(1, 10_001)], None
)
STARTS = timeline_of([make_turn(n, "main" if n % 2 else "testing", n * 5.0, None) for n in range(1, 9)])
NO_TIMES = timeline_of([make_turn(n, "main", None, None) for n in range(1, 25)])
MARKS: dict[int, State] = {2: "pass", 3: "fail", 8: "review"}


class Strip(TimelineStrip):
    """`asked` are the regions that were to be painted again."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Region] = []
        self.whole = 0

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Strip:
        self.asked.extend(regions)
        self.whole += not regions
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self


class StripApp(ThemedApp):
    """`updates` counts what was sent to a terminal of 120 columns; `terminal` shows it."""

    def __init__(self, timeline: Timeline, marks: Mapping[int, State] | None = None) -> None:
        super().__init__()
        painted.add(self)
        self.timeline, self.marks = timeline, marks or {}
        self.strip = Strip()
        self.clicked: list[int] = []
        self.updates = 0
        self.terminal = pyte.Screen(120, 10)
        self._stream = pyte.Stream(self.terminal)
        self._console = Console(force_terminal=True, color_system="truecolor", legacy_windows=False)

    def compose(self) -> ComposeResult:
        yield self.strip

    def on_mount(self) -> None:
        self.strip.show(self.timeline, self.marks)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # Without a terminal Textual throws this away, and with it what it forgot to send.
        if isinstance(renderable, CompositorUpdate):
            self.updates += 1
            self._stream.feed(renderable.render_segments(self._console).replace("\n", ""))
        super()._display(screen, renderable)

    def forget(self) -> None:
        """Count from here."""
        self.strip.asked, self.strip.whole, self.updates = [], 0, 0

    def on_timeline_strip_turn_clicked(self, message: TimelineStrip.TurnClicked) -> None:
        assert message.control is self.strip
        self.clicked.append(message.n)


def screen(strip: TimelineStrip) -> list[str]:
    return [strip.render_line(y).text for y in range(strip.size.height)]
