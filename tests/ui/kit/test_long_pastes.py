"""Pasted text is limited and the user gets a message, since each key redraws the whole text."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import ComposeResult
from themed_app import ThemedApp

from cekura_tui.model.job import MAX_PROMPT_BYTES
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.palette import CommandLine, Palette
from cekura_tui.ui.kit.prompt_box import PromptArea


class Typing(ThemedApp):
    """An app with a single-line input and a prompt box; `said` has the texts of its notifications."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def compose(self) -> ComposeResult:
        yield TypedLine()
        yield PromptArea(id="prompt")

    def notify(self, message: str, **more: object) -> None:
        self.said.append(message)


async def test_inputs_truncate_a_long_paste_and_show_one_message() -> None:
    app = Typing()
    async with app.run_test() as pilot:
        app.query_one(TypedLine).focus()
        app.post_message(events.Paste("two\nlines " * 100_000))
        await pilot.press("x", "y", "backspace", "z")
        value = app.query_one(TypedLine).value
        assert (value[:12], value[-1], len(value)) == ("two lines tw", "z", 1_000)
        app.push_screen(Palette([]))
        await pilot.pause()
        app.post_message(events.Paste("jobs " * 100))
        await pilot.press("j")
        assert len(app.screen.query_one(CommandLine).value) == 100
        assert app.said == [f"Too long: at most {limit} characters." for limit in ("1,000", "100")]


@pytest.mark.parametrize(("over", "said"), [(0, []), (1, ["Nothing pasted: a prompt has at most 200,000 bytes."])])
async def test_a_prompt_box_inserts_a_paste_completely_or_not_at_all(over: int, said: list[str]) -> None:
    app = Typing()
    async with app.run_test() as pilot:
        box = app.query_one(PromptArea)
        box.load_text("é")
        box.focus()
        pasted = "ab\n" * ((MAX_PROMPT_BYTES - 2) // 3) + "x" * ((MAX_PROMPT_BYTES - 2) % 3 + over)
        app.post_message(events.Paste(pasted))
        await pilot.press("ctrl+end", "Z")
        assert box.text == ("éZ" if over else f"{pasted}éZ")
        assert app.said == said
