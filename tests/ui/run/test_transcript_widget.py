"""The transcript: lines of turns, tool calls and marks, and a cursor that does not jump."""

from __future__ import annotations

from typing import Any

import pytest
from one_widget import screen
from transcripts import LONG, call, make_turn, on_ground, result, show, talk, transcript_of

from cekura_tui.evidence.evidence import TurnMark
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.run.transcript import TranscriptView


async def test_turns_are_drawn_in_columns_with_lines_for_silences_between_turns() -> None:
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


async def test_a_tool_call_is_one_line_with_its_result_and_enter_unfolds_the_call() -> None:
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
        assert folded[1].startswith('   00:02 tool ←  ▎ ▸ find  ["xxxx')
        assert [folded[0], *folded[2:6]] == [
            '   00:01 tool →  ▎ ▸ find  answered after 1.0 s  {"name": "Renée", "id": 7}',
            "   00:03 tool →  ▎ ▸ book  ✗ error after 1.5 s  {}",
            '   00:04 tool ←  ▎ ▸ book  ✗ error  {"error": "no such day"}',
            "   00:05 tool →  ▎ ▸ wait  no result  {}",
            "   00:06 agent   ▎ Hello.",
        ]
        await pilot.press("enter")
        unfolded = ["00:01 tool →  ▎ ▾ find  answered after 1.0 s", "{", '"name": "Renée",', '"id": 7', "}"]
        assert [line.strip(" ▎") for line in screen(app.widget)[:5]] == unfolded
        await pilot.press("enter")
        assert screen(app.widget) == folded
        await pilot.press("z")
        assert sum("▾" in line for line in screen(app.widget)) == 5
        await pilot.press("z")
        assert screen(app.widget) == folded
        assert not app.opened
        await pilot.press("G", "enter")
        assert app.opened == [6]


async def test_text_unfolded_by_enter_or_x_is_scrolled_to() -> None:
    high = make_turn(1, 0, 1, "\n".join(f"line {n}" for n in range(100)))
    turns = [high, *talk(8)[1:7], call(8, "find", {"first": 1, "second": 2})]
    async with transcript_of(turns, size=(80, 14)) as (app, pilot):
        await pilot.press("X")
        assert "                 ▎ {" in screen(app.widget)
        await pilot.press("G", "enter")
        assert [line.strip(" ▎") for line in screen(app.widget)[-4:]] == ["{", '"first": 1,', '"second": 2', "}"]


async def test_a_growing_call_updates_silences_and_tool_results_already_drawn() -> None:
    async with transcript_of([make_turn(1, 0, 4), make_turn(2, 9, 12)], size=(60, 10), paint=True) as (app, pilot):
        assert "5.0 s silence" in app.terminal.display[1]
        show(app.widget, [make_turn(1, 0, 6), make_turn(2, 9, 12)])
        await pilot.pause()
        assert "3.0 s silence" in app.terminal.display[1], "though the turn after the silence is the same"
        turns = [call(1, "n" * 200, {}, 1), call(2, "find", {}, 2)]
        show(app.widget, turns)
        await pilot.pause()
        assert "no result" in app.terminal.display[1]
        show(app.widget, [*turns, result(3, "n" * 200, {"error": "no"}, 2), result(4, "find", "found", 2)])
        await pilot.pause()
        assert "n…  ✗ error after 1.0 s" in app.terminal.display[0]
        assert "answered after 0.0 s" in app.terminal.display[1]


async def test_x_shows_the_raw_json_of_a_turn_below_its_text() -> None:
    sent = {"role": "Testing Agent", "content": "Hello.", "mood": ["\u4e88\u7d04", None]}
    turns = [Turn(1, "testing", "Testing Agent", 0, 1, "Hello.", None, sent), make_turn(2, 1, 2)]
    async with transcript_of(turns, size=(80, 14)) as (app, pilot):
        await pilot.press("X")
        lines = [line.strip(" ▎") for line in screen(app.widget)]
        assert (lines[0], lines[9]) == ("00:00 caller  ▎ Hello.", "00:01 agent   ▎ Hello.")
        assert "".join(lines[1:8]) == '{"role": "Testing Agent","content": "Hello.","mood": ["予約",null]'
        await pilot.press("X")
        assert screen(app.widget)[1] == "   00:01 agent   ▎ Hello."


