"""The tips of the demo: each is shown until its key was used once, and never again."""

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


def test_every_tip_names_an_action_that_exists() -> None:
    kinds = (CekuraApp, RunsScreen, RunList, RunScreen, JobsScreen, JobList, SuggestionScreen)
    known = {name for kind in kinds for name in table_of(kind)}
    assert [hint.action for hint in HINTS if hint.action not in known] == []


def test_a_used_tip_is_gone_also_next_time(tmp_path: Path) -> None:
    changes: list[str] = []
    hints = Hints()
    hints.changed = lambda: changes.append("")
    hints.begin(demo(tmp_path))
    assert hints.left == HINTS
    runs = RunList(str, opened=lambda run_id: None)
    hints.use(runs, "open")
    hints.use(runs, "open")
    hints.use(runs, "move(1)")
    assert len(changes) == 2
    again = Hints()
    again.begin(demo(tmp_path))
    assert again.left == hints.left == HINTS[1:]


def test_tips_are_off_by_the_setting_and_outside_the_demo(tmp_path: Path) -> None:
    hints = Hints()
    hints.begin(demo(tmp_path, hints=False))
    assert hints.left == ()
    hints.begin(replace(demo(tmp_path), demo=None))
    assert hints.left == ()


def test_an_unusable_file_of_used_tips_only_brings_the_tips_back(tmp_path: Path) -> None:
    (tmp_path / "hints-used").mkdir()
    hints = Hints()
    hints.begin(demo(tmp_path))
    hints.use(RunList(str, opened=lambda run_id: None), "open")
    assert hints.left == HINTS[1:]


async def test_each_page_shows_its_own_next_tip_and_none_while_the_user_types(tmp_path: Path) -> None:
    async with opened(demo(tmp_path), size=SMALL) as pilot:
        await sees(pilot, OPEN, "240 runs")
        await pilot.press("slash")
        await sees(pilot, "esc Cancel", gone="Tip:")
        await pilot.press("escape")
        await sees(pilot, OPEN)
        await pilot.press("j", "j", "enter")
        await sees(pilot, "Tip: press e to jump to the turn that a verdict is based on.")
        await pilot.press("escape")
        await sees(pilot, "Tip: press ! to list failed runs only.", gone=OPEN)
        no_crash(pilot)
