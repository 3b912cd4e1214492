"""The frame of a pane shows title and facts literally, and a short window keeps only the title line."""

from __future__ import annotations

from one_widget import WidgetApp, widget_app
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Input
from watching import screen_text

from cekura_tui.ui.kit.pane import Pane


class _Short(Screen[None]):
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        yield framed("Runs")


def framed(title: str) -> Pane:
    return Pane(Input(), title=title)


async def test_the_title_of_a_pane_is_shown_literally() -> None:
    async with widget_app(framed("Runs"), size=(120, 36)) as (app, pilot):
        app.widget.show_title("Runs [/oops]", "12 of $accent", "", "a\nb")
        await pilot.pause()
        assert "╭─ Runs [/oops] · 12 of $accent · a b ─" in screen_text(app)


async def test_in_a_short_window_only_the_title_line_of_a_frame_is_left() -> None:
    async with widget_app(framed("Runs")) as (app, pilot):
        await app.push_screen(_Short())
        runs = app.screen.query_one(Pane)
        runs.show_title("Runs", "240")
        await pilot.pause()
        assert runs.content_size == (80, 23)
        assert "─ Runs · 240 ──" in screen_text(app)
        await pilot.resize_terminal(80, 36)  # a narrow window keeps the frame
        await pilot.pause()
        assert runs.content_size == (78, 34)
        assert "╭─ Runs · 240 ─" in screen_text(app)


def _title_colours(app: WidgetApp[Vertical]) -> list[str]:
    segments = [segment for strip in app.screen._compositor.render_strips() for segment in strip]
    return [
        str(one.style.color.name)
        for one in segments
        if one.text.strip() in ("Runs", "Jobs") and one.style and one.style.color
    ]


async def test_the_title_of_the_focused_pane_has_another_colour() -> None:
    async with widget_app(Vertical(framed("Runs"), framed("Jobs")), size=(120, 36)) as (app, pilot):
        _, jobs = app.query(Pane)
        accent, text = (app.theme_variables[name].lower() for name in ("accent", "text"))
        assert _title_colours(app) == [accent, text]
        app.screen.set_focus(jobs.query_one(Input))
        await pilot.pause()
        assert _title_colours(app) == [text, accent]
