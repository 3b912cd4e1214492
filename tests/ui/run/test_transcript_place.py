"""Cursor and scroll position stay when roles, the terminal size or the turns change."""

from __future__ import annotations

import pytest
from one_widget import screen
from transcripts import call, make_turn, on_screen, show, talk, transcript_of


async def test_hiding_roles_keeps_the_cursor_on_its_turn_or_on_the_nearest_shown_turn() -> None:
    async with transcript_of([make_turn(n) if n % 500 else call(n) for n in range(1, 2_001)]) as (app, pilot):
        transcript = app.widget
        transcript.go_to(1_380)
        seen = []
        for _ in range(5):
            transcript.next_roles()
            await pilot.pause()
            seen.append((transcript.roles, len(transcript.rows), transcript.cursor_key))
            assert transcript.cursor_key in on_screen(transcript)
        assert seen == [
            ("without tools", 1_996, 1_380),
            ("caller only", 1_000, 1_379),
            ("agent only", 996, 1_378),
            ("tools only", 4, 1_500),
            ("", 2_000, 1_500),
        ]
        transcript.show_roles(4)
        transcript.go_to(3)
        assert (transcript.roles, transcript.cursor_key) == ("", 3)
        show(transcript, [make_turn(n) for n in range(1, 9)])
        roles = []
        for _ in range(3):
            transcript.next_roles()
            roles.append(transcript.roles)
        assert roles == ["caller only", "agent only", ""]  # no choices about tools without tool calls


@pytest.mark.parametrize("keys", [["G"], [*["pagedown"] * 3, "j", "j", "k"]])
async def test_resizing_keeps_the_turn_at_the_top(keys: list[str]) -> None:
    async with transcript_of(talk(200)) as (app, pilot):
        await pilot.press(*keys)
        app.widget.scroll_relative(y=-17, animate=False)  # may scroll the cursor off the screen
        await pilot.pause()
        top = on_screen(app.widget)[0]
        for size in ((120, 24), (50, 60), (120, 10)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            shown = on_screen(app.widget)
            assert shown[0] == top or shown[-1] == 200  # unless the list ends before a screenful
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert on_screen(app.widget)[0] == top
        await pilot.press("j")
        assert app.widget.cursor_key in on_screen(app.widget)
        await pilot.resize_terminal(50, 24)
        await pilot.pause()
        await pilot.press("pageup", "pageup")
        top = on_screen(app.widget)[0]
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert on_screen(app.widget)[0] == top, "a place reached in another width is kept as well"


async def test_a_growing_call_is_followed_only_if_cursor_and_screen_are_at_its_end() -> None:
    turns = talk(60)
    async with transcript_of(turns[:40]) as (app, pilot):
        await pilot.press("G")
        show(app.widget, turns[:50])
        await pilot.pause()
        assert app.widget.cursor_key == 50
        assert screen(app.widget)[-1].endswith("Turn 50.")
        longer = make_turn(50, 250, 254, f"{turns[49].text} And more.")
        show(app.widget, [*turns[:49], longer])
        await pilot.pause()
        assert screen(app.widget)[-1].endswith("Turn 50. And more.")
        await pilot.press("k")
        assert app.widget.at_bottom
        for scrolled in (0, -3):  # the cursor is above the last turn, then the last line is below the screen
            app.widget.scroll_relative(y=scrolled, animate=False)
            await pilot.pause()
            seen, at = screen(app.widget), app.widget.cursor_key
            show(app.widget, [*turns[:49], longer, *turns[50 : 55 - scrolled]])
            await pilot.pause()
            assert (screen(app.widget), app.widget.cursor_key) == (seen, at)
