"""The views dialog lists, saves, deletes and restores views; no wrong key loses a view."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from one_dialog import OneDialog, answer, ask_again, burst, opened_dialog
from textual.pilot import Pilot
from waiting import answered, eventually
from watching import screen_text, sees

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.filter import BUILT_IN_VIEWS, SavedView
from cekura_tui.model.filter.parse import parse
from cekura_tui.ui.kit.lists import SimpleList
from cekura_tui.ui.runs.views import ViewsDialog, choose_view
from cekura_tui.workspace.setup import Setup

ANGRY, TEXT = SavedView("Angry callers", "scenario:~angry outcome:failed"), SavedView("text only", "mode:text")
MANY = [SavedView(f"view {n:02}", f"result:{n}") for n in range(15)]


@asynccontextmanager
async def opened(setup: Setup, current: str = "", *views: SavedView) -> AsyncIterator[tuple[OneDialog, Pilot[None]]]:
    """Open the dialog with `views`, which a real session stores, while the run list has the filter `current`."""
    async with opened_dialog(setup, lambda state: ViewsDialog(state, current, views)) as (app, pilot):
        for view in views:
            await app.state.workspace.call(lambda session, view=view: session.saved_views.save(view.name, view.filter))
        await sees(pilot, "Views", "enter apply")
        yield app, pilot


async def wait_saved(app: OneDialog, *views: SavedView) -> None:
    """Wait until exactly these views are stored."""
    do = app.state.workspace.do
    await answered(
        lambda: do(lambda session: session.store.views.views()), lambda there: there == list(views), f"kept: {views}"
    )


def listed_names(app: OneDialog) -> list[str]:
    views: SimpleList[Any] = app.screen.query_one(SimpleList)
    return [views.render_line(y).text[2:28].strip() for y in range(views.size.height)]


# Choosing


async def test_own_views_are_listed_by_name_after_built_in_views_and_enter_applies_a_view(quiet: Setup) -> None:
    async with opened(quiet, "", TEXT, ANGRY) as (app, pilot):
        assert listed_names(app) == ["Failed today", "Errors", "To review", "Running", "Angry callers", "text only"]
        for place, view in enumerate((*BUILT_IN_VIEWS, ANGRY, TEXT)):
            assert await answer(app, pilot, *["j"] * place, "enter") == view.filter
            await ask_again(app)
            await sees(pilot, "Failed today", "enter apply")
        assert await answer(app, pilot, "j", "escape") is None


def test_built_in_views_are_valid_filters_in_canonical_form() -> None:
    for view in BUILT_IN_VIEWS:
        assert parse(view.filter).problems == ()
        assert str(parse(view.filter).filter) == view.filter


@pytest.mark.parametrize("current", ["outcome:error", "result:12"])
async def test_the_current_view_has_a_dot_and_the_cursor(quiet: Setup, current: str) -> None:
    async with opened(quiet, current, *MANY) as (app, pilot):
        await sees(pilot, *(("● Errors", "Failed today") if current == "outcome:error" else ("● view 12",)))
        assert screen_text(app).count("●") == 1
        assert await answer(app, pilot, "enter") == current


# Saving


async def test_saving_the_filter_replaces_a_view_only_after_a_question(quiet: Setup) -> None:
    other, replaced = SavedView("suxv text", "mode:text"), SavedView("Angry callers", "mode:text")
    async with opened(quiet, "mode:text", ANGRY) as (app, pilot):
        await pilot.press("w")
        await sees(pilot, "Save mode:text as", "enter save")
        await pilot.press(*"mine", "escape")
        await sees(pilot, "enter apply", gone="Save mode:text")
        assert app.answers == []
        await wait_saved(app, ANGRY)
        await pilot.press("w", "ctrl+u", *"suxv  text", "enter")
        await sees(pilot, "Saved as “suxv text”.", "● suxv text", gone="Save mode:text")
        await wait_saved(app, ANGRY, other)
        await pilot.press("w", *"angry CALLERS", "enter")
        await sees(pilot, "Replace the view “Angry callers”?", "has the filter scenario:~angry")
        await pilot.press("enter")
        await sees(pilot, "Save mode:text as", gone="Replace the view")
        await wait_saved(app, ANGRY, other)
        await pilot.press("enter", "ctrl+g")
        await sees(pilot, "Saved as “Angry callers”.")
        await wait_saved(app, replaced, other)
        assert listed_names(app)[4:] == ["Angry callers", "suxv text"]
        await pilot.press("D", "w", *"Angry callers", "enter")
        await sees(pilot, "Saved as “Angry callers”.")
        await pilot.press("u")
        await sees(pilot, "! Nothing to undo.")
        await wait_saved(app, replaced, other)
        assert await answer(app, pilot, "g", "G", "enter") == "mode:text"


async def test_an_error_is_shown_and_no_view_is_lost_if_saving_or_deleting_fails(quiet: Setup) -> None:
    async with opened(quiet, "mode:text", ANGRY, TEXT) as (app, pilot):
        await pilot.press("G", "D")
        await wait_saved(app, ANGRY)
        await pilot.press("w", *"mine")
        await asyncio.to_thread(app.state.workspace.close)
        await pilot.press("enter")
        await sees(pilot, "! cekura-tui is closing.", "Save mode:text as", "mine")
        assert "mine" not in listed_names(app)
        await pilot.press("escape", "G", "D")
        await sees(pilot, "! Can't delete “Angry callers”. cekura-tui is closing.", "scenario:~angry")
        for _ in range(2):
            await pilot.press("u")
            await sees(pilot, "! Can't restore “text only”. cekura-tui is closing.", gone="● text only")
        errors: list[CekuraTuiError] = []
        page: Any = SimpleNamespace(state=app.state, show_error=errors.append)
        await choose_view(page, page)
        assert [error.message for error in errors] == ["cekura-tui is closing."]


# Deleting


async def test_a_view_is_deleted_even_while_the_dialog_closes_and_u_restores_the_view(quiet: Setup) -> None:
    async with opened(quiet, "", ANGRY, TEXT) as (app, pilot):
        await pilot.press("w")
        await sees(pilot, "! No filter to save", gone="enter save")
        await pilot.press("D")
        await sees(pilot, "! “Failed today” is built in and can't be deleted.", "outcome:failed,error since:today")
        await wait_saved(app, ANGRY, TEXT)
        await pilot.press("G", "D")
        await sees(pilot, "Deleted “text only”. Press u to undo.", gone="mode:text")
        await wait_saved(app, ANGRY)
        await pilot.press("D")
        await wait_saved(app)
        await pilot.press("u", "u")
        await sees(pilot, "Restored “text only”.", "mode:text")
        await wait_saved(app, ANGRY, TEXT)
        await pilot.press("u")
        await sees(pilot, "! Nothing to undo.")
        burst(app, "G", "D", "escape")
        await eventually(lambda: app.answers == [None], "the dialog is closed")
        await wait_saved(app, ANGRY)
