"""The timeline strip at every width, without colour, in ASCII, and with a cursor."""

from __future__ import annotations

import re

import pytest
from one_widget import WidgetApp, screen
from textual.color import Color
from timeline_strips import CALL, LONG, MARKS, NO_TIMES, STARTS, Strip, make_turn, strip_of

from cekura_tui.model.transcript.timeline import Timeline, timeline_of
from cekura_tui.ui.run.timeline import TimelineStrip, figures
from cekura_tui.ui.terminal.filters import AsciiFilter


def clicked(app: WidgetApp[Strip]) -> list[int]:
    return [message.n for message in app.messages_of(TimelineStrip.TurnClicked)]


async def test_all_signs_of_the_timeline_can_be_read_without_colour() -> None:
    async with strip_of(CALL, MARKS) as (app, pilot):
        assert [line.rstrip() for line in screen(app.widget)] == [
            "caller       ✓━━━━━━      ▓▓━━━━      ◐━━━━━",
            "agent  ━━━━━━    4.2s✗━━━━▓▓   ━━━━━━━      ···20.0s···━━━━━━━━━━━━━",
            "tools                    ● ○",
            "       00:00             00:30             01:00             01:30         02:00",
        ]
        app.widget.move_cursor(7)
        await pilot.pause()
        lines = [AsciiFilter().apply(list(app.widget.render_line(y)), Color(0, 0, 0)) for y in range(4)]
        assert ["".join(segment.text for segment in line).rstrip() for line in lines] == [
            "caller       v------      ##---|      ?-----",
            "agent  ------    4.2sx----##   |------      ...20.0s...-------------",
            "tools                    * o   |",
            "       00:00             00:30             01:00             01:30         02:00",
        ]


@pytest.mark.parametrize(
    ("timeline", "width"), [(CALL, 8), (CALL, 120), (LONG, 80), (LONG, 200), (STARTS, 40), (NO_TIMES, 8)]
)
async def test_every_line_is_as_wide_as_the_strip(timeline: Timeline, width: int) -> None:
    async with strip_of(timeline, MARKS, size=(width, 10)) as (app, _):
        for n in (None, 1, 7, 8, 99_999):
            app.widget.move_cursor(n)
            for y in range(app.widget.size.height):
                strip = app.widget.render_line(y)
                assert sum(segment.cell_length for segment in strip) == strip.cell_length == width


def test_figures_use_shorter_words_if_there_is_less_room() -> None:
    for room, words in (
        (30, ["2 gaps up to 20.0 s"]),
        (85, ["2 gaps, longest 20.0 s", "answers: median 4.2 s, slowest 20.0 s", "1 overlap"]),
        (200, ["2 gaps, longest 20.0 s at 01:00", "answers: median 4.2 s, slowest 20.0 s at 01:20", "1 overlap"]),
    ):
        assert figures(CALL, {}, room) == words


async def test_a_call_without_times_is_one_line_and_turns_without_end_times_are_points() -> None:
    async with strip_of(NO_TIMES, MARKS) as (app, pilot):
        app.widget.move_cursor(3)
        await pilot.pause()
        assert [line.rstrip() for line in screen(app.widget)] == ["None of the 24 turns has a time."]
        assert (app.widget.turn_at(20), app.widget.step(1)) == (None, None)
        await pilot.click(app.widget, offset=(20, 0))
        assert clicked(app) == []
        app.widget.move_cursor(None)
        app.widget.show(STARTS, {})
        await pilot.pause()
        caller, agent, *times = screen(app.widget)
        assert (caller.count("▸"), agent.count("▸"), len(times)) == (4, 4, 2)
        assert not set(caller + agent) & set("━▓·")
        assert "only start times: no gaps, overlaps or answer times" in app.widget.figures(70)


async def test_height_is_one_line_per_lane_plus_the_time_axis_if_there_is_room() -> None:
    async with strip_of(CALL) as (app, pilot):
        assert app.widget.size.height == 4
        app.widget.show(timeline_of([make_turn(1, "main", 0, 5), make_turn(2, "other", 6, 9)]), {})
        await pilot.pause()
        assert app.widget.size.height == 5
        assert re.match("other  .*━", screen(app.widget)[3])
        app.screen.add_class("-short")
        app.widget.refresh(layout=True)
        await pilot.pause()
        assert app.widget.size.height == 4


