"""Copying in the app: text cut from an input, and the last of several texts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from app_on_a_server import Served, opened
from watching import sees

from cekura_tui.ui.messages import CopyRequested


@pytest.fixture
def xclip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a fake xclip. It accepts a text once a file "take <text>" exists, and writes the text to `held`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = f'cd "{folder}"\ntext=$(cat)\nwhile [ ! -e "take $text" ]; do sleep 0.01; done\nprintf %s "$text" > held\n'
    (folder / "xclip").write_text(f"#!/bin/sh\n{script}")
    (folder / "xclip").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.setattr("cekura_tui.ui.terminal.clipboard.TIMEOUT", 20)
    return folder


async def test_keys_work_while_a_clipboard_tool_is_slow_and_the_last_copy_wins(served: Served, xclip: Path) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "900240")
        for text in ("first", "second"):
            pilot.app.post_message(CopyRequested(text, f"the {text} text"))
        await pilot.press("?")
        await sees(pilot, "Keys · Runs")
        (xclip / "take second").touch()
        (xclip / "take first").touch()
        await sees(pilot, "Copied the first text, 5 bytes", "Copied the second text, 6 bytes", "with xclip")
        assert (xclip / "held").read_text() == "second"


async def test_cut_text_is_copied_and_text_that_cannot_be_copied_is_saved_to_a_file(served: Served, home: Path) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "900240")
        await pilot.press("slash", *"nobody", "shift+home", "ctrl+x")
        await sees(pilot, "Sent the selection, 6 bytes", gone="nobody")
        assert (home / "copied.txt").read_text() == "nobody"
        await pilot.press("ctrl+v")
        await sees(pilot, "nobody")
        pilot.app.post_message(CopyRequested("half \ud83d\x1b\r\n", "the prompt"))
        await sees(pilot, "Can't copy the prompt, 11 bytes: the text has")
        assert (home / "copied.txt").read_bytes() == b"half \xed\xa0\xbd\x1b\r\n"
