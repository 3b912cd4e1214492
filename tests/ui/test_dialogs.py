"""Every dialog fits small windows, shows any text literally, answers once, and writes only when asked."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from app_on_a_server import setup_of
from hostile import WIDE_EVIL, hostile_run, serve_hostile
from one_dialog import OneDialog, burst, opened_dialog
from rich.cells import cell_len
from scripted_server import LAUNCH, Reply, ScriptedServer
from seeded_jobs import KEY
from suggestion_screens import put_answer, unchanged
from textual.geometry import NULL_REGION
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button, Input
from waiting import eventually
from watching import sees, still

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.filter import SavedView
from cekura_tui.model.job import Job, JobState, Suggestion
from cekura_tui.model.run.columns import RunColumns
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import row_of, view_of
from cekura_tui.model.scenario_test import WAYS
from cekura_tui.model.scope import Agent, Project, Scope
from cekura_tui.model.text import Prompt, clean_json, clean_line
from cekura_tui.store.store import Store
from cekura_tui.ui.jobs.improve import ImproveDialog
from cekura_tui.ui.kit.copying import CopyDialog, Offer, SaveDialog, write_lines
from cekura_tui.ui.kit.dialog import ConfirmDialog, DetailsDialog, Dialog, KeyHint, WaitingDialog
from cekura_tui.ui.kit.help import HelpDialog, key_help
from cekura_tui.ui.kit.palette import Command, Palette
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.profiles import AddProfileDialog, ProfileDialog
from cekura_tui.ui.run.copy import copy_run_dialog
from cekura_tui.ui.runs.columns_dialog import ColumnsDialog
from cekura_tui.ui.runs.export import ExportRunsDialog, RunCopies
from cekura_tui.ui.runs.listing import RunListing
from cekura_tui.ui.runs.notes import NoteDialog
from cekura_tui.ui.runs.scope_picker import PickScopeDialog
from cekura_tui.ui.runs.search import SearchRunsDialog
from cekura_tui.ui.runs.views import ViewsDialog
from cekura_tui.ui.state import AppState
from cekura_tui.ui.suggestion.agent_prompt_update import UpdatePromptDialog
from cekura_tui.ui.suggestion.edit import EditHunkDialog
from cekura_tui.ui.suggestion.hand_off import HandOffDialog
from cekura_tui.ui.suggestion.history import copy_prompt_dialog
from cekura_tui.ui.test.dialog import LaunchTestDialog
from cekura_tui.workspace.scenario_tests import PlannedScenario, ScenarioPlan
from cekura_tui.workspace.session import Improvable
from cekura_tui.workspace.setup import Setup

EVIL = WIDE_EVIL
LINE = clean_line(EVIL)
RUN = Run.read(clean_json(hostile_run(101)))
ROW, VIEW, SCOPE = row_of(RUN), view_of(RUN, 0.0), Scope("project", 1, LINE)
SENT, STAGED = Prompt(f"Be kind. {EVIL}\n"), Prompt(f"Be kinder. {EVIL}\n")
JOB = Job(4, JobState.SUCCEEDED, "", "", "", "", (5,), 7, LINE, (), (), "", prompt_source="agent")
DONE = Suggestion(JOB, SENT, STAGED)
AGENT = Agent(7, EVIL, 1, STAGED, provider=EVIL)
PLANNED = PlannedScenario(1, EVIL, (), (), failed=True, as_text=False, mocks=None, notes=(EVIL,))
WAY = tuple(WAYS.values())[:2]
PLAN = ScenarioPlan(AGENT, (PLANNED,), WAY, None, True, True, EVIL, (EVIL,), None, None, False, LINE)
SHOWN = "[/red]"
"""A part of the hostile text that would be missing if the text were parsed as markup."""


class Opened(NamedTuple):
    """A dialog to test: `make` creates the dialog and `shown` is a part of its text.

    `answer` is the start of its answer to enter; None if enter does not close the dialog.
    With `then`, enter is pressed again after this text is shown.
    """

    make: Callable[[AppState], Dialog[Any]]
    shown: str
    answer: str | None = None
    then: str = ""


OF_RUN: dict[str, Any] = {"turns": {3: "maybe"}, "verdict": None, "verdict_first": True}
COMMANDS = [Command(f"{n} {LINE}", LINE, partial(asyncio.sleep, 0)) for n in range(30)]
DIALOGS: dict[Callable[..., Any], Opened] = {
    ConfirmDialog: Opened(lambda _: ConfirmDialog(EVIL, EVIL, "Launch"), SHOWN, "False"),
    DetailsDialog: Opened(lambda _: DetailsDialog.of_error(CekuraTuiError(EVIL * 20, EVIL)), SHOWN),
    WaitingDialog: Opened(lambda _: WaitingDialog("Loading", lambda: None, lambda: False), "Loading …"),
    SaveDialog: Opened(lambda _: SaveDialog("it", "a.txt", partial(write_lines, "said")), "Save it", "Saved to"),
    HelpDialog: Opened(lambda state: key_help(state.jobs_changed.owner.screen, [LINE]), SHOWN),
    Palette: Opened(lambda _: Palette(COMMANDS), SHOWN, "None"),
    CopyDialog: Opened(lambda _: CopyDialog("job 4", [Offer(EVIL, lambda: EVIL)], [LINE]), SHOWN, "None"),
    copy_run_dialog: Opened(lambda state: copy_run_dialog(state, VIEW, **OF_RUN), "Copy or save run 101", "None"),
    RunCopies: Opened(lambda _: RunCopies([ROW], None, SCOPE, {101: LINE}, "").dialog(), "No link", "None"),
    copy_prompt_dialog: Opened(lambda _: copy_prompt_dialog(LINE, "x", STAGED), SHOWN, "None"),
    ImproveDialog: Opened(lambda state: ImproveDialog(state, Improvable((VIEW,), 7, LINE)), "Improve the prompt"),
    HandOffDialog: Opened(lambda _: HandOffDialog(DONE, lambda: STAGED), "Copy or save the", "Saved to"),
    EditHunkDialog: Opened(lambda state: EditHunkDialog(EVIL, EVIL, EVIL, state.workspace.setup.paths.home), SHOWN),
    UpdatePromptDialog: Opened(lambda state: UpdatePromptDialog(state, 1, STAGED, unchanged(STAGED)), SHOWN),
    LaunchTestDialog: Opened(lambda state: LaunchTestDialog(state, PLAN), SHOWN),
    ProfileDialog: Opened(ProfileDialog, "built-in demo", "ProfileChoice("),
    AddProfileDialog: Opened(AddProfileDialog, "Add profile"),
    SearchRunsDialog: Opened(
        lambda state: SearchRunsDialog(state, RunListing(None, None), "press"), "press[/]", "OpenRun(", "enter open"
    ),
    ExportRunsDialog: Opened(
        lambda state: ExportRunsDialog(state, RunQuery(SCOPE), [ROW], None, {}), "Export runs", "Saved 1 run to"
    ),
    PickScopeDialog: Opened(lambda state: PickScopeDialog(state, [Project(1, LINE)], None), SHOWN, "Scope("),
    ColumnsDialog: Opened(lambda _: ColumnsDialog(EVIL, RunColumns(), lambda _: ()), SHOWN, "None"),
    NoteDialog: Opened(lambda _: NoteDialog(101, EVIL), SHOWN, LINE),
    ViewsDialog: Opened(lambda state: ViewsDialog(state, LINE, [SavedView(LINE, LINE)]), SHOWN, LINE),
}
"""Every dialog of the program, with hostile text wherever a text may come from outside."""


@pytest.fixture
def setup(scripted: ScriptedServer) -> Setup:
    """Settings for a server that sends only hostile texts; a job and an opened run with such texts are saved."""
    serve_hostile(scripted)
    scripted.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "agent_name": EVIL, "description": SENT}))
    found = setup_of(scripted.url, KEY, 1)
    put_answer(found, SENT, STAGED, EVIL)
    store = Store(found.paths.database, found.origin, KEY, found.profile)
    store.runs.save_opened(RUN, 1.0)
    store.close()
    return found


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty directory, and forget the search of earlier tests."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setattr(SearchRunsDialog, "last", "")
    return place


def check_frame(app: OneDialog) -> None:
    """Check that the dialog fits into the window, has a straight frame and contains no control characters or links."""
    box = app.screen.query(".dialog").first()
    assert app.screen.region.contains_region(box.region)
    strips = app.screen._compositor.render_strips()
    assert {cell_len(strip.text) for strip in strips} == {app.size.width}
    left, right = box.region.x, box.region.right
    for strip in strips[box.region.y : box.region.bottom]:
        edges = strip.crop(left, left + 1).text + strip.crop(right - 1, right).text
        assert edges in ("││", "╭╮", "╰╯", "┃┃"), strip.text
        assert strip.text.isprintable()
        assert not any(style and "@click" in style.meta and "quit" in str(style.meta) for _, style, _ in strip)


async def check_reach(app: OneDialog, pilot: Pilot[None]) -> None:
    """Check that every button, the last row of every list and every key hint can be scrolled into view."""

    def is_whole(widget: Widget) -> bool:
        region, clip = app.screen._compositor.visible_widgets.get(widget, (NULL_REGION, NULL_REGION))
        return region.area > 0 and clip.contains_region(region)

    focused = app.screen.focused
    for widget in [*app.screen.query(VirtualList), *app.screen.query(Button), *app.screen.query(KeyHint)]:
        if not widget.display:
            continue
        if widget.focusable:
            app.screen.set_focus(widget)
        else:
            widget.scroll_visible(animate=False)
        await eventually(lambda widget=widget: is_whole(widget), f"all of {widget} is visible")
        if isinstance(widget, VirtualList) and widget.rows:
            former, last = widget.cursor_key, len(widget.rows) - 1
            widget.action_last()
            await eventually(lambda widget=widget, last=last: last in widget.shown_range, f"the last of {widget}")
            widget.move_to(former)
    app.screen.set_focus(focused)
    await pilot.pause()


@pytest.mark.parametrize("kind", DIALOGS, ids=lambda kind: kind.__name__)
async def test_a_dialog_fits_the_window_and_shows_hostile_text_literally_and_answers_once(
    setup: Setup, scripted: ScriptedServer, kind: Callable[..., Any]
) -> None:
    make, shown, answer, then = DIALOGS[kind]
    async with opened_dialog(setup, make, size=(60, 15)) as (app, pilot):
        assert type(app.screen) is (kind if kind in Dialog.__subclasses__() else CopyDialog)
        for size in ((60, 15), (80, 24)):
            await pilot.resize_terminal(*size)
            await sees(pilot, shown, gone="" if kind is WaitingDialog else "Loading")
            check_frame(app)
            await check_reach(app, pilot)
        await still(pilot)
        burst(app, "enter", "enter", "enter")
        if then:
            await sees(pilot, then)
            await pilot.press("enter")
        if answer is not None:
            await eventually(lambda: app.answers, "an answer")
        await still(pilot)
        assert [str(one)[: len(answer or "no")] for one in app.answers] == ([] if answer is None else [answer])
        assert len(app.screen_stack) == (2 if answer is None else 1)
        assert len(app.copied) <= 1
    assert not scripted.requests("POST", LAUNCH)


def test_every_dialog_is_tested_in_this_module() -> None:
    kinds = {kind for kind in Dialog.__subclasses__() if kind.__module__.startswith("cekura_tui.")}
    assert kinds <= set(DIALOGS)


BAD_FILES = {
    "": "Type a file name",
    "nowhere/run.csv": "There is no directory",
    "[/oops].csv/": "is a directory",
    "~nobody-at-all/run.csv": "no such home directory",
    "/proc/run.csv": "Can't write /proc",
    f"{300 * 'x'}.csv": "Can't write",
}


@pytest.mark.parametrize("kind", [SaveDialog, HandOffDialog, ExportRunsDialog], ids=lambda kind: kind.__name__)
async def test_bad_file_names_are_refused_and_overwriting_needs_a_second_enter(
    setup: Setup, here: Path, kind: type[Dialog[Any]]
) -> None:
    old = here / "old.csv"
    old.write_text("precious")
    async with opened_dialog(setup, DIALOGS[kind].make) as (app, pilot):
        await sees(pilot, DIALOGS[kind].shown)
        line = app.screen.query_one(Input)
        for name, said in BAD_FILES.items():
            line.value = name
            await pilot.press("enter")
            await sees(pilot, said)
        for again in ("escape", "enter", "tab"):
            line.value = "old.csv "
            await pilot.press("enter")
            await sees(pilot, "Overwrite old.csv?", "exists already")
            assert (app.answers, os.listdir(here), old.read_text()) == ([], ["old.csv"], "precious")
            await pilot.press(again)
        await pilot.press("enter")
        await eventually(lambda: old.read_text() != "precious", "it is overwritten")
    assert os.listdir(here) == ["old.csv"]


BAD_NAMES = {
    ViewsDialog: {"   ": "Type a name.", "fAILED today": "built-in view fAILED", 61 * "n": "61 characters; the"},
    AddProfileDialog: {"": "Type a name, a server and a key.", "default": "There is a profile default already."},
}


@pytest.mark.parametrize("kind", BAD_NAMES, ids=lambda kind: kind.__name__)
async def test_bad_names_are_refused_in_a_small_window_and_nothing_is_saved(
    setup: Setup, scripted: ScriptedServer, kind: type[Dialog[Any]]
) -> None:
    async with opened_dialog(setup, DIALOGS[kind].make, size=(60, 15)) as (app, pilot):
        await sees(pilot, DIALOGS[kind].shown)
        if kind is ViewsDialog:
            await pilot.press("w")
        first, *others = app.screen.query(Input)
        for other in others:
            other.value = other.value or "a-key"
        for name, said in BAD_NAMES[kind].items():
            first.value = name
            await pilot.press("enter")
            await sees(pilot, said)
        assert await app.state.workspace.do(lambda session: session.store.views.views()) == []
    assert (app.answers, scripted.seen, setup.paths.credentials.exists()) == ([], [], False)
