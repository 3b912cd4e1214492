"""Theme, colours and columns from the settings."""

from __future__ import annotations

from typing import Any

import pytest
from app_on_a_server import Served, opened
from own_settings import own_settings
from textual.theme import BUILTIN_THEMES
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.config.paths import find_paths
from cekura_tui.ui.kit.palette import CommandList
from cekura_tui.ui.theme import (
    GROUNDS,
    INKS,
    THEMES,
    WORDS,
    choose_theme,
    colours_of,
    contrast,
    theme_problems,
    themes,
    tokens,
)
from cekura_tui.workspace.setup import DemoOptions, account_paths, make_setup

AVAILABLE = {theme.name: theme for theme in (*themes(), *BUILTIN_THEMES.values()) if not theme.ansi}


@pytest.mark.parametrize(
    "own",
    [
        {"accent": "#222222", "text": "#171b2a"},
        {"background": "#ffffff"},
        {"background": "#000000", "surface": "#0a0a0a", "panel": "#101010"},
        {"background": "#808080"},
        {"surface": "#ffffff"},
        {"selection": "#ffffff"},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["cekura", "cekura-light", "nord"])
def test_text_is_readable_in_any_colours_of_the_user(name: str, own: dict[str, str]) -> None:
    theme = AVAILABLE[name]
    made = tokens(colours_of(theme, theme.to_color_system().generate(), own))
    assert min(contrast(made[ink], made[ground]) for ink in INKS for ground in GROUNDS) >= WORDS


def test_readable_colours_of_the_user_are_not_adjusted() -> None:
    theme = AVAILABLE["cekura"]
    own = {"accent": "#ffb454", "background": "#0b0e14", "success": "#aad94c"}
    assert theme_problems(own) == []
    palette = colours_of(theme, {}, own)
    assert (palette.accent, palette.background, palette.success) == ("#ffb454", "#0b0e14", "#aad94c")
    ((entry, problem),) = theme_problems({"name": "nord", "background": "#808080"})
    assert (entry, "No text has enough contrast" in problem) == ("background", True)


@pytest.mark.parametrize(
    ("theme", "said"),
    [
        ({"name": "nordd"}, "There is no theme “nordd”. Did you mean nord?"),
        ({"name": "zzz"}, "The palette lists all themes."),
        ({"acent": "#ffffff"}, "There is no colour “acent”. Did you mean accent?"),
        ({"accent": "orange"}, "accent must be a colour like #1f2538, not “orange”."),
        ({"accent": "#fff"}, "not “#fff”."),
    ],
    ids=str,
)
def test_a_wrong_theme_or_colour_is_reported_and_not_used(theme: dict[str, str], said: str) -> None:
    chosen = choose_theme(theme, AVAILABLE)
    assert (chosen.name, chosen.colours) == (THEMES[0], {})
    ((entry, problem),) = chosen.problems
    assert (entry in theme, said in problem) == (True, True)


@pytest.mark.long
async def test_a_theme_is_previewed_and_saved_without_changing_other_settings(served: Served) -> None:
    text = '# mine\ntitle = true\n\n[theme]  # colours\naccent = "#ffe0b0"\n'
    path = own_settings(text)
    async with opened(served.setup()) as pilot:
        app = pilot.app
        await sees(pilot, "as of")
        await pilot.press("colon", *"theme", "enter")
        await sees(pilot, "Theme", "dark · current", "esc close")
        shown = [found.command.name for found in app.screen.query_one(CommandList).rows]
        assert tuple(shown[:2]) == THEMES
        await pilot.press("j", "j", "k")
        await eventually(lambda: app.theme == THEMES[1], "the second is previewed")
        await pilot.press("escape")
        await eventually(lambda: app.theme == THEMES[0] and not app.screen.is_modal, "the first is back")
        assert path.read_text("utf-8") == text
        for key in ("ctrl+p", *"colours", "enter", *"nord", "enter"):
            app.simulate_key(key)
        await eventually(lambda: app.theme == "nord" and not app.screen.is_modal, "it is chosen in haste")
        await eventually(lambda: 'name = "nord"' in path.read_text("utf-8"), "the theme is saved")
        assert set(text.splitlines()) <= set(path.read_text("utf-8").splitlines())
    async with opened(served.setup()) as pilot:  # from the first frame on
        assert (pilot.app.theme, pilot.app.get_css_variables()["accent"]) == ("nord", "#ffe0b0")
        await sees(pilot, "as of")
        path.unlink()
        path.mkdir()
        await pilot.press("colon", *"theme", "enter")
        await sees(pilot, "Theme", "esc close")
        await pilot.press(*"dracula", "enter")
        await sees(pilot, "The theme lasts until you quit")
        assert pilot.app.theme == "dracula"


def test_the_demo_uses_the_users_settings_file(home: Any) -> None:
    own_settings('[theme]\nname = "nord"\n[columns]\nrun = 0\n')
    env = {"CEKURA_TUI_HOME": str(home)}
    setup = make_setup(demo=DemoOptions(), env=env)
    assert account_paths(setup).settings == find_paths(None, env).settings
    assert (setup.settings.theme, setup.settings.columns) == ({"name": "nord"}, {"run": 0})


async def test_a_list_has_the_columns_of_the_settings_until_the_user_chooses_others(served: Served) -> None:
    own_settings("[columns]\nscenario = 20\nrun = 0\n")
    async with opened(served.setup()) as pilot:
        await sees(pilot, "as of")
        header = next(line for line in screen_text(pilot.app).splitlines() if "scenario  " in line and "run " in line)
        assert header.index("scenario") < header.index("run")
        assert "outcome" not in header
        await pilot.press("C", "shift+down")
        await sees(pilot, "20 wide", "hidden")
        await pilot.press("escape")
        listing = pilot.app._listing  # type: ignore[attr-defined]
        await eventually(lambda: listing.chosen_columns, "the list has columns of its own")
        await pilot.press("C", "R", "escape")
        await eventually(lambda: not listing.chosen_columns, "it has the columns of the settings")
        assert [one.name for one in listing.columns.all if one.shown] == ["scenario", "run"]
