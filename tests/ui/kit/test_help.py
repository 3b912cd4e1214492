"""The help lists every key of the page, can be read with the keyboard alone and leaves the page unchanged."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
from agents_on_a_server import CLINIC
from app_on_a_server import SMALL, Served, no_crash, opened
from seeded_jobs import DONE, SeededJobs, on_jobs
from textual import events
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, TextArea
from waiting import eventually
from watching import screen_text, sees, still

import cekura_tui.ui
from cekura_tui.ui.actions import OTHER
from cekura_tui.ui.keymap import shown_key
from cekura_tui.ui.kit.help import HelpDialog
from cekura_tui.ui.suggestion.history import PromptHistoryScreen
from cekura_tui.workspace.setup import Setup

LEAST = (60, 15)
HINT = "j k pgdn scroll"


def bound(screen: Screen[object]) -> dict[str, str]:
    """The labels of the available actions by key; a label is "" for Textual's own actions. Keys without a description
    and keys with super are left out."""
    found = {}
    for _, binding, _, _ in screen.active_bindings.values():
        key = shown_key(binding.key)
        if binding.description and not binding.key.startswith("super+"):
            found[key] = binding.description if binding.id else ""
    return found


def lines(pilot: Pilot[None]) -> list[str]:
    """The lines inside the dialog's frame, without the scroll bar."""
    inside = (re.search(r"│ (.*?)\s*┃?\s*│", line) for line in screen_text(pilot.app).splitlines())
    return [found[1].rstrip() for found in inside if found]


async def read(pilot: Pilot[None], key: str) -> list[str]:
    """All lines of the help, each once, read by pressing only `key`."""
    await sees(pilot, HINT)
    help_lines = lines(pilot)
    while True:
        await pilot.press(key)
        shown = lines(pilot)
        known = max((n for n in range(len(shown) + 1) if help_lines[len(help_lines) - n :] == shown[:n]), default=0)
        assert known, "lines were skipped"
        if known == len(shown):
            return help_lines
        help_lines += shown[known:]


def keys_in(help_lines: list[str]) -> list[tuple[str, str]]:
    """Each key in the help, with the words that describe its action."""
    rows = (re.fullmatch(r"  (\S+(?: \S+)*?)  +(\S.*)", line) for line in help_lines)
    return [(key, row[2]) for row in rows if row for key in row[1].split()]


def check_keys(help_lines: list[str], here: dict[str, str]) -> None:
    """Check that the help has each key of `here` once, and that its words begin with the key's label."""
    keys = keys_in(help_lines)
    assert sorted(key for key, _ in keys) == sorted(here)
    assert [(key, words) for key, words in keys if not words.casefold().startswith(here[key].casefold())] == []


async def check_help(pilot: Pilot[None], *words: str, key: str = "pagedown") -> list[str]:
    """Open the help, scroll through it with `key` and return its lines. Checks that every key of the page is listed
    once and that all `words` occur."""
    here = bound(pilot.app.screen)
    pilot.app.clear_notifications()  # toasts would cover some of the lines for a while
    await pilot.press("question_mark")
    help_lines = await read(pilot, key)
    check_keys(help_lines, here)
    prose = " ".join(" ".join(help_lines).split())
    assert [one for one in words if one not in prose] == []
    no_crash(pilot)
    return help_lines


@pytest.mark.parametrize(
    ("size", "key"), [(SMALL, "pagedown"), *((LEAST, key) for key in ("down", "j", "pagedown", "ctrl+d"))]
)
async def test_the_help_of_the_run_list_has_each_key_once(served: Served, size: tuple[int, int], key: str) -> None:
    async with opened(served.setup(), size=size) as pilot:
        await sees(pilot, "240 runs")
        help_lines = await check_help(pilot, "Newest first", "what to leave out.", key=key)
        words = [word for _, word in keys_in(help_lines)]
        assert sum(word.startswith("Open") for word in words) == 1
        assert "Show error" not in words  # a key of other screens


