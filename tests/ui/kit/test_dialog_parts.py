"""Parts of all dialogs: key hints and the message line."""

from __future__ import annotations

import pytest
from themed_app import ThemedApp

from cekura_tui.ui.kit.dialog import DialogNote, KeyHint, key_hint


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("enter save · esc cancel", ["enter", "esc"]),
        ("shift+↓ shift+↑ move · < > size · R reset", ["shift+↓ shift+↑", "< >", "R"]),
        ("ctrl+g apply · a restore (a file)", ["ctrl+g", "a"]),
        ("esc", ["esc"]),
        ("", []),
    ],
)
def test_the_keys_of_a_hint_are_highlighted(words: str, keys: list[str]) -> None:
    hint = key_hint(words)
    assert hint.plain == words
    assert [words[span.start : span.end] for span in hint.spans if span.style] == keys


def test_a_wrapped_hint_keeps_keys_and_their_word_on_one_line() -> None:
    lines = KeyHint("ctrl+g update · shift+↓ shift+↑ move the column · R restore").lines_at(26)
    assert [line.plain for line in lines] == ["ctrl+g update ·", "shift+↓ shift+↑ move the", "column · R restore"]


async def test_a_dialog_note_begins_with_a_sign_for_failure_or_success() -> None:
    async with ThemedApp().run_test() as pilot:
        note = DialogNote()
        await pilot.app.mount(note)
        for how, shown in (({"failed": True}, "! Full."), ({"done": True}, "✓ Full."), ({}, "Full.")):
            note.show("Full.", **how)
            assert str(note.content) == shown
        note.show("", failed=True)
        assert str(note.content) == ""
