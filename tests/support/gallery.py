"""Every screen and main dialog with the keys that open it, for pictures and for checks that apply to all of them."""

from __future__ import annotations

from typing import Any

from scenes import MORE_SCENES, SUGGESTED, Scene, runs
from textual.pilot import Pilot
from waiting import eventually
from watching import sees, still

from cekura_tui.ui.kit.virtual_list import VirtualList

Step = tuple[tuple[str, ...], str, tuple[str, ...]]
"""Keys, the class name of the screen that they open, and texts to wait for before the next keys."""


def _step(*keys: str, screen: str, shows: tuple[str, ...] = ()) -> Step:
    return keys, screen, shows


def _by_keys(*steps: Step) -> Scene:
    """A scene that starts at the run list and takes these steps."""

    async def scene(pilot: Pilot[Any]) -> None:
        await runs(pilot)
        for keys, screen, shows in steps:
            await pilot.press(*keys)
            await eventually(lambda screen=screen: type(pilot.app.screen).__name__ == screen, f"{screen} is on top")  # type: ignore[misc]
            await sees(pilot, *shows)
        for rows in pilot.app.screen.query(VirtualList):
            # Heights of off-screen rows are estimates until the rows come near the screen.
            rows.redraw()
        await still(pilot)

    return scene


async def _search(pilot: Pilot[Any]) -> None:
    """Show the results of a search in the transcripts of opened runs."""
    await runs(pilot)
    await pilot.press("enter")
    await sees(pilot, "00:14")
    app: Any = pilot.app
    app.call_later(app.search_transcripts)
    await sees(pilot, "go to hits")
    await pilot.press(*"you", "enter")
    await sees(pilot, "hits in")
    await still(pilot)


async def _sign_in(pilot: Pilot[Any]) -> None:
    """Show the sign-in screen as a user without a key sees it."""
    from cekura_tui.ui.sign_in import SignInScreen

    await sees(pilot, str(SUGGESTED), "live")
    app: Any = pilot.app
    await app.push_screen(SignInScreen(app.state, None))
    await sees(pilot, "Ways to start")
    await still(pilot)


async def _sign_in_key(pilot: Pilot[Any]) -> None:
    """Show the sign-in screen while it asks for a key."""
    await _sign_in(pilot)
    await pilot.press("enter", "enter")
    pilot.app.screen.query_one("#key-facts").display = False  # a different temporary directory in each run
    await sees(pilot, "first.")
    await still(pilot)


_RUN = _step("enter", screen="RunScreen", shows=("00:14",))
_JOBS = _step("2", screen="JobsScreen", shows=("5 jobs",))
_PROPOSED = (_JOBS, _step("g", "j", screen="JobsScreen", shows=("Changes",)))
"""Steps to the job whose suggestion has changes of every kind."""
_SUGGESTION = (*_PROPOSED, _step("enter", screen="SuggestionScreen", shows=("reason:",)))
_ACCEPTED = (*_SUGGESTION, _step("a", screen="SuggestionScreen", shows=("✓1",)))

GALLERY: dict[str, Scene] = {
    "runs": _by_keys(),
    "runs-filter": _by_keys(_step("slash", *"outcome:fai", screen="RunsScreen")),
    "runs-nothing": _by_keys(_step("slash", *"agent:nobody", "enter", screen="RunsScreen", shows=("No matching",))),
    "runs-marked": _by_keys(_step("space", "j", "space", screen="RunsScreen")),
    "groups": MORE_SCENES["groups"],
    "views": _by_keys(_step("v", screen="ViewsDialog")),
    "columns": _by_keys(_step("C", screen="ColumnsDialog")),
    "note": _by_keys(_step("m", screen="NoteDialog")),
    "export": _by_keys(_step("w", screen="ExportRunsDialog")),
    "copy-runs": _by_keys(_step("y", screen="CopyDialog")),
    "scope": _by_keys(_step("p", screen="PickScopeDialog")),
    "profiles": _by_keys(_step("P", screen="ProfileDialog")),
    "profile-add": _by_keys(_step("P", screen="ProfileDialog"), _step("plus", screen="AddProfileDialog")),
    "help": _by_keys(_step("question_mark", screen="HelpDialog")),
    "palette": _by_keys(_step("ctrl+p", screen="Palette")),
    "run": _by_keys(_RUN),
    "run-evidence": _by_keys(_RUN, _step("e", screen="RunScreen")),
    "run-details": _by_keys(_RUN, _step("d", screen="RunScreen")),
    "run-find": _by_keys(_RUN, _step("slash", *"you", "enter", screen="RunScreen")),
    "compare": _by_keys(_RUN, _step("equals_sign", screen="CompareScreen")),
    "copy-run": _by_keys(_RUN, _step("y", screen="CopyDialog")),
    "improve": _by_keys(_step("i", screen="ImproveDialog", shows=("792 words",))),
    "jobs": _by_keys(*_PROPOSED),
    "jobs-running": _by_keys(_JOBS, _step(screen="JobsScreen", shows=("Next poll",))),
    "job": _by_keys(_JOBS, _step("d", screen="JobScreen")),
    "suggestion": _by_keys(*_SUGGESTION),
    "suggestion-decided": _by_keys(*_ACCEPTED, _step("x", screen="SuggestionScreen", shows=("✗1",))),
    "edit": _by_keys(*_SUGGESTION, _step("c", screen="EditHunkDialog")),
    "hand-off": _by_keys(*_ACCEPTED, _step("y", screen="HandOffDialog")),
    "update-prompt": _by_keys(*_ACCEPTED, _step("W", screen="UpdatePromptDialog")),
    "history": _by_keys(*_ACCEPTED, _step("h", screen="PromptHistoryScreen")),
    "search": _search,
    "confirm": _by_keys(_JOBS, _step("D", screen="ConfirmDialog")),
    "sign-in": _sign_in,
    "sign-in-key": _sign_in_key,
}