async def test_the_help_shows_rebound_keys_and_the_keys_of_a_prompt_history(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        pilot.app.set_keymap({"runs.views": "f5", "runs.filter": "f6"})
        keys = dict(keys_in(await check_help(pilot)))
        assert keys["f5"].startswith("Views")
        assert "v" not in keys
        await pilot.press("escape")
        pilot.app.push_screen(PromptHistoryScreen(pilot.app.state, CLINIC, "Clinic"))  # type: ignore[attr-defined]
        await sees(pilot, "Prompts of", "» current")
        await check_help(pilot, "What happened to the agent's prompt", "deletes it.")


async def test_the_help_of_a_suggestion_has_all_keys_and_esc_closes_only_the_help(
    quiet: Setup, seeded: SeededJobs
) -> None:
    seeded.ended(DONE, took=40)
    async with opened(quiet, size=SMALL) as pilot:
        await on_jobs(pilot, "1 succeeded")
        await pilot.press("enter")
        await sees(pilot, "Suggestion of job 1", "Changes · 1 of")
        assert bound(pilot.app.screen).keys() >= set("nNaxcAKyuWihdr") | {"esc"}
        await check_help(pilot, "→ and ← mark text that moved", "u undoes only your own.")
        await pilot.press("escape")
        await sees(pilot, "Suggestion of job 1", "Changes · 1 of", gone=HINT)
        await pilot.press("escape")
        await sees(pilot, "1 succeeded", gone="Suggestion of job")


async def test_scrolling_and_closing_the_help_leaves_the_page_below_unchanged(served: Served) -> None:
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
        first = lines(pilot)
        ways = "j k, down up, pagedown pageup, ctrl+d ctrl+u, G g, end home"
        for down, up in (way.split() for way in ways.split(", ")):
            await pilot.press(down)
            assert lines(pilot) != first, down
            await pilot.press(up)
            assert lines(pilot) == first, up
        await pilot._post_mouse_events([events.MouseScrollDown], "#help-text", offset=(5, 5))
        await eventually(lambda: lines(pilot) != first, "it is scrolled")
        for way in ("escape", "q", "question_mark"):
            await sees(pilot, HINT)
            await pilot.press("j", "G", "k", way)
            await eventually(lambda: pilot.app.screen is page, f"{way} closes the help, and nothing else")
            await still(pilot)
            assert (screen_text(pilot.app), page.focused) == (before, focused)
            assert pilot.app.is_running
            await pilot.press("question_mark")


async def test_the_palette_opens_the_help_of_a_page_and_of_a_dialog(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        for way, shown, heading in (((), "240 runs", "Keys · Runs"), (("v",), "w save filter", "Save filter")):
            await pilot.press(*way)
            await sees(pilot, shown)
            below, here = pilot.app.screen, bound(pilot.app.screen)
            await pilot.press("ctrl+p", *"keys")
            await sees(pilot, "Show the keys of this screen")
            await pilot.press("enter")
            await sees(pilot, heading, HINT)
            check_keys(await read(pilot, "pagedown"), here)
            await pilot.press("escape")
            await eventually(lambda below=below: pilot.app.screen is below, "the help is closed, and nothing else")
        no_crash(pilot)


async def test_a_typed_question_mark_does_not_open_the_help(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
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


def test_every_action_is_in_a_group_of_the_help() -> None:
    for module in pkgutil.walk_packages(cekura_tui.ui.__path__, "cekura_tui.ui."):
        for kind in vars(importlib.import_module(module.name)).values():
            actions = kind.__dict__.get("ACTIONS", ()) if isinstance(kind, type) and issubclass(kind, DOMNode) else ()
            assert [action.id for action in actions if action.group == OTHER] == []


async def test_the_manual_opens_from_the_help_and_the_palette(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("question_mark", "M")
        await sees(pilot, "Manual", "suggestions", gone="Keys · Runs")
        await pilot.press(*"filt", "enter")
        await sees(pilot, "Manual · filters", "outcome:failed,error")
        assert "**" not in screen_text(pilot.app)
        await pilot.press("M", "escape")
        await pilot.press("escape", "escape", "colon", *"manual", "enter")
        await sees(pilot, "Manual", "trouble")
        no_crash(pilot)
