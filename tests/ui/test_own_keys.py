"""The user's keys: they work, take precedence over default keys, and are named in every text."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import Served, opened, setup_of
from calling import call
from job_server import toasts
from own_settings import own_settings
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input
from waiting import eventually
from watching import sees

from cekura_tui.ui.actions import all_actions
from cekura_tui.ui.catalogue import key_problems, list_actions
from cekura_tui.ui.jobs.improve import ImproveDialog
from cekura_tui.ui.keymap import Keymap, parse_key, read_keymap
from cekura_tui.ui.kit.palette import Palette, commands_on
from cekura_tui.ui.runs.columns_dialog import ColumnsDialog
from cekura_tui.ui.runs.filter_bar import FilterBar
from cekura_tui.ui.runs.list import RunList
from cekura_tui.ui.runs.views import ViewsDialog

_PACKAGE = Path(__file__).parents[2] / "cekura_tui"
LINE = "type to find one"
_ID = re.compile(r"\{([a-z-]+\.[a-z-]+)\}")


@pytest.mark.parametrize(
    ("written", "key"),
    [
        *(("I", "I"), ("?", "question_mark"), ("question_mark", "question_mark"), ("Ctrl+E", "ctrl+e"), ("F5", "f5")),
        *(("alt+X", "alt+X"), ("esc", "escape"), ("PgDn", "pagedown"), ("shift+i", "I"), ("shift+tab", "shift+tab")),
        *(("ctrl+left", "ctrl+left"), ("ctrl+1", None), ("ctrl+shift+a", None), ("super+x", None), ("banana", None)),
        *(("ctrl+", None), ("\x1b", None)),
    ],
)
def test_a_key_is_parsed_from_its_names_on_keyboards_and_on_screen(written: str, key: str | None) -> None:
    assert parse_key(written) == key


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"runs.improve": "ctrl+1"}, "“ctrl+1” is not a key that terminals send"),
        ({"runs.improve": "ctrl+q"}, "ctrl+q always quits"),
        ({"runs.improve": "ctrl+c"}, "ctrl+c copies"),
        ({"runs.improve": "ctrl+z"}, "ctrl+z suspends"),
        ({"runs.improve": "ctrl+i"}, "the same for ctrl+i and tab"),
        ({"runs.imprve": "x"}, "no action “runs.imprve”. Did you mean runs.improve?"),
        ({"zzz": "x"}, "“cekura-tui config keys” lists them"),
        ({"runs.improve": "space"}, "runs.improve and run-list.mark both have space in the list of runs"),
        ({"runs.improve": "o"}, "runs.improve and runs.outcome both have o in the list of runs"),
        ({"list.down": "n"}, "list.down and run.next-match both have n in a run"),
        ({"runs.improve": "2"}, "runs.improve and app.jobs both have 2"),
        ({"app.keys": ""}, "app.keys must have a key. It still has ?."),
        ({"app.palette": "", "app.command-line": ""}, "app.palette must have a key. It still has ctrl+p."),
        ({"dialog.close": ""}, "dialog.close must have a key. It still has esc."),
        ({"runs.improve": "?"}, "app.keys must have a key"),
    ],
    ids=str,
)
def test_key_problems_name_actions_by_their_ids(keys: dict[str, str], said: str) -> None:
    assert any(said in problem for _, problem in key_problems(keys))


@pytest.mark.parametrize(
    "keys",
    [
        *({"runs.improve": "I, ctrl+e"}, {"runs.improve": ""}, {"runs.filter": "f"}, {"app.palette": ""}),
        *({"run.back": "backspace", "run.end-search": "backspace"}, {"app.theme": "Z"}),
        {"suggestion.staged": "s", "suggestion.edit": "e", "job.stop": "s", "job.forget": "x", "confirm.yes": "y"},
        {"jobs.top": "3", "app.jobs": "3"},
    ],
    ids=str,
)
def test_keys_without_a_conflict_are_no_problem(keys: dict[str, str]) -> None:
    assert key_problems(keys) == []


def test_the_help_and_the_palette_and_dialogs_never_lose_their_last_key() -> None:
    taken = {"runs.views": "?", "runs.groups": "ctrl+p", "runs.sort": ":", "app.palette": "", "dialog.close": "ctrl+1"}
    keymap, known = read_keymap(taken), all_actions()
    claimed = {key for one in ("runs.views", "runs.groups", "runs.sort") for key in keymap.keys_of(known[one])}
    assert set(keymap.keys_of(known["app.keys"])) - claimed
    palette = (*keymap.keys_of(known["app.palette"]), *keymap.keys_of(known["app.command-line"]))
    assert set(palette) - claimed
    assert keymap.keys_of(known["dialog.close"]) == ("escape",)


def test_actions_that_must_keep_a_key_have_it_before_their_screen_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(all_actions())
    monkeypatch.setattr("cekura_tui.ui.keymap.ACTIONS", {})
    names = ("app.keys", "app.palette", "app.command-line", "dialog.close")
    keymap = read_keymap(dict.fromkeys(names, ""))
    assert {one: keymap.keys_of(known[one]) for one in names} == {one: (known[one].keys,) for one in names}


def _kinds(kind: type[DOMNode]) -> list[type[DOMNode]]:
    return [found for one in kind.__subclasses__() for found in (one, *_kinds(one))]


def test_every_action_is_listed_in_the_catalogue() -> None:
    all_actions()
    listed = {name for name, *_ in list_actions({})}
    ours = [kind for kind in _kinds(DOMNode) if kind.__module__.startswith("cekura_tui.") and "ACTIONS" in vars(kind)]
    assert {action.id for kind in ours for action in vars(kind)["ACTIONS"]} == listed
    assert all("BINDINGS" in vars(kind) or not vars(kind)["ACTIONS"] for kind in ours)


def test_config_keys_prints_actions_with_their_keys_and_the_problems() -> None:
    path = own_settings('[keys]\n"runs.filter" = "f, esc"\n"runs.sort" = "ctrl+q"\n')
    printed = call("config", "keys")
    assert printed.status == 0
    lines = [re.split("  +", line.strip()) for line in printed.out.splitlines()]
    assert ["runs.filter", "f esc", "Filter", "In the list of runs"] in lines
    assert ["runs.sort", "s", "Sort", "In the list of runs"] in lines
    assert f"{path}:3: [keys] runs.sort: ctrl+q always quits." in printed.err
    assert "runs.filter and runs.clear-filter both have esc in the list of runs" in printed.err


# On the screens


async def shows(pilot: Pilot[None], kind: type[Screen[Any]], why: str) -> None:
    """Wait until a screen of this kind is on top and mounted."""
    await eventually(lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted, why)


async def test_own_keys_work_and_are_shown_in_footer_and_help_and_palette(served: Served) -> None:
    own_settings(
        '[keys]\n"runs.improve" = "ctrl+e, I"\n"runs.views" = "space"\n"runs.columns" = "n"\n"list.down" = "e"\n'
        '"runs.filter" = "f"\n"runs.outcome" = ""\n"runs.groups" = "ctrl+left"\n"app.theme" = "T"\n'
        '"dialog.close" = "f9"\n"columns.up" = "u"\n"columns.reset" = ""\n"help.down" = "n"\n"help.manual" = ""\n'
    )
    async with opened(served.setup()) as pilot:
        await sees(pilot, "900238")
        await pilot.press("e", "e")
        assert pilot.app.screen.query_one(RunList).cursor_key == 900238
        await sees(pilot, "ctrl+e Improve", "f Filter", "ctrl+← Groups", gone="o Outcome")
        await pilot.press("i", "slash", "o", "v")
        assert not pilot.app.screen.is_modal, "replaced keys do nothing"
        assert not pilot.app.screen.query_one(FilterBar).editing
        assert next(one.key for one in commands_on(pilot.app.screen) if one.name == "Improve the prompt") == "ctrl+e"
        await pilot.press("question_mark")
        await sees(pilot, "ctrl+e I ", "n k pgdn scroll · f9 close")
        await pilot.press("f9", "I")
        await shows(pilot, ImproveDialog, "the second key of the action improves")
        await pilot.press("f9", "f", "n", "e")
        await eventually(lambda: "ne" in [one.value for one in pilot.app.screen.query(Input)], "letters of the filter")
        await pilot.press("escape", "space")
        await shows(pilot, ViewsDialog, "it takes precedence over the list's space")
        await pilot.press("f9", "n")
        await shows(pilot, ColumnsDialog, "the columns are open")
        await sees(pilot, "shift+↓ u move", "f9 close", gone="reset")
        await pilot.press("f9", "colon", *"outcome", "enter")
        await sees(pilot, "outcome:", gone=LINE)
        await pilot.press("T")
        await shows(pilot, Palette, "an action without a default key has one")


async def test_the_sign_in_shows_own_keys_and_a_single_settings_problem_is_reported(served: Served) -> None:
    own_settings('titel = true\n[keys]\n"sign-in.demo" = "x"\n')
    async with opened(setup_of(served.server.url, None)) as pilot:
        await sees(pilot, "x Demo", "Sign in ", "line 1: unknown setting “titel”")


async def test_settings_problems_are_counted_at_the_start_and_listed_in_the_help(served: Served) -> None:
    own_settings(
        'titel = true\n[keys]\n"runs.improve" = "space"\n"runs.imprve" = "x"\n'
        '[theme]\nname = "nordd"\naccent = "orange"\n[columns]\nscenarios = 0\nrun = 99\n'
    )
    async with opened(served.setup()) as pilot:
        await sees(pilot, "900240", "config.toml has 7 problems; ? lists them.")
        assert len(toasts(pilot)) == 1, "no other toast covers the run list"
        await pilot.press("question_mark")
        await sees(
            pilot,
            "Problems in config.toml",
            "line 1: ",
            "There is no theme “nordd”. Did you mean nord?",
            "accent must be a colour like #1f2538, not “orange”",
            "There is no column “scenarios”",
            "run must be 0 or 4 to 60 cells wide, not 99",
            "There is no action “runs.imprve”",
            "runs.improve and run-list.mark both have space",
        )


# Texts that name keys


def _strings(folder: Path) -> list[tuple[str, str]]:
    """(place, text) of the string constants in a folder's modules, without docstrings."""
    found = list[tuple[str, str]]()
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        left_out = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
                found.append((f"{path.relative_to(_PACKAGE)}:{node.lineno}", node.value))
    return found


