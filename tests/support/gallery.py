"""Every screen and main dialog by the keys that lead there, for pictures and for what must hold of all of them."""

from __future__ import annotations

from typing import Any

from scenes import MORE_SCENES, PROPOSED, SUGGESTED, Scene, runs
from textual.pilot import Pilot
from waiting import eventually
from watching import sees, still

from cekura_tui.ui.kit.virtual_list import VirtualList


def _by_keys(*keys: str, screen: str, after: tuple[str, ...] = (), shows: tuple[str, ...] = ()) -> Scene:
    """From the run list by these keys to the screen or dialog of this class, and on by those `after`."""

    async def scene(pilot: Pilot[Any]) -> None:
        await runs(pilot)
        await pilot.press(*keys)
        await eventually(lambda: type(pilot.app.screen).__name__ == screen, f"{screen} is on top")
        await sees(pilot, *shows)
        await pilot.press(*after)
        for rows in pilot.app.screen.query(VirtualList):
            # How high rows off the screen are is estimated until they were near it once.
            rows.redraw()
        await still(pilot)

    return scene


async def _search(pilot: Pilot[Any]) -> None:
    """Words found in the runs that were opened."""
    await runs(pilot)
    await pilot.press("enter")
    await sees(pilot, "00:14")
    app: Any = pilot.app
    app.call_later(app.action_search_runs)
    await sees(pilot, "go to hits")
    await pilot.press(*"you", "enter")
    await sees(pilot, "hits in")
    await still(pilot)


async def _sign_in(pilot: Pilot[Any]) -> None:
    """As it is without a key."""
    from cekura_tui.ui.sign_in import SignInScreen

    await sees(pilot, str(SUGGESTED), "live")
    app: Any = pilot.app
    await app.push_screen(SignInScreen(app.state, None))
    await sees(pilot, "Ways to start")
    await still(pilot)


async def _sign_in_key(pilot: Pilot[Any]) -> None:
    """A key is asked for."""
    await _sign_in(pilot)
    await pilot.press("s", "enter")
    pilot.app.screen.query_one("#key-facts").display = False  # the directory is another each time
    await sees(pilot, "first.")
    await still(pilot)


_PROPOSED = ("2", "g", "j")
"""To the job whose proposal has changes of every kind."""

GALLERY: dict[str, Scene] = {
    "runs": _by_keys(screen="RunsScreen"),
    "runs-filter": _by_keys("slash", *"outcome:fai", screen="RunsScreen"),
    "runs-nothing": _by_keys("slash", *"agent:nobody", "enter", screen="RunsScreen", shows=("No matching",)),
    "runs-marked": _by_keys("space", "j", "space", screen="RunsScreen"),
    "groups": MORE_SCENES["groups"],
    "views": _by_keys("v", screen="ViewsDialog"),
    "columns": _by_keys("c", screen="ColumnsDialog"),
    "note": _by_keys("m", screen="NoteDialog"),
    "export": _by_keys("e", screen="ExportRunsDialog"),
    "copy-runs": _by_keys("y", screen="CopyRunsDialog"),
    "scope": _by_keys("p", screen="PickScopeDialog"),
    "profiles": _by_keys("P", screen="ProfileDialog"),
    "profile-add": _by_keys("P", "a", screen="AddProfileDialog"),
    "help": _by_keys("question_mark", screen="HelpDialog"),
    "palette": _by_keys("ctrl+p", screen="Palette"),
    "run": _by_keys("enter", screen="RunScreen", shows=("00:14",)),
    "run-evidence": _by_keys("enter", screen="RunScreen", shows=("00:14",), after=("e",)),
    "run-details": _by_keys("enter", "d", screen="RunScreen"),
    "run-find": _by_keys("enter", screen="RunScreen", shows=("00:14",), after=("slash", *"you", "enter")),
    "compare": _by_keys("enter", "equals_sign", screen="CompareScreen"),
    "copy-run": _by_keys("enter", "y", screen="CopyRunDialog"),
    "improve": _by_keys("i", screen="ImproveDialog", shows=("792 words",)),
    "jobs": _by_keys(*_PROPOSED, screen="JobsScreen", shows=("Changes",)),
    "jobs-running": _by_keys("2", screen="JobsScreen", shows=("Next poll",)),
    "job": _by_keys("2", "d", screen="JobScreen"),
    "suggestion": _by_keys(*_PROPOSED, "enter", screen="SuggestionScreen", shows=("reason:",)),
    "suggestion-decided": _by_keys(
        *_PROPOSED, "enter", screen="SuggestionScreen", shows=("reason:",), after=("a", "x")
    ),
    "edit": _by_keys(*_PROPOSED, "enter", "e", screen="EditHunkDialog"),
    "hand-off": _by_keys(*_PROPOSED, "enter", "a", "y", screen="HandOffDialog"),
    "update-prompt": _by_keys(*_PROPOSED, "enter", "a", "p", screen="UpdatePromptDialog"),
    "history": _by_keys(*_PROPOSED, "enter", "h", screen="PromptHistoryScreen"),
    "search": _search,
    "request-log": _by_keys("colon", *"request", "enter", screen="RequestLogScreen"),
    "confirm": _by_keys("2", "x", screen="ConfirmDialog"),
    "sign-in": _sign_in,
    "sign-in-key": _sign_in_key,
}
assert PROPOSED
