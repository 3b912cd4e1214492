"""Search in a transcript as somebody uses it: what is marked, what is gone to, and where among the matches one is."""

from __future__ import annotations

import time

import pytest
from one_widget import screen
from transcripts import LONG, call, make_turn, on_ground, on_screen, result, show, talk, transcript_of

from cekura_tui.evidence.evidence import TurnMark
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.run.transcript import Transcript


def marked(transcript: Transcript) -> str:
    """All that is marked on the screen."""
    lines = (on_ground(transcript, y, "match", "match-here") for y in range(transcript.size.height))
    return "|".join(filter(None, lines))


def here(transcript: Transcript) -> list[int]:
    """The lines of the screen on which the match is that one is at."""
    return [y for y in range(transcript.size.height) if on_ground(transcript, y, "match-here")]


async def test_all_matches_are_marked_and_n_goes_around_both_ends() -> None:
    async with transcript_of(
        [make_turn(1, text="Book it"), make_turn(2, text="No book"), make_turn(3, text="a book, a BOOK")], size=(80, 10)
    ) as (app, _):
        transcript = app.widget
        assert transcript.at is None
        transcript.find("book")
        assert marked(transcript) == "Book|book|book|BOOK"
        seen = [(transcript.at, transcript.cursor_key)]
        for step in (1, 1, 1, 1, -1, -1):
            assert transcript.next_match(step)
            seen.append((transcript.at, transcript.cursor_key))
        assert seen == [((1, 4), 1), ((2, 4), 2), ((3, 4), 3), ((4, 4), 3), ((1, 4), 1), ((4, 4), 3), ((3, 4), 3)]
        transcript.find("")
        assert (transcript.at, marked(transcript)) == (None, "")
        assert not transcript.next_match(1)


async def test_what_is_nowhere_is_said_to_be_nowhere_and_nothing_moves() -> None:
    async with transcript_of(talk(100)) as (app, pilot):
        await pilot.press("pagedown")
        seen = screen(app.widget)
        app.widget.find("zebra")
        assert app.widget.at == (0, 0)
        assert not app.widget.next_match(1)
        assert screen(app.widget) == seen


async def test_after_the_cursor_was_moved_the_search_goes_on_from_there() -> None:
    async with transcript_of(talk(100)) as (app, pilot):
        transcript = app.widget
        transcript.find("turn")
        assert transcript.at == (1, 100)
        await pilot.press(*"jjjj")
        transcript.next_match(1)
        assert transcript.at == (5, 100)
        await pilot.press("G")
        transcript.next_match(-1)
        assert transcript.at == (99, 100)
        await pilot.press("G")
        transcript.next_match(1)
        transcript.next_match(1)
        assert transcript.at == (1, 100)


async def test_typing_goes_to_the_first_match_from_where_one_began() -> None:
    async with transcript_of(talk(100)) as (app, _):
        app.widget.find("turn 5", begin=10)
        assert app.widget.cursor_key == 50
        app.widget.find("turn 5.", begin=10)
        assert app.widget.cursor_key == 5
        assert 5 in on_screen(app.widget)


async def test_words_of_hidden_roles_are_not_found_and_are_again_when_they_are_shown() -> None:
    async with transcript_of([make_turn(1, text="book"), make_turn(2, text="book"), call(3, "book")]) as (app, _):
        transcript = app.widget
        transcript.find("book", begin=3)
        assert transcript.at == (3, 3)
        transcript.show_roles(2)
        assert (transcript.roles, transcript.at) == ("caller only", (0, 1))
        transcript.show_roles(0)
        assert transcript.at == (0, 3)


async def test_what_a_tool_was_sent_is_found_and_going_there_unfolds_it() -> None:
    turns = [
        make_turn(1),
        call(2, "find", '{"city": "Oslo", "other": "Oslo"}'),
        result(3, "find", {"city": "Oslo"}),
        make_turn(4),
    ]
    async with transcript_of(turns) as (app, pilot):
        transcript = app.widget
        transcript.find("oslo")
        assert transcript.at == (1, 3)
        assert "▾" in screen(transcript)[1]
        assert '"city": "Oslo"' in screen(transcript)[here(transcript)[0]]
        assert marked(transcript) == "Oslo|Oslo|1 found inside  "
        await pilot.press("enter")
        assert "2 found inside" in screen(transcript)[1]


async def test_the_name_of_a_tool_is_marked_in_place_and_nothing_is_unfolded() -> None:
    async with transcript_of([make_turn(1), call(2, "find_day"), result(3, "find_day")]) as (app, _):
        app.widget.find("tool: day")
        assert app.widget.at == (1, 2)
        assert marked(app.widget) == "day|day"
        assert len(list(filter(None, screen(app.widget)))) == 3


