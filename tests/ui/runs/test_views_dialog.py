"""The dialog of views: a saved filter is found by its name, and no view is lost by a wrong key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hostile import EVIL
from one_dialog import ask_again, asked, burst
from textual.pilot import Pilot
from waiting import answered, eventually
from watching import screen_text, sees, still

from cekura_tui.model.filter.filter import GIVEN_VIEWS, SavedView
from cekura_tui.model.filter.parse import parse
from cekura_tui.ui.runs.views import ViewList, ViewsDialog
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.workspace import Workspace

SMALL = (80, 24)
ANGRY, TEXT = SavedView("Angry callers", "scenario:~angry outcome:failed"), SavedView("text only", "mode:text")


@asynccontextmanager
async def opened(
    setup: Setup, current: str = "", *views: SavedView, size: tuple[int, int] = SMALL
) -> AsyncIterator[Pilot[Any]]:
    """The dialog, on a real session in which these views are saved."""
    async with asked(setup, lambda state: ViewsDialog(state, current, views), size=size) as (app, pilot):
        for view in views:
            await app.state.workspace.call(lambda session, view=view: session.saved_views.save(view.name, view.filter))
        await sees(pilot, "Views", "enter apply")
        yield pilot


def answers(pilot: Pilot[Any]) -> list[str | None]:
    """What the dialog answered."""
    return pilot.app.answers  # type: ignore[attr-defined, no-any-return]


def workspace_of(pilot: Pilot[Any]) -> Workspace:
    return pilot.app.state.workspace  # type: ignore[attr-defined, no-any-return]


async def kept(pilot: Pilot[Any], *views: SavedView) -> None:
    """Wait until exactly these views are saved."""
    call = workspace_of(pilot).call
    await answered(
        lambda: call(lambda session: session.saved_views.all()), lambda there: there == list(views), f"kept: {views}"
    )


def shown(pilot: Pilot[Any]) -> list[str]:
    """The names in the list, from the top."""
    views = pilot.app.screen.query_one(ViewList)
    return [views.render_line(y).text[2:28].strip() for y in range(views.size.height)]


# Choosing


async def test_built_in_views_come_first_then_own_ones_by_name_and_enter_applies_one(quiet: Setup) -> None:
    async with opened(quiet, "", TEXT, ANGRY) as pilot:
        assert shown(pilot) == ["Failed today", "Errors", "To review", "Running", "Angry callers", "text only"]
        filters = [view.filter for view in (*GIVEN_VIEWS, ANGRY, TEXT)]
        for place in range(len(filters)):
            await pilot.press(*["j"] * place, "enter")
            await ask_again(pilot.app)  # type: ignore[arg-type]
            await sees(pilot, "Failed today", "enter apply")
        assert answers(pilot) == filters
        await pilot.press("j", "escape")
        assert answers(pilot)[-1] is None


def test_the_built_in_views_are_filters_as_the_filter_line_writes_them() -> None:
    for view in GIVEN_VIEWS:
        assert parse(view.filter).wrong == ()
        assert str(parse(view.filter).filter) == view.filter


async def test_the_applied_view_has_a_dot_and_the_cursor_with_the_views_above_in_sight(quiet: Setup) -> None:
    many = [SavedView(f"view {n:02}", f"result:{n}") for n in range(15)]
    async with opened(quiet, "outcome:error", *many) as pilot:
        await sees(pilot, "● Errors", "Failed today")
        assert screen_text(pilot.app).count("●") == 1
        await pilot.press("enter")
        assert answers(pilot) == ["outcome:error"]
    async with opened(quiet, "result:12", *many) as pilot:
        await sees(pilot, "● view 12")
        await pilot.press("enter")
        assert answers(pilot) == ["result:12"]


# Saving


async def test_the_filter_in_effect_is_saved_under_a_name_and_escape_saves_nothing(quiet: Setup) -> None:
    async with opened(quiet, "mode:text") as pilot:
        await pilot.press("s")
        await sees(pilot, "Save mode:text as", "enter save")
        await pilot.press(*"mine", "escape")
        await sees(pilot, "enter apply", gone="Save mode:text")
        assert answers(pilot) == []
        await kept(pilot)
        await pilot.press("s", "ctrl+u", *"suxv  text", "enter")
        await sees(pilot, "Saved as “suxv text”.", "● suxv text", gone="Save mode:text")
        await kept(pilot, SavedView("suxv text", "mode:text"))
        await pilot.press("g", "G", "enter")
        assert answers(pilot) == ["mode:text"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "! Type a name."),
        ("   ", "! Type a name."),
        ("fAILED today", "! “fAILED today” is a built-in view. Choose another name."),
        ("n" * 61, "! A name has at most 60 characters, not 61."),
    ],
)
async def test_a_name_that_cannot_be_is_refused_in_words_and_can_be_mended(quiet: Setup, name: str, says: str) -> None:
    async with opened(quiet, "mode:text") as pilot:
        await pilot.press("s", *name, "enter")
        await sees(pilot, says, "Save mode:text as")
        await pilot.press("ctrl+u", *"mine")
        await sees(pilot, "mine", gone=says)
        await pilot.press("enter")
        await kept(pilot, SavedView("mine", "mode:text"))


async def test_a_view_is_replaced_only_when_enter_is_pressed_once_more_on_its_name(quiet: Setup) -> None:
    async with opened(quiet, "mode:text", ANGRY) as pilot:
        await pilot.press("s", *"angry CALLERS", "enter")
        await sees(pilot, "“Angry callers” already exists", "again to replace")
        await pilot.press("x")
        await sees(pilot, gone="already exists")
        await pilot.press("backspace", "enter")
        await sees(pilot, "“Angry callers” already exists")
        await kept(pilot, ANGRY)
        await pilot.press("enter")
        await sees(pilot, "Saved as “Angry callers”.")
        await kept(pilot, SavedView("Angry callers", "mode:text"))
        assert shown(pilot)[4:] == ["Angry callers"]


async def test_a_view_that_cannot_be_saved_or_deleted_says_so_and_nothing_is_lost(quiet: Setup) -> None:
    async with opened(quiet, "mode:text", ANGRY) as pilot:
        await pilot.press("s", *"mine")
        await asyncio.to_thread(workspace_of(pilot).close)
        await pilot.press("enter")
        await sees(pilot, "! cekura-tui is closing.", "Save mode:text as", "mine")
        assert "mine" not in shown(pilot)
        await pilot.press("escape", "G", "x")
        await sees(pilot, "! Can't delete “Angry callers”. cekura-tui is closing.", "scenario:~angry")
        await pilot.press("u")
        await sees(pilot, "! Nothing to undo.")


# Deleting


async def test_an_own_view_is_deleted_and_u_brings_it_back(quiet: Setup) -> None:
    async with opened(quiet, "", ANGRY, TEXT) as pilot:
        await pilot.press("s")
        await sees(pilot, "! No filter to save", gone="enter save")
        await pilot.press("x")
        await sees(pilot, "! “Failed today” is built in and can't be deleted.", "outcome:failed,error since:today")
        await kept(pilot, ANGRY, TEXT)
        await pilot.press("G", "x")
        await sees(pilot, "Deleted “text only”. Press u to undo.", gone="mode:text")
        await kept(pilot, ANGRY)
        await pilot.press("x")
        await kept(pilot)
        await pilot.press("u", "u")
        await sees(pilot, "Restored “text only”.", "mode:text")
        await kept(pilot, ANGRY, TEXT)
        await pilot.press("u")
        await sees(pilot, "! Nothing to undo.")


async def test_a_view_saved_under_a_deleted_name_is_kept_by_undo(quiet: Setup) -> None:
    async with opened(quiet, "mode:text", ANGRY) as pilot:
        await pilot.press("G", "x", "s", *"Angry callers", "enter")
        await sees(pilot, "Saved as “Angry callers”.")
        await pilot.press("u")
        await sees(pilot, "! Nothing to undo.")
        await kept(pilot, SavedView("Angry callers", "mode:text"))


async def test_a_view_deleted_as_the_dialog_closes_is_deleted(quiet: Setup) -> None:
    async with opened(quiet, "", ANGRY) as pilot:
        await pilot.press("G")
        burst(pilot.app, "x", "escape")  # type: ignore[arg-type]
        await eventually(lambda: answers(pilot) == [None], "the dialog is closed")
        await kept(pilot)


# Odd text and little room


async def test_names_and_filters_are_never_markup_nor_control_characters(quiet: Setup) -> None:
    evil = SavedView(f"a {EVIL[:40]}", f'scenario:"{EVIL}"')
    async with opened(quiet, evil.filter, evil) as pilot:
        await sees(pilot, "● a [2J]0;owned[/red]", 'scenario:"[2J]0;owned[/red] [@click=')
        await pilot.press("s")
        await sees(pilot, 'Save scenario:"[2J]0;owned[/red] [@click=app.quit]press[/]')
        await pilot.press("escape", "x")
        await sees(pilot, "Deleted “")
        assert set(screen_text(pilot.app)) & set(EVIL) <= {char for char in EVIL if char.isprintable()}
        assert pilot.app.is_running


async def test_on_a_small_terminal_the_list_gives_way_and_what_is_said_is_seen(quiet: Setup) -> None:
    many = [SavedView(f"view {n:02}", f"result:{n} {'-word ' * 40}") for n in range(40)]
    async with opened(quiet, "mode:text", *many, size=(60, 15)) as pilot:
        await pilot.press("s", *"view 07", "enter")
        await sees(pilot, "Views", "Save mode:text as", "view 07", "“view 07” already exists")
        await pilot.resize_terminal(120, 36)
        await sees(pilot, "Running", "view 07", "“view 07” already exists", "enter save")
        await still(pilot)