async def test_a_cited_turn_has_its_verdict_mark_and_up_to_three_verdicts_below() -> None:
    turns = [make_turn(1, 0, 1), make_turn(2, 1, 2, "We open\nat nine, 予約 first."), make_turn(3, 2, 3)]
    async with transcript_of(turns, size=(80, 12)) as (app, _):
        fail = TurnMark("fail", "Opening times", "quoted", "likely", ((3, 10), (17, 19)))
        good = TurnMark("pass", "Politeness", "quoted", "likely", ((0, 2),))
        app.widget.show_marks({2: [fail, good], 3: [good]})
        lines = screen(app.widget)
        assert [line[1:2] for line in lines[:5]] == [" ", "✗", " ", " ", "✓"]
        assert lines[3] == "                 ▎ ✗ Opening times · quoted (likely)"
        assert on_ground(app.widget, 1, "quoted-fail") == "We|open"
        assert on_ground(app.widget, 2, "quoted-fail") == "at|予約"
        app.widget.show_marks({1: [TurnMark("fail", f"Metric {n}", "quoted", "sure") for n in range(5)]})
        names = [line.strip("▎✗ ") for line in screen(app.widget)[1:5]]
        assert names == [*(f"Metric {n} · quoted" for n in range(3)), "2 more verdicts"]


async def test_a_verdict_name_is_wrapped_and_quotes_are_tinted_after_an_overlap_note() -> None:
    async with transcript_of([make_turn(1, 0, 4), make_turn(2, 3, 6, f"予約 {LONG}")], size=(60, 14)) as (app, pilot):
        text = app.widget.turns[1].text
        quoted = [(text.index(word), text.index(word) + len(word)) for word in ("約", "daughter")]
        name = "The caller's identity was checked before anything was read out"
        app.widget.show_marks(
            {
                1: [TurnMark("fail", name, "near another of its turns", "maybe")],
                2: [TurnMark("fail", "Name", "quoted", "sure", tuple(quoted))],
            }
        )
        await pilot.pause()
        assert screen(app.widget)[:4] == [
            " ~ 00:00 caller  ▎ Hello.",
            "                 ▎ ✗ The caller's identity was checked",
            "                 ▎   before anything was read out · near",
            "                 ▎   another of its turns (less sure)",
        ]
        assert screen(app.widget)[4].startswith(" ✗ 00:03 agent   ▎ (overlaps by 1.0 s) 予約 I")
        tinted = (on_ground(app.widget, y, "quoted-fail") for y in range(14))
        assert "|".join(filter(None, tinted)) == "約|daughter"


async def test_marks_shown_later_do_not_move_the_cursor_on_screen() -> None:
    async with transcript_of(talk(60)) as (app, pilot):
        await pilot.press(*"jjjjjjjjjjjj")
        at = next(y for y, line in enumerate(screen(app.widget)) if "01:05" in line)
        app.widget.show_marks({n: [TurnMark("fail", "Name", "quoted", "sure")] for n in range(1, 61)})
        assert "01:05" in screen(app.widget)[at]


@pytest.mark.long
async def test_keys_and_searches_draw_hardly_more_turns_of_10_000_than_of_100(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[Turn] = []
    for name, really in (("key_of", TranscriptView.key_of), ("lines_of", TranscriptView.lines_of)):

        def counted(*given: Any, really: Any = really) -> Any:
            looks.append(given[1])
            return really(*given)

        monkeypatch.setattr(TranscriptView, name, counted)
    numbers = {}
    for number in (100, 10_000):
        async with transcript_of(talk(number)) as (app, pilot):
            looks.clear()
            for asked in ("e", "ap", "zebra", "Turn 5"):
                app.widget.find(asked, begin=1)
                await pilot.pause()
            await pilot.press("j", "k", "pagedown", "pageup", "X", "X", "g", "ctrl+d", "ctrl+u", "G")
            assert screen(app.widget)[-1].endswith(f"Turn {number}.")
            app.widget.next_match(1)
            app.widget.next_match(-1)
            app.widget.go_to(number // 2)
            await pilot.pause()
            numbers[number] = len(looks)
    assert 100 < numbers[10_000] < 1.3 * numbers[100]
