"""A pane's frame: its name and facts, however they are written, and one line of it where rows are dear."""

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


async def test_the_title_of_a_pane_is_text() -> None:
    async with widget_app(framed("Runs"), size=(120, 36)) as (app, pilot):
        app.widget.show_title("Runs [/oops]", "12 of $accent", "", "a\nb")
        await pilot.pause()
        assert "╭─ Runs [/oops] · 12 of $accent · a b ─" in screen_text(app)


async def test_on_few_rows_the_frame_is_its_title_alone() -> None:
    async with widget_app(framed("Runs")) as (app, pilot):
        await app.push_screen(_Short())
        runs = app.screen.query_one(Pane)
        runs.show_title("Runs", "240")
        await pilot.pause()
        assert runs.content_size == (80, 23)
        assert "─ Runs · 240 ──" in screen_text(app)
        await pilot.resize_terminal(80, 36)  # on few columns alone a frame costs little
        await pilot.pause()
        assert runs.content_size == (78, 34)
        assert "╭─ Runs · 240 ─" in screen_text(app)


def _title_colours(app: WidgetApp[Vertical]) -> list[str]:
    """The colours of the names of both panes."""
    segments = [segment for strip in app.screen._compositor.render_strips() for segment in strip]
    return [
        str(one.style.color.name)
        for one in segments
        if one.text.strip() in ("Runs", "Jobs") and one.style and one.style.color
    ]


async def test_the_name_of_the_pane_with_the_focus_has_another_colour() -> None:
    async with widget_app(Vertical(framed("Runs"), framed("Jobs")), size=(120, 36)) as (app, pilot):
        _, jobs = app.query(Pane)
        accent, text = (app.theme_variables[name].lower() for name in ("accent", "text"))
        assert _title_colours(app) == [accent, text]
        app.screen.set_focus(jobs.query_one(Input))
        await pilot.pause()
        assert _title_colours(app) == [text, accent]
