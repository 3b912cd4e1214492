"""A window too small for the app shows one sentence, ignores keys and loses nothing."""

from __future__ import annotations

import re
import sqlite3
import string
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from gallery import GALLERY
from painted_app import Cells, cells, painted, resize, text
from scenes import prepared_app
from textual import events
from textual.pilot import Pilot
from waiting import eventually
from watching import still

from cekura_tui.demo.server import DemoServer
from cekura_tui.ui.app import CekuraApp

SMALL = (80, 24)
SIZES = ((59, 14), (40, 10), (20, 5), (1, 1))
QUICK, LONG = ("runs",), ("note", "edit", "palette", "suggestion")
KEYS = (
    *(set(string.ascii_letters) - {"q"}),
    *"0123456789",
    *("enter", "space", "tab", "shift+tab", "escape", "backspace", "up", "down", "pagedown", "delete"),
    *("slash", "colon", "question_mark", "ctrl+p", "ctrl+g", "ctrl+s", "ctrl+e", "ctrl+f", "ctrl+u", "ctrl+z", "f5"),
)


_TABLES = """jobs job_changes prompts prompt_uses notes views stagings typed run_columns chosen
    filters_used filters_left"""


def _rows(app: CekuraApp) -> dict[str, list[Any]]:
    """Everything in the database that the user decided or typed, by table; cached server data is left out."""
    with closing(sqlite3.connect(f"file:{app._workspace.setup.paths.database}?mode=ro", uri=True)) as database:
        return {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in _TABLES.split()}


def _visible_lines(pilot: Pilot[Any]) -> Cells:
    """The lines on the terminal, without lines that show the time of a poll: these change during the test."""
    lines = cells(pilot)
    return [line for line in lines if not re.search("Last answer|Next poll", "".join(cell.data for cell in line))]


def _state(app: CekuraApp) -> list[Any]:
    """Screens, focus, scroll offsets and typed text."""
    return [
        (screen, screen.focused, [(one, one.scroll_offset, getattr(one, "value", None)) for one in screen.query("*")])
        for screen in app.screen_stack
    ]


async def _send_input(pilot: Pilot[Any]) -> None:
    """Send many keys, a paste, a click and a turn of the mouse wheel."""
    await pilot.press(*KEYS)
    app = pilot.app
    at: dict[str, Any] = {"widget": None, "x": 0, "y": 0, "delta_x": 0, "delta_y": 0, "button": 1}
    at |= {"shift": False, "meta": False, "ctrl": False}
    app.post_message(events.Paste("pasted\n"))
    for kind in (events.MouseMove, events.MouseDown, events.MouseUp, events.MouseScrollDown):
        app.post_message(kind(**at))
    await pilot.pause()


async def _check_size(pilot: Pilot[Any], size: tuple[int, int]) -> None:
    columns, lines = size
    await resize(pilot, columns, lines)
    sentence = f"cekura-tui needs 60 × 15 cells; this window has {columns} × {lines}. Keys are ignored; ctrl+q quits."

    def only_the_sentence() -> bool:
        shown = "".join(text(pilot).split())
        return bool(shown) and "".join(sentence.split()).startswith(shown)

    await eventually(only_the_sentence, f"the sentence alone\n{text(pilot)}")
    await _send_input(pilot)
    await still(pilot)
    assert only_the_sentence(), text(pilot)


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.long if name in LONG else pytest.mark.nightly)
        for name in GALLERY
    ],
)
async def test_a_window_that_is_too_small_shows_a_message_and_changes_nothing(proposed: Path, scene: str) -> None:
    log: list[dict[str, object]] = []
    defaults: dict[str, Any] = DemoServer.__init__.__kwdefaults__
    with patch.dict(defaults, {"log": log.append}), prepared_app(proposed) as app:
        async with painted(app, SMALL) as pilot:
            await GALLERY[scene](pilot)
            shown, state, rows = _visible_lines(pilot), _state(app), _rows(app)
            log.clear()
            for size in SIZES:
                await _check_size(pilot, size)
            await resize(pilot, *SMALL)
            await still(pilot)
            await eventually(lambda: _visible_lines(pilot) == shown, f"the same cells\n{text(pilot)}")
            assert _state(app) == state
            assert _rows(app) == rows
            assert not [entry for entry in log if entry["method"] != "GET"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("scene", "key", "status"),
    [("confirm", "q", 0), ("confirm", "ctrl+q", 0), ("confirm", "ctrl+c", 0), ("note", "q", None)],
)
async def test_quit_keys_work_in_a_small_window_but_a_typed_q_does_not_quit(
    proposed: Path, scene: str, key: str, status: int | None
) -> None:
    with prepared_app(proposed) as app:
        async with painted(app, SMALL) as pilot:
            await GALLERY[scene](pilot)
            await resize(pilot, 40, 10)
            await pilot.press(key)
            assert app.status == status


@pytest.mark.long
async def test_an_app_opened_in_a_small_window_appears_when_the_window_is_enlarged(prepared: Path) -> None:
    with prepared_app(prepared) as app:
        async with painted(app, (20, 5)) as pilot:
            await eventually(lambda: "cekura-tui needs" in text(pilot), "the sentence")
            await resize(pilot, *SMALL)
            await eventually(lambda: "240 runs" in text(pilot), "the runs")
            assert app.size == SMALL
