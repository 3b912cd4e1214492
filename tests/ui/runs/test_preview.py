"""The preview beside the run list: the facts of a run, and how its lines are broken."""

from __future__ import annotations

from app_on_a_server import Served, on_run, opened
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content
from watching import screen_text, sees

from cekura_tui.ui.runs.preview import hanging

WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=40).map(" ".join)


@given(WORDS, st.integers(12, 60), st.integers(0, 8))
def test_all_lines_of_a_paragraph_but_the_first_are_indented_and_fit(words: str, width: int, indent: int) -> None:
    head = Content("✗" * indent)
    lines = [line.plain for line in hanging(Content(words), width, indent, head)]
    assert lines[0].startswith("✗" * indent)
    assert all(line.startswith(" " * indent) for line in lines[1:])
    assert all(len(line) <= width for line in lines)
    assert "".join(line[indent:] for line in lines).replace(" ", "") == words.replace(" ", "")


async def test_the_run_under_the_cursor_is_shown_with_its_verdicts_turns_and_age(served: Served) -> None:
    async with opened(served.setup(), size=(160, 60)) as pilot:
        await on_run(pilot, 900238)
        await sees(pilot, "Run 900238 · ✗ 4 checks", "Verdicts  ✗ 4  ◐ 4  ✓ 4", "Transcript · 14 turns", "00:00 agent")
        shown = [line.partition("││")[2] for line in screen_text(pilot.app).split("\n")]
        assert not any("cached" in line for line in shown)
        reasons = shown[next(n for n, line in enumerate(shown) if "✗ Identity checked" in line) + 1 :][:2]
        assert all(line.startswith("   ") and line[3] != " " for line in reasons)
        await pilot.press("j")
        await sees(pilot, "Run 900237", gone="✗ Identity checked")
        await pilot.press("k")
        await sees(pilot, "Run 900238 · ✗ 4 checks", "cached ")
