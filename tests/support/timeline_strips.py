"""Calls to draw as a timeline, and a timeline alone in an app that records its repaints."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from one_widget import WidgetApp, widget_app
from textual.geometry import Region
from textual.pilot import Pilot

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
    """A timeline that records the regions to repaint in `asked`, and counts full repaints in `whole`."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        """Clear the recorded repaints."""
        self.asked: list[Region] = []
        self.whole = 0

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Strip:
        self.asked.extend(regions)
        self.whole += not regions
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self


def strip_of(
    timeline: Timeline, marks: Mapping[int, State] | None = None, *, size: tuple[int, int] = (80, 10)
) -> AbstractAsyncContextManager[tuple[WidgetApp[Strip], Pilot[None]]]:
    """Open an app that shows only a timeline."""
    return widget_app(Strip(), lambda one: one.show(timeline, marks or {}), size=size, paint=True)
