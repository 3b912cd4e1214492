"""The transcript: the lines of turns, tool calls and marks, and no jump in a long call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from one_widget import screen
from transcripts import LONG, call, make_turn, on_ground, result, show, talk, transcript_of

from cekura_tui.evidence.evidence import TurnMark
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.run.transcript import Transcript


async def test_turns_have_time_speaker_and_text_in_columns_and_silences_between() -> None:
    turns = [
        make_turn(1, 0, 1),
        make_turn(2, 0.2, 3, LONG),
        make_turn(3, None, None, "", "other"),
        make_turn(4, 3599, None),
    ]
    async with transcript_of(turns, size=(80, 10)) as (app, pilot):
        assert screen(app.widget)[:6] == [
            "   00:00 caller  ▎ Hello.",
            "   00:00 agent   ▎ (overlaps by 0.8 s) I would like to move my appointment to",
            "                 ▎ some other day, because my daughter is ill.",
            "   #3    Superv… ▎ (no words)",
            "                   — 3596.0 s silence —",
            "   59:59 agent   ▎ Hello.",
        ]
        for seconds, line in ((3_601, "   1:00:01 agent   ▎ Hello."), (36_061, "   10:01:01 agent   ▎ Hello.")):
            show(app.widget, [make_turn(1, 0, 1), make_turn(2, seconds, seconds + 1)])
            await pilot.pause()
            assert screen(app.widget)[2] == line


async def test_a_running_call_is_redrawn_where_a_silence_became_shorter() -> None:
    async with transcript_of([make_turn(1, 0, 4), make_turn(2, 9, 12)], size=(80, 10)) as (app, pilot):
        assert "5.0 s silence" in screen(app.widget)[1]
        sent: list[int] = []
        refresh = app.widget.refresh
        app.widget.refresh = lambda *each, **how: sent.append(len(each)) or refresh(*each, **how)  # type: ignore
        show(app.widget, [make_turn(1, 0, 6), make_turn(2, 9, 12)])
        await pilot.pause()
        assert "3.0 s silence" in screen(app.widget)[1]
        assert 0 in sent  # the whole of it: the turn after the silence is the same


async def test_a_tool_call_is_one_line_with_its_end_and_enter_unfolds_it() -> None:
    turns = [
        call(1, "find", {"name": "Renée", "id": 7}, 1),
        result(2, "find", ["x" * 40] * 3, 2),
        call(3, "book", "{}", 3),
        result(4, "book", {"error": "no such day"}, 4.5),
        call(5, "wait", {}, 5),
        make_turn(6, 6, 7),
    ]
    async with transcript_of(turns, size=(80, 20)) as (app, pilot):
        folded = screen(app.widget)
        assert folded[0] == '   00:01 tool →  ▎ ▸ find  answered after 1.0 s  {"name": "Renée", "id": 7}'
        assert folded[1].startswith('   00:02 tool ←  ▎ ▸ find  ["xxxx')
        assert folded[2] == "   00:03 tool →  ▎ ▸ book  ✗ error after 1.5 s  {}"
        assert folded[3] == '   00:04 tool ←  ▎ ▸ book  ✗ error  {"error": "no such day"}'
        assert folded[4] == "   00:05 tool →  ▎ ▸ wait  no result  {}"
        assert folded[5] == "   00:06 agent   ▎ Hello."
        await pilot.press("enter")
        assert [line.strip(" ▎") for line in screen(app.widget)[:5]] == [
            "00:01 tool →  ▎ ▾ find  answered after 1.0 s",
            "{",
            '"name": "Renée",',
            '"id": 7',
            "}",
        ]
        await pilot.press("enter")
        assert screen(app.widget) == folded
        await pilot.press("X")
        assert sum("▾" in line for line in screen(app.widget)) == 5
        await pilot.press("X")
        assert screen(app.widget) == folded
        assert not app.opened
        await pilot.press("G", "enter")
        assert app.opened == [6]


async def test_a_call_unfolded_at_the_bottom_of_the_screen_is_seen() -> None:
    turns = [*talk(8)[:7], call(8, "find", {"first": 1, "second": 2})]
    async with transcript_of(turns, size=(80, 12)) as (app, pilot):
        await pilot.press("G", "enter")
        assert [line.strip(" ▎") for line in screen(app.widget)[-4:]] == ["{", '"first": 1,', '"second": 2', "}"]


async def test_the_end_of_a_tool_call_is_shown_when_its_result_comes() -> None:
    turns = [call(1, "n" * 200, {}, 1), call(2, "find", {}, 2)]
    async with transcript_of(turns, size=(60, 10)) as (app, pilot):
        assert "no result" in screen(app.widget)[1]
        show(app.widget, [*turns, result(3, "n" * 200, {"error": "no"}, 2), result(4, "find", "found", 2)])
        await pilot.pause()
        assert "n…  ✗ error after 1.0 s" in screen(app.widget)[0]
        assert "answered after 0.0 s" in screen(app.widget)[1]


async def test_x_shows_the_raw_json_of_a_turn_below_its_text() -> None:
    sent = {"role": "Testing Agent", "content": "Hello.", "mood": ["\u4e88\u7d04", None]}
    async with transcript_of(
        [Turn(1, "testing", "Testing Agent", 0, 1, "Hello.", None, sent), make_turn(2, 1, 2)], size=(80, 14)
    ) as (app, pilot):
        await pilot.press("x")
        lines = [line.strip(" ▎") for line in screen(app.widget)]
        assert lines[0] == "00:00 caller  ▎ Hello."
        assert "".join(lines[1:8]) == '{"role": "Testing Agent","content": "Hello.","mood": ["予約",null]'
        assert lines[9] == "00:01 agent   ▎ Hello."
        await pilot.press("x")
        assert screen(app.widget)[1] == "   00:01 agent   ▎ Hello."


async def test_the_raw_json_of_a_turn_higher_than_the_screen_is_scrolled_to() -> None:
    async with transcript_of(
        [make_turn(1, 0, 1, "\n".join(f"line {n}" for n in range(100))), make_turn(2, 1, 2)], size=(80, 14)
    ) as (app, pilot):
        await pilot.press("x")
        assert "                 ▎ {" in screen(app.widget)


async def test_markup_is_text_and_a_very_long_line_is_cut_and_counted() -> None:
    turns = [make_turn(1, 0, 1, "[/b] [@click=app.quit]press[/] 予約 👍"), make_turn(2, 0, 1, "y" * 20_000)]
    async with transcript_of(turns, size=(80, 10)) as (app, pilot):
        assert screen(app.widget)[0] == "   00:00 caller  ▎ [/b] [@click=app.quit]press[/] 予約 👍"
        await pilot.press(*["pagedown"] * 10)
        assert "… (16,000 characters more)" in " ".join(line.strip(" ▎") for line in screen(app.widget))


async def test_a_cited_turn_has_the_mark_of_its_verdict_and_its_name_below() -> None:
    async with transcript_of(
        [make_turn(1, 0, 1), make_turn(2, 1, 2, "We open\nat nine, 予約 first."), make_turn(3, 2, 3)], size=(80, 12)
    ) as (app, pilot):
        spans = ((3, 10), (17, 19))
        fail = TurnMark("fail", "Opening times", "quoted", "likely", spans)
        good = TurnMark("pass", "Politeness", "quoted", "likely", ((0, 2),))
        app.widget.show_marks({2: [fail, good], 3: [good]})
        await pilot.pause()
        lines = screen(app.widget)
        assert [line[1:2] for line in lines[:5]] == [" ", "✗", " ", " ", "✓"]
        assert lines[3] == "                 ▎ ✗ Opening times · quoted (likely)"
        assert on_ground(app.widget, 1, "quoted-fail") == "We|open"
        assert on_ground(app.widget, 2, "quoted-fail") == "at|予約"


async def test_the_name_of_a_verdict_below_a_turn_is_wrapped_and_never_cut() -> None:
    async with transcript_of([make_turn(1, 0, 1)], size=(60, 12)) as (app, pilot):
        name = "The caller's identity was checked before anything was read out"
        app.widget.show_marks({1: [TurnMark("fail", name, "next to the quote", "maybe")]})
        await pilot.pause()
        assert screen(app.widget)[:4] == [
            " ~ 00:00 caller  ▎ Hello.",
            "                 ▎ ✗ The caller's identity was checked",
            "                 ▎   before anything was read out · next",
            "                 ▎   to the quote (uncertain)",
        ]


async def test_quoted_words_are_tinted_also_after_the_note_of_an_overlap() -> None:
    async with transcript_of([make_turn(1, 0, 4), make_turn(2, 3, 6, f"予約 {LONG}")], size=(60, 12)) as (app, pilot):
        text = app.widget.turns[1].text
        quoted = [(text.index(word), text.index(word) + len(word)) for word in ("約", "daughter")]
        app.widget.show_marks({2: [TurnMark("fail", "Name", "quoted", "sure", tuple(quoted))]})
        await pilot.pause()
        assert screen(app.widget)[1].startswith(" ✗ 00:03 agent   ▎ (overlaps by 1.0 s) 予約 I")
        lines = range(len(screen(app.widget)))
        assert "|".join(filter(None, (on_ground(app.widget, y, "quoted-fail") for y in lines))) == "約|daughter"


async def test_three_verdicts_are_named_below_a_turn_and_the_others_counted() -> None:
    async with transcript_of([make_turn(1)], size=(80, 10)) as (app, pilot):
        app.widget.show_marks({1: [TurnMark("fail", f"Metric {n}", "quoted", "sure") for n in range(5)]})
        await pilot.pause()
        assert [line.strip("▎✗ ") for line in screen(app.widget)[3:5]] == [
            "Metric 2 · quoted",
            "2 more verdicts",
        ]


async def test_marks_that_come_later_do_not_move_the_turn_of_the_cursor() -> None:
    async with transcript_of(talk(60)) as (app, pilot):
        await pilot.press(*"jjjjjjjjjjjj")
        at = next(y for y, line in enumerate(screen(app.widget)) if "01:05" in line)
        app.widget.show_marks({n: [TurnMark("fail", "Name", "quoted", "sure")] for n in range(1, 61)})
        await pilot.pause()
        assert "01:05" in screen(app.widget)[at]


async def test_the_end_of_10_000_turns_is_the_last_line() -> None:
    turns = talk(10_000)
    async with transcript_of([]) as (app, pilot):
        show(app.widget, turns, reset=True)
        await pilot.press("G")
        assert app.widget.cursor_key == 10_000
        assert screen(app.widget)[-1].endswith("Turn 10000.")
        await pilot.press("g", "j", "j")
        assert app.widget.cursor_key == 3
        assert "   0:00:15  caller  ▎ " + LONG[:54] in screen(app.widget)
        assert len(app.widget.rows) == len(turns)


async def test_a_key_in_10_000_turns_draws_no_more_turns_than_in_100(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def counting(really: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any) -> Any:
            nonlocal looks
            looks += 1
            return really(*given)

        return counted

    for name in ("key_of", "lines_of"):
        monkeypatch.setattr(Transcript, name, counting(getattr(Transcript, name)))
    looked: dict[int, int] = {}
    for number in (100, 10_000):
        async with transcript_of(talk(number)) as (app, pilot):
            app.widget.find("Turn 5")
            looks = 0
            keys = ["j", "k", "pagedown", "pageup", "x", "x", "G", "g", "ctrl+d", "ctrl+u"]
            for key in keys:
                await pilot.press(key)
            app.widget.next_match(1)
            app.widget.next_match(-1)
            app.widget.go_to(number // 2)
            await pilot.pause()
            looked[number] = looks
    assert 100 < looked[10_000] < 1.3 * looked[100]