_NAMED = re.compile(r"(?:^|\n|[·:,.;(] |[Pp]ress )`?(esc|ctrl\+[abd-pr-y]|[b-zB-Z/])`? [a-z]{2,}")
"""A key in a hint, followed by a word on its action; keys that the user can't reassign are left out."""


def test_texts_name_keys_by_action_ids_so_that_own_keys_are_shown() -> None:
    keymap = Keymap({one: ("f12",) for one in all_actions()})
    on_screens = _strings(_PACKAGE / "ui")
    named = [(place, text) for place, text in on_screens + _strings(_PACKAGE / "model") if _ID.search(text)]
    assert len(named) > 100
    for place, text in named:
        assert {*_ID.findall(text)} <= all_actions().keys(), place
        assert keymap.with_keys(text).count("f12") == len(_ID.findall(text)), place
        assert not _ID.search(keymap.with_keys(text)), place
    assert [(place, text) for place, text in on_screens if _NAMED.search(text)] == []


def test_a_hint_leaves_out_actions_without_a_key() -> None:
    keymap = Keymap({"columns.reset": (), "columns.up": ()})
    hint = "{columns.toggle} show · {columns.down} {columns.up} move · {columns.reset} reset · tab next"
    assert keymap.hint(hint) == "space show · shift+↓ move · tab next"
    assert keymap.with_keys("Press {columns.reset}.") == "Press (no key)."
