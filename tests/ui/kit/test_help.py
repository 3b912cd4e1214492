"""The help: of whatever page one is on, every key is to be read with keys alone, and the page stays as it was."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from agents_on_a_server import CLINIC, agents
from app_on_a_server import SMALL, WIDE, Served, launched, no_crash, on_run, opened
from textual import events
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, TextArea
from waiting import eventually
from watching import screen_text, sees, still

import cekura_tui.ui
from cekura_tui.ui.actions import OTHER
from cekura_tui.ui.kit.footer import KeyFooter, key_name
from cekura_tui.ui.kit.help import HelpDialog
from cekura_tui.ui.suggestion.history import PromptHistoryScreen

FAILED = 900238
LEAST = (60, 15)
HINT = "j k space scroll"


def bound(screen: Screen[object]) -> dict[str, str]:
    """Each key that does something here, and the words of its action; none where the key came with Textual."""
    app, found = screen.app, {}
    for _, binding, _, _ in screen.active_bindings.values():
        key = key_name(app, binding)
        if binding.description and not binding.key.startswith("super+"):
            found[key] = binding.description if binding.id else ""
    return found


def lines(pilot: Pilot[None]) -> list[str]:
    """What stands between the edges of the dialog, without what tells where it is scrolled to."""
    inside = (re.search(r"│ (.*?)\s*[▁-█▔]?\s*│", line) for line in screen_text(pilot.app).splitlines())
    return [found[1].rstrip() for found in inside if found]


async def read(pilot: Pilot[None], key: str) -> list[str]:
    """All lines of the help, by this key alone, each once."""
    await sees(pilot, HINT)
    help_lines = lines(pilot)
    while True:
        await pilot.press(key)
        shown = lines(pilot)
        known = max((n for n in range(len(shown) + 1) if help_lines[len(help_lines) - n :] == shown[:n]), default=0)
        assert known, "lines were passed over"
        if known == len(shown):
            return help_lines
        help_lines += shown[known:]


def keys_in(help_lines: list[str]) -> list[tuple[str, str]]:
    """Each key of the list with its words."""
    rows = (re.fullmatch(r"  (\S+(?: \S+)*?)  +(\S.*)", line) for line in help_lines)
    return [(key, row[2]) for row in rows if row for key in row[1].split()]


def has_all(help_lines: list[str], here: dict[str, str]) -> None:
    """All of these keys, each once, with their words."""
    keys = keys_in(help_lines)
    assert sorted(key for key, _ in keys) == sorted(here)
    assert [(key, words) for key, words in keys if not words.casefold().startswith(here[key].casefold())] == []


async def shows_all(pilot: Pilot[None], key: str, *words: str) -> None:
    """The help of this page has every key, once, and these words of its prose."""
    here = bound(pilot.app.screen)
    pilot.app.clear_notifications()  # they would lie over some of the lines for a while
    await pilot.press("question_mark")
    help_lines = await read(pilot, key)
    has_all(help_lines, here)
    prose = " ".join(" ".join(help_lines).split())
    assert [one for one in words if one not in prose] == []
    no_crash(pilot)


@pytest.mark.parametrize("size", [SMALL, LEAST])
@pytest.mark.parametrize(
    "key", ["j", *(pytest.param(key, marks=pytest.mark.long) for key in ("down", "space", "pagedown", "ctrl+d"))]
)
async def test_every_key_of_the_runs_is_told(served: Served, size: tuple[int, int], key: str) -> None:
    async with opened(served.setup(), size=size) as pilot:
        await sees(pilot, "240 runs")
        await shows_all(pilot, key, "Newest first", "what to leave out.")


async def test_every_key_of_a_suggestion_is_told(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await launched(pilot, FAILED)
        await pilot.press("2", "enter")
        await sees(pilot, "Suggestion of job", "· 1 of 2")
        assert bound(pilot.app.screen).keys() >= set("nNaxeAsyupihdr") | {"esc"}
        await shows_all(pilot, "j", "→ and ← mark text that moved", "u undoes only your own.")
        await pilot.press("escape")
        await sees(pilot, "Suggestion of job", "· 1 of 2", gone=HINT)


async def test_every_key_of_a_prompt_history_is_told(tmp_path: Path) -> None:
    with agents(tmp_path) as server:
        async with opened(server.setup(), size=SMALL) as pilot:
            await sees(pilot, "240 runs")
            pilot.app.push_screen(PromptHistoryScreen(pilot.app.state, CLINIC, "Clinic"))  # type: ignore[attr-defined]
            await sees(pilot, "Prompts of", "» current")
            await shows_all(pilot, "j", "What happened to the agent's prompt", "forgets it.")


@pytest.mark.parametrize(
    ("down", "up"),
    [
        ("j", "k"),
        ("down", "up"),
        ("space", "pageup"),
        ("pagedown", "pageup"),
        ("ctrl+d", "ctrl+u"),
        ("G", "g"),
        ("end", "home"),
    ],
)
async def test_what_a_key_scrolls_another_scrolls_back(served: Served, down: str, up: str) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("question_mark")
        await sees(pilot, HINT)
        first = lines(pilot)
        await pilot.press(down)
        assert lines(pilot) != first
        await pilot.press(up)
        assert lines(pilot) == first


async def test_the_mouse_wheel_scrolls_it(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("question_mark")
        await sees(pilot, HINT)
        first = lines(pilot)
        await pilot._post_mouse_events([events.MouseScrollDown], "#help-text", offset=(5, 5))
        await eventually(lambda: lines(pilot) != first, "it is scrolled")


@pytest.mark.parametrize("way", ["escape", "q", "question_mark"])
async def test_it_closes_and_the_page_behind_is_as_it_was(served: Served, way: str) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        page = pilot.app.screen
        await pilot.press("space", "pagedown", "pagedown", "j")
        await sees(pilot, "200 loaded", "1 marked")
        await still(pilot)
        before, focused = screen_text(pilot.app), page.focused
        assert focused is not None
        await pilot.press("question_mark")
        await sees(pilot, HINT)
        await pilot.press("j", "G", "k", way)
        await eventually(lambda: pilot.app.screen is page, "the help is closed, and nothing else")
        await still(pilot)
        assert screen_text(pilot.app) == before
        assert page.focused is focused
        assert pilot.app.is_running


async def test_esc_on_a_suggestion_closes_the_help_and_only_then_leaves(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await launched(pilot, FAILED)
        await pilot.press("2", "enter")
        await sees(pilot, "· 1 of 2")
        await pilot.press("n", "n", "question_mark", "escape")
        await sees(pilot, "· 2 of 2", gone=HINT)
        await pilot.press("escape")
        await sees(pilot, "1 succeeded", gone="· 2 of 2")


async def test_a_key_that_was_given_to_something_else_is_told_as_that(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        pilot.app.set_keymap({"runs.views": "f5", "runs.filter": "f6"})
        await shows_all(pilot, "j")
        await pilot.press("escape", "question_mark")
        keys = keys_in(await read(pilot, "space"))
        assert any(key == "f5" and words.startswith("Views") for key, words in keys)
        assert "v" not in dict(keys)


async def test_what_a_key_would_do_elsewhere_is_not_told(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("question_mark")
        words = [word for _, word in keys_in(await read(pilot, "j"))]
        assert sum(word.startswith("Open") for word in words) == 1
        assert "Show error" not in words


async def test_the_palette_leads_to_it_also_from_a_dialog(served: Served) -> None:
    async with opened(served.setup(), size=WIDE) as pilot:
        await sees(pilot, "240 runs")
        for way, heading in (((), "Keys · Runs"), (("v",), "Save filter")):
            await pilot.press(*way)
            below = pilot.app.screen
            await pilot.press("ctrl+p", *"keys")
            await sees(pilot, "Show the keys of this screen")
            await pilot.press("enter")
            await sees(pilot, heading, HINT)
            await pilot.press("escape")
            await eventually(lambda below=below: pilot.app.screen is below, "the help is closed, and nothing else")
        no_crash(pilot)


async def test_the_keys_of_a_dialog_are_told_as_they_are_there(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("v")
        await sees(pilot, "s save filter")
        here = bound(pilot.app.screen)
        await pilot.press("question_mark")
        has_all(await read(pilot, "j"), here)


async def test_a_question_mark_that_is_typed_is_a_letter(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, FAILED)
        await pilot.press("slash", "question_mark")
        await eventually(lambda: pilot.app.screen.query(Input).first().value == "?", "it is in the filter")
        await pilot.press("escape", "i")
        await sees(pilot, "Improve the prompt", "words,", gone="Loading")
        box = pilot.app.screen.query_one("#prompt", TextArea)
        box.focus()
        await pilot.pause()
        await pilot.press("enter", "question_mark")
        await eventually(lambda: box.text.startswith("?"), "it is in the prompt")
        assert not any(isinstance(one, HelpDialog) for one in pilot.app.screen_stack)


async def test_a_click_on_its_key_in_the_last_line_opens_it(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs", "? Keys")
        last = screen_text(pilot.app).splitlines()[-1]
        await pilot.click(KeyFooter, offset=(last.index("? Keys"), 0))
        await sees(pilot, "Keys · Runs", HINT)


def test_it_is_loaded_only_when_it_is_opened() -> None:
    code = "import sys, cekura_tui.ui.app; assert 'cekura_tui.ui.kit.help' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_action_is_in_a_group_of_the_help() -> None:
    for module in pkgutil.walk_packages(cekura_tui.ui.__path__, "cekura_tui.ui."):
        for kind in vars(importlib.import_module(module.name)).values():
            actions = kind.__dict__.get("ACTIONS", ()) if isinstance(kind, type) and issubclass(kind, DOMNode) else ()
            assert [action.id for action in actions if action.group == OTHER] == []
