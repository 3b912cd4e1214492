"""Snapshots of screens that are not in the README (see `test_readme_pictures.py`). After an intended change run `pytest
tests/snapshots --snapshot-update`, then look at the new snapshots."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import CASES, MORE_SCENES, SCENES, prepared_app

WIDE, SMALL = (120, 36), (80, 24)


@pytest.mark.parametrize(
    ("scene", "size"),
    [
        pytest.param("runs", SMALL, id="runs-80x24"),
        pytest.param("nothing", SMALL, id="nothing-80x24"),
        pytest.param("groups", SMALL, id="groups"),
        pytest.param("run", SMALL, id="run-80x24"),
        pytest.param("run", (160, 45), id="run-160x45", marks=pytest.mark.long),
        pytest.param("by_sound", (160, 45), id="by-sound-160x45", marks=pytest.mark.long),
        pytest.param("by_sound", WIDE, id="by-sound-120x36", marks=pytest.mark.long),
        pytest.param("by_sound", SMALL, id="by-sound-80x24"),
        pytest.param("verdicts", SMALL, id="verdicts-80x24"),
        pytest.param("details", SMALL, id="details-80x24"),
        pytest.param("compared", WIDE, id="compared"),
        pytest.param("untimed", SMALL, id="untimed-80x24"),
        pytest.param("test_dialog", SMALL, id="test-dialog"),
        pytest.param("running_test", SMALL, id="running-test"),
    ],
)
def test_a_screen_matches_its_snapshot(
    snap_compare: Callable[..., bool], prepared: Path, scene: str, size: tuple[int, int]
) -> None:
    with prepared_app(prepared) as app:
        assert snap_compare(app, run_before=MORE_SCENES.get(scene) or SCENES[scene], terminal_size=size)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x36", "80x24"])
def test_before_and_after_match_their_snapshot(
    snap_compare: Callable[..., bool], tested: Path, size: tuple[int, int]
) -> None:
    with prepared_app(tested) as app:
        assert snap_compare(app, run_before=MORE_SCENES["before_after"], terminal_size=size)


@pytest.mark.parametrize(
    ("colour", "size"),
    [
        pytest.param("in colour", WIDE, id="in colour-120x36"),
        pytest.param("without colour", SMALL, id="without colour-80x24"),
    ],
)
@pytest.mark.long
def test_changes_of_every_kind_match_their_snapshot(
    snap_compare: Callable[..., bool],
    proposed: Path,
    monkeypatch: pytest.MonkeyPatch,
    colour: str,
    size: tuple[int, int],
) -> None:
    if colour == "without colour":
        monkeypatch.setenv("NO_COLOR", "1")
    with prepared_app(proposed) as app:
        assert snap_compare(app, run_before=MORE_SCENES["changes"], terminal_size=size)


@pytest.mark.parametrize("scene", CASES)
@pytest.mark.long
def test_a_proposal_of_a_model_matches_its_snapshot(snap_compare: Callable[..., bool], cases: Path, scene: str) -> None:
    with prepared_app(cases) as app:
        assert snap_compare(app, run_before=MORE_SCENES[scene], terminal_size=SMALL)
