"""Editing a prompt in $EDITOR: the exact text comes back, and no typed text is lost."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import MAX_PROMPT_BYTES
from cekura_tui.model.text import Prompt
from cekura_tui.ui.terminal.foreground import edit_prompt

EDITOR = "import os, sys\npath = sys.argv[2]\nexec(sys.argv[1])\n"


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that edits a prompt with a line of Python as the editor; only the app is fake."""
    (tmp_path / "editor.py").write_text(EDITOR)
    app: Any = SimpleNamespace(suspend=nullcontext, batch_update=nullcontext, refresh=lambda: None)
    monkeypatch.delenv("VISUAL", raising=False)

    def edited(prompt: str, line: str) -> Prompt:
        monkeypatch.setenv("EDITOR", f"'{sys.executable}' '{tmp_path / 'editor.py'}' \"{line}\"")
        return edit_prompt(app, Prompt(prompt), tmp_path)

    return edited


PROMPTS = {
    "line ends": "Be kind.\r\n\x85",
    "half a character": "half \ud800 a character",
    "a zero": "a\0b",
    "huge": "é" * MAX_PROMPT_BYTES,
    "empty": "",
}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_edited_prompt_is_read_back_exactly_and_the_file_is_deleted(edit: Any, tmp_path: Path, prompt: str) -> None:
    assert (edit(prompt, "pass"), edit(prompt, "open(path, 'w')")) == (prompt, "")
    assert not list(tmp_path.glob("prompt-*"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("open(path, 'wb').write(bytes([0xff, 0xfe]))", "not UTF-8 text"),
        ("open(path, 'w').write('x' * 300_000)", "over 200,000 bytes"),
        ("open(path, 'w').write('typed'); sys.exit(3)", "ended with status 3"),
        ("open(path, 'w').truncate(6 * 2**30)", "over 200,000 bytes"),
        ("os.unlink(path); os.mkdir(path)", "it is a directory"),
        ("os.unlink(path); os.mkfifo(path)", "it is a named pipe"),
        ("os.unlink(path); os.symlink(sys.argv[0], path)", "it is a link"),
    ],
)
def test_unusable_text_stays_in_its_file_and_the_error_names_the_file(
    edit: Any, tmp_path: Path, line: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        edit("Be kind.", line)
    (left,) = tmp_path.glob("prompt-*")
    assert caught.value.hint == f"The prompt is unchanged here; your text is in {left}."


@pytest.mark.parametrize("line", ["os.remove(path)", "sys.exit(1)"])
def test_failed_editor_without_changes_leaves_no_file(edit: Any, tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        edit("Be kind.", line)
    assert caught.value.hint == "The prompt is unchanged."
    assert not list(tmp_path.glob("prompt-*"))