async def test_words_broken_over_lines_are_marked_on_both_and_not_the_space_between() -> None:
    async with transcript_of([make_turn(1, text="Please call\nme 予約 back")]) as (app, _):
        app.widget.find("CALL ME 予")
        assert marked(app.widget) == "call|me 予"
        assert here(app.widget) == [0, 1]


async def test_matches_are_marked_at_the_right_place_behind_the_note_of_an_overlap_and_over_quotes() -> None:
    async with transcript_of([make_turn(1, 0, 4), make_turn(2, 3, 6, LONG)]) as (app, pilot):
        quoted = LONG.index("appointment"), LONG.index(" to some")
        app.widget.show_marks({2: [TurnMark("fail", "Name", "quoted", "sure", (quoted,))]})
        await pilot.pause()
        app.widget.find("point")
        assert marked(app.widget) == "point"
        assert "".join(on_ground(app.widget, y, "quoted-fail") for y in range(5)) == "ap|ment"
        app.widget.find("overlaps")
        assert app.widget.at == (0, 0)


async def test_in_a_turn_higher_than_the_screen_the_line_with_the_match_is_shown() -> None:
    tall = "\n".join(f"line {n} {LONG}" for n in range(200))
    async with transcript_of([make_turn(1), make_turn(2, text=tall), make_turn(3)], size=(60, 20)) as (app, pilot):
        transcript = app.widget
        for n in (150, 3, 199):
            transcript.find(f"line {n} ")
            assert [f"line {n} " in screen(transcript)[y] for y in here(transcript)] == [True]
        transcript.find("line 15")
        transcript.next_match(1)
        transcript.next_match(1)
        assert "line 151" in screen(transcript)[here(transcript)[0]]
        await pilot.resize_terminal(90, 20)
        await pilot.pause()
        transcript.next_match(1)
        assert "line 152" in screen(transcript)[here(transcript)[0]]


async def test_a_match_that_is_on_screen_already_is_gone_to_without_a_jump() -> None:
    async with transcript_of([make_turn(1, text="\n".join(f"line {n}" for n in range(200)))], size=(60, 20)) as (
        app,
        _,
    ):
        app.widget.find("line 50")
        seen = screen(app.widget)
        app.widget.find("line 52")
        assert "line 52" in screen(app.widget)[here(app.widget)[0]]
        assert screen(app.widget) == seen


async def test_words_beyond_what_is_drawn_of_a_turn_are_counted_and_the_sign_of_the_rest_says_so() -> None:
    turns = [make_turn(1, text=f"zebra {'y' * 20_000} zebra zebra"), make_turn(2, text="x\n" * 3_000 + "zebra")]
    async with transcript_of(turns) as (app, _):
        transcript = app.widget
        transcript.find("zebra")
        assert transcript.at == (1, 4)
        for number, sign in ((2, "characters more, 2 found)"), (3, "characters more, 2 found)"), (4, "more, 1 found)")):
            transcript.next_match(1)
            assert transcript.at == (number, 4)
            assert [sign in screen(transcript)[y] for y in here(transcript)] == [True]
        transcript.find("")
        assert "found" not in "".join(screen(transcript))
        assert "… (2,001 lines more)" in "".join(screen(transcript))


async def test_a_run_that_grows_while_it_is_searched_counts_what_came() -> None:
    turns = talk(20)
    async with transcript_of(turns[:10]) as (app, pilot):
        app.widget.find("turn", begin=3)
        assert app.widget.at == (3, 10)
        show(app.widget, turns)
        await pilot.pause()
        assert app.widget.at == (3, 20)
        show(app.widget, turns, reset=True)
        assert (app.widget.search_query, app.widget.at) == ("", None)


async def test_a_find_in_10_000_turns_draws_what_is_on_screen_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[Turn] = [turn if turn.n % 10 else call(turn.n, "find", {"a": LONG}) for turn in talk(10_000)]
    drawn: list[int] = []
    lines_of = Transcript.lines_of

    def counted(transcript: Transcript, row: Turn, *how):  # type: ignore[no-untyped-def]
        drawn.append(row.n)
        return lines_of(transcript, row, *how)

    monkeypatch.setattr(Transcript, "lines_of", counted)
    async with transcript_of(turns) as (app, pilot):
        drawn.clear()
        for asked in ("e", "ap", "appointment", "turn 9999", "zebra"):
            began = time.process_time()
            app.widget.find(asked, begin=1)
            took = 1000 * (time.process_time() - began)
            print(f"{asked!r} in 10,000 turns: {took:.0f} ms, {app.widget.at}")  # noqa: T201 - a measure
            await pilot.pause()
        assert 0 < len(drawn) < 500
