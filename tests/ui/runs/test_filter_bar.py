"""The filter line: showing the current filter, typing another one, marking mistakes and completing names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

from hostile import EVIL
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input
from themed_app import ThemedApp
from waiting import eventually
from watching import screen_text, sees, still

from cekura_tui.model.filter.parse import KnownNames
from cekura_tui.model.text import clean
from cekura_tui.ui.kit.app_screen import style_sheets
from cekura_tui.ui.runs.filter_bar import LONGEST, FilterBar, completed_lines

IN_EFFECT = 'outcome:failed -metric:"Task completion"'
NOTE = "metric: on 400 of 81,233 loaded"
NAMES = KnownNames(scenarios=("Late refund", "Straße77"), agents=("Clinic",), metrics=("Task completion",))
SMALL = (80, 24)


class Rows(Widget, can_focus=True):
    """A substitute for the list below the filter line."""

    DEFAULT_CSS = "Rows { height: 1fr; }"


class BarApp(ThemedApp):
    CSS_PATH = style_sheets()
    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "edit", "Filter", priority=True)]

    def __init__(self) -> None:
        super().__init__()
        self.bar, self.rows = FilterBar(), Rows()
        self.filters: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.bar
        yield self.rows

    def action_edit(self) -> None:
        self.bar.edit()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not self.bar.editing if action == "edit" else super().check_action(action, parameters)

    def on_filter_bar_submitted(self, message: FilterBar.Submitted) -> None:
        self.filters.append(message.text)

    @property
    def typed(self) -> str:
        return self.bar.query_one(Input).value

    @property
    def cursor(self) -> int:
        return self.bar.query_one(Input).cursor_position


@asynccontextmanager
async def filter_bar(
    in_effect: str = "", note: str = "", *, names: KnownNames = NAMES, history: Sequence[str] = ()
) -> AsyncIterator[tuple[BarApp, Pilot[None]]]:
    app = BarApp()
    app.bar.names, app.bar.history = names, history
    app.bar.show(in_effect, note)
    async with app.run_test(size=SMALL) as pilot:
        app.rows.focus()
        yield app, pilot


def lines(app: App[None]) -> list[str]:
    return [line.strip() for line in screen_text(app).splitlines()]


def wrong_parts(app: App[None]) -> list[str]:
    """The parts of the first line that are marked as wrong."""
    strip: list[Segment] = list(app.screen._compositor.render_strips()[0])
    parts: list[str] = []
    joins = False
    for text, style, _ in strip:
        marked = bool(style and style.bold and text != "/ ")
        if marked and joins:
            parts[-1] += text
        elif marked:
            parts.append(text)
        joins = marked
    return parts


async def type_in(pilot: Pilot[None], text: str) -> None:
    """Open the filter line and replace its text."""
    await pilot.press("slash", "ctrl+u", *text)


async def wait_hint(pilot: Pilot[None], text: str) -> None:
    """Wait until the second line contains the hint `text`."""
    await eventually(lambda: text in lines(pilot.app)[1], f"the hint {text!r}, not {lines(pilot.app)[1]!r}")


async def paste(pilot: Pilot[None], text: str) -> None:
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()


# At rest


async def test_current_filter_takes_one_line_and_its_note_is_truncated_first() -> None:
    async with filter_bar(IN_EFFECT, NOTE) as (app, pilot):
        assert app.rows.region.y == 1
        for width, line in [
            (80, f"/ {IN_EFFECT}{' ' * 5}{NOTE}"),
            (60, f"/ {IN_EFFECT}  metric: on 40…"),
            (50, f"/ {IN_EFFECT}"),
            (24, "/ outcome:failed -met…"),
        ]:
            await pilot.resize_terminal(width, 24)
            await eventually(lambda line=line: lines(app)[0] == line, f"at {width}: {line!r}, not {lines(app)[0]!r}")
        await pilot.resize_terminal(*SMALL)
        await pilot.press("slash")
        await eventually(lambda: app.rows.region.y == 2, "a line for the hint")
        assert not app.bar.query_one(Input).cursor_blink, "a still screen writes nothing"
        await pilot.press("escape")
        await eventually(lambda: app.rows.region.y == 1, "the line is given back")
        app.bar.show("", "1,204 runs")
        await sees(pilot, "/ filter by outcome: scenario:", "1,204 runs")


# Typing


async def test_a_filter_typed_in_one_burst_is_applied_in_canonical_form() -> None:
    async with filter_bar(IN_EFFECT, NOTE) as (app, pilot):
        for key in ("slash", "ctrl+u", *'  checks:"Task completion"  !refund http://a ', "enter"):
            app.simulate_key(key)
        await eventually(lambda: app.filters, "a filter")
        assert app.filters == ['metric:"Task completion" -refund http://a']
        assert app.focused is app.rows
        await sees(pilot, '/ metric:"Task completion" -refund http://a', gone=NOTE)
        await pilot.press("slash", "ctrl+u", "space", "enter")
        assert app.filters[1:] == [""]
        await sees(pilot, "/ filter by")


async def test_escape_or_losing_focus_closes_the_input_and_keeps_the_filter() -> None:
    async with filter_bar(IN_EFFECT) as (app, pilot):
        await type_in(pilot, "mode:te")
        app.post_message(events.AppBlur())
        await pilot.pause()
        app.post_message(events.AppFocus())
        app.bar.show(IN_EFFECT, NOTE)
        await pilot.press("x", "t")
        assert (app.bar.editing, app.typed, app.filters) == (True, "mode:text", [])
        app.rows.focus()
        await eventually(lambda: not app.bar.editing, "the line is closed")
        await sees(pilot, f"/ {IN_EFFECT}")
        await type_in(pilot, "mode:text")
        await pilot.press("escape")
        assert (app.filters, app.focused, app.bar.editing) == ([], app.rows, False)
        await sees(pilot, f"/ {IN_EFFECT}", gone="mode:text")
        await pilot.press("slash")
        assert app.typed == f"{IN_EFFECT} ", "ready for another term"
        await pilot.press("escape", "slash", "up")
        assert app.typed == "mode:text", "the filter itself is no earlier line"
        await pilot.press("escape", "slash", "enter")
        assert app.filters == [IN_EFFECT]


# Mistakes


async def test_a_mistake_is_marked_after_enter_or_once_the_cursor_leaves_the_word() -> None:
    async with filter_bar(IN_EFFECT) as (app, pilot):
        await type_in(pilot, "mode:vx refund")
        await wait_hint(pilot, "! unknown mode “vx” (text, voice)")
        assert wrong_parts(app) == ["vx"]
        await pilot.press("enter")
        assert (app.filters, app.bar.editing, app.cursor) == ([], True, len("mode:vx"))
        await pilot.press("backspace", "backspace", *"text")
        await wait_hint(pilot, "-term not")
        assert wrong_parts(app) == []
        await pilot.press("enter")
        assert app.filters == ["mode:text refund"]
        await type_in(pilot, "stats:fail")
        assert "!" not in lines(app)[1], "the word is still being typed"
        await pilot.press("enter")
        await wait_hint(pilot, "! unknown term “stats:”; did you mean status?")
        assert (wrong_parts(app), app.filters) == (["stats:"], ["mode:text refund"])
        await pilot.press("escape")
        await type_in(pilot, "stats:fail")
        assert "!" not in lines(app)[1]
        await type_in(pilot, "dur:x mode:text")
        await wait_hint(pilot, "! write dur>120 or dur<120")
        assert wrong_parts(app) == ["dur:x"]
        await pilot.press("home")
        await wait_hint(pilot, "-term not")
        assert wrong_parts(app) == []


# Earlier filters


async def test_up_and_down_browse_earlier_filters_and_return_to_the_typed_text() -> None:
    async with filter_bar("mode:text", history=("mode:text", "outcome:error", "refund")) as (app, pilot):
        await pilot.press("slash", *"la")
        seen: list[str] = []
        for key in ("up", "up", "up", "up", "down", "down", "down", "down"):
            await pilot.press(key)
            seen.append(app.typed)
        begun = "mode:text la"
        assert seen == ["mode:text", "outcome:error", "refund", "refund", "outcome:error", "mode:text", begun, begun]
        await pilot.press("escape", "slash", "up")
        assert app.typed == begun, "a line that was left is the first of the earlier filters"
        await pilot.press("up", "up", "enter")
        assert app.filters == ["refund"]


# Known names


async def test_tab_and_right_complete_the_word_at_the_cursor_and_tab_cycles_through_names() -> None:
    async with filter_bar() as (app, pilot):
        for key in ("tab", "right"):
            await type_in(pilot, "agent:cl")
            await wait_hint(pilot, "tab ")
            await sees(pilot, "/ agent:clinic")
            await pilot.press(key)
            assert app.typed == "agent:Clinic"
            await pilot.press("escape")
        await type_in(pilot, "scenario:strasse")
        await wait_hint(pilot, "tab scenario:Straße77")
        await still(pilot)
        assert lines(app)[0] == "/ scenario:strasse", "a name in other letters is not shown half"
        await type_in(pilot, "zzz")
        await pilot.press("tab")
        assert (app.typed, app.bar.editing) == ("zzz", True), "without a match tab does nothing"
        await type_in(pilot, "scenario:la mode:text")
        await pilot.press(*["left"] * len(" mode:text"))
        await wait_hint(pilot, 'tab scenario:"Late refund"')
        await pilot.press("tab")
        line, end = 'scenario:"Late refund" mode:text', len('scenario:"Late refund"')
        assert (app.typed, app.cursor) == (line, end)
        await pilot.press("left", "tab")
        assert app.typed == line, "within a word nothing is completed"
        await pilot.press("enter")
        assert app.filters[-1] == line
        app.bar.names = KnownNames(agents=("Clinic", "Pizza line", "Claims"))
        await type_in(pilot, "ag")
        seen = []
        for _ in range(5):
            await pilot.press("tab")
            seen.append(app.typed)
        assert seen == ["agent:", "agent:Clinic", 'agent:"Pizza line"', "agent:Claims", "agent:Clinic"]
        await wait_hint(pilot, '3 matches · tab agent:"Pizza line" · then Claims, Clinic')
        await pilot.press(*["backspace"] * 4, "tab", "tab")
        assert app.typed == "agent:Claims", "the letters typed since count"


@given(
    st.sampled_from(["scenario:", "agent:", "metric:", "mode:text persona:"]), st.text(min_size=1), st.integers(0, 40)
)
def test_a_completion_is_one_line_without_control_characters_and_fits_the_room(
    typed: str, name: str, room: int
) -> None:
    names = KnownNames((name,), (name,), (name,), (name,))
    for completed in completed_lines(typed, names, room):
        assert len(completed) <= room
        assert completed == clean(completed)
        assert "\n" not in completed
        assert completed.startswith(typed)


# Odd text and little room


async def test_pasted_text_becomes_one_clean_line_and_is_cut_only_with_a_message() -> None:
    async with filter_bar() as (app, pilot):
        await type_in(pilot, "")
        await paste(pilot, "mode:text\r\nrefund\t\x1b[31mlate\u202e\ud800\n")
        assert app.typed.split() == ["mode:text", "refund", "[31mlate"]
        assert app.typed.isprintable()
        await paste(pilot, EVIL)
        await pilot.press("escape")
        assert (app.filters, app.bar.editing) == ([], False)
        await pilot.press("slash", "up", "enter")
        await sees(pilot, "/ mode:text refund")
        await type_in(pilot, "mode:text ")
        await paste(pilot, "word " * 1_000_000)
        await wait_hint(pilot, f"a filter has at most {LONGEST:,} characters")
        assert len(app.typed) == LONGEST
        assert app.typed.startswith("mode:text word word")
        await pilot.press("x")
        assert len(app.typed) == LONGEST
        await pilot.press("ctrl+u")
        assert app.typed == ""
        await pilot.press("escape")
        long = " ".join(f"-word{n}" for n in range(300))
        app.bar.show(long)
        await pilot.press("slash", "x", "enter")
        assert app.filters[-1] == long, "a longer filter of another origin is not cut by editing it"


def drawn_cursors(app: BarApp) -> int:
    """Number of cursors drawn on the first line of the screen."""
    style = app.bar.query_one(Input).get_component_rich_style("input--cursor")
    first = app.screen._compositor.render_strips()[0]
    return sum(1 for _, its, _ in first if its and its.bgcolor == style.bgcolor)


async def test_cursor_stays_visible_and_hint_is_truncated_at_every_width() -> None:
    async with filter_bar() as (app, pilot):
        await type_in(pilot, "")
        await paste(pilot, "予約 " * 30)
        for width in (60, 120, 40, 200, 20):
            await pilot.resize_terminal(width, 24)
            await eventually(lambda width=width: app.size.width == width, "the width")
            await still(pilot)
            assert drawn_cursors(app) == 1, f"at {width}"
        await pilot.press("home")
        await still(pilot)
        assert drawn_cursors(app) == 1
        await pilot.resize_terminal(30, 10)
        await type_in(pilot, "nonsense:x ")
        await wait_hint(pilot, "! unknown term “nonsense:…")
        assert lines(app)[1].endswith("…")
        assert app.rows.region.y == 2
