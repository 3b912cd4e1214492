"""What is said of a draft that is kept is true where it is said: how it is opened again."""

from __future__ import annotations

from typing import Any

import pytest
from app_on_a_server import SMALL, Served, on_run, opened
from suggestion_screens import FAILED, suggestion
from textual.pilot import Pilot
from textual.widgets import TextArea
from watching import sees

from cekura_tui.model.text import clean_line


def last_message(pilot: Pilot[None]) -> str:
    """The sentence that was said last, as it stands in the corner."""
    return clean_line([one.message for one in pilot.app._notifications][-1])


async def improving(pilot: Pilot[None], source: str) -> TextArea:
    """Open the dialog; this prompt is chosen."""
    await pilot.press("i")
    await sees(pilot, "Improve the prompt", f"(•) {source}", "words,", gone="Loading")
    area = pilot.app.screen.query_one(TextArea)
    area.focus()
    return area


@pytest.mark.long
async def test_a_draft_of_the_staged_text_is_among_the_prompts_there_and_opened_from_its_runs(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await suggestion(pilot)
        await improving(pilot, "Staged from job 1")
        await pilot.press("enter", *"Mine. ", "escape")
        await sees(pilot, "Draft saved.", gone="Improve the prompt")
        sentence = "Draft saved. Press i on the same runs to open it; here, choose “Your draft”."
        assert last_message(pilot) == sentence
        await improving(pilot, "Staged from job 1")
        sources: Any = pilot.app.screen.query_one("#sources")
        sources.focus()
        await pilot.press("G")
        await sees(pilot, "( ) Your draft")
        assert sources.cursor_key == "draft"
        assert sources.text_of("draft").startswith("Mine. ")
        await pilot.press("escape")
        await sees(pilot, gone="Improve the prompt")
        await pilot.press("1")
        await on_run(pilot, FAILED)
        area = await improving(pilot, "Your draft")
        assert area.text.startswith("Mine. ")
        await pilot.press("enter", *"More. ", "escape")
        await sees(pilot, "Draft saved.", gone="Improve the prompt")
        assert last_message(pilot) == "Draft saved. Press i on the same runs to open it."
        area = await improving(pilot, "Your draft")
        assert area.text.startswith("More. Mine. ")
