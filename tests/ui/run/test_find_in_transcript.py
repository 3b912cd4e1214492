"""Search in a transcript: marking, scrolling to and counting matches."""

from __future__ import annotations

from one_widget import screen, widget_app
from transcripts import LONG, call, make_turn, on_ground, on_screen, result, show, talk, transcript_of

from cekura_tui.evidence.evidence import TurnMark
from cekura_tui.ui.run.transcript import TranscriptView


def marked(transcript: TranscriptView) -> str:
    """The matches marked on screen, joined by "|"."""
    lines = (on_ground(transcript, y, "match", "match-here") for y in range(transcript.size.height))
    return "|".join(filter(None, lines))


def here(transcript: TranscriptView) -> list[int]:
    """Lines on screen, counted from 0, that show the current match."""
    return [y for y in range(transcript.size.height) if on_ground(transcript, y, "match-here")]


async def test_all_matches_are_marked_and_next_match_wraps_around_both_ends() -> None:
    async with transcript_of(
        [make_turn(1, text="Book it"), make_turn(2, text="No book"), make_turn(3, text="a book, a BOOK")], size=(80, 10)
    ) as (app, _):
        transcript = app.widget
        assert transcript.match_number is None
        transcript.find("book")
        assert marked(transcript) == "Book|book|book|BOOK"
        seen = [(transcript.match_number, transcript.cursor_key)]
        for step in (1, 1, 1, 1, -1, -1):
            assert transcript.next_match(step)
            seen.append((transcript.match_number, transcript.cursor_key))
        assert seen == [((1, 4), 1), ((2, 4), 2), ((3, 4), 3), ((4, 4), 3), ((1, 4), 1), ((4, 4), 3), ((3, 4), 3)]
        transcript.find("")
        assert (transcript.match_number, marked(transcript)) == (None, "")
        assert not transcript.next_match(1)


async def test_next_match_searches_from_the_cursor_and_find_searches_from_the_given_turn() -> None:
    async with transcript_of(talk(100)) as (app, pilot):
        transcript = app.widget
        await pilot.press("pagedown")
        seen = screen(transcript)
        transcript.find("zebra")
        assert transcript.match_number == (0, 0)
        assert not transcript.next_match(1)
        assert screen(transcript) == seen
        await pilot.press("g")
        transcript.find("turn")
        assert transcript.match_number == (1, 100)
        await pilot.press(*"jjjj")
        transcript.next_match(1)
        assert transcript.match_number == (5, 100)
        await pilot.press("G")
        transcript.next_match(-1)
        assert transcript.match_number == (99, 100)
        await pilot.press("G")
        transcript.next_match(1)
        transcript.next_match(1)
        assert transcript.match_number == (1, 100)
        for typed, turn in (('"turn 5*"', 50), ('"turn 5"', 5)):
            transcript.find(typed, begin=10)
            assert transcript.cursor_key == turn
            assert turn in on_screen(transcript)


async def test_matches_in_hidden_or_new_turns_count_once_the_turns_are_shown() -> None:
    turns = [make_turn(1, text="book"), make_turn(2, text="book"), call(3, "book")]
    async with transcript_of(turns) as (app, pilot):
        transcript = app.widget
        transcript.find("book", begin=3)
        assert transcript.match_number == (3, 3)
        transcript.show_roles(2)
        assert (transcript.roles, transcript.match_number) == ("caller only", (0, 1))
        transcript.show_roles(0)
        transcript.find("book", begin=3)
        show(transcript, [*turns, make_turn(4, text="book")])
        await pilot.pause()
        assert transcript.match_number == (3, 4)
        show(transcript, turns, reset=True)
        assert (transcript.search_query, transcript.match_number) == ("", None)


async def test_a_match_in_tool_arguments_unfolds_the_call_but_a_match_in_a_name_does_not() -> None:
    found = call(2, "find_day", '{"city": "Oslo", "other": "Oslo"}')
    async with transcript_of([make_turn(1), found, result(3, "find_day", {"city": "Oslo"})]) as (app, pilot):
        transcript = app.widget
        transcript.find("tool: day")
        assert transcript.match_number == (1, 2)
        assert marked(transcript) == "day|day"
        assert len(list(filter(None, screen(transcript)))) == 3
        transcript.find("oslo")
        assert transcript.match_number == (1, 3)
        assert "▾" in screen(transcript)[1]
        assert '"city": "Oslo"' in screen(transcript)[here(transcript)[0]]
        assert marked(transcript) == "Oslo|Oslo|1 found inside  "
        await pilot.press("enter")
        assert "2 found inside" in screen(transcript)[1]


async def test_matches_are_marked_across_line_breaks_and_inside_quotes() -> None:
    turns = [make_turn(1, 0, 4, "Please call\nme 予約 back"), make_turn(2, 3, 6, LONG)]
    async with transcript_of(turns) as (app, _):
        app.widget.find('"CALL ME 予"')
        assert marked(app.widget) == "call|me 予"
        assert here(app.widget) == [0, 1]
        quoted = LONG.index("appointment"), LONG.index(" to some")
        app.widget.show_marks({2: [TurnMark("fail", "Name", "quoted", "sure", (quoted,))]})
        app.widget.find("appoint*")
        assert marked(app.widget) == "appoint"
        assert "".join(on_ground(app.widget, y, "quoted-fail") for y in range(5)) == "ment"
        app.widget.find("overlaps")
        assert app.widget.match_number == (0, 0)


async def test_a_match_is_scrolled_to_unless_already_on_screen() -> None:
    tall = "\n".join(f"line {n} {LONG}" for n in range(200))
    async with transcript_of([make_turn(1), make_turn(2, text=tall), make_turn(3)], size=(60, 20)) as (app, pilot):
        transcript = app.widget
        for n in (150, 3, 199):
            transcript.find(f'"line {n}"')
            assert [f"line {n} " in screen(transcript)[y] for y in here(transcript)] == [True]
        seen = screen(transcript)
        transcript.find('"line 198"')
        assert "line 198 " in screen(transcript)[here(transcript)[0]]
        assert screen(transcript) == seen
        transcript.find('"line 15*"')
        transcript.next_match(1)
        transcript.next_match(1)
        assert "line 151" in screen(transcript)[here(transcript)[0]]
        await pilot.resize_terminal(90, 20)
        await pilot.pause()
        transcript.next_match(1)
        assert "line 152" in screen(transcript)[here(transcript)[0]]
    begun = TranscriptView()
    show(begun, [make_turn(1), make_turn(2, text=tall)], reset=True)
    begun.find('"line 150"', 2)
    async with widget_app(begun, size=(60, 20)):
        assert "line 150 " in screen(begun)[here(begun)[0]], "a search before the first layout"


async def test_matches_in_the_hidden_part_of_a_long_turn_are_counted() -> None:
    turns = [make_turn(1, text=f"zebra {'y' * 20_000} zebra zebra"), make_turn(2, text="x\n" * 3_000 + "zebra")]
    async with transcript_of(turns) as (app, _):
        transcript = app.widget
        transcript.find("zebra")
        assert transcript.match_number == (1, 4)
        for number, sign in ((2, "characters more, 2 found)"), (3, "characters more, 2 found)"), (4, "more, 1 found)")):
            transcript.next_match(1)
            assert transcript.match_number == (number, 4)
            assert [sign in screen(transcript)[y] for y in here(transcript)] == [True]
        transcript.find("")
        assert "found" not in "".join(screen(transcript))
        assert "… (2,001 lines more)" in "".join(screen(transcript))
