"""The transcript as it is read: who, when, what, the silences between, and no jump in a long call."""

from __future__ import annotations

import time

from textual.app import App, ComposeResult

from cekura_tui.model.transcript import Turn
from cekura_tui.ui.widgets.transcript import Transcript

LONG = "I would like to move my appointment to some other day, because my daughter is ill."


def said(n: int, start: float | None, end: float | None, text: str = "Hello.", speaker: str = "") -> Turn:
    who = speaker or ("testing" if n % 2 else "main")
    return Turn(n, who, "Supervisor", start, end, text)  # type: ignore[arg-type]


class TranscriptApp(App[None]):
    def __init__(self, turns: list[Turn]) -> None:
        super().__init__()
        self.turns = turns
        self.transcript = Transcript()

    def compose(self) -> ComposeResult:
        yield self.transcript

    def on_mount(self) -> None:
        self.transcript.show_rows(self.turns, reset=True)
        self.transcript.focus()


def screen(transcript: Transcript) -> list[str]:
    return [transcript.render_line(y).text.rstrip() for y in range(transcript.size.height)]


async def test_every_turn_says_who_spoke_when_and_what() -> None:
    app = TranscriptApp([said(1, 0, 1), said(2, 1.2, 3, LONG), said(3, None, None, "", "other"), said(4, 3599, None)])
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        assert screen(app.transcript)[:5] == [
            " 00:00  caller    Hello.",
            " 00:01  agent     I would like to move my appointment to some other day,",
            "                  because my daughter is ill.",
            "        Supervi…",
            "                  — 3596.0 s silence —",
        ]


async def test_a_call_of_more_than_an_hour_shows_hours() -> None:
    app = TranscriptApp([said(1, 0, 1), said(2, 3_601, 3_602)])
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        assert screen(app.transcript)[2] == " 1:00:01  agent     Hello."


async def test_silences_and_overlaps_are_told_in_words() -> None:
    turns = [said(1, 0, 4), said(2, 3.2, 6), said(3, 9.4, 10), said(4, 11.9, 12)]
    app = TranscriptApp(turns)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        assert screen(app.transcript)[:5] == [
            " 00:00  caller    Hello.",
            " 00:03  agent     (overlaps by 0.8 s) Hello.",
            "                  — 3.4 s silence —",
            " 00:09  caller    Hello.",
            " 00:11  agent     Hello.",
        ]


async def test_a_tool_call_shows_its_arguments_and_a_long_result_is_cut() -> None:
    call = Turn(1, "tool_call", "Function Call", 1, 1, "", {"name": "find", "arguments": {"name": "Renée", "id": 7}})
    result = Turn(2, "tool_result", "Function Call Result", 2, 2, "", {"name": "find", "result": ["x" * 40] * 99})
    app = TranscriptApp([call, result, said(3, 3, 4)])
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        lines = screen(app.transcript)
        assert lines[0] == ' 00:01  tool →    find {"name": "Renée", "id": 7}'
        assert lines[1].startswith(' 00:02  tool ←    find ["xxxx')
        assert lines[6] == "                  … 94 lines more"
        assert lines[7] == " 00:03  caller    Hello."


async def test_an_endless_line_is_counted_and_not_shown() -> None:
    app = TranscriptApp([said(1, 0, 1, "y" * 20_000)])
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press(*["pagedown"] * 10)
        assert "… (16,000 characters more)" in " ".join(line.strip() for line in screen(app.transcript))


async def test_what_a_caller_said_is_never_markup() -> None:
    app = TranscriptApp([said(1, 0, 1, "[/b] [@click=app.quit]press[/] 予約 👍")])
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        assert screen(app.transcript)[0] == " 00:00  caller    [/b] [@click=app.quit]press[/] 予約 👍"


async def test_turns_that_a_verdict_speaks_of_have_a_mark_beside_them() -> None:
    app = TranscriptApp([said(1, 0, 1), said(2, 1, 2)])
    async with app.run_test(size=(80, 10)) as pilot:
        app.transcript.marks = {2}
        await pilot.pause()
        assert [line[:1] for line in screen(app.transcript)[:2]] == [" ", "▌"]


async def test_a_call_of_3_000_turns_is_there_at_once_and_its_end_is_the_last_line() -> None:
    turns = [said(n, n * 5.0, n * 5.0 + 4, f"{LONG} " * (n % 7) + f"Turn {n}.") for n in range(1, 3_001)]
    app = TranscriptApp(turns)
    async with app.run_test(size=(80, 24)) as pilot:
        began = time.perf_counter()
        app.transcript.show_rows(turns[:-1], reset=True)
        app.transcript.show_rows(turns, reset=True)
        assert time.perf_counter() - began < 1.0
        await pilot.press("G")
        assert app.transcript.cursor_key == 3_000
        assert screen(app.transcript)[-1].endswith("Turn 3000.")
        await pilot.press("g", "j", "j")
        assert app.transcript.cursor_key == 3
        assert " 0:00:15  caller    " + LONG[:54] in screen(app.transcript)


async def test_going_up_from_the_end_moves_by_one_line_and_never_jumps() -> None:
    turns = [said(n, n * 5.0, n * 5.0 + 4, f"{LONG} " * (n % 7) + f"Turn {n}.") for n in range(1, 301)]
    app = TranscriptApp(turns)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G")
        seen = screen(app.transcript)
        for _ in range(30):
            app.transcript.scroll_relative(y=-1, animate=False)
            await pilot.pause()
            now = screen(app.transcript)
            assert now[1:] == seen[:-1]
            seen = now


async def test_another_run_begins_at_its_first_turn() -> None:
    app = TranscriptApp([said(n, n * 5.0, n * 5.0 + 4) for n in range(1, 301)])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G")
        app.transcript.show_rows([said(n, n * 5.0, n * 5.0 + 4, "Bonjour.") for n in range(1, 301)], reset=True)
        await pilot.pause()
        assert app.transcript.cursor_key == 1
        assert screen(app.transcript)[0] == " 00:05  caller    Bonjour."


async def test_of_a_call_that_goes_on_a_silence_is_told_as_long_as_it_is_now() -> None:
    app = TranscriptApp([said(1, 0, 4), said(2, 9, 12)])
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        assert "5.0 s silence" in screen(app.transcript)[1]
        sent: list[int] = []
        refresh = app.transcript.refresh
        app.transcript.refresh = lambda *each, **how: sent.append(len(each)) or refresh(*each, **how)  # type: ignore
        app.transcript.show_rows([said(1, 0, 6), said(2, 9, 12)])
        await pilot.pause()
        assert "3.0 s silence" in screen(app.transcript)[1]
        assert 0 in sent  # the whole of it: the turn after the silence is the same