async def test_the_worst_mark_of_a_column_is_drawn_and_equal_marks_are_not_repainted() -> None:
    untimed = timeline_of([make_turn(1, "main", 0, 5), make_turn(2, "main", None, None)])
    dense = timeline_of([make_turn(n, "main", n / 10, n / 10 + 0.05) for n in range(1, 4)], 100)
    async with strip_of(untimed, {2: "fail"}) as (app, _):
        assert "✗" not in "".join(screen(app.widget))
        assert "1 cited turn without a time" in app.widget.figures(70)
        app.widget.show(dense, {1: "pass", 2: "fail", 3: "review"})
        assert screen(app.widget)[1][7] == "✗"
        app.widget.show(CALL, {3: "fail"})
        app.widget.mark({3: "fail", 2: "pass"})
        assert screen(app.widget)[0][13] == "✓"
        app.widget.forget()
        app.widget.mark({2: "pass", 3: "fail"})
        app.widget.show(CALL, {2: "pass", 3: "fail"})
        assert (app.widget.asked, app.widget.whole) == ([], 0)


async def test_the_cursor_is_a_column_through_all_lanes_and_hides_no_sign() -> None:
    async with strip_of(CALL, MARKS) as (app, pilot):
        app.widget.move_cursor(3)
        assert [line[21] for line in screen(app.widget)[:3]] == ["│", "✗", "│"]
        app.widget.move_cursor(None)
        assert "│" not in "".join(screen(app.widget))
        app.widget.move_cursor(9)
        assert screen(app.widget)[2].index("│") == 55
        await pilot.resize_terminal(120, 10)
        await pilot.pause()
        assert screen(app.widget)[2].index("│") == 82
        assert app.widget.render_line(0).cell_length == 120


@pytest.mark.parametrize(("timeline", "moves"), [(CALL, (1, 2, 9)), (LONG, (1, 5_000, 10_000))])
async def test_a_move_of_the_cursor_repaints_two_columns(timeline: Timeline, moves: tuple[int, ...]) -> None:
    async with strip_of(timeline, size=(120, 10)) as (app, pilot):
        app.widget.move_cursor(moves[0])
        await pilot.pause()
        for n in moves[1:]:
            app.widget.forget()
            app.widget.move_cursor(n)
            assert [(region.width, region.height) for region in app.widget.asked] == [(1, 3), (1, 3)]
            assert app.widget.whole == 0
            await pilot.pause()
            assert [line.rstrip() for line in app.terminal.display[:4]] == screen(app.widget)
        if timeline is LONG:  # the previous turns are in the same column
            app.widget.forget()
            updates = len(app.updates)
            app.widget.move_cursor(9_999)
            app.widget.move_cursor(9_999)
            await pilot.pause()
            assert (app.widget.asked, app.widget.whole, len(app.updates)) == ([], 0, updates)


async def test_a_click_goes_to_the_turn_in_that_column_or_to_the_nearest_turn() -> None:
    async with strip_of(CALL) as (app, pilot):
        for column in (7, 15, 21, 26, 31, 47, 54, 79):
            await pilot.click(app.widget, offset=(column, 1))
        await pilot.click(app.widget, offset=(3, 1))
        await pilot.pause()
        assert clicked(app) == [1, 2, 3, 6, 7, 8, 9, 9]
        assert not app.widget.can_focus


@pytest.mark.parametrize(("timeline", "columns"), [(CALL, 1), (CALL, 10), (LONG, 10), (STARTS, 1_000)])
async def test_steps_go_from_one_end_of_the_call_to_the_other_and_back(timeline: Timeline, columns: int) -> None:
    async with strip_of(timeline) as (app, _):
        order = [n for _, n in sorted((span.start, span.n) for lane in timeline.lanes for span in lane.spans)]
        for direction, ends in ((1, (order[0], order[-1])), (-1, (order[-1], order[0]))):
            app.widget.move_cursor(ends[0])
            walked = [ends[0]]
            while (n := app.widget.step(direction * columns)) is not None:
                walked.append(n)
                app.widget.move_cursor(n)
                assert len(walked) <= 75
            assert walked[-1] == ends[1]
            places = [order.index(n) * direction for n in walked]
            assert places == sorted(set(places))


async def test_steps_skip_turns_without_times_and_columns_where_no_turn_starts() -> None:
    untimed = timeline_of([make_turn(1, "main", 0, 5), make_turn(2, "main", None, None), make_turn(3, "main", 8, 9)])
    async with strip_of(CALL) as (app, _):
        for timeline, at, steps in (
            (CALL, 1, {1: 2, 6: 2, 15: 3, 20: 5}),
            (CALL, 9, {-1: 8, -25: 7, -1_000: 1, 1: None}),
            (untimed, 2, {1: 3, -1: 1}),
        ):
            app.widget.show(timeline, {})
            app.widget.move_cursor(at)
            assert {columns: app.widget.step(columns) for columns in steps} == steps
