"""Tips of the demo: each is shown until its key was used once, and never again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app_on_a_server import EPOCH, SMALL, no_crash, opened
from watching import sees

from cekura_tui.config.paths import Paths
from cekura_tui.config.settings import Settings
from cekura_tui.ui.actions import table_of
from cekura_tui.ui.app import CekuraApp
from cekura_tui.ui.hints import HINTS, Hints
from cekura_tui.ui.jobs.list import JobList
from cekura_tui.ui.jobs.screen import JobsScreen
from cekura_tui.ui.run.screen import RunScreen
from cekura_tui.ui.runs.list import RunList
from cekura_tui.ui.runs.screen import RunsScreen
from cekura_tui.ui.suggestion.screen import SuggestionScreen
from cekura_tui.workspace.setup import DemoOptions, Setup, demo_setup

OPEN = "Tip: press enter to open the run under the cursor."


def demo(home: Path, **settings: bool) -> Setup:
    return demo_setup(Paths(home), DemoOptions(epoch=EPOCH), settings=Settings(**settings))


def hints_in(setup: Setup) -> Hints:
    hints = Hints()
    hints.begin(setup)
    return hints


def test_every_tip_names_an_action_that_exists() -> None:
    kinds = (CekuraApp, RunsScreen, RunList, RunScreen, JobsScreen, JobList, SuggestionScreen)
    known = {name for kind in kinds for name in table_of(kind)}
    assert [hint.action for hint in HINTS if hint.action not in known] == []


def test_a_used_tip_stays_hidden_in_later_sessions_unless_saving_fails(tmp_path: Path) -> None:
    runs, changes = RunList(str, opened=lambda run_id: None), list[str]()
    hints = hints_in(demo(tmp_path))
    hints.changed = lambda: changes.append("")
    assert hints.unused == HINTS
    for used in ("open", "open", "move(1)"):
        hints.use(runs, used)
    assert (len(changes), hints.unused, hints_in(demo(tmp_path)).unused) == (1, HINTS[1:], HINTS[1:])
    saved = demo(tmp_path).paths.home / "hints-used"
    saved.unlink()
    saved.mkdir()
    hints = hints_in(demo(tmp_path))
    hints.use(runs, "open")
    assert (hints.unused, hints_in(demo(tmp_path)).unused) == (HINTS[1:], HINTS)


def test_tips_are_off_outside_the_demo_and_if_the_setting_disables_them(tmp_path: Path) -> None:
    assert hints_in(demo(tmp_path, hints=False)).unused == hints_in(replace(demo(tmp_path), demo=None)).unused == ()


async def test_each_page_shows_its_own_next_tip_and_none_while_the_user_types(tmp_path: Path) -> None:
    async with opened(demo(tmp_path), size=SMALL) as pilot:
        await sees(pilot, OPEN, "240 runs")
        await pilot.press("slash")
        await sees(pilot, "esc Cancel", gone="Tip:")
        await pilot.press("escape")
        await sees(pilot, OPEN)
        await pilot.press("j", "j", "enter")
        await sees(pilot, "Tip: press e to jump to the turn that a verdict is based on.")
        await pilot.press("right_square_bracket", "right_square_bracket")
        await sees(pilot, "Run 900236", "This run has no transcript", "Tip: ", gone="based on")
        await pilot.press("escape")
        await sees(pilot, "Tip: press ! to list failed runs only.", gone=OPEN)
        no_crash(pilot)
