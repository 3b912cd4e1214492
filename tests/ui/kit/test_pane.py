"""A pane's frame: its name and facts, however they are written, and one line of it where rows are dear."""

from __future__ import annotations

import pytest
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Input
from themed_app import ThemedApp
from watching import screen_text

from cekura_tui.ui.kit.pane import Pane


class _Panes(ThemedApp):
    def compose(self) -> ComposeResult:
        yield Pane(Input(), title="Runs", id="runs")


class _Short(Screen[None]):
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        yield Pane(Input(), title="Runs", id="runs")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_title_is_text_and_never_markup(size: tuple[int, int]) -> None:
    app = _Panes()
    async with app.run_test(size=size) as pilot:
        pane = app.query_one(Pane)
        pane.show_title("Runs [/oops]", "12 of $accent", "", "a\nb")
        await pilot.pause()
        assert "Runs [/oops] · 12 of $accent · a b" in screen_text(app)


async def test_on_few_rows_the_frame_is_its_title_alone() -> None:
    app = _Panes()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(_Short())
        pane = app.screen.query_one(Pane)
        pane.show_title("Runs", "240")
        await pilot.pause()
        assert pane.content_size == (80, 23)
        assert "─ Runs · 240 ──" in screen_text(app)
        await pilot.resize_terminal(80, 36)  # of columns alone a frame costs little
        await pilot.pause()
        assert pane.content_size == (78, 34)
        assert "╭─ Runs · 240 ─" in screen_text(app)
