"""Comparing a run with the last passed run of its scenario, or with any other run."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import pytest
from app_on_a_server import LIST, SMALL, WIDE, setup_of
from hypothesis import given
from hypothesis import strategies as st
from one_page import PageApp, page_app
from rich.cells import cell_len
from rich.style import Style
from run_pages import KEY, serve
from scripted_server import Hold, Reply, ScriptedServer, run_of, serve_runs
from textual.pilot import Pilot
from waiting import eventually
from watching import screen_text, sees, still

from cekura_tui.evidence.turn_alignment import Pair, pieces_of
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of
from cekura_tui.model.text import clean
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.run.compare import CompareScreen, TurnPairs, _whole_graphemes, _wrapped
from cekura_tui.ui.terminal.cells import drawn

HERE = [
    ("Main Agent", "Hello, Luigi's, how can I help?"),
    ("Testing Agent", "A table for four at seven, please."),
    ("Main Agent", "I have booked a table for four at eight."),
    ("Testing Agent", "Thank you, bye."),
    ("Main Agent", "Goodbye."),
]
THERE = [
    ("Main Agent", "Hello, Luigi's, how can I help?"),
    ("Testing Agent", "A table for four at seven please"),
    ("Main Agent", "On which name?"),
    ("Testing Agent", "Rossi."),
    ("Main Agent", "I have booked a table for four at seven."),
    ("Testing Agent", "Thank you, bye."),
]


def run(number: int, turns: list[tuple[str, str]], pace: float = 3.0, **fields: object) -> dict[str, object]:
    said = [{"role": role, "content": text, "start_time": pace * n} for n, (role, text) in enumerate(turns)]
    times = {"timestamp": f"2026-11-01T{number % 24:02}:00:00Z", "duration": "00:20"}
    return run_of(number, scenario=3, transcript_object=said, **times, **fields)


def passed(number: int = 45, turns: list[tuple[str, str]] = THERE) -> dict[str, object]:
    return run(number, turns, evaluation_status="success")


def pairs(app: PageApp) -> TurnPairs:
    return app.screen.query_one(TurnPairs)


def under_cursor(app: PageApp) -> tuple[int | None, int | None]:
    """Numbers of the turns under the cursor in the first and the second run; None for a run without a turn there."""
    row = pairs(app).cursor_row
    assert row is not None
    return (row.pair.left and row.pair.left.n), (row.pair.right and row.pair.right.n)


def differing(app: PageApp) -> list[str]:
    """Texts drawn with the background of differing words."""
    ground = pairs(app).style_of("turn-pairs--differs").bgcolor
    lines = map(pairs(app).render_line, range(pairs(app).size.height))
    return [part.text for line in lines for part in line if part.style and part.style.bgcolor == ground]


def compared(
    server: ScriptedServer, *runs: dict[str, object] | int, size: tuple[int, int] = WIDE
) -> AbstractAsyncContextManager[tuple[PageApp, Pilot[None]]]:
    """An app that compares a run with its last passed run, or two runs given by id."""
    here = [view_of(Run.read(one), 0.0) if isinstance(one, dict) else one for one in runs]
    serve_runs(server, *(one for one in runs if isinstance(one, dict)))
    return page_app(setup_of(server.url, KEY, 1), lambda state: CompareScreen(state, *here), size=size)


async def test_r_reloads_two_chosen_runs_and_a_missing_run_is_named(scripted: ScriptedServer) -> None:
    serve_runs(scripted, run(50, HERE))
    async with compared(scripted, 60, 50) as (app, pilot):
        await sees(pilot, "Run 60 not found", "r retries")
        judged = {"evaluation": {"metrics": [{"id": 1, "name": "Polite", "type": "binary_qualitative", "score": 5}]}}
        other = {"scenario": 9, "scenario_name": "Cancels a table", "personality_name": "Calm", **judged}
        serve_runs(scripted, {**passed(60), **other})
        await pilot.press("r")
        await sees(pilot, "2 other differences: personality ◀ Calm ▶ unknown · Polite ◀ ✓ passed ▶ ? not judged")
        await sees(pilot, "◀ Run 60 · ✓ passed", "▶ Run 50 · ✗ failed", "Differs from 00:06")
        serve_runs(scripted, run(50, THERE, 1_000.0))
        await pilot.press("r")
        await sees(pilot, "No difference in 6 turns", "0:00:15  caller", "1:23:20  caller")
        await pilot.press("escape")
        await eventually(lambda: app.left == [None], "the comparison is closed")


SIGNS = st.text(st.sampled_from("ab \n.é\u0301\u200d👩👧🏽🇩🇪家\u0e01\u0e33\ufe0f☎"), max_size=30)


@given(SIGNS, SIGNS, st.integers(10, 30))
def test_differing_texts_lose_no_word_and_fit_the_width(one: str, other: str, width: int) -> None:
    left, right = (Turn(1, "main", "Main Agent", None, None, text) for text in (one, other))
    for pieces, text in zip(map(_whole_graphemes, pieces_of(Pair(left, right, 0.5))), (one, other), strict=True):
        assert "".join(piece for piece, _ in pieces) == clean(text)
        lines = [*_wrapped(pieces, width, Style(underline=True))]
        assert all(sum(cell_len(drawn(part.text)) for part in line) <= width for line in lines)
        shown = "".join(part.text for line in lines for part in line)
        assert "".join(shown.split()) == "".join(clean(text).split())


async def test_calls_are_side_by_side_or_stacked_with_differing_words_highlighted(
    scripted: ScriptedServer,
) -> None:
    serve(scripted, passed(), run(50, HERE))
    async with compared(scripted, run(50, HERE)) as (app, pilot):
        await sees(pilot, "◀ This run 50 · ✗ failed · 00:20 · ", "─┬─ ▶ Last passed with transcript: 45 · 00:20")
        await sees(pilot, "Differs after 00:03 · 3 = same · 1 ~ changed · 1 < only ◀ · 2 > only ▶")
        text = screen_text(app).split("\n")
        lines = [" ".join(line.split()) for line in text]
        at = lines.index(
            "│ 00:06 agent ▎ I have booked a table for four at │ ~ 00:12 agent ▎ I have booked a table for four at │"
        )
        assert lines[at + 1] == "│ ▎ eight. │ ▎ seven. │"
        assert {"│ │ > 00:06 agent ▎ On which name? │", "│ 00:12 agent ▎ Goodbye. │ < │"} <= set(lines)
        signs = [line.index(f" {sign} 00:") for line in text for sign in "=~>" if f" {sign} 00:" in line]
        assert (len(signs), len(set(signs))) == (6, 1)
        assert [text.strip() for text in differing(app)] == ["eight", "seven"]
        await pilot.resize_terminal(*SMALL)
        await sees(pilot, "Differs after 00:03", "◀ 00:06")
        lines = [line.rstrip() for line in screen_text(app).split("\n")]
        at = next(n for n, line in enumerate(lines) if "at eight." in line)
        assert lines[at].startswith(" ~ ◀ 00:06 agent   ▎ I have booked a table for four at eight.")
        assert lines[at + 1].startswith("   ▶ 00:12 agent   ▎ I have booked a table for four at seven.")
        await pilot.resize_terminal(100, 24)
        await sees(pilot, "~ 00:12 agent", gone="◀ 00:06")


async def test_n_goes_to_the_next_difference_and_s_hides_identical_turns(scripted: ScriptedServer) -> None:
    serve(scripted, passed(), run(50, HERE))
    async with compared(scripted, run(50, HERE)) as (app, pilot):
        await sees(pilot, "Differs ")
        await pilot.press("j", "z")
        await sees(pilot, "… 2 identical turns hidden …", "… 1 identical turn hidden …", gone="how can I help")
        assert pairs(app).cursor_index == 0
        for place in ((None, 3), (None, 4), (3, 5), (5, None)):
            await pilot.press("n")
            assert under_cursor(app) == place
        await pilot.press("n")
        await sees(pilot, "No more differences below.")
        await pilot.press("N", "z")
        await sees(pilot, "how can I help", gone="hidden")
        assert under_cursor(app) == (3, 5)
        await pilot.press("z", "g", "enter")
        await sees(pilot, "how can I help", gone="hidden")
        assert (app.left, under_cursor(app)) == ([], (1, 1))


@pytest.mark.parametrize(("keys", "turn"), [("nnn", 3), ("nn", 2), ("j", 2), ([], None)])
async def test_enter_returns_the_turn_at_or_before_the_cursor_and_escape_returns_none(
    scripted: ScriptedServer, keys: str, turn: int | None
) -> None:
    serve(scripted, passed(), run(50, HERE))
    async with compared(scripted, run(50, HERE)) as (app, pilot):
        await sees(pilot, "Differs ")
        await pilot.press(*keys, "enter" if keys else "escape")
        await eventually(lambda: app.left == [turn], f"it returned {turn}")


async def test_a_newer_identical_passed_run_is_labelled_and_has_no_difference(scripted: ScriptedServer) -> None:
    serve(scripted, passed(60, HERE))
    async with compared(scripted, run(50, HERE)) as (_, pilot):
        await sees(pilot, "▶ Newest passed run (none before) 60", "No difference in 5 turns")
        await pilot.press("n")
        await sees(pilot, "No more differences below.")
        await pilot.press("z")
        await sees(pilot, "… 5 identical turns hidden …")


async def test_escape_goes_back_during_the_search_for_a_passed_run(scripted: ScriptedServer) -> None:
    hold = Hold(Reply({"count": 1, "next": None, "previous": None, "results": [passed()]}))
    scripted.on("GET", LIST, hold)
    async with compared(scripted, run(50, HERE)) as (app, pilot):
        await sees(pilot, "Looking for the last passed run of “Books a table” …")
        await pilot.press("n", "z", "enter")
        assert app.left == []
        await pilot.press("escape")
        await eventually(lambda: app.left, "it has left")
        hold.released.set()
        await still(pilot)


@pytest.mark.parametrize(
    ("here", "there", "texts"),
    [
        ({"scenario": None}, {}, ["The server sent no scenario for this run."]),
        ({"transcript_object": None}, {}, ["No turns to compare.", "Run 50: This run has no transcript."]),
        ({}, {"transcript_object": None}, ["No turns to compare.", "Run 45: This run has no transcript."]),
    ],
)
async def test_the_screen_says_why_runs_cannot_be_compared(
    scripted: ScriptedServer, here: dict[str, object], there: dict[str, object], texts: list[str]
) -> None:
    serve(scripted, {**passed(), **there})
    async with compared(scripted, {**run(50, HERE), **here}) as (_, pilot):
        await sees(pilot, *texts)


async def test_r_retries_after_an_error_or_if_no_passed_run_was_found(scripted: ScriptedServer) -> None:
    scripted.on("GET", LIST, Reply({"detail": "Not [/red] today."}, 400))
    async with compared(scripted, run(50, HERE)) as (app, pilot):
        await sees(pilot, "Not [/red] today.", "r retries", "enter shows the whole error")
        await pilot.press("enter")
        await sees(pilot, "esc close")
        serve(scripted, run(50, HERE), run(45, THERE))
        await pilot.press("escape", "r")
        await sees(pilot, "No passed run to compare with.", "No run of “Books a table” with Agent 7 passed", "r reload")
        serve(scripted, passed())
        await pilot.press("r")
        await sees(pilot, "Differs after 00:03", gone="No passed run")
        await eventually(lambda: pairs(app).has_focus, "the turns have the focus")


async def test_a_character_of_several_code_points_differs_as_a_whole(scripted: ScriptedServer) -> None:
    family = "Is it for a family of three 👩\u200d👩\u200d"
    serve(scripted, passed(turns=[("Main Agent", f"{family}👦 or café\u0300 two?")]))
    async with compared(scripted, run(50, [("Main Agent", f"{family}👧 or cafe\u0301 two?")])) as (app, pilot):
        await sees(pilot, "Differs from 00:00")
        assert "👩👩👧" in differing(app)[0]  # joiners are not drawn
        assert not any(text.strip().startswith(("\u200d", "\u0300", "\u0301")) for text in differing(app))
