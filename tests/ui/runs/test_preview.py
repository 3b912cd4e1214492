"""The preview beside the run list shows facts of a run in wrapped lines and adds failed checks to the list."""

from __future__ import annotations

import pytest
from app_on_a_server import LIST, Served, on_run, opened, setup_of
from hypothesis import given
from hypothesis import strategies as st
from scripted_server import Reply, ScriptedServer, run_of, serve_runs
from textual.content import Content
from watching import screen_text, sees

from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of
from cekura_tui.ui.runs import preview
from cekura_tui.ui.runs.preview import hanging

WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=40).map(" ".join)
FAILED = {"id": 1, "name": "Greeting", "passed": False}
MISSED = {"score": 0, "explanation": ["❌ No table was booked."]}


@given(WORDS, st.integers(12, 60), st.integers(0, 8))
def test_wrapped_lines_are_indented_and_fit_the_width(words: str, width: int, indent: int) -> None:
    head = Content("✗" * indent)
    lines = [line.plain for line in hanging(Content(words), width, indent, head)]
    assert lines[0].startswith("✗" * indent)
    assert all(line.startswith(" " * indent) for line in lines[1:])
    assert all(len(line) <= width for line in lines)
    assert "".join(line[indent:] for line in lines).replace(" ", "") == words.replace(" ", "")


def test_expected_behaviour_is_shown_after_a_long_reason() -> None:
    reasons = ["Too late. " * 40, "[00:14] Hm.", "It was rude. Expected: Polite words."]
    for explanation in (reasons, [" ".join(reasons)]):
        metric = {**FAILED, "explanation": explanation}
        view = view_of(Run.read({"id": 1, "evaluation": {"metrics": [metric]}}), 0.0)
        assert [line.plain for line in preview._verdicts(view, 60)][-1] == "  Expected: Polite words."


def test_long_lists_of_verdicts_and_turns_are_cut_with_a_count() -> None:
    turns = [{"role": "Main Agent", "content": f"Hello {n}.", "start_time": n} for n in range(13)]
    metrics = [FAILED | {"id": n} for n in range(42)]
    view = view_of(Run.read({"id": 1, "transcript_object": turns, "evaluation": {"metrics": metrics}}), 0.0)
    lines = [line.plain for line in (*preview._verdicts(view, 60), *preview._transcript(view, 60))]
    assert [line for line in lines if "more" in line] == [
        "… 2 more verdicts · enter open",
        "… 1 more turn · enter open",
    ]


async def test_preview_shows_the_verdicts_and_turns_and_age_of_the_run_at_the_cursor(served: Served) -> None:
    async with opened(served.setup(), size=(160, 60)) as pilot:
        await on_run(pilot, 900238)
        await sees(pilot, "✗ not met: The agent")
        await sees(pilot, "Run 900238 · ✗ 4 checks", "Verdicts  ✗ 4  ◐ 4  ✓ 4", "Transcript · 14 turns", "00:00 agent")
        shown = [line.partition("││")[2] for line in screen_text(pilot.app).split("\n")]
        assert not any("cached" in line for line in shown)
        reasons = shown[next(n for n, line in enumerate(shown) if "✗ Identity checked" in line) + 1 :][:2]
        assert all(line.startswith("   ") and line[3] != " " for line in reasons)
        await pilot.press("j")
        await sees(pilot, "Run 900237", gone="✗ Identity checked")
        await pilot.press("k")
        await sees(pilot, "Run 900238 · ✗ 4 checks", "cached ")


@pytest.mark.long
async def test_failed_checks_loaded_with_a_run_stay_in_the_list_after_a_restart(scripted: ScriptedServer) -> None:
    # Both runs failed two checks; the list names one of run 6 and none of run 5.
    whole = {"evaluation": {"metrics": [FAILED]}, "expected_outcome": MISSED}
    scripted.on("GET", LIST, Reply([run_of(6, metrics=[FAILED]), run_of(5)]))
    scripted.on("GET", f"{LIST}bulk/", Reply([run_of(6, **whole), run_of(5, **whole)]))
    serve_runs(scripted, run_of(6, **whole), run_of(5, **whole))
    setup = setup_of(scripted.url, "key", 1)
    async with opened(setup, size=(80, 24)) as pilot:
        await sees(pilot, "2 runs", "6        ✗ failed", "5        ✗ failed")
        await pilot.resize_terminal(120, 36)
        await sees(pilot, "Verdicts  ✗ 2", "6        ✗ 2 checks", "5        ✗ failed")
        await pilot.press("j", "enter")
        await sees(pilot, "Verdicts")
        await pilot.press("escape")
        await sees(pilot, "6        ✗ 2 checks", "5        ✗ 2 checks")
        await pilot.press("b")
        await sees(pilot, "2 failed · 0 errors in 2 runs", "Expected outcome")
        await pilot.press("escape")
        await sees(pilot, "6        ✗ 2 checks", "5        ✗ 2 checks")
        await pilot.press("r")
        await sees(pilot, "6        ✗ 2 checks", "paused")
        await pilot.press("b")
        await sees(pilot, "2 failed · 0 errors in 2 runs", "Expected outcome")
        await pilot.press("enter")
        await sees(pilot, "/ Greeting: no explanation given", "back to groups")
    scripted.on("GET", LIST, Reply({"detail": "Down."}, 503))
    async with opened(setup, size=(80, 24)) as pilot:
        await sees(pilot, "6        ✗ 2 checks", "5        ✗ 2 checks", "retrying", "/ Greeting: no explanation given")
